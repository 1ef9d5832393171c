"""Grading: an answer on the instance it belongs to, and the grade kept with all that follows from it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import Session, col, delete, insert, select

from exercises import registry
from exercises.instance import Kind
from grader.grade import Grade, grade_code, grade_tensors
from server import models, progress, regrade
from server.courses import lock_student
from server.db import Database
from server.instances import Held, Instances
from server.workshop import Workshop

DEFAULT_FILENAME = "solution.py"

# The statements that every grade needs, put together once: that takes longer than to run them.
_TAKE_TICKET_AWAY: Final = delete(models.Ticket).where(col(models.Ticket.submission_id) == bindparam("id"))
_GRADES_OF: Final = select(models.Grade.revision, models.Grade.environment).where(
    models.Grade.submission_id == bindparam("id")
)
_INSERT_ROWS: Final = insert(models.ComparisonRow)


@dataclass(frozen=True)
class Graded:
    """A grade, the row of the instance and the revision it was made on, and how many seconds it took."""

    grade: Grade
    instance_id: int
    revision: int
    seconds: float


def compare(held: Held, content: bytes) -> Graded:
    """Compare the tensors of a safetensors file with the gradients of an instance.

    :raises BadAnswer: the bytes are no safetensors file
    """
    begun = time.perf_counter()
    return _graded(held, grade_tensors(held.instance, content), begun)


class Grading:
    """Grades what has its turn."""

    def __init__(self, database: Database, instances: Instances, workshop: Workshop) -> None:
        self._database = database
        self._instances = instances
        self._workshop = workshop

    def grade_submission(self, submission_id: int) -> None:
        """Grade a submission by today's revision and environment, and store the grade: code is run on the student's
        hidden instance, tensors, which come here in a regrade alone, are compared on their own. Done twice it does
        no harm: the second grade of the same revision and environment is dropped.

        :raises SandboxFault: the sandbox failed, not the code
        :raises NoSuchExercise: no installed pack has the exercise any more
        """
        with self._database.reading() as session:
            submission = session.get_one(models.Submission, submission_id)
        exercise = registry.find(submission.exercise)
        if submission.kind is models.AnswerKind.TENSORS:
            held = self._instances.get(submission.student_id, exercise, Kind.STUDENT)
            graded = compare(held, submission.body)
        else:
            held = self._instances.get(submission.student_id, exercise, Kind.HIDDEN)
            begun = time.perf_counter()
            source, filename = submission.body.decode(), submission.filename or DEFAULT_FILENAME
            grade = grade_code(held.instance, source, filename, self._workshop.sandbox)
            graded = _graded(held, grade, begun)
        # A power cut that takes the grade away brings the ticket back.
        with self._database.writing(durable=False) as session:
            lock_student(session, submission.student_id)
            session.connection().execute(_TAKE_TICKET_AWAY, {"id": submission.id})
            known = session.connection().execute(_GRADES_OF, {"id": submission.id}).all()
            if (graded.revision, graded.grade.environment) not in known:
                store(session, submission, graded, again=bool(known))


def store(session: Session, submission: models.Submission, graded: Graded, *, again: bool = False) -> models.Grade:
    """Keep a grade with its rows, and bring the student's progress up to date. The caller has them locked.

    ``again``: the submission has an older grade, so that this one is no attempt.
    """
    grade, run = graded.grade, graded.grade.run
    row = models.Grade(
        submission_id=submission.id,
        instance_id=graded.instance_id,
        revision=graded.revision,
        environment=grade.environment,
        run_status=run.status.value if run else None,
        run_message=_storable(run.message) if run else None,
        run_stdout=_storable(run.stdout) if run else None,
        flags=list(grade.flags),
        passed=grade.passed,
        exact=grade.exact,
        inherited=grade.inherited,
        total=grade.total,
        seconds=graded.seconds,
    )
    row.insert(session)
    comparisons = [
        {"grade_id": row.id, "position": position} | comparison.as_json()
        for position, comparison in enumerate(grade.checkpoints)
    ]
    session.connection().execute(_INSERT_ROWS, comparisons)
    if again:
        regrade.follow(session, submission, row)
    else:
        progress.record(session, submission, grade.checkpoints)
    return row


def _graded(held: Held, grade: Grade, begun: float) -> Graded:
    return Graded(grade, held.id, held.instance.exercise.revision, time.perf_counter() - begun)


def _storable(text: str) -> str:
    """Text as every database takes it: PostgreSQL has no NUL, and UTF-8 has no half characters."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="replace").decode()
