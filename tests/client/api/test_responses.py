"""What the server says, as values: what counts as right, and what is made of an answer that is half there."""

from __future__ import annotations

from typing import Any

import pytest

from dojo.api.responses import (
    INHERITED_REMARK,
    ROUNDING_REMARK,
    Checkpoint,
    Comparison,
    Grade,
    read_comparison,
    read_exercise,
    read_grade,
    read_submission,
)
from dojo.errors import NotADojo

EXACT = Comparison("a", "exact", exact=True, approximate=True)
APPROXIMATE = Comparison("b", "approximate", approximate=True, diagnosis=("no",), notes=("a note",))
OWN = Comparison("c", "wrong", origin="own", diagnosis=("A sign.",), notes=("a note",))
HEIR = Comparison("d", "wrong", origin="inherited", diagnosis=("no",), notes=("a note",))
NO_ORIGIN = Comparison("e", "wrong")
UNKNOWN = Comparison("g", "wrong", origin="unknown", notes=("here, or in dh, which you did not hand in",))
ROUNDING = Comparison("h", "rounding", notes=("a note",))
MISSING = Comparison("f", "missing", notes=("df was never assigned",))


@pytest.mark.parametrize(
    ("row", "passed", "inherits", "own_mistake", "remarks"),
    [
        (EXACT, True, False, False, ()),
        (APPROXIMATE, True, False, False, ("a note",)),
        (OWN, False, False, True, ("A sign.", "a note")),
        (HEIR, False, True, False, (INHERITED_REMARK, "a note")),
        (NO_ORIGIN, False, False, True, ()),
        (UNKNOWN, False, False, False, ("here, or in dh, which you did not hand in",)),
        (ROUNDING, True, False, False, (ROUNDING_REMARK, "a note")),
        (MISSING, False, False, False, ("df was never assigned",)),
    ],
)
def test_a_row_is_right_wrong_or_inherits(
    row: Comparison, passed: bool, inherits: bool, own_mistake: bool, remarks: tuple[str, ...]
) -> None:
    assert (row.passed, row.inherits, row.own_mistake) == (passed, inherits, own_mistake)
    assert row.remarks() == remarks


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (EXACT, ""),
        (APPROXIMATE, "approximate"),
        (ROUNDING, "rounding: passes"),
        (OWN, "wrong here"),
        (HEIR, "inherited"),
        (UNKNOWN, "here or above"),
        (MISSING, "not there yet"),
        (Comparison("i", "shape", origin="own"), "wrong here: shape"),
        (Comparison("j", "not_finite"), "wrong here: not finite"),
        (Comparison("k", "a_new_verdict"), "wrong here"),
    ],
)
def test_each_kind_of_row_has_a_word(row: Comparison, word: str) -> None:
    assert row.word == word


def test_a_grade_counts_approximate_and_rounding_as_passed() -> None:
    grade = Grade((EXACT, APPROXIMATE, ROUNDING, OWN), (), None, "", "", "")
    assert (grade.passed, grade.exact, grade.all_passed) == (3, 1, False)
    assert Grade((EXACT, APPROXIMATE, ROUNDING), (), None, "", "", "").all_passed
    assert grade.row("b") is APPROXIMATE
    assert grade.row("z") is None


@pytest.mark.parametrize(
    ("best", "passed"), [("exact", True), ("approximate", True), ("rounding", True), ("wrong", False), (None, False)]
)
def test_a_step_passed_where_its_best_verdict_did(best: str | None, passed: bool) -> None:
    assert Checkpoint("a", best=best).passed is passed


@pytest.mark.parametrize(
    ("status", "place", "estimate", "waiting", "progress"),
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
    status: str, place: int | None, estimate: int | None, waiting: bool, progress: str
) -> None:
    found = read_submission({"id": 1, "exercise": "a/b", "status": status, "place": place, "estimate": estimate})
    assert (found.waiting, found.progress(), found.graded) == (waiting, progress, False)


def test_a_grade_without_rows_is_none() -> None:
    head = {"id": 1, "exercise": "a/b", "status": "graded"}
    assert read_submission({**head, "grade": {"passed": 3, "total": 3}}).grade is None
    assert read_submission({**head, "grade": {"checkpoints": []}}).grade == Grade((), (), None, "", "", "")


def test_what_is_absent_has_its_default() -> None:
    assert read_comparison({"name": "a", "verdict": "wrong"}) == Comparison("a", "wrong")
    assert read_comparison({"name": "a", "verdict": "wrong", "origin": None, "notes": None, "diagnosis": None}) == (
        Comparison("a", "wrong")
    )
    assert read_grade({"checkpoints": []}) == Grade((), (), None, "", "", "")


@pytest.mark.parametrize(
    "member",
    [
        {"name": "two words"},
        {"name": ""},
        {"name": "x" * 101},
        {"name": 3},
        {"verdict": "not a word"},
        {"verdict": ""},
        {"exact": 1},
        {"approximate": "yes"},
        {"maxdiff": True},
        {"maxdiff": "0.1"},
        {"origin": 4},
        {"origin": "ab\ncd"},
        {"diagnosis": 5},
        {"diagnosis": ["a"]},
        {"diagnosis": [{"message": 3}]},
        {"diagnosis": [{"message": "a", "hints": [3]}]},
        {"notes": ["x", 3]},
        {"notes": "x"},
    ],
    ids=str,
)
def test_a_row_of_another_type_is_no_row(member: dict[str, Any]) -> None:
    row = {"name": "a", "verdict": "wrong"} | member
    with pytest.raises(NotADojo, match="no usable"):
        read_grade({"checkpoints": [row]})


