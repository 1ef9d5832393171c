"""The students that a report is about, and how each of them stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col

from exercises.exercise import Exercise
from server.accounts.names import searchable
from server.courses.seats import in_section, is_listed, listed_students
from server.reports.queries import SEPARATOR, STUCK_SEPARATOR, outcomes_of_students
from server.tables import AccountRow, CourseRow, SeatRow, SubmissionRow

STUCK_AFTER: Final = 5  # attempts at a step without passing it


class State(StrEnum):
    """How a student stands in the exercises that a report is about."""

    NEVER_STARTED = "never_started"  # nothing was handed in
    NEVER_RAN = "never_ran"  # something was handed in, and no step of it could be compared
    STUCK = "stuck"  # many attempts at a step without passing it
    WORKING = "working"
    DONE = "done"  # every step passed


class Order(StrEnum):
    """The order of the rows; a minus turns it around. Who was never seen counts as seen first."""

    NAME = "name"
    NAME_DOWN = "-name"
    PASSED = "passed"
    PASSED_DOWN = "-passed"
    LAST_SEEN = "last_seen"
    LAST_SEEN_DOWN = "-last_seen"


@dataclass(frozen=True)
class Scope:
    """Whose work a report shows: one account's, or a section's, or without both that of every student.

    ``among`` are the only accounts that a report of a class reads; None means all of them. ``withheld`` are the
    exercises whose outcomes are not shown yet.
    """

    section: str | None = None
    account_id: int | None = None
    withheld: frozenset[str] = frozenset()
    among: frozenset[int] | None = None

    @property
    def account_ids(self) -> list[int] | None:
        """The accounts that are read, or None for all."""
        if self.account_id is not None:
            return [self.account_id]
        return None if self.among is None else sorted(self.among)


EVERYBODY: Final = Scope()


@dataclass(frozen=True)
class StuckStep:
    """A step at which a student is stuck, with the attempts so far."""

    exercise: str
    checkpoint: str
    attempts: int


@dataclass(frozen=True)
class StudentStanding:
    """How a student stands. ``passed`` and ``exact`` count the steps of today's exercises, ``total`` all of them."""

    id: int
    name: str
    section: str | None
    university_id: str | None
    last_seen_at: datetime | None
    total: int
    submissions: int = 0
    last_handed_in_at: datetime | None = None
    compared: int = 0
    passed: int = 0
    exact: int = 0
    stuck: tuple[StuckStep, ...] = ()

    @property
    def state(self) -> State:
        """The state, as the filter of the progress table names it."""
        if not self.submissions:
            return State.NEVER_STARTED
        if not self.compared:
            return State.NEVER_RAN
        if self.passed == self.total:
            return State.DONE
        return State.STUCK if self.stuck else State.WORKING

    def matches(self, search: str) -> bool:
        """Return whether the name or the university id contains a text, whatever its capitals and accents."""
        wanted = searchable(search)
        return wanted in searchable(self.name) or wanted in searchable(self.university_id or "")


@dataclass(frozen=True)
class RowFilter:
    """Which rows are shown, in which order: at most ``limit`` of those after the student ``after``."""

    state: State | None = None
    search: str | None = None
    order: Order = Order.NAME
    limit: int | None = None
    after: int | None = None


EVERY_ROW: Final = RowFilter()


@dataclass(frozen=True)
class Page:
    """The rows of a page. ``matching`` counts those of all pages; ``next_after`` asks for the next page, if any."""

    standings: Sequence[StudentStanding]
    matching: int
    next_after: int | None


def in_scope(course: CourseRow, scope: Scope) -> ColumnElement[bool]:
    """Return the condition on joined seats and accounts that a list of this scope shows them."""
    if scope.account_id is None:
        return and_(listed_students(course, scope.section), *of_these(col(SeatRow.account_id), scope))
    own = (col(SeatRow.course_id) == course.id, col(SeatRow.account_id) == scope.account_id)
    return and_(*own, is_listed(), *in_section(scope.section))


def list_standings(
    session: Session, course: CourseRow, exercises: Sequence[Exercise], scope: Scope, stuck_after: int = STUCK_AFTER
) -> list[StudentStanding]:
    """Return how everybody in the scope stands, by name; three queries, whatever the size."""
    outcomes = outcomes_of_students(course, shown(exercises, scope), scope.account_ids, stuck_after)
    return standings_of(session, course, exercises, scope, session.connection().execute(outcomes))


