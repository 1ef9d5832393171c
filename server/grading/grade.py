"""Grading a submission on its instance, and storing the grade with everything that follows from it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlmodel import Session

from exercises import registry
from exercises.instance import Kind
from grader.grade import Grade, grade_code, grade_tensors
from server.accounts.accounts import lock_account
from server.database.engine import Database
from server.database.table import now
from server.grading.code_runner import CodeRunner
from server.grading.proof import GradingProof
from server.grading.queries import DELETE_TICKET, GRADES_OF_SUBMISSION, INSERT_ROWS
from server.instances.store import InstanceStore, StoredInstance
from server.metrics import Metrics
from server.progress.record import record
from server.progress.recount import follow_regrade
from server.tables import AnswerKind, GradeRow, SubmissionRow

DEFAULT_FILENAME = "solution.py"


@dataclass(frozen=True)
class TimedGrade:
    """A grade, the id of its instance's row, the revision that it was made by, and how many seconds it took."""

    grade: Grade
    instance_id: int
    revision: int
    seconds: float


def compare(stored: StoredInstance, content: bytes) -> TimedGrade:
    """Compare the tensors of a safetensors file with the gradients of an instance.

    :raises BadAnswer: the bytes are no safetensors file
    """
    started = time.perf_counter()
    return _timed(stored, grade_tensors(stored.instance, content), started)


class Grading:
    """Grades submissions whose turn has come. ``proof`` tells whether it could grade one now."""

    def __init__(self, database: Database, instances: InstanceStore, code_runner: CodeRunner, metrics: Metrics) -> None:
        self._database = database
        self._instances = instances
        self._code_runner = code_runner
        self._metrics = metrics
        self.proof = GradingProof(code_runner)

    def grade_submission(self, submission_id: int) -> None:
        """Grade a submission by today's revision and environment, and store the grade.

        Code is run on the student's hidden instance. Tensors, which only a regrade brings here, are compared on the
        student's own. A second grade of the same revision and environment is dropped.

        :raises SandboxFault: the sandbox failed, not the code
        :raises NoSuchExercise: the exercise is no longer served
        """
        with self._database.reading() as session:
            submission = session.get_one(SubmissionRow, submission_id)
        waited = (now() - submission.created_at).total_seconds()
        timed = self._grade(submission)
        started = time.perf_counter()
        # A power cut that takes this grade away brings its ticket back.
        with self._database.writing(durable=False) as session:
            lock_account(session, submission.account_id)
            session.connection().execute(DELETE_TICKET, {"submission_id": submission.id})
            grades = session.connection().execute(GRADES_OF_SUBMISSION, {"submission_id": submission.id}).all()
            if (timed.revision, timed.grade.environment) not in grades:
                store(session, submission, timed, is_regrade=bool(grades))
        if not grades:  # a regrade waits for everybody, and says nothing of how long students do
            self._metrics.phases.labels("wait").observe(waited)
        self._metrics.phases.labels("store").observe(time.perf_counter() - started)
        count(self._metrics, submission.kind, timed)

    def _grade(self, submission: SubmissionRow) -> TimedGrade:
        exercise = registry.find(submission.exercise)
        if submission.kind is AnswerKind.TENSORS:
            return compare(self._instances.get(submission.account_id, exercise, Kind.STUDENT), submission.body)
        stored = self._instances.get(submission.account_id, exercise, Kind.HIDDEN)
        started = time.perf_counter()
        source, filename = submission.body.decode(), submission.filename or DEFAULT_FILENAME
        grade = grade_code(stored.instance, source, filename, self._code_runner.sandbox)
        self.proof.note()
        return _timed(stored, grade, started)


def count(metrics: Metrics, kind: AnswerKind, timed: TimedGrade) -> None:
    """Count a grade, and how long it took."""
    run = timed.grade.run
    metrics.phases.labels("grade").observe(timed.seconds)
    metrics.runs.labels(kind.value, run.status.value if run else "compared").inc()


def store(session: Session, submission: SubmissionRow, timed: TimedGrade, *, is_regrade: bool = False) -> GradeRow:
    """Store a grade with its rows, and bring the student's progress up to date. The caller holds the account's lock.

    :param is_regrade: the submission has an older grade, so this one is no attempt.
    """
    grade, run = timed.grade, timed.grade.run
    row = GradeRow(
        submission_id=submission.id,
        instance_id=timed.instance_id,
        revision=timed.revision,
        environment=grade.environment,
        run_status=run.status.value if run else None,
        run_message=storable(run.message) if run else None,
        run_stdout=storable(run.stdout) if run else None,
        flags=list(grade.flags),
        passed=grade.passed,
        exact=grade.exact,
        inherited=grade.inherited,
        total=grade.total,
        seconds=timed.seconds,
    )
    row.insert(session)
    comparisons = [
        {"grade_id": row.id, "position": position} | comparison.as_json()
        for position, comparison in enumerate(grade.checkpoints)
    ]
    session.connection().execute(INSERT_ROWS, comparisons)
    if is_regrade:
        follow_regrade(session, submission, row)
    else:
        record(session, submission, grade.checkpoints)
    return row


def _timed(stored: StoredInstance, grade: Grade, started: float) -> TimedGrade:
    return TimedGrade(grade, stored.id, stored.instance.exercise.revision, time.perf_counter() - started)


def storable(text: str) -> str:
    """Return text that every database takes: PostgreSQL has no NUL, and UTF-8 no lone surrogates."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="replace").decode()
