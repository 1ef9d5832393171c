"""What the server says, as values: what counts as right, and what is made of an answer that is half there."""

from __future__ import annotations

from typing import Any

import pytest

from dojo.errors import NotADojo
from dojo.records import (
    INHERITS,
    Checkpoint,
    Grade,
    Row,
    get,
    read_exercise,
    read_grade,
    read_row,
    read_submission,
)

EXACT = Row("a", "exact", exact=True, approximate=True)
APPROXIMATE = Row("b", "approximate", approximate=True, diagnosis=("no",), notes=("a note",))
OWN = Row("c", "wrong", origin="own", diagnosis=("A sign.",), notes=("a note",))
HEIR = Row("d", "wrong", origin="inherited", diagnosis=("no",), notes=("a note",))
UNKNOWN = Row("e", "wrong")
MISSING = Row("f", "missing", notes=("df was never assigned",))


@pytest.mark.parametrize(
    ("row", "passed", "inherits", "own_mistake", "remarks"),
    [
        (EXACT, True, False, False, ()),
        (APPROXIMATE, True, False, False, ("a note",)),
        (OWN, False, False, True, ("A sign.", "a note")),
        (HEIR, False, True, False, (INHERITS, "a note")),
        (UNKNOWN, False, False, True, ()),
        (MISSING, False, False, False, ("df was never assigned",)),
    ],
)
def test_a_row_is_right_or_wrong_by_itself_or_by_what_is_above(
    row: Row, passed: bool, inherits: bool, own_mistake: bool, remarks: tuple[str, ...]
) -> None:
    assert (row.passed, row.inherits, row.own_mistake) == (passed, inherits, own_mistake)
    assert row.remarks() == remarks


def test_a_grade_counts_approximate_as_passed() -> None:
    grade = Grade((EXACT, APPROXIMATE, OWN), (), None, "", "", "")
    assert (grade.passed, grade.exact, grade.all_passed) == (2, 1, False)
    assert Grade((EXACT, APPROXIMATE), (), None, "", "", "").all_passed
    assert grade.row("b") is APPROXIMATE
    assert grade.row("z") is None


@pytest.mark.parametrize(("best", "passed"), [("exact", True), ("approximate", True), ("wrong", False), (None, False)])
def test_a_step_passed_where_its_best_verdict_did(best: str | None, passed: bool) -> None:
    assert Checkpoint("a", best=best).passed is passed


@pytest.mark.parametrize(
    ("status", "place", "estimate", "waiting", "standing"),
    [
        ("queued", 3, 6, True, "place 3 in the queue, about 6 s"),
        ("queued", 1, 0, True, "place 1 in the queue, about 0 s"),
        ("queued", 1, None, True, "place 1 in the queue"),
        ("queued", None, None, True, "queued"),
        ("running", 1, 1, True, "running"),
        ("graded", None, None, False, "graded"),
        ("cancelled", None, None, False, "cancelled"),
    ],
)
def test_where_a_submission_stands(
    status: str, place: int | None, estimate: int | None, waiting: bool, standing: str
) -> None:
    found = read_submission({"id": 1, "exercise": "a/b", "status": status, "place": place, "estimate": estimate})
    assert (found.waiting, found.standing(), found.graded) == (waiting, standing, False)


def test_a_grade_without_rows_is_none() -> None:
    head = {"id": 1, "exercise": "a/b", "status": "graded"}
    assert read_submission({**head, "grade": {"passed": 3, "total": 3}}).grade is None
    assert read_submission({**head, "grade": {"checkpoints": []}}).grade == Grade((), (), None, "", "", "")


@pytest.mark.parametrize("value", ["1", True, None, 1.0])
def test_a_number_that_is_none_is_no_answer(value: Any) -> None:
    with pytest.raises(NotADojo, match="no usable “id”"):
        get({"id": value}, "id", int)
    with pytest.raises(NotADojo):
        get([], "id", int)  # type: ignore[arg-type]  # the server may send anything


def test_what_is_half_there_is_read_as_far_as_it_is() -> None:
    assert read_row({"name": "a", "verdict": "wrong", "exact": 1, "approximate": "yes", "maxdiff": True}) == Row(
        "a", "wrong"
    )
    assert read_row({"name": "a", "verdict": "wrong", "maxdiff": 2, "notes": ["x", 3], "origin": 4}) == Row(
        "a", "wrong", maxdiff=2.0, notes=("x",)
    )
    assert read_grade({"checkpoints": [], "flags": "autograd", "run": 3}) == Grade((), (), None, "", "", "")


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://a.test/x", True),
        ("http://a.test/x", True),
        ("httpx://a.test", False),
        ("javascript:x", False),
        (3, False),
    ],
)
def test_a_link_is_a_web_address(link: Any, kept: bool) -> None:
    assert read_exercise({"slug": "a/b", "lecture_url": link}).lecture_url == (link if kept else None)
