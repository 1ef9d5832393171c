"""A grade in short: on 24 lines of 80 characters the one thing to do stands at the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.text import Text

from dojo.api.responses import Checkpoint, Comparison, Grade, Practice, Submission, read_submission
from dojo.show.brief import Before, View, show_brief
from dojo.show.grades import KERNELS_SENTENCE
from tests.client.show.terminal import terminal

NAMES = tuple(f"step{number}" for number in range(26))
STEPS = tuple(Checkpoint(name, lecture_start=781, lecture_url="https://l.test/?t=781") for name in NAMES)
HINTS = (("The path through probs is missing.", "Look at the line probs = …", "Each use adds a term."),)


def own(name: str) -> Comparison:
    return Comparison(name, "wrong", maxdiff=0.5, origin="own", diagnosis=(" ".join(HINTS[0]),), hints=HINTS)


def heir(name: str) -> Comparison:
    return Comparison(name, "wrong", maxdiff=0.5, origin="inherited")


def exact(name: str) -> Comparison:
    return Comparison(name, "exact", True, True, 0.0)


def unknown(name: str) -> Comparison:
    return Comparison(name, "wrong", maxdiff=0.5, origin="unknown", notes=(f"here, or above d{name}",))


def missing(name: str) -> Comparison:
    return Comparison(name, "missing", notes=(f"d{name} was never assigned",))


ONE_MISTAKE = Grade((*map(exact, NAMES[:3]), own(NAMES[3]), *map(heir, NAMES[4:])), (), "ok", "", "", "")


def shown(grade: Grade, view: View | None = None, width: int = 80, kind: str = "code", **settings: str) -> list[str]:
    """Return the lines on a terminal, without their colours."""
    screen, file = terminal(width, **settings)
    head = {"id": 9, "exercise": "a/b", "attempt": 2, "status": "graded", "kind": kind}
    submission: Submission = replace(read_submission(head), grade=grade)
    show_brief(screen, submission, grade, view or View(STEPS))
    return Text.from_ansi(file.getvalue()).plain.splitlines()


def test_coming_late_stands_under_the_bar() -> None:
    late = replace(ONE_MISTAKE, late_seconds=7300, late_factor=0.85)

    assert shown(late)[2] == "3 hours late: 85 % of the points count."


def test_one_mistake_is_at_the_end_with_its_hint() -> None:
    assert shown(ONE_MISTAKE, View(STEPS, Before(1, frozenset(NAMES[:2])))) == [
        "a/b, attempt 2 (submission 9)",
        "[███✗↑↑↑↑↑↑↑↑↑↑↑↑↑↑↑↑↑↑↑↑↑↑]  3 of 26 pass, 3 exact",
        "Since attempt 1: 1 more step right.",
        "step2           | exact: True  | approximate: True  | maxdiff: 0.0",
        "↑ 22 more inherit it",
        "The whole table: dojo show 9 --all",
        "",
        "step3           | exact: False | approximate: False | maxdiff: 0.5 | wrong here",
        "  The path through probs is missing.",
        "  One more hint (2 of 3): dojo hint",
        "Stuck at dstep3? The lecture at 13:01: https://l.test/?t=781",
    ]


def test_the_levels_of_a_hint_come_one_by_one() -> None:
    two = shown(ONE_MISTAKE, View(STEPS, hint_levels=2))
    assert two[-4:-1] == [f"  {HINTS[0][0]}", f"  {HINTS[0][1]}", "  One more hint (3 of 3): dojo hint"]
    assert not any("One more hint" in line for line in shown(ONE_MISTAKE, View(STEPS, hint_levels=3)))


@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_adds_nothing_that_is_not_said(settings: dict[str, str]) -> None:
    rows = (
        exact("a"),
        Comparison("b", "approximate", False, True, 1e-9),
        Comparison("c", "rounding", maxdiff=1e-7),
        own("d"),
        own("e"),
        heir("f"),
        unknown("g"),
        missing("h"),
    )
    lines = shown(Grade(rows, (), "ok", "", "", ""), View(STEPS), 80, "code", **settings)
    assert lines[1] == "[█≈±✗✗↑?·]  3 of 8 pass, 1 exact"
    assert "≈ 1 passes as approximate: b" in lines
    assert "± 1 passes, its difference is rounding: c" in lines
    assert "✗ 1 more is wrong here: e" in lines
    assert "↑ 1 more inherits them" in lines
    assert "? 1 more is wrong, here or above: g" in lines
    assert "· 1 is not there yet: h" in lines


@pytest.mark.parametrize("width", [30, 80, 200])
def test_nothing_is_wider_than_the_terminal_or_longer_than_24_lines(width: int) -> None:
    rows = (*map(own, NAMES[:9]), *map(unknown, NAMES[9:15]), *map(missing, NAMES[15:]))
    printed = "".join(f"line {number}\n" for number in range(100))
    lines = shown(Grade(rows, ("autograd",), "ok", "", printed, ""), View(STEPS, Before(1, frozenset(NAMES))), width)
    assert max(map(len, lines)) <= width
    assert width < 80 or len(lines) <= 24
    assert lines[-1].startswith("Stuck at dstep0?") or width == 30


def test_what_passed_before_and_does_not_is_said_first() -> None:
    lines = shown(ONE_MISTAKE, View(STEPS, Before(1, frozenset({"step3", "step4"}))))
    assert lines[2] == "Since attempt 1: step3, step4 passed before, and no longer pass."


def test_many_new_steps_are_named_in_a_line() -> None:
    lines = shown(Grade((*map(exact, NAMES[:20]), *map(missing, NAMES[20:])), (), "ok", "", "", ""))
    assert lines[2].startswith("20 more steps right: step0, step1,")
    assert lines[2].endswith(" more")


def test_an_error_of_the_code_is_the_one_thing() -> None:
    trace = "\n".join(f"trace {number}" for number in range(20))
    lines = shown(replace(ONE_MISTAKE, run_status="error", run_message=trace))
    assert lines[-1] == "    trace 19"
    assert lines[-9].startswith("Your code stopped with an error")


def test_what_cannot_be_told_is_no_mistake_of_ones_own() -> None:
    lines = shown(Grade((unknown("a"), heir("b")), (), "ok", "", "", ""), View())
    assert "↑ 1 inherits a mistake from above" in lines
    assert lines[-2:] == [
        "a | exact: False | approximate: False | maxdiff: 0.5 | here or above",
        "  here, or above da",
    ]


def test_the_next_step_is_named() -> None:
    lines = shown(Grade((exact("step0"), missing("step1")), (), "ok", "", "", ""))
    assert lines[-3:] == [
        "Next: dstep1",
        "  dstep1 was never assigned",
        "Stuck at dstep1? The lecture at 13:01: https://l.test/?t=781",
    ]


def test_the_end_says_so_and_what_is_next() -> None:
    rows = (exact("a"), Comparison("b", "approximate", False, True, 1e-9))
    lines = shown(Grade(rows, (), "ok", "", "", ""), View(next_steps=["Next: dojo pull c/d"]))
    assert lines[-2:] == [
        "All 2 steps pass, 1 of them exact: this exercise is done.",
        "Next: dojo pull c/d",
    ]


def test_inexact_tensors_are_explained_once() -> None:
    rows = tuple(Comparison(name, "approximate", False, True, 1e-9) for name in "abc")
    lines = shown(Grade(rows, (), None, "", "", ""), kind="tensors")
    assert f"≈ 3 pass as approximate: {KERNELS_SENTENCE}." in " ".join(lines)
    assert KERNELS_SENTENCE not in " ".join(shown(Grade(rows, (), "ok", "", "", "")))


def test_notes_on_what_passed_are_counted() -> None:
    rows = (replace(exact("a"), notes=("shape [64]",)), exact("b"))
    assert "There is a note on 1 step that passed." in shown(Grade(rows, (), "ok", "", "", ""))


def test_a_drill_is_offered_under_the_mistake() -> None:
    offered = View(STEPS, practice=Practice("drills/missing-term-1", 3))

    assert shown(ONE_MISTAKE, offered)[-1] == "  Practise this in 3 lines: dojo pull drills/missing-term-1"
    assert not any("Practise" in line for line in shown(ONE_MISTAKE))
