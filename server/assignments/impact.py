"""What a change of rules does to points: who gains and who loses, before it is made."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select as select_columns  # SQLModel's takes no more than four
from sqlmodel import Session, col, select

from exercises import registry
from server.assignments.assignment import Assignment, Extension, Extensions
from server.assignments.points import Moments, assignment_points
from server.courses.pinned_packs import holds
from server.courses.seats import listed_students
from server.tables import (
    Accepts,
    AccountRow,
    AssignmentRow,
    CourseRow,
    Feedback,
    Numbers,
    OverrideRow,
    ProgressRow,
    SeatRow,
)

SAME_WITHIN: Final = 1e-9  # points; what is closer differs by rounding alone


@dataclass(frozen=True)
class CourseRules:
    """What points are worked out from: the assignments of a course, and the extensions that were not revoked."""

    assignments: Sequence[Assignment]
    extensions: Sequence[Extension]

    @classmethod
    def of(cls, rows: Iterable[AssignmentRow], course: CourseRow, extensions: Sequence[Extension]) -> CourseRules:
        """Return the rules of a course with these assignments. Without any, it is open practice."""
        assignments = [Assignment.of(row, course) for row in rows]
        held = [slug for slug in registry.exercises() if holds(course, slug)]
        practice = [] if assignments else [Assignment.open_practice(course, slug) for slug in held]
        return cls([*assignments, *practice], extensions)

    def by_exercise(self) -> dict[str, tuple[Assignment, Extensions]]:
        """Return what the points of each exercise follow from, and nothing else of it."""
        extensions: dict[str, list[Extension]] = defaultdict(list)
        for extension in self.extensions:
            extensions[extension.exercise].append(extension)
        return {
            each.exercise: (_as_to_points(each), Extensions.among(extensions[each.exercise]))
            for each in self.assignments
        }


@dataclass(frozen=True)
class Impact:
    """How many students' points a change raises and lowers, and by how much in all."""

    gaining: int = 0
    losing: int = 0
    gained: float = 0.0
    lost: float = 0.0

    @property
    def students(self) -> int:
        """How many students' points change."""
        return self.gaining + self.losing

    @property
    def sentence(self) -> str:
        """What it is, in a sentence."""
        if not self.students:
            return "Nobody's points change."
        gain = f"{self.gaining} gain {self.gained:g} in all" if self.gaining else ""
        loss = f"{self.losing} lose {self.lost:g} in all" if self.losing else ""
        students = "1 student" if self.students == 1 else f"{self.students} students"
        return f"The points of {students} change: {', '.join(filter(None, (gain, loss)))}."


def impact(session: Session, course: CourseRow, before: CourseRules, after: CourseRules) -> Impact:
    """Return what a change from some rules to others does; three queries. Overridden points stay as they are."""
    old, new = before.by_exercise(), after.by_exercise()
    changed = [slug for slug in {**old, **new} if old.get(slug) != new.get(slug)]
    if not changed:
        return Impact()
    sections = _sections(session, course)
    kept = overridden(session, course, changed)
    differences: dict[int, list[float]] = defaultdict(list)
    for (account_id, exercise), moments in _moments(session, course, changed).items():
        if account_id in sections and (account_id, exercise) not in kept:
            section = sections[account_id]
            points = [_points(each.get(exercise), moments, account_id, section) for each in (old, new)]
            differences[account_id].append(points[1] - points[0])
    totals = [math.fsum(each) for each in differences.values()]
    gains = [total for total in totals if total > SAME_WITHIN]
    losses = [-total for total in totals if total < -SAME_WITHIN]
    return Impact(len(gains), len(losses), round(math.fsum(gains), 6), round(math.fsum(losses), 6))


def overridden(session: Session, course: CourseRow, exercises: Collection[str]) -> set[tuple[int, str]]:
    """Return the accounts and exercises whose points staff set by hand."""
    rows = select(OverrideRow.account_id, OverrideRow.exercise).where(
        OverrideRow.course_id == course.id,
        col(OverrideRow.exercise).in_(exercises),
        col(OverrideRow.withdrawn_at).is_(None),
    )
    return set(session.exec(rows).all())


def _as_to_points(assignment: Assignment) -> Assignment:
    """Return an assignment without that by which two may differ and give the same points."""
    return replace(
        assignment,
        position=0,
        version=0,
        opens_at=None,
        attempts_max=None,
        accepts=Accepts.BOTH,
        numbers=Numbers.STUDENT,
        on_hidden_numbers=True,
        hint_levels=0,
        hints_after=0,
        counterexamples=True,
        feedback=Feedback.AT_ONCE,
        feedback_after=0,
        checks_open=True,
    )


def _points(
    rules: tuple[Assignment, Extensions] | None,
    moments: Mapping[str, Moments],
    account_id: int,
    section: str | None,
) -> float:
    """Return what somebody earns in an exercise; what is not asked for earns nothing."""
    if rules is None or rules[0].exercise not in registry.exercises():
        return 0.0
    assignment, extensions = rules
    checkpoints = [each.name for each in registry.find(assignment.exercise).checkpoints]
    due_times = extensions.of(assignment.exercise, account_id, section)
    return assignment_points(assignment, checkpoints, moments, due_times).points


def _sections(session: Session, course: CourseRow) -> dict[int, str | None]:
    """Return the section of each student of a course."""
    students = select(SeatRow.account_id, SeatRow.section).join(AccountRow).where(listed_students(course))
    return dict(session.exec(students).all())


def _moments(
    session: Session, course: CourseRow, exercises: Collection[str]
) -> dict[tuple[int, str], dict[str, Moments]]:
    """Return checkpoint → moments by account and exercise."""
    rows = select_columns(
        col(ProgressRow.account_id),
        col(ProgressRow.exercise),
        col(ProgressRow.checkpoint),
        col(ProgressRow.first_exact_at),
        col(ProgressRow.first_passed_at),
        col(ProgressRow.first_inherited_at),
    ).where(col(ProgressRow.course_id) == course.id, col(ProgressRow.exercise).in_(exercises))
    moments: dict[tuple[int, str], dict[str, Moments]] = defaultdict(dict)
    for account_id, exercise, checkpoint, *firsts in session.connection().execute(rows):
        moments[account_id, exercise][checkpoint] = Moments(*firsts)
    return moments
