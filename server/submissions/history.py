"""The attempts of one student in one exercise, with the verdicts of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from grader.compare import Origin, Verdict
from server.courses.access import Membership
from server.queue.dispatcher import Dispatcher
from server.submissions import present
from server.submissions.access import UnknownSubmission
from server.submissions.listing import SubmissionFilter, find_submissions
from server.submissions.schemas import SubmissionSummaryBody
from server.tables import ComparisonRow, GradeRow, SubmissionRow


@dataclass(frozen=True)
class StepVerdict:
    """The verdict of a step, and whose mistake a wrong one is."""

    name: str
    verdict: Verdict
    origin: Origin | None


@dataclass(frozen=True)
class Attempt:
    """A submission with the verdicts of its steps; none while there is no grade, or it is withheld."""

    summary: SubmissionSummaryBody
    steps: tuple[StepVerdict, ...]


@dataclass(frozen=True)
class Work:
    """Whose work in which exercise is meant."""

    account_id: int
    exercise: str


def list_attempts(
    session: Session, reader: Membership, dispatcher: Dispatcher, work: Work, limit: int, before: int | None = None
) -> list[Attempt]:
    """Return attempts, the newest first, as many as ``limit``; those ``before`` a submission, or the newest.

    Whether the reader may see this work at all, the caller has checked.
    """
    which = SubmissionFilter(work.account_id, None, work.exercise, before, limit)
    found = find_submissions(session, reader.course, which)
    summaries = present.summaries(session, reader, found, dispatcher)
    shown = [each.id for each in summaries if each.grade is not None and each.grade.feedback == "shown"]
    steps = _steps(session, shown)
    return [Attempt(each, tuple(steps.get(each.id, ()))) for each in summaries]


def get_attempt(session: Session, reader: Membership, work: Work, submission_id: int) -> SubmissionRow:
    """Return a submission of this work, with its body.

    :raises UnknownSubmission: it is another's, or of another exercise
    """
    found = session.get(SubmissionRow, submission_id)
    if found is None or (found.course_id, found.account_id, found.exercise) != (
        reader.course.id,
        work.account_id,
        work.exercise,
    ):
        raise UnknownSubmission(f"There is no attempt {submission_id} in this history. Choose one of the list.")
    return found


def _steps(session: Session, submission_ids: Sequence[int]) -> dict[int, list[StepVerdict]]:
    """Return the verdicts of the newest grade that counts, by submission."""
    newest = (
        select(GradeRow.submission_id, func.max(GradeRow.id).label("grade_id"))
        .where(col(GradeRow.submission_id).in_(submission_ids), col(GradeRow.counts))
        .group_by(col(GradeRow.submission_id))
        .subquery()
    )
    rows = (
        select(newest.c.submission_id, ComparisonRow.name, ComparisonRow.verdict, ComparisonRow.origin)
        .join(newest, newest.c.grade_id == col(ComparisonRow.grade_id))
        .order_by(newest.c.submission_id, col(ComparisonRow.position))
    )
    found: dict[int, list[StepVerdict]] = defaultdict(list)
    for submission_id, name, verdict, origin in session.exec(rows):
        found[submission_id].append(StepVerdict(name, Verdict(verdict), None if origin is None else Origin(origin)))
    return found
