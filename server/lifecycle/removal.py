"""Removing a course with everything that belongs to it. Accounts stay: they belong to people."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, delete, func, select
from sqlmodel import Session, col

from server.courses.access import Actor, lock
from server.database.table import now
from server.http.problems import Conflict
from server.tables import CourseRow, SeatRow, SubmissionRow, TicketRow, TicketState, metadata

# What belongs to people, to exercises or to the server, though a course refers to it.
NOT_OF_A_COURSE: Final = frozenset({"account", "exercise_revision", "instance"})

log = logging.getLogger(__name__)


class NotConfirmed(Conflict):
    """A removal that was not confirmed by the slug of the course."""

    title, slug = "Not confirmed", "not-confirmed"


class CourseHasWork(Conflict):
    """Students handed in work in the course."""

    title, slug = "There is work", "has-work"


class RunUnderWay(Conflict):
    """Code of the course runs in this moment."""

    title, slug = "A run is under way", "run-under-way"


@dataclass(frozen=True)
class CourseContent:
    """What is removed with a course."""

    seats: int
    submissions: int

    @property
    def sentence(self) -> str:
        """What it is, in a sentence."""
        seats = "1 seat" if self.seats == 1 else f"{self.seats} seats"
        answers = "1 submission" if self.submissions == 1 else f"{self.submissions} submissions"
        return f"It has {seats} and {answers}."


def count(session: Session, course: CourseRow) -> CourseContent:
    """Return what would be removed with a course."""
    read = session.connection().execute
    counts = (
        read(select(func.count()).where(col(row.course_id) == course.id)).scalar_one()
        for row in (SeatRow, SubmissionRow)
    )
    return CourseContent(*counts)


def remove(session: Session, course: CourseRow, confirmed_slug: str | None, actor: Actor, *, with_work: bool) -> None:
    """Remove a course with its people's seats, their work, its assignments and its audit log.

    :raises NotConfirmed: the slug that was sent is not that of the course
    :raises CourseHasWork: there are submissions, and ``with_work`` was not said
    :raises RunUnderWay: a run is under way
    """
    lock(session, course)
    content = count(session, course)
    if content.submissions and not with_work:
        raise CourseHasWork(f"{content.sentence} To remove them too, say so: with_work. To keep them, archive it.")
    if confirmed_slug != course.slug:
        raise NotConfirmed(f"{content.sentence} All of it would be gone. To confirm, send its slug: {course.slug}.")
    _require_no_run(session, course)
    for table in reversed(metadata.sorted_tables):
        belonging = rows_of_course(table, course.id)
        if belonging is not None:
            session.connection().execute(delete(table).where(belonging))
    session.expunge(course)
    # The audit log of the course is gone with it.
    who = "the operator" if actor.account_id is None else f"account {actor.account_id}"
    log.info("Course %s was removed by %s. %s", course.slug, who, content.sentence)


def rows_of_course(table: Table, course_id: int) -> ColumnElement[Any] | None:
    """Return which rows of a table belong to a course: by its column, or by the key of a row that does. None: none.

    A column that may be NULL is no such key: it would leave rows behind.
    """
    if table.name in NOT_OF_A_COURSE:
        return None
    if table.name == CourseRow.__tablename__:
        return table.c.id == course_id
    if "course_id" in table.c:
        return table.c.course_id == course_id
    for key in table.foreign_keys:
        owner = None if key.parent.nullable else rows_of_course(key.column.table, course_id)
        if owner is not None:
            return key.parent.in_(select(key.column).where(owner))
    return None


def _require_no_run(session: Session, course: CourseRow) -> None:
    running = (
        select(col(TicketRow.id))
        .join(SubmissionRow, col(SubmissionRow.id) == col(TicketRow.submission_id))
        .where(
            col(SubmissionRow.course_id) == course.id,
            col(TicketRow.state) == TicketState.RUNNING,
            col(TicketRow.due_at) > now(),  # its lease
        )
    )
    if session.connection().execute(running).first() is not None:
        raise RunUnderWay("Code of this course runs in this moment. Try again in a minute.")
