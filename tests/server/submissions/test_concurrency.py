"""Two at once for one student: attempts, idempotency keys and grades under the student's lock, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx2 as httpx
import pytest
import safetensors.torch
import torch
from sqlmodel import Session, col, select

from exercises.instance import Kind
from exercises.registry import find
from grader import numerics
from grader.sandbox import Job
from server.courses.access import Membership
from server.database.engine import Database
from server.rules.rules import find_rules
from server.submissions.accept import Allowance, HandedIn, accept
from server.tables import AnswerKind, CourseRow, GradeRow, ProgressRow, Role, SubmissionRow, TicketRow
from tests.support.servers import (
    FULL,
    PATIENCE_SECONDS,
    SOLUTION,
    FakeSandbox,
    RunningServer,
    Student,
    eventually,
    gradients,
    waits_for_a_lock,
)

CODE = HandedIn(find(FULL), AnswerKind.CODE, b"dlogits = 1", "solution.py")


def keep(
    session: Session,
    student: Student,
    key: str | None,
    answer: HandedIn = CODE,
    choose_instance: Callable[[Collection[int]], int | None] = lambda seen: None,
) -> tuple[SubmissionRow, bool]:
    """Hand in, in a transaction that the test ends."""
    asking = Membership(session.exec(select(CourseRow)).one(), frozenset({Role.STUDENT}))
    rules = find_rules(session, asking, student.id, answer.exercise.slug)
    return accept(session, rules, replace(answer, key=key), Allowance(0, 0), choose_instance)


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
        second.result(PATIENCE_SECONDS)


@pytest.mark.usefixtures("queue_stands_still")
def test_code_is_told_all_last_instances_and_tensors_one(server: RunningServer, student: Student) -> None:
    tensors = HandedIn(CODE.exercise, AnswerKind.TENSORS, safetensors.torch.save({"db2": torch.ones(1)}), None)
    store = server.services.instances
    own, everybodys = (store.get(student.id, CODE.exercise, kind).id for kind in (Kind.STUDENT, Kind.CANONICAL))
    told: list[set[int]] = []

    def choosing(instance_id: int) -> Callable[[Collection[int]], int]:
        def choose(seen: Collection[int]) -> int:
            told.append(set(seen))
            return instance_id

        return choose

    with server.services.database.writing() as session:
        for instance_id, answer in ((own, CODE), (everybodys, CODE), (own, tensors), (own, CODE)):
            kept, _ = keep(session, student, None, answer, choosing(instance_id))

    assert told == [set(), {own}, {everybodys}, {own, everybodys}]
    assert kept.attempt == 4


def all_submissions(database: Database) -> list[SubmissionRow]:
    """Every submission, in order."""
    with database.reading() as session:
        return list(session.exec(select(SubmissionRow).order_by(col(SubmissionRow.id))))


@pytest.mark.usefixtures("queue_stands_still")
def test_two_requests_with_one_key_are_one_submission(server: RunningServer, student: Student) -> None:
    database = server.services.database
    kept: list[tuple[SubmissionRow, bool]] = []

    def again() -> None:
        with database.writing() as session:
            kept.append(keep(session, student, "one"))

    while_another(database, lambda session: kept.append(keep(session, student, "one")), again)

    assert [is_new for _, is_new in kept] == [True, False]
    assert kept[0][0].id == kept[1][0].id
    assert len(all_submissions(database)) == 1


@pytest.mark.usefixtures("queue_stands_still")
@pytest.mark.parametrize("kind", list(AnswerKind))
def test_the_later_request_is_answered_with_the_earlier_submission(
    server: RunningServer, student: Student, kind: AnswerKind
) -> None:
    key = {"Idempotency-Key": "one"}
    content = safetensors.torch.save(gradients(student.state()))
    answer = CODE if kind is AnswerKind.CODE else HandedIn(find(FULL), kind, content, None)
    answers: list[httpx.Response] = []

    def ask() -> None:
        if kind is AnswerKind.CODE:
            answers.append(student.submit_code(CODE.body.decode(), wait=0, headers=key))
        else:
            answers.append(student.submit_bytes(content, headers=key))

    def earlier(session: Session) -> None:
        submission, _ = keep(session, student, "one", answer)
        server.services.dispatcher.enqueue(session, [submission])

    while_another(server.services.database, earlier, ask)

    (submission,) = all_submissions(server.services.database)
    assert (answers[0].status_code, answers[0].json()["id"]) == (202, submission.id)


@pytest.mark.usefixtures("queue_stands_still")
def test_two_submissions_at_once_are_two_attempts(server: RunningServer, student: Student) -> None:
    database = server.services.database

    def another() -> None:
        with database.writing() as session:
            keep(session, student, None)

    while_another(database, lambda session: keep(session, student, None), another)

    assert [each.attempt for each in all_submissions(database)] == [1, 2]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("queue_stands_still")
def test_students_do_not_wait_for_each_other(server: RunningServer, student: Student) -> None:
    ben = server.join("Ben")
    with server.services.database.writing() as session:
        keep(session, student, None)

        answer = ben.submit_code(SOLUTION, wait=0)  # would wait for ever

        assert answer.status_code == 202


@pytest.mark.usefixtures("queue_stands_still")
def test_one_submission_graded_by_two_workers_has_one_grade(
    server: RunningServer, student: Student, fake_sandbox: FakeSandbox
) -> None:
    id = student.submit_code(SOLUTION, wait=0).json()["id"]
    services, database = server.services, server.services.database
    instance = services.instances.get(student.id, find(FULL), Kind.STUDENT)
    ran = threading.Event()

    def note(job: Job) -> None:
        ran.set()

    fake_sandbox.before = note

    def faster(session: Session) -> None:
        """Another worker's grade, not committed yet, under the lock that it takes for the student."""
        if database.engine.dialect.name == "postgresql":
            session.connection().exec_driver_sql(f"SELECT id FROM account WHERE id = {student.id} FOR UPDATE")
        session.add(
            GradeRow(
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
        assert len(session.exec(select(GradeRow)).all()) == 1
        assert session.exec(select(TicketRow)).all() == []
        assert session.exec(select(ProgressRow)).all() == []


@pytest.mark.usefixtures("queue_stands_still")
def test_between_two_queries_a_submission_is_running(server: RunningServer, student: Student) -> None:
    id = student.submit_code(SOLUTION, wait=0).json()["id"]
    with server.services.database.writing() as session:  # as a reader sees it that looked for the grade too early
        session.delete(session.exec(select(TicketRow)).one())

    shown = student.get(f"/api/v1/submissions/{id}").json()
    (listed,) = student.get("/api/v1/courses/backprop/submissions").json()["submissions"]

    assert (shown["status"], shown["place"], shown["grade"]) == ("running", None, None)
    assert listed["status"] == "running"


@pytest.mark.usefixtures("queue_stands_still")
def test_a_grade_waits_for_the_student_to_be_let_go(server: RunningServer, student: Student) -> None:
    id = student.submit_code(SOLUTION, wait=0).json()["id"]
    services, database = server.services, server.services.database
    services.instances.get(student.id, find(FULL), Kind.STUDENT)

    def hold(session: Session) -> None:
        keep(session, student, None)

    while_another(database, hold, lambda: services.grading.grade_submission(id))

    with database.reading() as session:
        assert session.exec(select(GradeRow)).one().submission_id == id