def standings_of(
    session: Session,
    course: CourseRow,
    exercises: Sequence[Exercise],
    scope: Scope,
    outcomes: Iterable[Sequence[Any]],
) -> list[StudentStanding]:
    """Return how everybody in the scope stands, by name; two queries beside the ``outcomes_of_students``."""
    counts: dict[int, tuple[int, int, int]] = {}
    unknown = (len(scope.withheld), 0, 0)
    stuck: dict[int, list[StuckStep]] = defaultdict(list)
    for id, exercise, compared, passed, exact, steps, *_ in outcomes:
        before = counts.get(id, unknown)
        counts[id] = (before[0] + compared, before[1] + passed, before[2] + exact)
        if steps:
            stuck[id] += _stuck_steps(exercise, steps)
    read = session.connection().execute
    total = sum(len(each.checkpoints) for each in exercises)
    submissions = {id: (count, last) for id, count, last in read(_submissions(course, exercises, scope))}
    standings = []
    for id, name, section, university_id, seen in read(_seats(course, scope)):
        handed_in, last = submissions.get(id, (0, None))
        if last is not None and (seen is None or seen < last):
            seen = last
        standings.append(
            StudentStanding(
                id, name, section, university_id, seen, total,
                handed_in, last, *counts.get(id, unknown), tuple(stuck.get(id, ())),
            )
        )  # fmt: skip
    return sorted(standings, key=lambda each: (each.name.casefold(), each.name, each.id))


def shown(exercises: Sequence[Exercise], scope: Scope) -> list[Exercise]:
    """Return the exercises whose outcomes are shown."""
    return [each for each in exercises if each.slug not in scope.withheld]


def _stuck_steps(exercise: str, text: str) -> list[StuckStep]:
    """Return the steps of a text of ``outcomes_of_students``, the most attempts first."""
    pairs = (step.split(STUCK_SEPARATOR) for step in text.split(SEPARATOR))
    steps = [StuckStep(exercise, checkpoint, int(attempts)) for checkpoint, attempts in pairs]
    return sorted(steps, key=lambda step: (-step.attempts, step.checkpoint))


def chosen(standings: Sequence[StudentStanding], wanted: RowFilter) -> Page:
    """Return the page of standings, which are sorted by name, that a filter asks for.

    A page goes on after a student even if the filter no longer shows that one.
    """
    ordered = _ordered(standings, wanted.order)
    matching = [each for each in ordered if _is_shown(each, wanted)]
    rest = matching
    if wanted.after is not None:
        place_of = {each.id: place for place, each in enumerate(ordered)}
        place = place_of.get(wanted.after, len(ordered))
        rest = [each for each in matching if place_of[each.id] > place]
    page = rest if wanted.limit is None else rest[: wanted.limit]
    return Page(page, len(matching), page[-1].id if len(page) < len(rest) else None)


def _ordered(standings: Sequence[StudentStanding], order: Order) -> list[StudentStanding]:
    descends, what = order.startswith("-"), order.removeprefix("-")
    ordered = list(standings)
    if what == Order.PASSED:
        ordered.sort(key=lambda each: (each.passed, each.exact), reverse=descends)
    elif what == Order.LAST_SEEN:
        ordered.sort(key=lambda each: each.last_seen_at.timestamp() if each.last_seen_at else 0.0, reverse=descends)
    elif descends:
        ordered.reverse()
    return ordered


def _is_shown(standing: StudentStanding, wanted: RowFilter) -> bool:
    return (wanted.state is None or standing.state is wanted.state) and (
        wanted.search is None or standing.matches(wanted.search)
    )


def _seats(course: CourseRow, scope: Scope) -> Select[int, str, str | None, str | None, datetime | None]:
    return (
        select(
            col(AccountRow.id),
            col(AccountRow.name),
            col(SeatRow.section),
            col(SeatRow.university_id),
            col(SeatRow.last_seen_at),
        )
        .join(SeatRow, col(SeatRow.account_id) == AccountRow.id)
        .where(in_scope(course, scope))
    )


def _submissions(course: CourseRow, exercises: Sequence[Exercise], scope: Scope) -> Select[int, int, datetime]:
    """Select account, number of submissions and the moment of the last. An index holds all of it."""
    return (
        select(col(SubmissionRow.account_id), func.count(), func.max(SubmissionRow.created_at))
        .where(
            col(SubmissionRow.course_id) == course.id,
            col(SubmissionRow.exercise).in_([each.slug for each in exercises]),
            *of_these(col(SubmissionRow.account_id), scope),
        )
        .group_by(col(SubmissionRow.account_id))
    )


def of_these(account_id: Mapped[int], scope: Scope) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that an account is one of those that are read; none if all are."""
    ids = scope.account_ids
    return () if ids is None else (account_id.in_(ids),)
