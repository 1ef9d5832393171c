"""Two at once for one student: attempts, idempotency keys and grades under the student's lock, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest
import safetensors.torch
from sqlmodel import Session, col, select

from exercises.catalog import find
from exercises.instance import Kind
from grader import numerics
from grader.sandbox import Job
from server import submissions
from server.db import Database
from server.models import AnswerKind, Course, Grade, Progress, Submission, Ticket
from server.submissions import Answer
from tests.server.house import FULL, SOLUTION, House, Straw, Student, eventually, gradients, waits_for_a_lock

CODE = Answer(AnswerKind.CODE, b"dlogits = 1", "solution.py")


@pytest.fixture
def queue_stands_still(house: House) -> None:
    """Nothing is graded unless a test does it."""
    house.services.dispatcher.stop()


def keep(session: Session, student: Student, key: str | None, answer: Answer = CODE) -> tuple[Submission, bool]:
    """Hand in, in a transaction that the test ends."""
    course = session.exec(select(Course)).one()
    return submissions.keep(session, student.id, key, course, find(FULL), answer, 0)


def while_another(database: Database, holds: Callable[[Session], object], then: Callable[[], object]) -> None:
    """Do one thing in a transaction, begin the other meanwhile on a second thread, then commit the first.

    On PostgreSQL the first commits when the second waits for a lock. On SQLite there is one writer.
    """
    with ThreadPoolExecutor() as pool:
        with database.writing() as session:
            holds(session)
            second = pool.submit(then)
            if database.engine.dialect.name == "postgresql":
                assert eventually(lambda: waits_for_a_lock(database))
        second.result(20)


def all_submissions(database: Database) -> list[Submission]:
    """Every submission, in order."""
    with database.reading() as session:
        return list(session.exec(select(Submission).order_by(col(Submission.id))))


@pytest.mark.usefixtures("queue_stands_still")
def test_two_requests_with_one_key_are_one_submission(house: House, ada: Student) -> None:
    database = house.services.database
    kept: list[tuple[Submission, bool]] = []

    def again() -> None:
        with database.writing() as session:
            kept.append(keep(session, ada, "one"))

    while_another(database, lambda session: kept.append(keep(session, ada, "one")), again)

    assert [is_new for _, is_new in kept] == [True, False]
    assert kept[0][0].id == kept[1][0].id
    assert len(all_submissions(database)) == 1


@pytest.mark.usefixtures("queue_stands_still")
@pytest.mark.parametrize("kind", list(AnswerKind))
def test_the_later_request_is_answered_with_the_earlier_submission(
    house: House, ada: Student, kind: AnswerKind
) -> None:
    key = {"Idempotency-Key": "one"}
    content = safetensors.torch.save(gradients(ada.state()))
    answer = CODE if kind is AnswerKind.CODE else Answer(kind, content, None)
    answers: list[httpx.Response] = []

    def ask() -> None:
        if kind is AnswerKind.CODE:
            answers.append(ada.submit_code(CODE.body.decode(), wait=0, headers=key))
        else:
            answers.append(ada.submit_bytes(content, headers=key))

    def earlier(session: Session) -> None:
        submission, _ = keep(session, ada, "one", answer)
        house.services.dispatcher.enqueue(session, [submission])

    while_another(house.services.database, earlier, ask)

    (submission,) = all_submissions(house.services.database)
    assert (answers[0].status_code, answers[0].json()["id"]) == (202, submission.id)


@pytest.mark.usefixtures("queue_stands_still")
def test_two_submissions_at_once_are_two_attempts(house: House, ada: Student) -> None:
    database = house.services.database

    def another() -> None:
        with database.writing() as session:
            keep(session, ada, None)

    while_another(database, lambda session: keep(session, ada, None), another)

    assert [each.attempt for each in all_submissions(database)] == [1, 2]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("queue_stands_still")
def test_students_do_not_wait_for_each_other(house: House, ada: Student) -> None:
    ben = house.join("Ben")
    with house.services.database.writing() as session:
        keep(session, ada, None)

        answer = ben.submit_code(SOLUTION, wait=0)  # would wait for ever

        assert answer.status_code == 202


@pytest.mark.usefixtures("queue_stands_still")
def test_one_submission_graded_by_two_workers_has_one_grade(house: House, ada: Student, straw: Straw) -> None:
    id = ada.submit_code(SOLUTION, wait=0).json()["id"]
    services, database = house.services, house.services.database
    instance = services.instances.get(ada.id, find(FULL), Kind.HIDDEN)
    ran = threading.Event()

    def note(job: Job) -> None:
        ran.set()

    straw.before = note

    def faster(session: Session) -> None:
        """Another worker's grade, not committed yet, under the lock that it takes for the student."""
        if database.engine.dialect.name == "postgresql":
            session.connection().exec_driver_sql(f"SELECT id FROM student WHERE id = {ada.id} FOR UPDATE")
        session.add(
            Grade(
                submission_id=id,
                instance_id=instance.id,
                revision=find(FULL).revision,
                environment=numerics.environment(),
                passed=26,
                exact=26,
                total=26,
                seconds=0.01,
            )
        )
        session.flush()

    while_another(database, faster, lambda: services.grading.grade_submission(id))

    assert ran.is_set()
    with database.reading() as session:
        assert len(session.exec(select(Grade)).all()) == 1
        assert session.exec(select(Ticket)).all() == []
        assert session.exec(select(Progress)).all() == []


@pytest.mark.usefixtures("queue_stands_still")
def test_between_two_looks_a_submission_is_running(house: House, ada: Student) -> None:
    id = ada.submit_code(SOLUTION, wait=0).json()["id"]
    with house.services.database.writing() as session:  # as a reader sees it that met the grade too early
        session.delete(session.exec(select(Ticket)).one())

    told = ada.get(f"/api/v1/submissions/{id}").json()
    (listed,) = ada.get("/api/v1/courses/backprop/submissions").json()["submissions"]

    assert (told["status"], told["place"], told["grade"]) == ("running", None, None)
    assert listed["status"] == "running"


@pytest.mark.usefixtures("queue_stands_still")
def test_a_grade_waits_for_the_student_to_be_let_go(house: House, ada: Student) -> None:
    id = ada.submit_code(SOLUTION, wait=0).json()["id"]
    services, database = house.services, house.services.database
    services.instances.get(ada.id, find(FULL), Kind.HIDDEN)

    def hold(session: Session) -> None:
        keep(session, ada, None)

    while_another(database, hold, lambda: services.grading.grade_submission(id))

    with database.reading() as session:
        assert session.exec(select(Grade)).one().submission_id == id
