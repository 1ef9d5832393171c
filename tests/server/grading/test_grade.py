"""Grading: what is stored of a run, whatever it printed."""

from __future__ import annotations

import pytest
from sqlmodel import select

from grader import numerics
from server.grading.grade import Finished, FreshGrade
from server.tables import GradeRow, SubmissionRow
from tests.support.servers import SOLUTION, RunningServer, Student, gradients, open_regrade


@pytest.mark.parametrize("text", ["\\ud800", "\\0"])
def test_what_no_database_takes_is_replaced(server: RunningServer, student: Student, text: str) -> None:
    answer = student.submit_code(f"print('a{text}b')\n{SOLUTION}\nraise ValueError('a{text}b')")

    run = answer.json()["grade"]["run"]
    assert answer.status_code == 201
    assert run["message"][0] + run["message"][-1] == "ab" and len(run["message"]) == 3
    assert run["stdout"] == run["message"] + "\n"


def test_a_grade_says_how_long_it_took(server: RunningServer, student: Student) -> None:
    student.submit_code(SOLUTION)
    student.submit_tensors(gradients(student.state()))

    with server.services.database.reading() as session:
        assert all(grade.seconds > 0 for grade in session.exec(select(GradeRow)))


def test_a_grade_counts_what_only_inherits(server: RunningServer, student: Student) -> None:
    grade = student.submit_code(SOLUTION.replace("dhprebn = ", "dhprebn = 2 * ")).json()["grade"]

    with server.services.database.reading() as session:
        stored = session.exec(select(GradeRow)).one()
    inherited = sum(row["origin"] == "inherited" for row in grade["checkpoints"])
    assert (stored.passed, stored.exact, stored.inherited, stored.total) == (
        grade["passed"],
        grade["exact"],
        inherited,
        26,
    )
    assert inherited > 0


def test_a_ticket_goes_with_its_own_grade_alone(server: RunningServer, student: Student) -> None:
    server.services.dispatcher.stop()
    first, second = (student.submit_code(SOLUTION, wait=0).json()["id"] for _ in range(2))

    server.services.grading.grade_submission(first)

    told = [student.get(f"/api/v1/submissions/{id}").json()["status"] for id in (first, second)]
    assert told == ["graded", "queued"]


def fresh(server: RunningServer, id: int) -> FreshGrade | None:
    """Grade a submission; its grade if it is fresh."""
    finished: Finished[None] | None = server.services.grading.grade_submission(id)
    assert finished is not None
    return finished.fresh


def test_only_the_first_grade_is_fresh(
    server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.services.dispatcher.stop()
    id = student.submit_code(SOLUTION, wait=0).json()["id"]
    database = server.services.database

    first, second = fresh(server, id), fresh(server, id)
    environment = f"{numerics.environment()} renewed"
    monkeypatch.setattr(numerics, "environment", lambda: environment)
    with database.writing() as session:
        again = session.get_one(SubmissionRow, id)
        server.services.dispatcher.enqueue(session, [again], regrade_id=open_regrade(session))
    regraded = fresh(server, id)

    assert first is not None and first.row.submission_id == id
    assert (second, regraded) == (None, None)
    with database.reading() as session:
        assert len(session.exec(select(GradeRow)).all()) == 2
