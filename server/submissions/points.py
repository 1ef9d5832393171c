"""What one submission earns, and how late it came. Worked out when it is read, from the rules of that moment."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from grader.grade import Grade
from server.assignments.assignment import Assignment, extensions_of
from server.assignments.points import Counts, Moments, assignment_points, counted_points, late_by, late_factor
from server.rules.rules import Rules
from server.tables import ComparisonRow, GradeRow

POINTS_DECIMALS: Final = 4  # a 26th of 100 points is 3.8462


def points_fields(
    assignment: Assignment,
    extensions: Collection[datetime],
    handed_in_at: datetime,
    grade: GradeRow | Grade,
    rows: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return what the body of a grade says of its points.

    :param rows: those of the grade. They are asked for only if checkpoints of the assignment weigh more or less than 1.
    """
    if assignment.checkpoint_points:
        moments = {
            row["name"]: Moments.of_answer(row["verdict"], row["origin"], row["inherits_constant"], handed_in_at)
            for row in rows
        }
        earned = assignment_points(assignment, moments, moments, extensions)
    else:
        counts = Counts(grade.exact, grade.passed, grade.inherited, grade.total)
        earned = counted_points(assignment, counts, handed_in_at, extensions)
    return {
        "points": round(earned.points, POINTS_DECIMALS),
        "late_seconds": math.ceil(late_by(assignment, handed_in_at, extensions).total_seconds()),
        "late_factor": late_factor(assignment, handed_in_at, extensions),
    }


def extensions_that_matter(session: Session, rules: Rules, handed_in_at: datetime) -> list[datetime]:
    """Return the extensions of an account, if what it handed in is late without them; a query then, else none."""
    due_at = rules.assignment.due_at
    if due_at is None or handed_in_at <= due_at:
        return []
    return extensions_of(session, rules.course, rules.exercise, rules.account_id)


def rows_of_grades(session: Session, grades: Iterable[GradeRow]) -> dict[int, list[dict[str, Any]]]:
    """Return what points depend on, of each row of some grades, by the grade's id; one query."""
    ids = [each.id for each in grades]
    found: dict[int, list[dict[str, Any]]] = {id: [] for id in ids}
    if ids:
        columns = (ComparisonRow.name, ComparisonRow.verdict, ComparisonRow.origin, ComparisonRow.inherits_constant)
        rows = select(ComparisonRow.grade_id, *columns).where(col(ComparisonRow.grade_id).in_(ids))  # type: ignore[call-overload]
        for row in session.connection().execute(rows).mappings():
            found[row["grade_id"]].append(dict(row))
    return found
