"""Tables on terminals of all widths, and lines where there is none."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping

import pytest
from rich.console import Console
from rich.text import Text

from dojo.records import INHERITS, Checkpoint, Grade, Row, Submission, read_exercise, read_grade, read_submission
from dojo.table import (
    AUTOGRAD,
    Screen,
    first_mistake,
    remarks_of,
    show_exercises,
    show_history,
    show_rows,
    show_submission,
)
from dojo.text import clock
from tests.client.fake import FakeDojo


def terminal(width: int, **settings: str) -> tuple[Screen, io.StringIO]:
    file = io.StringIO()
    environ = {"TERM": "xterm-256color", **settings}
    console = Console(file=file, force_terminal=True, width=width, markup=False, highlight=False, _environ=environ)
    return Screen(console), file


ROWS = (
    Row("counts_sum_inv", "exact", True, True, 0.0),
    Row("counts", "wrong", False, False, 0.123456, "own", ("A term is missing: counts is used twice.",)),
    Row("norm_logits", "wrong", False, False, 2.0, "inherited", ("not to be shown",)),
    Row("h", "approximate", False, True, 1e-9, notes=("shape [64], compared with [1, 64] by broadcasting",)),
    Row("W2", "missing", notes=("dW2 was never assigned",)),
    Row("b2", "missing", notes=("db2 was never assigned",)),
)


@pytest.mark.parametrize("width", [24, 40, 60, 79, 80, 100, 200])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    screen, file = terminal(width)
    show_rows(screen, ROWS)
    for line in file.getvalue().splitlines():
        assert Text.from_ansi(line).cell_len <= width


def test_a_wide_terminal_has_remarks_beside_the_rows_and_a_narrow_one_below() -> None:
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


@pytest.mark.parametrize("settings", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colour_there_are_the_lectures_lines(
    settings: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    screen, _ = terminal(80, **settings)
    show_rows(screen, ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "counts_sum_inv  | exact: True  | approximate: True  | maxdiff: 0.0",
        "counts          | exact: False | approximate: False | maxdiff: 0.123456",
        "    A term is missing: counts is used twice.",
        "norm_logits     | exact: False | approximate: False | maxdiff: 2.0",
        "    Right, given the gradients above it: the mistake is further up.",
        "h               | exact: False | approximate: True  | maxdiff: 1e-09",
        "    shape [64], compared with [1, 64] by broadcasting",
        "W2              | exact: False | approximate: False | maxdiff: -",
        "    dW2 was never assigned",
        "b2              | exact: False | approximate: False | maxdiff: -",
    ]


def test_the_remarks_move_below_the_table_at_80_columns() -> None:
    shown = {}
    for width in (79, 80):
        screen, file = terminal(width)
        show_rows(screen, ROWS)
        shown[width] = Text.from_ansi(file.getvalue()).plain
    assert "counts:" in shown[79] and "approximate" not in shown[79]
    assert "counts:" not in shown[80] and "approximate" in shown[80]


def test_only_the_first_mistake_of_ones_own_is_bold() -> None:
    screen, file = terminal(120)
    show_rows(screen, [Row(name, "wrong", maxdiff=1.0, origin="own") for name in ("a", "b")])
    assert "\x1b[1;31ma" in file.getvalue()
    assert "\x1b[31mb" in file.getvalue()


def test_a_difference_that_is_none_is_a_dash() -> None:
    screen, file = terminal(120)
    show_rows(screen, [Row("a", "missing"), Row("b", "exact", True, True, 0.0), Row("c", "wrong", maxdiff=1234.5)])
    lines = [line.split() for line in Text.from_ansi(file.getvalue()).plain.splitlines()]
    assert [line[-1] for line in lines if line and line[0] in "abc"] == ["-", "0.0", "1.23e+03"]


@pytest.mark.parametrize(("encoding", "marks"), [("utf-8", ("✓", "✗", "●")), ("ascii", ("yes", "no", "#"))])
def test_marks_are_letters_where_the_terminal_has_no_others(encoding: str, marks: tuple[str, ...]) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    screen = Screen(Console(file=file, force_terminal=True, _environ={"TERM": "xterm"}))
    assert (screen.yes, screen.no, screen.bar) == marks


def test_letters_that_the_terminal_has_not_are_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", file)
    Screen(Console(file=file)).say("größe")
    file.flush()
    assert file.buffer.getvalue() == b"gr??e\n"


def graded(run: Mapping[str, object], *rows: dict[str, object], flags: tuple[str, ...] = ()) -> Submission:
    grade = {"run": run, "checkpoints": list(rows), "flags": list(flags)}
    return read_submission({"id": 9, "exercise": "a/b", "attempt": 2, "status": "graded", "grade": grade})


def test_how_the_code_ran_is_told_above_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": "h", "verdict": "wrong", "origin": "own", "maxdiff": 1}
    run = {"status": "time_limit", "message": "after 5 s", "stdout": "hello\n"}
    show_submission(Screen(), graded(run, row, flags=("autograd",)), [Checkpoint("h")])
    assert capsys.readouterr().out.splitlines() == [
        "Your code printed:",
        "    hello",
        "Your code was stopped: it took too long.",
        "    after 5 s",
        "h               | exact: False | approximate: False | maxdiff: 1.0",
        AUTOGRAD,
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


def test_the_first_mistake_that_the_lecture_speaks_of_is_pointed_at() -> None:
    rows = (Row("a", "wrong"), Row("b", "wrong"), Row("c", "wrong", origin="inherited"))
    steps = [
        Checkpoint("a"),
        Checkpoint("b", lecture_url="https://l.test"),
        Checkpoint("c", lecture_url="https://m.test"),
    ]
    grade = Grade(rows, (), None, "", "", "")
    assert first_mistake(grade, steps) is steps[1]
    assert first_mistake(grade, [steps[0], steps[2]]) is None


def test_moments_are_shown_in_the_students_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        screen, file = terminal(100)
        moments = ("2026-01-02T23:04:05Z", "2026-01-02T23:04:05+00:00", "yesterday", "")
        answers = [{"id": 1, "exercise": "e", "status": "queued", "created_at": moment} for moment in moments]
        show_history(screen, [read_submission(each) for each in answers])
    finally:
        monkeypatch.undo()
        time.tzset()
    text = Text.from_ansi(file.getvalue()).plain
    assert text.count("2026-01-03 01:04") == 2
    assert "yesterday" in text


def test_what_is_done_is_green_in_a_list() -> None:
    done = {"slug": "a/done", "passed": 2, "total": 2}
    others = [{"slug": "a/half", "passed": 1, "total": 2}, {"slug": "a/empty", "passed": 0, "total": 0}]
    screen, file = terminal(100)
    show_exercises(screen, [read_exercise(each) for each in (done, *others)])
    assert [line for line in file.getvalue().splitlines() if "\x1b[32m" in line] == [
        line for line in file.getvalue().splitlines() if "a/done" in line
    ]
    screen, file = terminal(100)
    grades = [{"passed": 2, "total": 2}, {"passed": 1, "total": 2}, {}]
    answers = [{"id": 7, "exercise": "a/b", "status": "queued", "grade": grade} for grade in grades]
    show_history(screen, [read_submission(each) for each in answers])
    assert file.getvalue().count("\x1b[32m7") == 1


def test_an_exercise_can_be_typed_from_a_narrow_list(fake: FakeDojo) -> None:
    screen, file = terminal(30)
    show_exercises(screen, [read_exercise(fake.exercise())])
    assert "makemore/cross-entropy" in file.getvalue()


def test_no_rows_are_no_pass() -> None:
    assert not Grade((), (), None, "", "", "").all_passed


def test_clock() -> None:
    assert [clock(each) for each in (5, 781, 3915)] == ["0:05", "13:01", "1:05:15"]


def test_what_holds_of_many_rows_is_said_of_the_first() -> None:
    heirs = [Row(name, "wrong", maxdiff=1.0, origin="inherited") for name in ("logits", "h", "W2")]
    missing = [Row(name, "missing", notes=(f"d{name} was never assigned",)) for name in ("a", "b")]
    assert remarks_of(missing) == [("da was never assigned",), ()]
    own = [Row(name, "wrong", origin="own", diagnosis=("Look.",)) for name in ("a", "b")]
    assert remarks_of(own) == [("Look.",), ("Look.",)]
    said = remarks_of([Row("probs", "wrong", maxdiff=1.0, origin="own", diagnosis=("Look.",)), *heirs])
    assert said == [("Look.",), (INHERITS,), (), ()]


def test_the_summary_counts_own_mistakes_and_their_heirs() -> None:
    own, heir = Row("a", "wrong", origin="own"), Row("b", "wrong", origin="inherited")
    right, missing = Row("c", "exact", exact=True, approximate=True), Row("d", "missing")

    def summary(*rows: Row) -> str:
        return Grade(rows, (), None, "", "", "").summary()

    assert summary(right, own, heir) == "1 of 3 pass, 1 exact; 1 mistake of your own, 1 step inherits it"
    assert summary(own, own, heir, heir) == "0 of 4 pass, 0 exact; 2 mistakes of your own, 2 steps inherit them"
    assert summary(right, missing) == "1 of 2 pass, 1 exact"


def test_points_are_told_where_they_are_not_what_passed() -> None:
    rows = [{"name": "a", "verdict": "exact", "exact": True, "approximate": True}]
    told = {"checkpoints": rows, "passed": 1, "total": 1}
    assert read_grade(told).summary() == read_grade(told | {"points": 1.0}).summary() == "1 of 1 pass, 1 exact"
    assert read_grade(told | {"points": 1.5}).summary() == "1 of 1 pass, 1 exact, 1.5 points"


def test_the_history_tells_points_where_they_are_not_what_passed() -> None:
    heads = [
        {"id": id, "exercise": "e", "status": "graded", "grade": {"passed": 5, "total": 26, "points": points}}
        for id, points in ((1, 5.0), (2, 15.5))
    ]
    screen, file = terminal(100)
    show_history(screen, [read_submission(each) for each in heads])
    first, second = [line for line in Text.from_ansi(file.getvalue()).plain.splitlines() if " of 26" in line]
    assert "5 of 26" in first and "points" not in first
    assert "5 of 26, 15.5 points" in second
