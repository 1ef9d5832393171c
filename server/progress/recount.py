"""Progress after a regrade: worked out anew from the newest grade of each submission."""

from __future__ import annotations

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, delete, select

from grader.compare import Verdict
from server.assignments.points import Moments
from server.tables import ComparisonRow, GradeRow, ProgressRow, SubmissionRow


def recount(session: Session, submission: SubmissionRow) -> None:
    """Work out anew the progress of a submission's student in its exercise.

    A regrade is no attempt, and it may take away what an earlier grade gave by mistake.
    """
    session.flush()
    session.exec(
        delete(ProgressRow).where(
            col(ProgressRow.course_id) == submission.course_id,
            col(ProgressRow.account_id) == submission.account_id,
            col(ProgressRow.exercise) == submission.exercise,
        )
    )
    later = aliased(GradeRow)
    is_newest = ~(
        select(later.id)
        .where(later.submission_id == GradeRow.submission_id, later.id > GradeRow.id, col(later.counts))
        .exists()
    )
    rows = session.exec(
        select(ComparisonRow, SubmissionRow.created_at)
        .join(GradeRow, col(GradeRow.id) == ComparisonRow.grade_id)
        .join(SubmissionRow, col(SubmissionRow.id) == GradeRow.submission_id)
        .where(
            SubmissionRow.course_id == submission.course_id,
            SubmissionRow.account_id == submission.account_id,
            SubmissionRow.exercise == submission.exercise,
            ComparisonRow.verdict != Verdict.MISSING.value,
            col(GradeRow.counts),
            is_newest,
        )
        .order_by(col(SubmissionRow.created_at), col(SubmissionRow.id))  # of merged accounts, ids are in another order
    )
    progress: dict[str, ProgressRow] = {}
    for row, handed_in_at in rows:
        if row.name not in progress:
            progress[row.name] = ProgressRow(
                course_id=submission.course_id,
                account_id=submission.account_id,
                exercise=submission.exercise,
                checkpoint=row.name,
                best=row.verdict,
                attempts=0,
            )
        entry = progress[row.name]
        entry.attempts += 1
        entry.best = min(entry.best, row.verdict, key=lambda verdict: Verdict(verdict).rank)
        moments = Moments.of_answer(row.verdict, row.origin, row.inherits_constant, handed_in_at)
        for name, moment in vars(moments).items():
            setattr(entry, name, getattr(entry, name) or moment)
    session.add_all(progress.values())
