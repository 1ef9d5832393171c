"""Grading again: in the background, beside the old grades, where there is a reason to."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from sqlmodel import col, select

from grader import numerics
from server.models import ComparisonRow, ExerciseRevision, Grade, Progress, Submission, Ticket
from tests.server.house import EXERCISES, FULL, SOLUTION, House, Members, Student, eventually, gradients, is_problem

REGRADE = "/api/v1/courses/backprop/regrade"
SQLITE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def regrade(student: Student) -> Any:
    """Ask for a regrade."""
    return student.client.post(REGRADE, headers={"Authorization": f"Bearer {student.token}"})


def report(house: House) -> dict[str, Any]:
    """The difference report, when nothing waits any more."""
    assert eventually(lambda: house.instructor.get(REGRADE).json()["waiting"] == 0)
    found: dict[str, Any] = house.instructor.get(REGRADE).json()
    return found


def change_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a newer torch or grader would: every grade of before is out of date."""
    was = numerics.environment()
    monkeypatch.setattr(numerics, "environment", lambda: f"{was} and changed")


def waiting(house: House) -> list[int]:
    """The submissions that have a ticket."""
    with house.services.database.reading() as session:
        return list(session.exec(select(Ticket.submission_id).order_by(col(Ticket.id))))


def cells(student: Student) -> dict[str, Any]:
    """Checkpoint → what a student's own progress says of it."""
    told = student.get(f"{student.address}/progress", params={"exercise": FULL}).json()
    return {column["checkpoint"]: cell for column, cell in zip(told["columns"], told["rows"][0]["cells"], strict=True)}


def test_where_nothing_has_changed_nothing_is_graded_again(house: House, ada: Student) -> None:
    ada.submit_code(SOLUTION)
    answer = regrade(house.instructor)
    assert (answer.status_code, answer.json()) == (202, {"waiting": 0, "regraded": 0, "changed": []})
    assert is_problem(regrade(ada), 403)


