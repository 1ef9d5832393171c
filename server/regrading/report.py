"""The difference report of a regrade: whose grades differ, in which steps, and who gains or loses points by it.

A few statements, however large the class: the database compares the rows and finds the first moments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, Select, Text, and_, cast, literal, union, union_all
from sqlalchemy import select as core_select
from sqlalchemy.orm import aliased, defer
from sqlmodel import Session, col, func, select

from grader.compare import Origin, Verdict
from server.assignments.assignment import Assignment, list_assignments, read_extensions
from server.assignments.exercises import find_exercise
from server.assignments.impact import SAME_WITHIN, overridden
from server.assignments.points import Moments, assignment_points
from server.courses.schemas import PersonBody
from server.progress.record import PASSING
from server.queue.queries import IS_LIVE
from server.regrading.schemas import DifferenceBody, PointsChangeBody, RegradeBody, RowChangeBody
from server.tables import (
    AccountRow,
    ComparisonRow,
    CourseRow,
    GradeRow,
    RegradeRow,
    SeatRow,
    SubmissionRow,
    TicketRow,
)

REPORTED_MAX = 1000
NO_ROW = "(none)"

Place = tuple[int, str]  # account, exercise


@dataclass
class Rows:
    """The rows of a submission that differ, each in one line, by checkpoint: of its new grade and of the one before."""

    new: dict[str, str] = field(default_factory=dict)
    old: dict[str, str] = field(default_factory=dict)

    def changes(self) -> list[RowChangeBody]:
        """Return the checkpoints whose line changed, in the order of the grade before."""
        return [
            RowChangeBody(name=name, before=self.old.get(name, NO_ROW), after=self.new.get(name, NO_ROW))
            for name in self.old | self.new
            if self.old.get(name) != self.new.get(name)
        ]


def report(session: Session, course: CourseRow, regrade: RegradeRow | None) -> RegradeBody:
    """Return how far a regrade is, each submission whose grade differs, and who gains or loses points.

    At most ``REPORTED_MAX`` submissions and as many students, the oldest first. Without a regrade there is nothing to
    report.
    """
    if regrade is None:
        return RegradeBody()
    of_regrade = TicketRow.regrade_id == regrade.id
    waiting = select(func.count()).select_from(TicketRow).where(of_regrade, IS_LIVE)
    set_aside = select(TicketRow.submission_id).where(of_regrade, ~IS_LIVE).order_by(col(TicketRow.submission_id))
    regraded = select(func.count(func.distinct(GradeRow.submission_id))).where(GradeRow.regrade_id == regrade.id)
    rows_by_submission = _differing_rows(session, regrade)
    gain, lose = _points_changes(session, course, regrade, list(rows_by_submission))
    return RegradeBody(
        id=regrade.id,
        status=_status(regrade),
        exercise=regrade.exercise,
        student=regrade.account_id,
        submission=regrade.submission_id,
        created_at=regrade.created_at,
        waiting=session.exec(waiting).one(),
        set_aside=list(session.exec(set_aside)),
        regraded=session.exec(regraded).one(),
        changed=_differences(session, regrade, rows_by_submission),
        gain=gain,
        lose=lose,
    )


def differing_submissions(session: Session, regrade: RegradeRow) -> list[SubmissionRow]:
    """Return the submissions of which some row is judged otherwise by their new grade than by the one before.

    Other words for the same mistake are no difference: progress does not depend on them.
    """
    pairs = _pairs(regrade)
    judged = [_with_own_row(pairs, *order, with_words=False).subquery() for order in (("new", "old"), ("old", "new"))]
    differing = union(*(core_select(each.c.submission_id) for each in judged)).subquery()
    without_body = defer(SubmissionRow.body)  # type: ignore[arg-type]
    submissions = select(SubmissionRow).join(differing, differing.c.submission_id == col(SubmissionRow.id))
    return list(session.exec(submissions.options(without_body).order_by(col(SubmissionRow.id))))


def _status(regrade: RegradeRow) -> str:
    if regrade.accepted_at is not None:
        return "accepted"
    return "open" if regrade.discarded_at is None else "discarded"


def _pairs(regrade: RegradeRow) -> CTE:
    """Select each submission of a regrade, its ``new`` grade, and the ``old`` one that counted before.

    What counted before is not of this regrade, so the report stays the same when it is accepted.
    """
    newest = (
        select(GradeRow.submission_id, func.max(GradeRow.id).label("id"))
        .where(GradeRow.regrade_id == regrade.id)
        .group_by(col(GradeRow.submission_id))
        .subquery()
    )
    before = (
        select(func.max(GradeRow.id))
        .where(
            GradeRow.submission_id == newest.c.submission_id,
            col(GradeRow.id) < newest.c.id,
            col(GradeRow.counts),
            col(GradeRow.regrade_id).is_distinct_from(regrade.id),
        )
        .correlate(newest)
        .scalar_subquery()
    )
    return select(newest.c.submission_id, newest.c.id.label("new"), before.label("old")).cte("pairs")


def _differing_rows(session: Session, regrade: RegradeRow) -> dict[int, Rows]:
    """Return the rows that differ, by submission, the oldest first. Those whose other words alone differ are there."""
    pairs = _pairs(regrade)
    rows = union_all(_with_own_row(pairs, "new", "old"), _with_own_row(pairs, "old", "new"))
    found: dict[int, Rows] = {}
    for id, which, _, name, verdict, origin, diagnosis in session.connection().execute(
        rows.order_by("submission_id", "position")
    ):
        line = " ".join(filter(None, [verdict, origin, *(each["code"] for each in diagnosis)]))
        getattr(found.setdefault(id, Rows()), which)[name] = line
    return found


def _with_own_row(pairs: CTE, which: str, other: str, *, with_words: bool = True) -> Select[Any]:
    """Select the rows of one grade that the other has not.

    The database compares them, and with ``with_words`` the texts of diagnoses too: of thousands, few differ.
    """
    mine, theirs = aliased(ComparisonRow), aliased(ComparisonRow)
    same_place = and_(col(theirs.grade_id) == pairs.c[other], col(theirs.position) == mine.position)
    columns = (col(mine.name), col(mine.verdict), col(mine.origin), col(mine.diagnosis))
    joined = (
        core_select(pairs.c.submission_id, literal(which), col(mine.position).label("position"), *columns)
        .join(mine, col(mine.grade_id) == pairs.c[which])
        .outerjoin(theirs, same_place)
    )
    is_other = (
        col(theirs.name).is_distinct_from(mine.name)
        | (col(theirs.verdict) != mine.verdict)
        | col(theirs.origin).is_distinct_from(mine.origin)
        | (col(theirs.inherits_constant) != mine.inherits_constant)
    )
    if with_words:
        is_other = is_other | (cast(theirs.diagnosis, Text) != cast(mine.diagnosis, Text))
    return joined.where(is_other)


def _differences(session: Session, regrade: RegradeRow, rows_by_submission: Mapping[int, Rows]) -> list[DifferenceBody]:
    changes = {id: changed for id, rows in rows_by_submission.items() if (changed := rows.changes())}
    reported = list(changes)[:REPORTED_MAX]
    pairs, new, old = _pairs(regrade), aliased(GradeRow), aliased(GradeRow)
    heads = session.connection().execute(
        core_select(
            col(SubmissionRow.id),
            col(SubmissionRow.exercise),
            col(AccountRow.id),
            col(AccountRow.name),
            col(old.passed),
            col(new.passed),
        )
        .join(pairs, pairs.c.submission_id == col(SubmissionRow.id))
        .join(new, col(new.id) == pairs.c.new)
        .join(old, col(old.id) == pairs.c.old)
        .join(AccountRow, col(AccountRow.id) == SubmissionRow.account_id)
        .where(col(SubmissionRow.id).in_(reported))
        .order_by(col(SubmissionRow.id))
    )
    return [
        DifferenceBody(
            submission=id,
            student=PersonBody(id=account_id, name=name),
            exercise=exercise,
            before=before,
            after=after,
            rows=changes[id],
        )
        for id, exercise, account_id, name, before, after in heads
    ]


def _points_changes(
    session: Session, course: CourseRow, regrade: RegradeRow, differing: list[int]
) -> tuple[list[PointsChangeBody], list[PointsChangeBody]]:
    """Return who gains points, the most first, and who loses some.

    Points follow from the best of all answers of a student, so a submission that differs may change nothing.
    """
    seat = (col(SeatRow.course_id) == course.id) & (col(SeatRow.account_id) == SubmissionRow.account_id)
    in_question = (
        select(SubmissionRow.account_id, SubmissionRow.exercise, AccountRow.name, SeatRow.section)
        .join(AccountRow, col(AccountRow.id) == SubmissionRow.account_id)
        .outerjoin(SeatRow, seat)
        .where(col(SubmissionRow.id).in_(differing[:REPORTED_MAX]))
        .distinct()
    )
    people = {
        (account_id, exercise): (name, section) for account_id, exercise, name, section in session.exec(in_question)
    }
    exercises = sorted({slug for _, slug in people})
    assignments = {each.exercise: each for each in list_assignments(session, course, exercises)}
    extensions = read_extensions(session, course)
    before, after = (_moments(session, course, regrade, list(people), which) for which in ("old", "new"))
    kept = overridden(session, course, exercises)
    changes = []
    for place, (name, section) in people.items():
        account_id, exercise = place
        if (assignment := assignments.get(exercise)) is None:
            continue
        due_times = extensions.of(exercise, account_id, section)
        points = [_points(assignment, each.get(place, {}), due_times) for each in (before, after)]
        changes.append(
            PointsChangeBody(
                student=PersonBody(id=account_id, name=name),
                exercise=exercise,
                before=points[0],
                after=points[1],
                is_overridden=place in kept,
            )
        )
    gain = [each for each in changes if each.after > each.before + SAME_WITHIN]
    lose = [each for each in changes if each.after < each.before - SAME_WITHIN]
    return (
        sorted(gain, key=lambda each: each.before - each.after),
        sorted(lose, key=lambda each: each.after - each.before),
    )


def _points(assignment: Assignment, moments: Mapping[str, Moments], extensions: Collection[datetime]) -> float:
    checkpoints = [each.name for each in find_exercise(assignment.exercise).checkpoints]
    return assignment_points(assignment, checkpoints, moments, extensions).points


def _moments(
    session: Session, course: CourseRow, regrade: RegradeRow, places: list[Place], which: str
) -> dict[Place, dict[str, Moments]]:
    """Return the first moments of each checkpoint of these students: by the ``new`` grades, or by the ``old`` ones.

    A submission that was not graded again has the grade that counts.
    """
    pairs = _pairs(regrade)
    counting = (
        select(GradeRow.submission_id, func.max(GradeRow.id).label("id"))
        .join(SubmissionRow, col(SubmissionRow.id) == GradeRow.submission_id)
        .where(
            SubmissionRow.course_id == course.id,
            col(SubmissionRow.account_id).in_({account_id for account_id, _ in places}),
            col(SubmissionRow.exercise).in_({exercise for _, exercise in places}),
            col(GradeRow.counts),
        )
        .group_by(col(GradeRow.submission_id))
        .subquery()
    )
    handed_in_at = col(SubmissionRow.created_at)
    is_inherited = and_(col(ComparisonRow.origin) == Origin.INHERITED.value, ~col(ComparisonRow.inherits_constant))
    whose = (col(SubmissionRow.account_id), col(SubmissionRow.exercise), col(ComparisonRow.name))
    first = (
        core_select(
            *whose,
            func.min(handed_in_at).filter(col(ComparisonRow.verdict) == Verdict.EXACT.value),
            func.min(handed_in_at).filter(col(ComparisonRow.verdict).in_(PASSING)),
            func.min(handed_in_at).filter(is_inherited),
        )
        .select_from(counting)
        .outerjoin(pairs, pairs.c.submission_id == counting.c.submission_id)
        .join(SubmissionRow, col(SubmissionRow.id) == counting.c.submission_id)
        .join(ComparisonRow, col(ComparisonRow.grade_id) == func.coalesce(pairs.c[which], counting.c.id))
        .group_by(*whose)
    )
    found: dict[Place, dict[str, Moments]] = {}
    for account_id, exercise, name, *moments in session.connection().execute(first):
        found.setdefault((account_id, exercise), {})[name] = Moments(*moments)
    return found
