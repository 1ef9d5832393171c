"""What one submission earns, and how late it came. Worked out when it is read, from the rules of that moment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from sqlmodel import Session, col, select

from server.assignments.assignment import Assignment, extensions_of
from server.assignments.points import Counts, Moments, assignment_points, counted_points, late_by, late_factor
from server.rules.rules import Rules
from server.tables import ComparisonRow, GradeRow, SubmissionRow

POINTS_DECIMALS: Final = 4  # a 26th of 100 points is 3.8462


@dataclass(frozen=True)
class Earnings:
    """What the points of a student's submission follow from: its assignment, and the due times of their extensions."""

    assignment: Assignment
    extensions: Sequence[datetime] = ()

    @classmethod
    def of(cls, session: Session, rules: Rules) -> Self:
        """Return what holds for the account of some rules; a query if there is a due time."""
        if rules.assignment.due_at is None:
            return cls(rules.assignment)
        return cls(rules.assignment, extensions_of(session, rules.course, rules.exercise, rules.account_id))

    @property
    def needs_rows(self) -> bool:
        """Whether points depend on which checkpoints are right, not only on how many."""
        return bool(self.assignment.checkpoint_points)

    def fields(
        self, submission: SubmissionRow, grade: GradeRow, rows: Iterable[Mapping[str, Any]] = ()
    ) -> dict[str, float]:
        """Return what the body of a grade says of its points. ``rows`` are asked for if ``needs_rows``."""
        assignment, extensions, handed_in_at = self.assignment, self.extensions, submission.created_at
        if self.needs_rows:
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
            "points_max": round(earned.points_max, POINTS_DECIMALS),
            "late_seconds": math.ceil(late_by(assignment, handed_in_at, extensions).total_seconds()),
            "late_factor": late_factor(assignment, handed_in_at, extensions),
        }


def rows_of_grades(session: Session, grades: Iterable[GradeRow]) -> dict[int, list[Mapping[str, Any]]]:
    """Return what points depend on, of each row of some grades, by the grade's id; one query."""
    ids = [each.id for each in grades]
    found: dict[int, list[Mapping[str, Any]]] = {id: [] for id in ids}
    if ids:
        columns = (ComparisonRow.name, ComparisonRow.verdict, ComparisonRow.origin, ComparisonRow.inherits_constant)
        rows = select(ComparisonRow.grade_id, *columns).where(col(ComparisonRow.grade_id).in_(ids))  # type: ignore[call-overload]
        for row in session.connection().execute(rows).mappings():
            found[row["grade_id"]].append(dict(row))
    return found
