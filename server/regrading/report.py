"""The difference report of a regrade: whose grades differ, in which steps, and who gains or loses points by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import CTE, Select, Text, and_, cast, union
from sqlalchemy import select as core_select
from sqlalchemy.orm import aliased, defer
from sqlmodel import Session, col, func, select

from server.assignments.assignment import Assignment, extensions_of, list_assignments
from server.assignments.exercises import find_exercise
from server.assignments.points import Moments, assignment_points
from server.courses.schemas import PersonBody
from server.queue.queries import IS_LIVE
from server.regrading.schemas import DifferenceBody, PointsChangeBody, RegradeBody, RowChangeBody
from server.tables import (
    AccountRow,
    ComparisonRow,
    CourseRow,
    GradeRow,
    OverrideRow,
    RegradeRow,
    SubmissionRow,
    TicketRow,
)

REPORTED_MAX = 1000
NO_ROW = "(none)"
SAME_POINTS = 1e-9  # differences below come from the order of a sum


@dataclass(frozen=True)
class Pair:
    """A submission that was graded again: its new grade, and the one that counted before."""

    submission_id: int
    new: int
    old: int


def report(session: Session, course: CourseRow, regrade: RegradeRow | None) -> RegradeBody:
    """Return how far a regrade is, each submission whose grade differs, and who gains or loses points.

    At most ``REPORTED_MAX`` submissions, the oldest first. Without a regrade there is nothing to report.
    """
    if regrade is None:
        return RegradeBody()
    of_regrade = TicketRow.regrade_id == regrade.id
    waiting = select(func.count()).select_from(TicketRow).where(of_regrade, IS_LIVE)
    set_aside = select(TicketRow.submission_id).where(of_regrade, ~IS_LIVE).order_by(col(TicketRow.submission_id))
    regraded = select(func.count(func.distinct(GradeRow.submission_id))).where(GradeRow.regrade_id == regrade.id)
    pairs = _differing(session, regrade)
    differences = (_difference(session, pair) for pair in pairs)
    gain, lose = _points_changes(session, course, pairs[:REPORTED_MAX])
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
        changed=list(islice(filter(None, differences), REPORTED_MAX)),
        gain=gain,
        lose=lose,
    )


def differing_submissions(session: Session, regrade: RegradeRow) -> list[SubmissionRow]:
    """Return the submissions of which some row differs between their new grade and the one before."""
    return [_submission(session, pair.submission_id) for pair in _differing(session, regrade)]


def _status(regrade: RegradeRow) -> str:
    if regrade.accepted_at is not None:
        return "accepted"
    return "open" if regrade.discarded_at is None else "discarded"


def _differing(session: Session, regrade: RegradeRow) -> list[Pair]:
    """Return the pairs of grades that differ in some row, in the order of their submissions.

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
    pairs = select(newest.c.submission_id, newest.c.id.label("new"), before.label("old")).cte("pairs")
    differing = union(_with_own_row(pairs, "new", "old"), _with_own_row(pairs, "old", "new")).order_by("submission_id")
    return [Pair(*row) for row in session.connection().execute(differing)]


def _with_own_row(pairs: CTE, which: str, other: str) -> Select[Any]:
    """Select the pairs in which one grade has a row that the other has not.

    The database compares them, texts of diagnoses included: of thousands, few differ.
    """
    mine, theirs = aliased(ComparisonRow), aliased(ComparisonRow)
    same_place = and_(col(theirs.grade_id) == pairs.c[other], col(theirs.position) == mine.position)
    joined = core_select(pairs).join(mine, col(mine.grade_id) == pairs.c[which]).outerjoin(theirs, same_place)
    return joined.where(
        col(theirs.name).is_distinct_from(mine.name)
        | (col(theirs.verdict) != mine.verdict)
        | col(theirs.origin).is_distinct_from(mine.origin)
        | (col(theirs.inherits_constant) != mine.inherits_constant)
        | (cast(theirs.diagnosis, Text) != cast(mine.diagnosis, Text))
    )


def _difference(session: Session, pair: Pair) -> DifferenceBody | None:
    new, old = _rows(session, pair.new), _rows(session, pair.old)
    changes = [
        RowChangeBody(name=name, before=old.get(name, NO_ROW), after=new.get(name, NO_ROW))
        for name in old | new
        if old.get(name) != new.get(name)
    ]
    if not changes:
        return None
    submission = _submission(session, pair.submission_id)
    return DifferenceBody(
        submission=submission.id,
        student=_person(session, submission.account_id),
        exercise=submission.exercise,
        before=session.get_one(GradeRow, pair.old).passed,
        after=session.get_one(GradeRow, pair.new).passed,
        rows=changes,
    )