@pytest.mark.parametrize(
    "member",
    [
        {"checkpoints": 3},
        {"checkpoints": [3]},
        {"flags": "autograd"},
        {"run": 3},
        {"points": "many"},
        {"late_seconds": "many"},
        {"late_factor": "all"},
        {"run": {"status": 3}},
    ],
    ids=str,
)
def test_a_grade_of_another_type_is_no_grade(member: dict[str, Any]) -> None:
    with pytest.raises(NotADojo):
        read_grade({"checkpoints": []} | member)


@pytest.mark.parametrize(
    "member",
    [
        {"id": True},
        {"exercise": "a"},
        {"exercise": "a/../b"},
        {"exercise": "a/b\x1b[2J"},
        {"exercise": "a/" + "b" * 65},
        {"status": "on its way!"},
        {"place": -1},
        {"place": 1.5},
        {"estimate": "soon"},
        {"attempt": []},
        {"grade": [1]},
        {"grade": {"passed": "all", "total": 1}},
        {"filename": 3},
    ],
    ids=str,
)
def test_a_submission_of_another_type_is_none(member: dict[str, Any]) -> None:
    with pytest.raises(NotADojo):
        read_submission({"id": 1, "exercise": "a/b", "status": "graded"} | member)


@pytest.mark.parametrize(
    "member",
    [
        {"slug": "x; rm -rf ~"},
        {"total": -1},
        {"statement": 3},
        {"forward": "x" * (256 * 1024 + 1)},
        {"checkpoints": {}},
        {"checkpoints": [[]]},
        {"checkpoints": [{"name": "a", "shape": [2, -1]}]},
        {"checkpoints": [{"name": "a", "shape": ["a"]}]},
        {"checkpoints": [{"name": "a", "shape": [2**41]}]},
        {"checkpoints": [{"name": "a", "shape": [True]}]},
        {"checkpoints": [{"name": "a", "lecture_start": -1}]},
        {"checkpoints": [{"name": "a", "lecture_start": 1e300}]},
        {"checkpoints": [{"name": "a", "best": "b c"}]},
        {"lecture_url": 3},
    ],
    ids=lambda member: str(member)[:60],
)
def test_an_exercise_of_another_type_is_none(member: dict[str, Any]) -> None:
    with pytest.raises(NotADojo):
        read_exercise({"slug": "a/b"} | member)


def test_the_summary_of_a_list_is_read() -> None:
    head = {"id": 1, "exercise": "a/b", "status": "graded", "grade": {"passed": 3, "total": 3, "points": 3.5}}
    summary = read_submission(head).summary
    assert summary is not None
    assert (summary.all_passed, summary.points) == (True, 3.5)
    assert read_submission(head | {"grade": None}).summary is None


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://a.test/x", True),
        ("http://localhost:8000/x", True),
        ("http://127.0.0.1/x", True),
        ("http://a.test/x", False),
        ("httpx://a.test", False),
        ("https://ada@a.test/", False),
        ("https://a.test/x y", False),
        ("https://a.test/\u202e", False),
        ("https://a.test/'><script>", False),
        ("https://[a.test/", False),
        ("https://a.test/" + "x" * 500, False),
        ("https:///x", False),
        ("javascript:x", False),
    ],
)
def test_a_link_is_an_encrypted_address(link: Any, kept: bool) -> None:
    assert read_exercise({"slug": "a/b", "lecture_url": link}).lecture_url == (link if kept else None)


def test_no_rows_are_no_pass() -> None:
    assert not Grade((), (), None, "", "", "").all_passed


def test_the_summary_counts_own_mistakes_and_their_heirs() -> None:
    own, heir = Comparison("a", "wrong", origin="own"), Comparison("b", "wrong", origin="inherited")
    right, missing = Comparison("c", "exact", exact=True, approximate=True), Comparison("d", "missing")

    def summary(*rows: Comparison) -> str:
        return Grade(rows, (), None, "", "", "").summary()

    assert summary(right, own, heir) == "1 of 3 pass, 1 exact; 1 mistake of your own, 1 step inherits it"
    assert summary(own, own, heir, heir) == "0 of 4 pass, 0 exact; 2 mistakes of your own, 2 steps inherit them"
    assert summary(right, missing) == "1 of 2 pass, 1 exact"


def test_points_are_shown_if_they_differ() -> None:
    rows = [{"name": "a", "verdict": "exact", "exact": True, "approximate": True}]
    told = {"checkpoints": rows, "passed": 1, "total": 1}
    assert read_grade(told).summary() == read_grade(told | {"points": 1.0}).summary() == "1 of 1 pass, 1 exact"
    assert read_grade(told | {"points": 1.5}).summary() == "1 of 1 pass, 1 exact, 1.5 points"


def test_coming_late_is_told_if_it_costs_something() -> None:
    told: dict[str, Any] = {"checkpoints": [], "late_seconds": 9000, "late_factor": 0.9}

    assert read_grade(told).lateness() == "3 hours late: 90 % of the points count"
    assert read_grade(told | {"late_factor": 0}).lateness() == "3 hours late: 0 % of the points count"
    assert read_grade(told | {"late_seconds": 1e300}).lateness().startswith("11575 days")
    assert read_grade(told | {"late_factor": 1}).lateness() == read_grade({"checkpoints": []}).lateness() == ""
