"""One grade on terminals of all widths, and as lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from rich.text import Text

from dojo.api.responses import INHERITED_REMARK, Checkpoint, Comparison, Grade, Submission, read_submission
from dojo.show.grades import (
    AUTOGRAD_SENTENCE,
    KERNELS_SENTENCE,
    first_mistake,
    show_rows,
    show_whole,
    unique_remarks,
)
from dojo.show.screen import Screen
from tests.client.show.terminal import terminal

ROWS = (
    Comparison("counts_sum_inv", "exact", True, True, 0.0),
    Comparison("counts", "wrong", False, False, 0.123456, "own", ("A term is missing: counts is used twice.",)),
    Comparison("norm_logits", "wrong", False, False, 2.0, "inherited", ("not to be shown",)),
    Comparison("h", "approximate", False, True, 1e-9, notes=("shape [64], compared with [1, 64] by broadcasting",)),
    Comparison("b1", "rounding", False, False, 1e-7),
    Comparison("C", "wrong", False, False, 1.0, "unknown", notes=("here, or in demb, which you did not hand in",)),
    Comparison("W2", "missing", notes=("dW2 was never assigned",)),
    Comparison("b2", "missing", notes=("db2 was never assigned",)),
)


@pytest.mark.parametrize("width", [24, 40, 60, 79, 80, 100, 200])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    screen, file = terminal(width)
    show_rows(screen, ROWS)
    for line in file.getvalue().splitlines():
        assert Text.from_ansi(line).cell_len <= width


def test_a_narrow_terminal_has_remarks_below_the_table() -> None:
    wide, beside = terminal(120)
    show_rows(wide, ROWS)
    assert any("counts " in line and "A term is missing" in line for line in beside.getvalue().splitlines())
    narrow, below = terminal(60)
    show_rows(narrow, ROWS)
    assert not any("✗" in line and "A term is missing" in line for line in below.getvalue().splitlines())
    assert "A term is missing" in below.getvalue()


def test_colours_tell_right_from_wrong_from_inherited() -> None:
    screen, file = terminal(120)
    show_rows(screen, ROWS)
    text = file.getvalue()
    assert "\x1b[32mcounts_sum_inv" in text
    assert "\x1b[1;31mcounts" in text  # the first own mistake leads the eye
    assert "\x1b[2;33mnorm_logits" in text
    assert "\x1b[36mh" in text


def test_without_colour_there_are_the_lectures_lines_with_words() -> None:
    screen, file = terminal(100, NO_COLOR="1")
    show_rows(screen, ROWS)
    assert file.getvalue().splitlines() == [
        "counts_sum_inv  | exact: True  | approximate: True  | maxdiff: 0.0",
        "counts          | exact: False | approximate: False | maxdiff: 0.123456 | wrong here",
        "    A term is missing: counts is used twice.",
        "norm_logits     | exact: False | approximate: False | maxdiff: 2.0 | inherited",
        "    Right, given the gradients above it: the mistake is further up.",
        "h               | exact: False | approximate: True  | maxdiff: 1e-09 | approximate",
        "    shape [64], compared with [1, 64] by broadcasting",
        "b1              | exact: False | approximate: False | maxdiff: 1e-07 | rounding: passes",
        "    Passes: the difference is no more than float32 rounding explains.",
        "C               | exact: False | approximate: False | maxdiff: 1.0 | here or above",
        "    here, or in demb, which you did not hand in",
        "W2              | exact: False | approximate: False | maxdiff: - | not there yet",
        "    dW2 was never assigned",
        "b2              | exact: False | approximate: False | maxdiff: - | not there yet",
    ]


@pytest.mark.parametrize(
    ("name", "maxdiff", "lines"),
    [
        ("a", 0.5, ["a | exact: False | approximate: False | maxdiff: 0.5 | here or above"]),
        ("a", 0.1234567890123, ["a | exact: False | approximate: False | maxdiff: 0.1234567890123 | here or above"]),
        (
            "logprobs",
            0.123456789012345,
            ["logprobs        | exact: False | approximate: False | maxdiff: 0.123456789012345", "    here or above"],
        ),
        (
            "bn",
            0.12345678901234566,
            ["bn | exact: False | approximate: False | maxdiff: 0.12345678901234566", "    here or above"],
        ),
    ],
)
def test_a_row_is_squeezed_into_80_columns(name: str, maxdiff: float, lines: list[str]) -> None:
    screen, file = terminal(80, TERM="dumb")
    show_rows(screen, [Comparison(name, "wrong", maxdiff=maxdiff, origin="unknown")])
    assert file.getvalue().splitlines() == lines


@pytest.mark.parametrize("width", [60, 120])
def test_each_kind_of_row_has_its_word_beside_its_colour(width: int) -> None:
    screen, file = terminal(width)
    show_rows(screen, ROWS)
    text = Text.from_ansi(file.getvalue()).plain
    for word in ("wrong here", "inherited", "approximate", "rounding: passes", "here or above", "not there yet"):
        assert word in text


def test_remarks_need_80_columns() -> None:
    shown = {}
    for width in (79, 80):
        screen, file = terminal(width)
        show_rows(screen, ROWS)
        shown[width] = Text.from_ansi(file.getvalue()).plain
    assert "counts:" in shown[79] and "approximate  " not in shown[79]
    assert "counts:" not in shown[80] and "approximate  " in shown[80]


def test_only_the_first_own_mistake_is_bold() -> None:
    screen, file = terminal(120)
    show_rows(screen, [Comparison(name, "wrong", maxdiff=1.0, origin="own") for name in ("a", "b")])
    assert "\x1b[1;31ma" in file.getvalue()
    assert "\x1b[31mb" in file.getvalue()


def test_a_difference_that_is_none_is_a_dash() -> None:
    screen, file = terminal(120)
    show_rows(
        screen,
        [
            Comparison("a", "missing"),
            Comparison("b", "exact", True, True, 0.0),
            Comparison("c", "wrong", maxdiff=1234.5),
        ],
    )
    lines = [line.split() for line in Text.from_ansi(file.getvalue()).plain.splitlines()]
    assert [line[-1] for line in lines if line and line[0] in "abc"] == ["-", "0.0", "1.23e+03"]


def graded(run: Mapping[str, object] | None, *rows: dict[str, object], flags: tuple[str, ...] = ()) -> Submission:
    kind = "code" if run else "tensors"
    grade = {"run": run, "checkpoints": list(rows), "flags": list(flags)}
    return read_submission({"id": 9, "kind": kind, "exercise": "a/b", "attempt": 2, "status": "graded", "grade": grade})


def show_submission(screen: Screen, submission: Submission, checkpoints: tuple[Checkpoint, ...] = ()) -> None:
    assert submission.grade is not None
    show_whole(screen, submission, submission.grade, checkpoints)


def test_inexact_tensors_are_explained_once(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": name, "verdict": "approximate", "approximate": True, "maxdiff": 1e-9} for name in "ab"]
    show_submission(Screen(), graded(None, *rows))
    assert capsys.readouterr().out.count(KERNELS_SENTENCE) == 1
    show_submission(Screen(), graded({"status": "ok"}, *rows))
    assert KERNELS_SENTENCE not in capsys.readouterr().out


def test_the_run_is_shown_above_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": "h", "verdict": "wrong", "origin": "own", "maxdiff": 1}
    run = {"status": "time_limit", "message": "after 5 s", "stdout": "hello\n"}
    show_submission(Screen(), graded(run, row, flags=("autograd",)), (Checkpoint("h"),))
    assert capsys.readouterr().out.splitlines() == [
        "Your code printed:",
        "    hello",
        "Your code was stopped: it took too long.",
        "    after 5 s",
        "h               | exact: False | approximate: False | maxdiff: 1.0 | wrong here",
        AUTOGRAD_SENTENCE,
        "0 of 1 pass, 0 exact; 1 mistake of your own",
    ]


def test_a_run_that_went_well_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": "h", "verdict": "exact", "exact": True, "approximate": True, "maxdiff": 0}
    show_submission(Screen(), graded({"status": "ok", "message": "fine"}, row))
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_terminal_shows_which_submission_it_is() -> None:
    screen, file = terminal(100)
    show_submission(screen, graded({"status": "crashed", "message": ""}))
    text = Text.from_ansi(file.getvalue()).plain
    assert text.startswith("a/b, attempt 2 (submission 9)\nYour code crashed")


def test_the_first_mistake_with_a_link_is_shown() -> None:
    rows = (Comparison("a", "wrong"), Comparison("b", "wrong"), Comparison("c", "wrong", origin="inherited"))
    steps = [
        Checkpoint("a"),
        Checkpoint("b", lecture_url="https://l.test"),
        Checkpoint("c", lecture_url="https://m.test"),
    ]
    grade = Grade(rows, (), None, "", "", "")
    assert first_mistake(grade, steps) is steps[1]
    assert first_mistake(grade, [steps[0], steps[2]]) is None


def test_a_repeated_remark_stands_once() -> None:
    heirs = [Comparison(name, "wrong", maxdiff=1.0, origin="inherited") for name in ("logits", "h", "W2")]
    missing = [Comparison(name, "missing", notes=(f"d{name} was never assigned",)) for name in ("a", "b")]
    assert unique_remarks(missing) == [("da was never assigned",), ()]
    own = [Comparison(name, "wrong", origin="own", diagnosis=("Look.",)) for name in ("a", "b")]
    assert unique_remarks(own) == [("Look.",), ("Look.",)]
    said = unique_remarks([Comparison("probs", "wrong", maxdiff=1.0, origin="own", diagnosis=("Look.",)), *heirs])
    assert said == [("Look.",), (INHERITED_REMARK,), (), ()]
