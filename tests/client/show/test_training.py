"""A training run as a terminal shows it: legible at any width, without colour and without braille."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from dojo.api.training import read_training_run
from dojo.show import training as show
from tests.client.fake_training import curve
from tests.client.show.terminal import terminal

BRAILLE = range(0x2801, 0x2900)


def run(**changed: Any) -> Any:
    body = {
        "id": 3,
        "status": "running",
        "step": 15_000,
        "steps": 20_000,
        "batch": 32,
        "schedule": [[0, 0.1], [10_000, 0.01]],
        "curve": curve(15_000, is_wrong=True),
        "reference_curve": curve(10_000),
        "seconds_left": 70,
        "checked": "no",
    }
    return read_training_run(body | changed)


def dots(text: str) -> int:
    return sum(ord(letter) in BRAILLE for letter in text)


@pytest.mark.parametrize("width", [1, 24, 40, 80, 200])
def test_a_plot_is_as_wide_as_the_terminal(width: int) -> None:
    lines = [line.plain for line in show.plot(run(), width)][1:]

    assert max(map(len, lines)) == min(max(width, show.WIDTH_MIN), show.WIDTH_MAX)
    assert len(lines) == show.HEIGHT + 2
    assert sum(map(dots, lines)) > 10


def test_the_two_lines_are_told_apart_without_colour() -> None:
    apart = show.plot(run(), 80)
    letters = "".join(line.plain for line in apart[1:])
    gaps = [row.plain[4:].strip() for row in apart[1:] if " " in row.plain[4:].strip()]

    assert "⠒⠒⠒ yours 2.3387" in apart[0].plain and "⠒ ⠒ the reference's" in apart[0].plain
    assert gaps  # the reference's line is dashed
    assert dots(letters) > 60


def test_a_right_run_says_that_the_lines_are_one() -> None:
    assert "(the same)" in show.plot(run(curve=curve(15_000)), 80)[0].plain
    assert "(the same)" not in show.plot(run(), 80)[0].plain


def test_a_curve_that_leaves_the_plot_says_so() -> None:
    climbing = [[0, 3.3], [5000, 90.0], [10_000, None]]

    assert "cut)" in show.plot(run(curve=climbing), 80)[0].plain


def test_a_terminal_without_braille_gets_ascii() -> None:
    text = "\n".join(line.plain for line in show.plot(run(), 80, utf8=False))

    assert text.isascii()
    assert text.count("*") > 60 and text.count(".") > 10


@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_is_never_the_only_sign(settings: dict[str, str]) -> None:
    screen, file = terminal(80, **settings)
    show.show_run(screen, run())

    assert ("\x1b[" in file.getvalue()) == (settings == {})
    assert dots(file.getvalue()) > 60


def test_a_run_that_has_not_begun_has_no_plot_yet() -> None:
    text = show.live(run(status="queued", step=0, curve=[], reference_curve=[]), 80).plain

    assert text == "step 0 of 20,000 | waits for its turn"


def test_the_time_left_is_told_in_words() -> None:
    progress = [run(seconds_left=seconds).progress().rpartition("| ")[2] for seconds in (0.2, 35, 100, 4000, None)]

    assert progress == ["1 s left", "35 s left", "2 minutes left", "2 hours left", "loss 2.3387"]


def test_after_the_last_step_the_losses_are_measured() -> None:
    assert run(step=20_000, seconds_left=0).progress().endswith("| measures the losses")


@pytest.mark.parametrize(("status", "is_told"), [("running", True), ("failed", True), ("done", False)])
def test_what_was_said_on_the_way_is_over_at_the_end(status: str, is_told: bool) -> None:
    screen, file = terminal(80)
    show.show_run(screen, run(status=status, message="Step 16 differs.", checked="failed"))

    assert ("Step 16 differs." in file.getvalue()) == is_told


def test_the_end_says_what_to_do_next() -> None:
    told = []
    for status, checked in itertools.product(("done", "cancelled", "failed", "forged", "running"), ("yes", "failed")):
        screen, file = terminal(200)
        show.show_run(screen, run(status=status, checked=checked))
        told.append(file.getvalue().strip().splitlines()[-1])

    assert all("dojo train" in line for line in told)
    assert len(set(told)) == 5


@pytest.mark.parametrize("status", ["failed", "forged"])
def test_advice_stands_in_the_message_alone(status: str) -> None:
    screen, file = terminal(80)
    show.show_run(screen, run(status=status, message="It stopped. Correct it, and start again."))

    advice, commands = re.sub(r"\x1b\[\d*m", "", file.getvalue()).splitlines()[-2:]
    assert advice == "It stopped. Correct it, and start again."
    assert re.fullmatch(r"(Hand it in: dojo submit FILE   )?Start again: dojo train FILE", commands)


def test_a_traceback_keeps_its_lines() -> None:
    screen, file = terminal(80)
    show.show_run(screen, run(status="failed", message="It stopped:\n    dC = (\n         ^\nCorrect it."))

    text = re.sub(r"\x1b\[\d*m", "", file.getvalue())
    assert "It stopped:\n    dC = (\n         ^\nCorrect it.\n" in text
