"""Changing the assignments of a course: planned first, with what it does to points, then written.

A plan is the list of assignments before and after. Nothing is written until ``write``, so a preview is a plan alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, func, select

from server.assignments import validation
from server.assignments.assignment import list_extensions
from server.assignments.exercises import find_exercise_of
from server.assignments.impact import CourseRules, Impact, impact
from server.audit.log import Entry, record
from server.courses.access import Actor, lock_active
from server.courses.local_time import utc_text
from server.database.table import now
from server.http.problems import Conflict, NotFound, Outdated, Unprocessable
from server.tables import AssignmentRow, CourseRow, SubmissionRow


class UnknownAssignment(NotFound):
    """The course has no assignment of this exercise."""

    title, slug = "No such assignment", "unknown-assignment"


class HasWork(Conflict):
    """Students handed in work for what is to be removed."""

    title, slug = "There is work", "has-work"


class BadOrder(Unprocessable):
    """A new order that does not name each assignment once."""

    title, slug = "Not an order", "bad-order"


@dataclass(frozen=True)
class Change:
    """New values of an assignment, which is made if there is none.

    ``position`` counts from 1; None keeps the place, or is the end. ``version`` is the one that the caller has seen; 0
    says that they have seen none. None stands for any. With ``is_whole``, what ``fields`` does not name gets its
    default.
    """

    exercise: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    position: int | None = None
    version: int | None = None
    is_whole: bool = False


@dataclass(frozen=True)
class Plan:
    """The assignments of a course before and after a change, in their order, and what it does to points.

    ``exercise`` is the one that the change is about; None stands for the order of all.
    """

    exercise: str | None
    before: Sequence[AssignmentRow]
    after: Sequence[AssignmentRow]
    impact: Impact

    @property
    def row(self) -> AssignmentRow:
        """The assignment that the change is about, as it will be, or as it was if it is removed."""
        return next(row for row in (*self.after, *self.before) if row.exercise == self.exercise)

    @property
    def is_new(self) -> bool:
        """Whether the assignment is made."""
        return self.exercise not in {row.exercise for row in self.before}


@dataclass(frozen=True)
class Work:
    """What was handed in for an exercise."""

    students: int
    submissions: int

    @property
    def sentence(self) -> str:
        """What it is, in a sentence."""
        answers = "1 answer" if self.submissions == 1 else f"{self.submissions} answers"
        return f"{answers} of {'1 student' if self.students == 1 else f'{self.students} students'}."


def read(session: Session, course: CourseRow) -> list[AssignmentRow]:
    """Return the assignments of a course in its order."""
    rows = select(AssignmentRow).where(AssignmentRow.course_id == course.id)
    return list(session.exec(rows.order_by(col(AssignmentRow.position), AssignmentRow.exercise)))


def find(session: Session, course: CourseRow, exercise: str) -> AssignmentRow:
    """Return the assignment of an exercise.

    :raises UnknownAssignment: there is none
    """
    row = session.get(AssignmentRow, (course.id, exercise))
    if row is None:
        raise UnknownAssignment(
            f"This course has no assignment {exercise!r}.",
            on_api=f"GET /api/v1/courses/{course.slug}/assignments lists them.",
        )
    return row


def plan_change(session: Session, course: CourseRow, change: Change) -> Plan:
    """Return the plan of making or changing an assignment.

    :raises Archived: the course is archived
    :raises UnknownExercise: there is no such exercise
    :raises UnknownPack: it is in a pack that the course does not have
    :raises Outdated: the assignment is at another version
    :raises BadAssignment: an assignment cannot have such rules
    """
    lock_active(session, course)
    checkpoints = [each.name for each in find_exercise_of(course, change.exercise).checkpoints]
    before = _in_order(read(session, course))
    old = _of(before, change.exercise)
    _require_version(old, change.version)
    row = _changed(course, old, change)
    validation.check(row, checkpoints)
    others = [each for each in before if each.exercise != change.exercise]
    place = before.index(old) if old else len(others)
    if change.position is not None:
        if change.position < 1:
            raise validation.BadAssignment("position counts from 1. Correct that and send it again.")
        place = min(change.position - 1, len(others))
    after = _in_order([*others[:place], row, *others[place:]])
    (row,) = (each for each in after if each.exercise == change.exercise)
    if old is not None and _values(row) != _values(old):
        row.version += 1
    return _plan(session, course, change.exercise, before, after)


def plan_order(session: Session, course: CourseRow, exercises: Sequence[str]) -> Plan:
    """Return the plan of putting the assignments of a course in a new order.

    :raises Archived: the course is archived
    :raises BadOrder: the exercises are not those of the assignments, each once
    """
    lock_active(session, course)
    before = _in_order(read(session, course))
    by_exercise = {row.exercise: row for row in before}
    if sorted(exercises) != sorted(by_exercise):
        raise BadOrder(f"Name each assignment of the course once: {', '.join(by_exercise) or 'there is none yet'}.")
    return _plan(session, course, None, before, _in_order([by_exercise[each] for each in exercises]))


def plan_removal(session: Session, course: CourseRow, exercise: str, version: int | None = None) -> Plan:
    """Return the plan of removing an assignment. What was handed in for it stays.

    :raises Archived: the course is archived
    :raises UnknownAssignment: there is none
    :raises Outdated: the assignment is at another version
    """
    lock_active(session, course)
    _require_version(find(session, course, exercise), version)
    before = _in_order(read(session, course))
    after = _in_order([row for row in before if row.exercise != exercise])
    return _plan(session, course, exercise, before, after)


def require_no_work(session: Session, course: CourseRow, exercise: str) -> None:
    """Do nothing if nobody handed in anything for an exercise.

    :raises HasWork: somebody did
    """
    work = count_work(session, course, exercise)
    if work.submissions:
        raise HasWork(
            f"There is work for {exercise}: {work.sentence} It stays, and counts no more. "
            "To remove the assignment, confirm it: send confirm=true."
        )


def count_work(session: Session, course: CourseRow, exercise: str) -> Work:
    """Return how much was handed in for an exercise."""
    counted = select(func.count(func.distinct(SubmissionRow.account_id)), func.count()).where(
        SubmissionRow.course_id == course.id, SubmissionRow.exercise == exercise
    )
    return Work(*session.exec(counted).one())


def write(session: Session, course: CourseRow, plan: Plan, actor: Actor) -> None:
    """Make a change that was planned in this transaction, and tell the audit log. One that changes nothing is none."""
    entry = _entry(course, plan, actor)
    if entry is None:
        return
    for row in plan.after:
        row.changed_at = now() if row.exercise == plan.exercise else row.changed_at
        session.merge(row)
    if _of(plan.after, plan.exercise) is None and plan.exercise is not None:
        session.delete(find(session, course, plan.exercise))
    record(session, entry)
    session.flush()


def _entry(course: CourseRow, plan: Plan, actor: Actor) -> Entry | None:
    """Return what the audit log keeps of a change: the values that differ, from the defaults where there is no other.

    None if none does.
    """
    if plan.exercise is None:
        order = [[row.exercise for row in rows] for rows in (plan.before, plan.after)]
        if order[0] == order[1]:
            return None
        before, after = ({"order": each} for each in order)
        return Entry(course.id, actor.account_id, "assignment.order", before=before, after=after)
    old, new = _of(plan.before, plan.exercise), _of(plan.after, plan.exercise)
    act = "assignment.add" if old is None else "assignment.remove" if new is None else "assignment.change"
    values = [_values(each or AssignmentRow(course_id=course.id, exercise="", position=-1)) for each in (old, new)]
    differing = [name for name in values[0] if values[0][name] != values[1][name]]
    if not differing:
        return None
    was, will_be = ({name: each[name] for name in differing} for each in values)
    return Entry(
        course.id,
        actor.account_id,
        act,
        exercise=plan.exercise,
        before=was if old else None,
        after=will_be if new else None,
    )


def _plan(
    session: Session,
    course: CourseRow,
    exercise: str | None,
    before: Sequence[AssignmentRow],
    after: Sequence[AssignmentRow],
) -> Plan:
    extensions = list_extensions(session, course)
    old, new = (CourseRules.of(rows, course, extensions) for rows in (before, after))
    return Plan(exercise, before, after, impact(session, course, old, new))


def _changed(course: CourseRow, old: AssignmentRow | None, change: Change) -> AssignmentRow:
    """Return a new row with the values of a change, and what else the old one has."""
    kept: dict[str, Any] = {} if old is None else old.model_dump()
    if change.is_whole:
        kept = {name: value for name, value in kept.items() if name not in validation.FIELDS}
    fields = {name: value for name, value in change.fields.items() if name in validation.FIELDS}
    values: dict[str, Any] = {"course_id": course.id, "exercise": change.exercise, "position": 0} | kept | fields
    return AssignmentRow(**values)


def _require_version(row: AssignmentRow | None, version: int | None) -> None:
    current = row.version if row else 0
    if version is not None and version != current:
        state = f"is at version {current} now" if row else "does not exist any more"
        raise Outdated(
            f"The assignment {state}, not at version {version}. Read it again, and send your change to that."
        )


def _in_order(rows: Iterable[AssignmentRow]) -> list[AssignmentRow]:
    """Return copies that no session knows, numbered by their place."""
    return [AssignmentRow(**row.model_dump() | {"position": place}) for place, row in enumerate(rows)]


def _of(rows: Iterable[AssignmentRow], exercise: str | None) -> AssignmentRow | None:
    return next((row for row in rows if row.exercise == exercise), None)


def _values(row: AssignmentRow) -> dict[str, Any]:
    """Return what a change may change, as the audit log keeps it."""
    values = {name: getattr(row, name) for name in (*sorted(validation.FIELDS), "position")}
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    return value.value if isinstance(value, StrEnum) else value
