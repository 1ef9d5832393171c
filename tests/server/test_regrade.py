"""Grading again: in the background, beside the old grades, where there is a reason to."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import col, select

from grader import numerics
from server.models import ComparisonRow, Grade, Progress
from tests.server.house import FULL, SOLUTION, House, Student, eventually, gradients, is_problem

REGRADE = "/api/v1/courses/backprop/regrade"


def regrade(student: Student) -> Any:
    """Ask for a regrade."""
    return student.client.post(REGRADE, headers={"Authorization": f"Bearer {student.token}"})


def report(house: House) -> dict[str, Any]:
    """The difference report, when nothing waits any more."""
    assert eventually(lambda: house.instructor.get(REGRADE).json()["waiting"] == 0)
    found: dict[str, Any] = house.instructor.get(REGRADE).json()
    return found


def cells(student: Student) -> dict[str, Any]:
    """Checkpoint → what a student's own progress says of it."""
    told = student.get("/api/v1/courses/backprop/progress", params={"exercise": FULL}).json()
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
    was = numerics.environment()
    monkeypatch.setattr(numerics, "environment", lambda: f"{was} and changed")
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
    was = numerics.environment()
    monkeypatch.setattr(numerics, "environment", lambda: f"{was} and changed")
    regrade(house.instructor)
    assert [change["rows"][0]["name"] for change in report(house)["changed"]] == ["C"]
    assert (cells(ada)["C"]["best"], cells(ada)["C"]["attempts"]) == ("wrong", 1)
