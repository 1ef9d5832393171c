"""Regrades: which submissions are graded again, and when their new grades count.

1. A regrade begins with a ticket for each submission in its scope that has no grade of today. The grade of such a
   ticket does not count.
2. The report (``server/regrading/report.py``) compares those grades with the ones that count.
3. Once nothing waits, the regrade is accepted: its grades count all at once, and progress follows. Or it is discarded:
   its tickets and its grades are deleted.

A grade belongs to a submission, a revision of its exercise and an environment; the environment names torch, the kernels
and the version of the grader. So there is reason to grade again exactly where no grade of today's revision and
environment exists. Nothing can be forced: the same three would give the same rows.

A course has one open regrade at most, and two requests about one course take turns. They do so by a number, not by the
course's row: each entry of the audit log refers to that row, in a transaction that may hold an account for which an
acceptance waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy.orm import defer
from sqlmodel import Session, col, delete, func, or_, select, update

from exercises.exercise import Exercise
from grader import numerics
from server.accounts.accounts import lock_account
from server.audit.log import Entry, record
from server.courses.access import require_active
from server.database import dialect
from server.database.table import now
from server.http.problems import Conflict, NotFound
from server.progress.recount import Place, recount_students
from server.queue.queries import IS_LIVE
from server.regrading.report import differing_submissions
from server.tables import (
    AnswerKind,
    ComparisonRow,
    CourseRow,
    GradeRow,
    RegradeRow,
    SeatRow,
    SubmissionRow,
    TicketRow,
)

REGRADE_LOCKS = 0x0D0_72 << 32  # any numbers, the same in every server; a course adds its own


class UnknownRegrade(NotFound):
    """The course has no such regrade."""

    title, slug = "No such regrade", "unknown-regrade"


@dataclass(frozen=True)
class RegradeScope:
    """What is graded again. What is None is not narrowed down; without anything it is the course."""

    exercise: str | None = None
    account_id: int | None = None
    submission_id: int | None = None

    @property
    def in_words(self) -> str:
        """The scope as a part of a sentence."""
        words = [] if self.submission_id is None else [f"submission {self.submission_id}"]
        words += [] if self.account_id is None else [f"student {self.account_id}"]
        words += [] if self.exercise is None else [self.exercise]
        return ", ".join(words) or "the course"


@dataclass(frozen=True)
class Begun:
    """The open regrade, or None if there is nothing to grade again, and the submissions that need a ticket now."""

    regrade: RegradeRow | None
    outdated: Sequence[SubmissionRow]


def begin(
    session: Session, course: CourseRow, exercises: Sequence[Exercise], scope: RegradeScope, actor_id: int | None
) -> Begun:
    """Open a regrade, unless nothing in its scope is outdated. One that is open with the same scope goes on.

    :raises Archived: the course is archived
    :raises Conflict: a regrade of something else is open
    :raises NotFound: the scope names somebody, or a submission, that the course has not
    """
    _lock(session, course)
    require_active(course)
    _require_known(session, course, scope)
    open_one = find_open(session, course)
    if open_one is not None and scope_of(open_one) != scope:
        raise Conflict(
            f"Regrade {open_one.id} ({scope_of(open_one).in_words}) is still open. Accept or discard it first."
        )
    outdated = find_outdated(session, course, exercises, scope)
    if open_one is None and outdated:
        open_one = RegradeRow(course_id=course.id, requested_by_id=actor_id, **asdict(scope))
        session.add(open_one)
        session.flush()
        record(session, _entry(open_one, actor_id, "regrade.begin", submissions=len(outdated)))
    return Begun(open_one, outdated)


def find_outdated(
    session: Session, course: CourseRow, exercises: Sequence[Exercise], scope: RegradeScope
) -> list[SubmissionRow]:
    """Return the submissions of a course without a grade of today, the oldest first.

    Tensors were derived on the numbers of their own revision, so those of an older one keep their grade. What waits
    already is left out, and what has no body any more.
    """
    outdated: list[SubmissionRow] = []
    narrowed = [
        column == value
        for column, value in (
            (col(SubmissionRow.account_id), scope.account_id),
            (col(SubmissionRow.id), scope.submission_id),
        )
        if value is not None
    ]
    for exercise in exercises:
        grade_of_today = select(GradeRow.id).where(
            GradeRow.submission_id == SubmissionRow.id,
            GradeRow.revision == exercise.revision,
            GradeRow.environment == numerics.environment(),
        )
        ticket = select(TicketRow.id).where(TicketRow.submission_id == SubmissionRow.id)
        submissions = select(SubmissionRow).where(
            SubmissionRow.course_id == course.id,
            SubmissionRow.exercise == exercise.slug,
            or_(SubmissionRow.kind == AnswerKind.CODE, SubmissionRow.revision == exercise.revision),
            col(SubmissionRow.emptied_at).is_(None),
            ~grade_of_today.exists(),
            ~ticket.exists(),
            *narrowed,
        )
        outdated += session.exec(submissions.options(defer(SubmissionRow.body)))  # type: ignore[arg-type]
    return sorted(outdated, key=lambda submission: submission.id)


def accept(session: Session, course: CourseRow, regrade_id: int, actor_id: int | None) -> RegradeRow:
    """Let the grades of an open regrade count, all at once, and work out progress anew where one of them differs.

    What was set aside keeps its grade.

    :raises Archived: the course is archived
    :raises UnknownRegrade: the course has no such regrade
    :raises Conflict: it is not open, or not done
    """
    regrade = _find_open_for_change(session, course, regrade_id)
    of_regrade = col(TicketRow.regrade_id) == regrade.id
    session.exec(delete(TicketRow).where(of_regrade, ~IS_LIVE))
    waiting = session.exec(select(func.count()).select_from(TicketRow).where(of_regrade)).one()
    if waiting:
        raise Conflict(f"Regrade {regrade.id} is not done: {waiting} still wait. Accept it then, or discard it.")
    differing = differing_submissions(session, regrade)
    for account_id in sorted({submission.account_id for submission in differing}):
        lock_account(session, account_id)  # no grade is recorded between the two steps
    session.exec(update(GradeRow).where(col(GradeRow.regrade_id) == regrade.id).values(counts=True))
    for exercise in sorted({each.exercise for each in differing}):
        account_ids = {each.account_id for each in differing if each.exercise == exercise}
        recount_students(session, Place(course.id, exercise), account_ids)
    regrade.accepted_at = now()
    record(session, _entry(regrade, actor_id, "regrade.accept", changed=len(differing)))
    return regrade


def discard(session: Session, course: CourseRow, regrade_id: int, actor_id: int | None) -> RegradeRow:
    """Drop the tickets and the grades of an open regrade. A run that goes on finds no ticket, and its grade is dropped.

    :raises Archived: the course is archived
    :raises UnknownRegrade: the course has no such regrade
    :raises Conflict: it is not open
    """
    regrade = _find_open_for_change(session, course, regrade_id)
    # The tickets first: afterwards no run stores a grade of this regrade.
    session.exec(delete(TicketRow).where(col(TicketRow.regrade_id) == regrade.id))
    of_regrade = select(GradeRow.id).where(GradeRow.regrade_id == regrade.id)
    session.exec(delete(ComparisonRow).where(col(ComparisonRow.grade_id).in_(of_regrade)))
    session.exec(delete(GradeRow).where(col(GradeRow.regrade_id) == regrade.id))
    regrade.discarded_at = now()
    record(session, _entry(regrade, actor_id, "regrade.discard"))
    return regrade


def find_open(session: Session, course: CourseRow) -> RegradeRow | None:
    """Return the open regrade of a course, or None."""
    return session.exec(
        select(RegradeRow).where(
            RegradeRow.course_id == course.id,
            col(RegradeRow.accepted_at).is_(None),
            col(RegradeRow.discarded_at).is_(None),
        )
    ).first()


def find_regrade(session: Session, course: CourseRow, regrade_id: int | None) -> RegradeRow | None:
    """Return a regrade of a course; without an id the newest, or None if there was none.

    :raises UnknownRegrade: the course has none of this id
    """
    regrades = select(RegradeRow).where(RegradeRow.course_id == course.id).order_by(col(RegradeRow.id).desc())
    if regrade_id is None:
        return session.exec(regrades.limit(1)).first()
    regrade = session.exec(regrades.where(RegradeRow.id == regrade_id)).first()
    if regrade is None:
        raise UnknownRegrade(
            f"This course has no regrade {regrade_id}.",
            on_api=f"GET /api/v1/courses/{course.slug}/regrade shows the newest.",
        )
    return regrade


def scope_of(regrade: RegradeRow) -> RegradeScope:
    """Return the scope of a regrade."""
    return RegradeScope(regrade.exercise, regrade.account_id, regrade.submission_id)


def _lock(session: Session, course: CourseRow) -> None:
    """Let no other change of a regrade of this course begin until the transaction ends."""
    dialect.take_turns(session.connection(), REGRADE_LOCKS + course.id)


def _find_open_for_change(session: Session, course: CourseRow, regrade_id: int) -> RegradeRow:
    _lock(session, course)
    require_active(course)
    regrade = find_regrade(session, course, regrade_id)
    assert regrade is not None
    if regrade.accepted_at is not None or regrade.discarded_at is not None:
        done = "accepted" if regrade.accepted_at else "discarded"
        raise Conflict(f"Regrade {regrade.id} was {done} already. Begin another one: POST the course's /regrade.")
    return regrade


def _require_known(session: Session, course: CourseRow, scope: RegradeScope) -> None:
    if scope.account_id is not None and session.get(SeatRow, (course.id, scope.account_id)) is None:
        raise NotFound(f"This course has no student {scope.account_id}. Look for the number in the list of people.")
    if scope.submission_id is not None:
        of_course = select(SubmissionRow.course_id).where(SubmissionRow.id == scope.submission_id)
        if session.exec(of_course).first() != course.id:
            raise NotFound(
                f"This course has no submission {scope.submission_id}.",
                on_api=f"GET /api/v1/courses/{course.slug}/submissions lists them.",
            )


def _entry(regrade: RegradeRow, actor_id: int | None, act: str, **counts: int) -> Entry:
    return Entry(
        course_id=regrade.course_id,
        actor_id=actor_id,
        act=act,
        subject_id=regrade.account_id,
        exercise=regrade.exercise,
        submission_id=regrade.submission_id,
        after={"regrade": regrade.id, **counts},
    )
