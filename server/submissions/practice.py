"""Offering a drill: after the second answer in which a student makes a kind of mistake.

A cold query: it is asked when a submission with such a mistake is read whole, and never when one is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sqlmodel import Session, col, func, select

from exercises import registry
from exercises.exercise import Exercise
from grader.compare import Origin
from server.progress.record import PASSING
from server.submissions.schemas import ComparisonBody, PracticeBody
from server.tables import ComparisonRow, CourseRow, GradeRow, ProgressRow, SubmissionRow

TIMES: Final = 2  # answers with the mistake before a drill is offered
MISTAKES_MAX: Final = 500  # rows of a student that are looked through, the newest first


def practice_for(session: Session, submission: SubmissionRow, rows: Iterable[ComparisonBody]) -> PracticeBody | None:
    """Return the drill to offer beside a grade, None if there is no reason for one.

    :param rows: what the reader is shown: a kind that is kept back is not told by a drill
    """
    if registry.is_drill(submission.exercise):
        return None
    kinds = list(dict.fromkeys(row.diagnosis[0].code for row in rows if row.origin is Origin.OWN and row.diagnosis))
    if not kinds:
        return None
    times = _times(session, submission)
    for kind in kinds:
        if times.get(kind, 0) >= TIMES:
            drill = _next_drill(session, submission, kind)
            if drill is not None and _takes_answers(session, submission.course_id):
                lines = len(drill.forward.lines)
                return PracticeBody(kind=kind, exercise=drill.slug, title=drill.title, lines=lines)
    return None


def _takes_answers(session: Session, course_id: int) -> bool:
    return session.get_one(CourseRow, course_id).archived_at is None


def _times(session: Session, submission: SubmissionRow) -> dict[str, int]:
    """Return kind → number of the student's answers in the course that hold it, up to this one."""
    rows = (
        select(SubmissionRow.id, ComparisonRow.diagnosis)
        .join(GradeRow, col(GradeRow.submission_id) == SubmissionRow.id)
        .join(ComparisonRow, col(ComparisonRow.grade_id) == GradeRow.id)
        .where(
            SubmissionRow.course_id == submission.course_id,
            SubmissionRow.account_id == submission.account_id,
            col(SubmissionRow.id) <= submission.id,
            col(GradeRow.counts),
            ComparisonRow.origin == Origin.OWN.value,
        )
        .order_by(col(SubmissionRow.id).desc())
        .limit(MISTAKES_MAX)
    )
    answers: dict[str, set[int]] = {}
    for id, diagnosis in session.exec(rows):
        for each in diagnosis[:1]:
            answers.setdefault(each["code"], set()).add(id)
    return {kind: len(ids) for kind, ids in answers.items()}


def _next_drill(session: Session, submission: SubmissionRow, kind: str) -> Exercise | None:
    """Return the first drill of a kind that the student has not passed."""
    drills = list(_drills_of(kind))
    passed = dict(
        session.exec(
            select(ProgressRow.exercise, func.count())
            .where(
                ProgressRow.course_id == submission.course_id,
                ProgressRow.account_id == submission.account_id,
                col(ProgressRow.exercise).in_([drill.slug for drill in drills]),
                col(ProgressRow.best).in_(PASSING),
            )
            .group_by(ProgressRow.exercise)
        ).all()
    )
    return next((drill for drill in drills if passed.get(drill.slug, 0) < len(drill.checkpoints)), None)


def _drills_of(kind: str) -> Iterator[Exercise]:
    """Yield the drills of a kind: those whose names are the kind and a number."""
    name = f"{registry.DRILLS.name}/{kind.replace('_', '-')}-"
    for slug, exercise in registry.drills().items():
        if slug.startswith(name) and slug.removeprefix(name).isdigit():
            yield exercise
