"""An assignment as a value, with the course's rules filled in, and reading it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from sqlmodel import Session, col, or_, select

from server.courses.pinned_packs import holds
from server.http.problems import NotFound
from server.tables import (
    Accepts,
    AssignmentRow,
    CourseRow,
    ExtensionRow,
    Feedback,
    LatePolicy,
    Numbers,
    SeatRow,
)


class NotAssigned(NotFound):
    """The course has assignments, and this exercise is none of them."""

    title, slug = "Not assigned", "not-assigned"


@dataclass(frozen=True)
class Assignment:
    """The rules by which an exercise is done in a course. Nothing is left to the course any more.

    Fields are those of ``AssignmentRow``. The default of each is what holds in open practice.
    """

    course_id: int
    exercise: str
    inherited_share: float
    hint_levels: int
    hints_after: int
    counterexamples: bool
    position: int = 0
    opens_at: datetime | None = None
    due_at: datetime | None = None
    late_policy: LatePolicy = LatePolicy.NONE
    late_per_day: float = 0.0
    late_floor: float = 0.0
    grace_minutes: int = 0
    attempts_max: int | None = None
    points: float | None = None
    checkpoint_points: Mapping[str, float] = field(default_factory=dict)
    accepts: Accepts = Accepts.BOTH
    numbers: Numbers = Numbers.STUDENT
    on_hidden_numbers: bool = True
    approximate_share: float = 1.0
    feedback: Feedback = Feedback.AT_ONCE
    feedback_after: int = 0
    checks_open: bool = True
    version: int = 0

    @classmethod
    def of(cls, row: AssignmentRow, course: CourseRow) -> Self:
        """Return the assignment of a row; what it leaves open is the course's."""
        fields = row.model_dump(exclude={"changed_at"})
        for name in ("inherited_share", "hint_levels", "hints_after", "counterexamples"):
            if fields[name] is None:
                fields[name] = getattr(course, name)
        return cls(**fields)

    @classmethod
    def open_practice(cls, course: CourseRow, exercise: str) -> Self:
        """Return what holds for an exercise in a course without assignments."""
        return cls(
            course_id=course.id,
            exercise=exercise,
            inherited_share=course.inherited_share,
            hint_levels=course.hint_levels,
            hints_after=course.hints_after,
            counterexamples=course.counterexamples,
        )

    def due_for(self, extensions: Iterable[datetime]) -> datetime | None:
        """Return the due time of somebody with these extensions: the latest. Without a due time there is none."""
        return None if self.due_at is None else max([self.due_at, *extensions])


def find_assignment(session: Session, course: CourseRow, exercise: str) -> Assignment:
    """Return the assignment of an exercise in a course.

    :raises NotAssigned: the course has assignments, and none of this exercise
    """
    found = {each.exercise: each for each in list_assignments(session, course, [exercise])}
    if exercise not in found:
        raise NotAssigned(
            f"This course does not ask for {exercise!r}.",
            on_api=f"GET /api/v1/courses/{course.slug}/exercises lists what it asks for.",
        )
    return found[exercise]


def list_assignments(session: Session, course: CourseRow, exercises: Iterable[str]) -> list[Assignment]:
    """Return the assignments of those of these exercises that a course asks for, in its order.

    In a course without assignments those of its packs are open practice, in the order given.
    """
    rows = session.exec(
        select(AssignmentRow).where(AssignmentRow.course_id == course.id).order_by(col(AssignmentRow.position))
    ).all()
    wanted = list(exercises)
    if not rows:
        return [Assignment.open_practice(course, each) for each in wanted if holds(course, each)]
    return [Assignment.of(row, course) for row in rows if row.exercise in wanted]


@dataclass(frozen=True)
class Extension:
    """A later due time of an exercise, for a person or a section."""

    exercise: str
    account_id: int | None
    section: str | None
    due_at: datetime


@dataclass(frozen=True)
class Extensions:
    """The due times of extensions, by exercise and whom they are for."""

    of_accounts: Mapping[tuple[str, int], list[datetime]]
    of_sections: Mapping[tuple[str, str], list[datetime]]

    @classmethod
    def among(cls, extensions: Iterable[Extension]) -> Self:
        """Return the due times of these."""
        of_accounts: dict[tuple[str, int], list[datetime]] = defaultdict(list)
        of_sections: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        for each in extensions:
            if each.account_id is not None:
                of_accounts[each.exercise, each.account_id].append(each.due_at)
            if each.section is not None:
                of_sections[each.exercise, each.section].append(each.due_at)
        return cls(of_accounts, of_sections)

    def of(self, exercise: str, account_id: int, section: str | None) -> tuple[datetime, ...]:
        """Return those of somebody in a section: their own, and their section's."""
        own = self.of_accounts.get((exercise, account_id), [])
        shared = [] if section is None else self.of_sections.get((exercise, section), [])
        return (*own, *shared)


def list_extensions(session: Session, course: CourseRow) -> list[Extension]:
    """Return the extensions of a course that were not revoked, in the order in which they were given."""
    return [Extension(*row) for row in session.exec(_in_force(course).order_by(col(ExtensionRow.id)))]


def read_extensions(session: Session, course: CourseRow) -> Extensions:
    """Return the extensions of everybody in a course; one query."""
    return Extensions.among(list_extensions(session, course))


def extensions_of(session: Session, course: CourseRow, exercise: str, account_id: int) -> list[datetime]:
    """Return the due times of the extensions that somebody has for an exercise: their own, and their section's."""
    return all_extensions_of(session, course, account_id).get(exercise, [])


def all_extensions_of(session: Session, course: CourseRow, account_id: int) -> dict[str, list[datetime]]:
    """Return the due times of the extensions that somebody has, by exercise: their own, and their section's."""
    section = (
        select(SeatRow.section)
        .where(SeatRow.course_id == course.id, SeatRow.account_id == account_id)
        .scalar_subquery()
    )
    theirs = or_(ExtensionRow.account_id == account_id, col(ExtensionRow.section) == section)
    due_times: dict[str, list[datetime]] = defaultdict(list)
    for exercise, _, _, due_at in session.exec(_in_force(course).where(theirs)):
        due_times[exercise].append(due_at)
    return due_times


def _in_force(course: CourseRow) -> Any:
    """Select the fields of each ``Extension`` of a course that was not revoked."""
    return select(ExtensionRow.exercise, ExtensionRow.account_id, ExtensionRow.section, ExtensionRow.due_at).where(
        ExtensionRow.course_id == course.id, col(ExtensionRow.revoked_at).is_(None)
    )