def test_after_a_change_code_and_tensors_are_graded_again_and_old_grades_kept(
    house: House, ada: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [
        ada.submit_code(SOLUTION).json()["id"],
        ada.submit_tensors(gradients(ada.state())).json()["id"],
    ]
    before = cells(ada)
    with house.services.database.writing() as session:  # as an older grader judged: one row wrong by mistake
        old = session.exec(select(Grade).where(Grade.submission_id == ids[0])).one()
        old.passed -= 1
        row = session.get_one(ComparisonRow, (old.id, 0))
        row.verdict, row.exact, row.approximate = "wrong", False, False
        name = row.name
        other = session.exec(select(Grade).where(Grade.submission_id == ids[1])).one()
        row = ComparisonRow(grade_id=other.id, position=26, name="gone", verdict="exact", exact=True, approximate=True)
        session.add(row)  # a checkpoint that is not asked for any more
    change_environment(monkeypatch)
    assert regrade(house.instructor).status_code == 202
    found = report(house)
    assert found["regraded"] == 2
    assert found["changed"] == [
        {
            "submission": ids[0],
            "student": ada.id,
            "exercise": FULL,
            "before": 25,
            "after": 26,
            "rows": [{"name": name, "before": "wrong", "after": "exact"}],
        },
        {
            "submission": ids[1],
            "student": ada.id,
            "exercise": FULL,
            "before": 26,
            "after": 26,
            "rows": [{"name": "gone", "before": "exact", "after": "(none)"}],
        },
    ]
    with house.services.database.reading() as session:
        grades = session.exec(select(Grade).order_by(col(Grade.id))).all()
    assert sorted(grade.submission_id for grade in grades) == sorted(ids * 2)
    assert cells(ada) == before  # a regrade is no attempt
    assert ada.get(f"/api/v1/submissions/{ids[0]}").json()["grade"]["environment"].endswith("changed")


def test_a_regrade_takes_away_what_was_given_by_mistake(
    house: House, ada: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ada.submit_code(SOLUTION.replace("dC = torch.zeros_like(C)", "dC = torch.ones_like(C)")).json()
    last = answer["grade"]["checkpoints"][-1]
    assert (last["name"], last["verdict"]) == ("C", "wrong")
    with house.services.database.writing() as session:
        grade = session.exec(select(Grade)).one()
        row = session.exec(
            select(ComparisonRow).where(ComparisonRow.grade_id == grade.id, ComparisonRow.name == "C")
        ).one()
        row.verdict, row.exact, row.approximate = "exact", True, True
        session.exec(select(Progress).where(Progress.checkpoint == "C")).one().best = "exact"
    change_environment(monkeypatch)
    regrade(house.instructor)
    assert [change["rows"][0]["name"] for change in report(house)["changed"]] == ["C"]
    assert (cells(ada)["C"]["best"], cells(ada)["C"]["attempts"]) == ("wrong", 1)


@SQLITE
def test_a_second_regrade_while_the_first_waits_adds_nothing(
    house: House, ada: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [ada.submit_tensors({}).json()["id"] for _ in range(2)]
    house.services.dispatcher.stop()
    change_environment(monkeypatch)

    told = [regrade(house.instructor).json()["waiting"] for _ in range(2)]

    assert told == [2, 2]
    assert waiting(house) == ids


@SQLITE
def test_what_has_a_grade_of_today_or_waits_is_left_out(
    house: House, ada: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ada.submit_tensors({}).json()["id"]
    house.services.dispatcher.stop()
    change_environment(monkeypatch)
    ada.submit_tensors({})
    queued = ada.submit_code(SOLUTION, wait=0).json()["id"]

    assert regrade(house.instructor).json()["waiting"] == 1

    assert waiting(house) == [queued, old]


@SQLITE
def test_a_checkpoint_that_is_new_is_reported(house: House, ada: Student) -> None:
    id = ada.submit_code(SOLUTION).json()["id"]
    newest = house.grade_again(id, "counts")
    with house.services.database.writing() as session:
        of_counts = select(ComparisonRow).where(ComparisonRow.name == "counts", ComparisonRow.grade_id != newest)
        session.delete(session.exec(of_counts).one())

    (found,) = house.instructor.get(REGRADE).json()["changed"]

    assert found["rows"] == [{"name": "counts", "before": "(none)", "after": "exact"}]


@SQLITE
def test_a_regrade_is_of_one_course(
    here: Members, there: Members, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [members.student.submit_tensors({}).json()["id"] for members in (here, there)]
    house.services.dispatcher.stop()
    change_environment(monkeypatch)

    assert regrade(house.instructor).json()["waiting"] == 1

    assert waiting(house) == ids[:1]
    assert there.instructor.get(f"{there.address}/regrade").json()["waiting"] == 0


@SQLITE
def test_a_regrade_may_be_of_one_exercise(house: House, ada: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [ada.submit_tensors({}, exercise=slug).json()["id"] for slug in (FULL, "makemore/cross-entropy")]
    house.services.dispatcher.stop()
    change_environment(monkeypatch)

    house.instructor.post(REGRADE, params={"exercise": "makemore/cross-entropy"})

    assert waiting(house) == ids[1:]


@SQLITE
def test_what_a_student_waits_for_is_no_regrade(house: House, ada: Student) -> None:
    house.services.dispatcher.stop()
    ada.submit_code(SOLUTION, wait=0)

    assert house.instructor.get(REGRADE).json()["waiting"] == 0


@SQLITE
def test_the_report_is_of_one_course(house: House, here: Members, there: Members) -> None:
    id = there.student.submit_code(SOLUTION).json()["id"]

    house.grade_again(id, "counts", verdict="wrong")

    seen = [members.instructor.get(f"{members.address}/regrade").json() for members in (here, there)]
    assert [(each["regraded"], len(each["changed"])) for each in seen] == [(0, 0), (1, 1)]
    assert seen[1]["changed"][0]["submission"] == id


WRONG = SOLUTION.replace("dcounts = dprobs * counts_sum_inv + dcounts_sum", "dcounts = dprobs * counts_sum_inv")
OTHER_CODE = [{"code": "sign", "hints": ["The sign is turned around.", "", ""]}]


@SQLITE
@pytest.mark.parametrize(
    ("changes", "before", "after"),
    [
        ({"origin": "inherited"}, "wrong own missing_term", "wrong inherited missing_term"),
        ({"origin": None}, "wrong own missing_term", "wrong missing_term"),
        ({"diagnosis": OTHER_CODE}, "wrong own missing_term", "wrong own sign"),
        ({"verdict": "approximate"}, "wrong own missing_term", "approximate own missing_term"),
        ({"name": "renamed"}, "wrong own missing_term", "(none)"),
    ],
)
def test_whatever_a_regrade_changes_in_a_row_is_reported(
    house: House, ada: Student, changes: dict[str, Any], before: str, after: str
) -> None:
    id = ada.submit_code(WRONG).json()["id"]

    house.grade_again(id, "counts", **changes)

    (found,) = house.instructor.get(REGRADE).json()["changed"]
    assert (found["submission"], found["student"]) == (id, ada.id)
    assert found["rows"][0] == {"name": "counts", "before": before, "after": after}


@SQLITE
def test_an_origin_that_was_unknown_before_is_reported(house: House, ada: Student) -> None:
    id = ada.submit_code(WRONG).json()["id"]
    house.grade_again(id, "counts", origin=None)

    house.grade_again(id, "counts", origin="own")

    (found,) = house.instructor.get(REGRADE).json()["changed"]
    assert found["rows"] == [{"name": "counts", "before": "wrong missing_term", "after": "wrong own missing_term"}]


@SQLITE
def test_other_words_for_the_same_mistake_are_no_difference(house: House, ada: Student) -> None:
    id = ada.submit_code(WRONG).json()["id"]

    house.grade_again(id, "counts", diagnosis=[{"code": "missing_term", "hints": ["Another sentence.", "", ""]}])

    assert house.instructor.get(REGRADE).json() == {"waiting": 0, "regraded": 1, "changed": []}


@SQLITE
def test_the_report_compares_the_last_two_grades(house: House, ada: Student) -> None:
    id = ada.submit_code(SOLUTION).json()["id"]

    house.grade_again(id, "counts", verdict="wrong")
    house.grade_again(id, "counts", verdict="shape")

    (found,) = house.instructor.get(REGRADE).json()["changed"]
    assert found["rows"] == [{"name": "counts", "before": "wrong", "after": "shape"}]


@SQLITE
def test_every_surface_shows_the_newest_grade(house: House, ada: Student) -> None:
    first = ada.submit_code(SOLUTION).json()

    house.grade_again(first["id"], "counts", verdict="wrong")

    newest = f"{first['grade']['environment']} again"
    (listed,) = ada.get("/api/v1/courses/backprop/submissions").json()["submissions"]
    shown = ada.get(f"/api/v1/submissions/{first['id']}").json()
    assert (listed["grade"]["environment"], shown["grade"]["environment"]) == (newest, newest)
    assert [row["verdict"] for row in shown["grade"]["checkpoints"] if row["name"] == "counts"] == ["wrong"]


@SQLITE
def test_tensors_of_an_older_revision_keep_their_grade(house: House, ada: Student) -> None:
    ids = [ada.submit_code(SOLUTION).json()["id"], ada.submit_tensors(gradients(ada.state())).json()["id"]]
    house.services.dispatcher.stop()
    with house.services.database.writing() as session:  # as if the exercise were at its second revision now
        session.add(ExerciseRevision(slug=FULL, revision=0))
        session.flush()
        for table in (Submission, Grade):
            for row in session.exec(select(table)):
                row.revision = 0

    regrade(house.instructor)

    assert waiting(house) == ids[:1]


@SQLITE
def test_a_recount_gives_what_was_counted_one_by_one(
    house: House, here: Members, there: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    abroad, bob = house.seat(here.student, there.slug), house.join("Bob")
    here.student.submit_code(WRONG)
    zeros = {"dcounts": torch.zeros(32, 27), "dprobs": torch.zeros(32, 27)}
    for student in (here.student, abroad, bob):
        student.submit_tensors(zeros)
    other = f"{EXERCISES}/makemore/cross-entropy"
    here.student.submit_tensors({"dlogits": torch.zeros(32, 27)}, exercise="makemore/cross-entropy")
    before = [cells(student) for student in (here.student, abroad, bob)]
    other_before = here.student.get(other).json()
    with house.services.database.writing() as session:  # as an older grader judged: a wrong step was right
        of_counts = select(ComparisonRow).where(ComparisonRow.name == "counts").order_by(col(ComparisonRow.grade_id))
        first = session.exec(of_counts.limit(1)).one()
        first.verdict, first.exact, first.approximate = "exact", True, True
    change_environment(monkeypatch)

    regrade(house.instructor)

    assert len(report(house)["changed"]) == 1
    assert (before[0]["counts"]["attempts"], before[0]["probs"]["best"]) == (2, "exact")
    assert [cells(student) for student in (here.student, abroad, bob)] == before
    assert here.student.get(other).json() == other_before


@SQLITE
def test_a_recount_follows_the_same_submissions_grade(
    house: House, ada: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in (ada, house.join("Bob")):
        student.submit_code(WRONG)
    with house.services.database.writing() as session:  # as an older grader judged Ada's, and counted it
        of_counts = select(ComparisonRow).where(ComparisonRow.name == "counts").order_by(col(ComparisonRow.grade_id))
        row = session.exec(of_counts.limit(1)).one()
        row.verdict, row.exact, row.approximate = "exact", True, True
        mine = select(Progress).where(Progress.checkpoint == "counts", Progress.student_id == ada.id)
        session.exec(mine).one().best = "exact"
    change_environment(monkeypatch)

    regrade(house.instructor)

    report(house)
    assert cells(ada)["counts"]["best"] == "wrong"
