"""Tables on terminals of all widths, and lines where there is none."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from dojo.records import INHERITS, Grade, Row, read_grade, read_submission
from dojo.table import Screen, remarks_of, show_exercises, show_history, show_rows
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


def test_an_exercise_can_be_typed_from_a_narrow_list(fake: FakeDojo) -> None:
    from dojo.records import read_exercise

    screen, file = terminal(30)
    show_exercises(screen, [read_exercise(fake.exercise())])
    assert "makemore/cross-entropy" in file.getvalue()


def test_no_rows_are_no_pass() -> None:
    assert not Grade((), (), None, "", "", "").all_passed


def test_clock() -> None:
    assert [clock(each) for each in (5, 781, 3915)] == ["0:05", "13:01", "1:05:15"]


def test_what_holds_of_many_rows_is_said_of_the_first() -> None:
    heirs = [Row(name, "wrong", maxdiff=1.0, origin="inherited") for name in ("logits", "h", "W2")]
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