def _rows(session: Session, grade_id: int) -> dict[str, str]:
    """Return verdict, origin and codes of diagnosis in one line, by checkpoint."""
    rows = session.exec(
        select(ComparisonRow).where(ComparisonRow.grade_id == grade_id).order_by(col(ComparisonRow.position))
    )
    return {
        row.name: " ".join(filter(None, [row.verdict, row.origin, *(each["code"] for each in row.diagnosis)]))
        for row in rows
    }


def _points_changes(
    session: Session, course: CourseRow, pairs: Iterable[Pair]
) -> tuple[list[PointsChangeBody], list[PointsChangeBody]]:
    """Return who gains points, the most first, and who loses some.

    Points follow from the best of all answers of a student, so a submission that differs may change nothing.
    """
    pairs_by_place: dict[tuple[int, str], list[Pair]] = {}
    for pair in pairs:
        submission = _submission(session, pair.submission_id)
        pairs_by_place.setdefault((submission.account_id, submission.exercise), []).append(pair)
    asked = sorted({exercise for _, exercise in pairs_by_place})
    assignments = {each.exercise: each for each in list_assignments(session, course, asked)}
    changes = [
        _points_change(session, course, account_id, assignments[exercise], differing)
        for (account_id, exercise), differing in pairs_by_place.items()
        if exercise in assignments
    ]
    gain = [each for each in changes if each.after > each.before + SAME_POINTS]
    lose = [each for each in changes if each.after < each.before - SAME_POINTS]
    return (
        sorted(gain, key=lambda each: each.before - each.after),
        sorted(lose, key=lambda each: each.after - each.before),
    )


def _points_change(
    session: Session, course: CourseRow, account_id: int, assignment: Assignment, pairs: Iterable[Pair]
) -> PointsChangeBody:
    exercise = assignment.exercise
    answers = select(SubmissionRow.id, func.max(GradeRow.id)).join(
        GradeRow, and_(col(GradeRow.submission_id) == SubmissionRow.id, col(GradeRow.counts))
    )
    of_student = answers.where(
        SubmissionRow.course_id == course.id,
        SubmissionRow.account_id == account_id,
        SubmissionRow.exercise == exercise,
    ).group_by(col(SubmissionRow.id))
    counting = dict(session.exec(of_student).all())
    before = counting | {pair.submission_id: pair.old for pair in pairs}
    after = counting | {pair.submission_id: pair.new for pair in pairs}
    extensions = extensions_of(session, course, exercise, account_id)
    checkpoints = [each.name for each in find_exercise(exercise).checkpoints]
    points = [
        assignment_points(assignment, checkpoints, _moments(session, grades.values()), extensions).points
        for grades in (before, after)
    ]
    override = select(OverrideRow.id).where(
        OverrideRow.course_id == course.id,
        OverrideRow.account_id == account_id,
        OverrideRow.exercise == exercise,
        col(OverrideRow.withdrawn_at).is_(None),
    )
    return PointsChangeBody(
        student=_person(session, account_id),
        exercise=exercise,
        before=points[0],
        after=points[1],
        is_overridden=session.exec(override).first() is not None,
    )


def _moments(session: Session, grade_ids: Iterable[int]) -> Mapping[str, Moments]:
    """Return the first moments of each checkpoint, if these grades are the ones that count."""
    rows = session.exec(
        select(ComparisonRow, SubmissionRow.created_at)
        .join(GradeRow, col(GradeRow.id) == ComparisonRow.grade_id)
        .join(SubmissionRow, col(SubmissionRow.id) == GradeRow.submission_id)
        .where(col(GradeRow.id).in_(list(grade_ids)))
        .order_by(col(SubmissionRow.created_at))
    )
    moments: dict[str, Moments] = {}
    for row, handed_in_at in rows:
        answer = Moments.of_answer(row.verdict, row.origin, row.inherits_constant, handed_in_at)
        earlier = moments.get(row.name, Moments())
        moments[row.name] = Moments(
            earlier.first_exact_at or answer.first_exact_at,
            earlier.first_passed_at or answer.first_passed_at,
            earlier.first_inherited_at or answer.first_inherited_at,
        )
    return moments


def _submission(session: Session, id: int) -> SubmissionRow:
    """Return a submission without its body."""
    without_body = defer(SubmissionRow.body)  # type: ignore[arg-type]
    return session.exec(select(SubmissionRow).where(SubmissionRow.id == id).options(without_body)).one()


def _person(session: Session, account_id: int) -> PersonBody:
    return PersonBody(id=account_id, name=session.get_one(AccountRow, account_id).name)
