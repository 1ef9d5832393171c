"""Showing submissions: with their newest grade, or with their place in the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session, col, select

from exercises.instance import Kind
from grader.compare import Verdict
from server.assignments.assignment import read_extensions
from server.courses.access import Membership
from server.grading.grade import FreshGrade
from server.queue.dispatcher import Dispatcher
from server.queue.tickets import Standing
from server.rules.rules import Rules, find_all_rules, find_rules
from server.submissions import hints
from server.submissions.points import extensions_that_matter, points_fields, rows_of_grades
from server.submissions.queries import GRADE_COLUMNS, NEWEST_GRADE, ROW_COLUMNS, ROWS_OF_GRADE
from server.submissions.schemas import (
    GradeBody,
    GradeSummaryBody,
    RunBody,
    SubmissionBody,
    SubmissionSummaryBody,
)
from server.tables import CourseRow, GradeRow, InstanceRow, SeatRow, SubmissionRow, TicketState

GRADED = "graded"
# Graded between two queries, so that neither found a trace. It is reported as running; the next read shows the grade.
BETWEEN_QUERIES = Standing(TicketState.RUNNING, None, None)
# While feedback is withheld.
NOTHING_SHOWN: Final[dict[str, Any]] = {
    "feedback": "withheld",
    "flags": [],
    "passed": None,
    "exact": None,
    "points": None,
}


def show(
    session: Session, submission: SubmissionRow, reader: Membership, dispatcher: Dispatcher, rules: Rules | None = None
) -> SubmissionBody:
    """Return a submission with its newest grade and all rows, or with its place in the queue.

    :param rules: those that were just found for its student and the reader; by default they are read.
    """
    graded = newest_grade(session, submission.id)
    if graded is None:
        standing = dispatcher.standing(session, [submission.id]).get(submission.id, BETWEEN_QUERIES)
        return SubmissionBody(**_head(submission, reader.course, standing), grade=None)
    if rules is None:
        rules = find_rules(session, reader, submission.account_id, submission.exercise)
    else:
        rules = rules.recounted(session)
    return show_graded(session, submission, rules, graded, rows_of_grade(session, graded.row.id))


@dataclass(frozen=True)
class Graded:
    """A grade, and the kind of the instance that it was made on."""

    row: GradeRow
    instance_kind: str


def newest_grade(session: Session, submission_id: int) -> Graded | None:
    """Return the grade of a submission, or None if it has none that counts."""
    found = NEWEST_GRADE.first(session, {"submission_id": submission_id})
    if found is None:
        return None
    *grade, instance_kind = found
    return Graded(GradeRow.loaded(zip(GRADE_COLUMNS, grade, strict=True)), instance_kind)


def rows_of_grade(session: Session, grade_id: int) -> list[dict[str, Any]]:
    """Return the rows of a grade, in the order of the exercise."""
    rows = ROWS_OF_GRADE.rows(session, {"grade_id": grade_id})
    return [dict(zip(ROW_COLUMNS, row, strict=True)) for row in rows]


def show_graded(
    session: Session, submission: SubmissionRow, rules: Rules, grade: Graded, rows: Sequence[Mapping[str, Any]]
) -> SubmissionBody:
    """Return a submission with this grade and these rows, as far as the rules show them."""
    visible = hints.visible_rows(session, rules, rows) if rules.withheld is None else []
    handed_in_at = submission.created_at
    extensions = extensions_that_matter(session, rules, handed_in_at)
    points = points_fields(rules.assignment, extensions, handed_in_at, grade.row, rows)
    body = GradeBody(**_grade(grade, rules, points), handed_in=handed_in(rows), checkpoints=visible)
    return SubmissionBody(**_head(submission, rules.course), grade=body)


def show_fresh(session: Session, submission: SubmissionRow, rules: Rules, fresh: FreshGrade) -> SubmissionBody:
    """Return a submission as ``show`` does, with a grade that was stored a moment ago: it is not read again."""
    graded = Graded(fresh.row, fresh.instance_kind.value)
    return show_graded(session, submission, rules.recounted(session), graded, fresh.rows)


def handed_in(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the checkpoints that hold an answer."""
    return [row["name"] for row in rows if row["verdict"] != Verdict.MISSING.value]


