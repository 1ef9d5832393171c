"""Grading a submission on its instance, and storing the grade with everything that follows from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlmodel import Session, select

from exercises import registry
from exercises.instance import Kind
from grader.grade import Grade, grade_code, grade_tensors
from grader.sandbox import Limits, RunStatus
from server.accounts.accounts import lock_account
from server.assignments.assignment import Assignment, list_assignments
from server.database.engine import Database
from server.database.table import now
from server.grading.code_runner import CodeRunner
from server.grading.proof import GradingProof
from server.grading.queries import DELETE_TICKET, GRADES_OF_SUBMISSION, INSERT_ROWS
from server.instances import choice
from server.instances.pool import HiddenPool
from server.instances.store import InstanceStore, StoredInstance
from server.metrics import Metrics
from server.progress.record import record
from server.tables import AnswerKind, CourseRow, GradeRow, SubmissionRow

DEFAULT_FILENAME = "solution.py"

Next = TypeVar("Next")


@dataclass(frozen=True)
class TimedGrade:
    """A grade, the id of its instance's row, the revision that it was made by, and how many seconds it took."""

    grade: Grade
    instance_id: int
    revision: int
    seconds: float

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the grade as they are stored and sent."""
        return [row.as_json() for row in self.grade.checkpoints]


@dataclass(frozen=True)
class FreshGrade:
    """The grade of a submission as it was just stored: a request that waits for it need not read it again.

    ``rows`` are those of its checkpoints, as they are stored and sent.
    """

    row: GradeRow
    instance_kind: Kind
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Finished(Generic[Next]):
    """The work on a submission that has a grade. ``fresh`` is None unless it was stored now and counts.

    ``next`` is what was taken in the transaction that stored it.
    """

    fresh: FreshGrade | None
    next: Next | None


def compare(stored: StoredInstance, content: bytes) -> TimedGrade:
    """Compare the tensors of a safetensors file with the gradients of an instance.

    :raises BadAnswer: the bytes are no safetensors file
    """
    started = time.perf_counter()
    return _timed(stored, grade_tensors(stored.instance, content), started)


class Grading:
    """Grades submissions whose turn has come. ``proof`` tells whether it could grade one now."""

    def __init__(
        self,
        database: Database,
        instances: InstanceStore,
        pool: HiddenPool,
        code_runner: CodeRunner,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._instances = instances
        self._pool = pool
        self._code_runner = code_runner
        self._metrics = metrics
        self.proof = GradingProof(code_runner)

    def grade_submission(
        self,
        submission_id: int,
        look_seconds: float | None = None,
        submission: SubmissionRow | None = None,
        take_next: Callable[[Session], Next] | None = None,
    ) -> Finished[Next] | None:
        """Grade a submission by today's revision and environment, and store the grade.

        It is graded on the instance that was chosen when it was handed in. Only a regrade brings tensors here. A second
        grade of the same revision and environment is dropped, and so is a further one whose ticket is gone: its regrade
        was discarded.

        :param look_seconds: what a run may take, if less than its whole time; one that takes longer has no grade.
        :param submission: as it was just read; by default it is read.
        :param take_next: called at the end of the transaction that stores the grade. If that fails, nothing was taken.
        :return: None if it has no grade now.
        :raises SandboxFault: the sandbox failed, not the code
        :raises NoSuchExercise: the exercise is no longer served
        """
        if submission is None:
            with self._database.reading() as session:
                submission = session.get_one(SubmissionRow, submission_id)
        waited = (now() - submission.created_at).total_seconds()
        stored = self._instance(submission)
        timed = self._grade(submission, stored, look_seconds)
        if timed is None:
            return None
        started = time.perf_counter()
        # A power cut that takes this grade away brings its ticket back.
        with self._database.writing(durable=False) as session:
            row = _finish(session, submission, timed)
            next = take_next(session) if take_next else None
        self._metrics.phases.labels("store").observe(time.perf_counter() - started)
        count(self._metrics, submission.kind, timed)
        if row is None or row.regrade_id is not None:
            return Finished(None, next)
        # A regrade waits for everybody, and says nothing of how long students do.
        self._metrics.phases.labels("wait").observe(waited)
        return Finished(FreshGrade(row, stored.instance.kind, timed.rows), next)

    def _grade(
        self, submission: SubmissionRow, stored: StoredInstance, look_seconds: float | None
    ) -> TimedGrade | None:
        if submission.kind is AnswerKind.TENSORS:
            return compare(stored, submission.body)
        started = time.perf_counter()
        source, filename = submission.body.decode(), submission.filename or DEFAULT_FILENAME
        limits = Limits() if look_seconds is None else Limits(wall_seconds=look_seconds)
        grade = grade_code(stored.instance, source, filename, self._code_runner.sandbox, limits)
        self.proof.note()
        is_cut_short = look_seconds is not None and grade.run and grade.run.status is RunStatus.TIME_LIMIT
        return None if is_cut_short else _timed(stored, grade, started)

    def _instance(self, submission: SubmissionRow) -> StoredInstance:
        """Return the instance of a submission: the one that was chosen, or the one of its grade by today's revision.

        Without either, it is chosen now.
        """
        exercise = registry.find(submission.exercise)
        if submission.instance_id:
            stored = self._instances.load(submission.instance_id, exercise)
            if stored:
                return stored
        graded = select(GradeRow.instance_id).where(
            GradeRow.submission_id == submission.id, GradeRow.revision == exercise.revision
        )
        with self._database.reading() as session:
            id = session.exec(graded.limit(1)).first()
            course = session.get_one(CourseRow, submission.course_id)
            (assignment,) = list_assignments(session, course, [exercise.slug]) or [
                Assignment.open_practice(course, exercise.slug)
            ]
        kind = choice.graded_on(assignment, submission.kind)
        if id is None and kind is not Kind.HIDDEN:
            return self._instances.get(submission.account_id, exercise, kind)
        if id is None:
            self._pool.refill(exercise)
            id = self._pool.lot(exercise, ())
        stored = self._instances.load(id, exercise)
        assert stored, "the row is of today's revision"
        return stored


def _finish(session: Session, submission: SubmissionRow, timed: TimedGrade) -> GradeRow | None:
    """Delete the ticket of a submission and store its grade; return None if the grade was dropped."""
    lock_account(session, submission.account_id)
    ticket = DELETE_TICKET.first(session, {"submission_id": submission.id})
    grades = GRADES_OF_SUBMISSION.rows(session, {"submission_id": submission.id})
    if not grades:
        return store(session, submission, timed)
    if ticket is None or (timed.revision, timed.grade.environment) in grades:
        return None
    (regrade_id,) = ticket
    assert regrade_id is not None, "what has a grade is graded again by a regrade alone"
    return store(session, submission, timed, regrade_id=regrade_id)


def count(metrics: Metrics, kind: AnswerKind, timed: TimedGrade) -> None:
    """Count a grade, and how long it took."""
    run = timed.grade.run
    metrics.phases.labels("grade").observe(timed.seconds)
    metrics.runs.labels(kind.value, run.status.value if run else "compared").inc()


def store(session: Session, submission: SubmissionRow, timed: TimedGrade, *, regrade_id: int | None = None) -> GradeRow:
    """Store a grade with its rows, and bring the student's progress up to date. The caller holds the account's lock.

    :param regrade_id: the regrade that the grade is of. It is no attempt, and does not count until that is accepted.
    """
    grade, run = timed.grade, timed.grade.run
    values = {
        "submission_id": submission.id,
        "instance_id": timed.instance_id,
        "revision": timed.revision,
        "environment": grade.environment,
        "run_status": run.status.value if run else None,
        "run_message": storable(run.message) if run else None,
        "run_stdout": storable(run.stdout) if run else None,
        "flags": list(grade.flags),
        "passed": grade.passed,
        "exact": grade.exact,
        "inherited": grade.inherited,
        "total": grade.total,
        "seconds": timed.seconds,
        "regrade_id": regrade_id,
        "counts": regrade_id is None,
    }
    row = GradeRow.write(session, values)
    comparisons = [
        {**shown, "grade_id": row.id, "position": position, "pattern": comparison.pattern}
        for position, (comparison, shown) in enumerate(zip(grade.checkpoints, timed.rows, strict=True))
    ]
    INSERT_ROWS.insert(session, comparisons)
    if regrade_id is None:
        record(session, submission, grade.checkpoints)
    return row


def _timed(stored: StoredInstance, grade: Grade, started: float) -> TimedGrade:
    return TimedGrade(grade, stored.id, stored.instance.exercise.revision, time.perf_counter() - started)


def storable(text: str) -> str:
    """Return text that every database takes: PostgreSQL has no NUL, and UTF-8 no lone surrogates."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="replace").decode()