def summaries(
    session: Session, asking: Membership, submissions: Sequence[SubmissionRow], dispatcher: Dispatcher
) -> list[SubmissionSummaryBody]:
    """Return submissions without rows and bodies; as many queries, however many there are.

    They are of one student, or staff ask.
    """
    if not submissions:
        return []
    ids = [each.id for each in submissions]
    in_order = (
        select(GradeRow, InstanceRow.kind)
        .join(InstanceRow, col(InstanceRow.id) == GradeRow.instance_id)
        .where(col(GradeRow.submission_id).in_(ids), col(GradeRow.counts))
        .order_by(col(GradeRow.id))
    )
    newest_grades = {grade.submission_id: Graded(grade, kind) for grade, kind in session.exec(in_order)}
    standings = dispatcher.standing(session, [id for id in ids if id not in newest_grades])
    course, sections = asking.course, _sections(session, submissions)
    rules = find_all_rules(session, asking, submissions[0].account_id, {each.exercise for each in submissions})
    extensions = read_extensions(session, course)
    weighted = {each.id for each in submissions if rules[each.exercise].assignment.checkpoint_points}
    rows = rows_of_grades(session, [each.row for id, each in newest_grades.items() if id in weighted])
    bodies = []
    for each in submissions:
        graded = newest_grades.get(each.id)
        if graded is None:
            head, body = _head(each, course, standings.get(each.id, BETWEEN_QUERIES)), None
        else:
            rule = rules[each.exercise]
            due_times = extensions.of(each.exercise, each.account_id, sections.get(each.account_id))
            graded_rows = rows.get(graded.row.id, ())
            points = points_fields(rule.assignment, due_times, each.created_at, graded.row, graded_rows)
            head, body = _head(each, course), GradeSummaryBody(**_grade(graded, rule, points))
        bodies.append(SubmissionSummaryBody(**head, grade=body))
    return bodies


def _sections(session: Session, submissions: Sequence[SubmissionRow]) -> dict[int, str | None]:
    """Return the sections of the students of submissions of one course, by account."""
    seats = select(SeatRow.account_id, SeatRow.section).where(
        SeatRow.course_id == submissions[0].course_id,
        col(SeatRow.account_id).in_({each.account_id for each in submissions}),
    )
    return dict(session.exec(seats).all())


def _head(submission: SubmissionRow, course: CourseRow, standing: Standing | None = None) -> dict[str, Any]:
    """Return what a body says of a submission itself. Without a standing it is graded."""
    return {
        "id": submission.id,
        "course": course.slug,
        "exercise": submission.exercise,
        "revision": submission.revision,
        "attempt": submission.attempt,
        "kind": submission.kind,
        "filename": submission.filename,
        "status": standing.state if standing else GRADED,
        "place": standing and standing.place,
        "estimate": standing and standing.estimate,
        "created_at": submission.created_at,
    }


def _grade(graded: Graded, rules: Rules, points: Mapping[str, float]) -> dict[str, Any]:
    grade, run = graded.row, None
    if grade.run_status is not None:
        run = RunBody(
            status=grade.run_status,
            message=grade.run_message or "",
            stdout=grade.run_stdout or "",
            hidden=graded.instance_kind == Kind.HIDDEN.value,
        )
    body = {
        "run": run,
        "flags": grade.flags,
        "passed": grade.passed,
        "exact": grade.exact,
        "total": grade.total,
        **points,
        "environment": grade.environment,
        "graded_at": grade.graded_at,
    }
    return body if rules.withheld is None else body | NOTHING_SHOWN | {"shown_when": rules.withheld}
