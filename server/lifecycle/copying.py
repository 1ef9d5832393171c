"""Copying a course for the next term: its rules and its assignments with their dates moved; no people, no work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from server.assignments import changes
from server.audit.log import Entry, record
from server.courses import courses
from server.courses.access import Actor
from server.courses.changing import FIELDS
from server.courses.local_time import local_text, shifted, zone_of
from server.tables import AssignmentRow, CourseRow, Role, SeatRow


@dataclass(frozen=True)
class CopyOrder:
    """The copy that is wanted. Without a title it has that of its source.

    The dates move by so many days, and stay at their time of the day.
    """

    slug: str
    title: str | None = None
    shift_days: int = 0


@dataclass(frozen=True)
class CourseCopy:
    """A copy, its assignments, and a sentence for each date that could not keep its time of the day."""

    course: CourseRow
    assignments: list[AssignmentRow]
    remarks: list[str]


def copy(session: Session, source: CourseRow, order: CopyOrder, actor: Actor, instructor_id: int | None) -> CourseCopy:
    """Copy a course.

    :param instructor_id: the account that teaches the copy, or None for nobody yet
    :raises BadSlug: the slug cannot stand in an address
    :raises BadTitle: the title cannot be shown in a list
    :raises SlugTaken: there is a course with this slug
    :raises BadTime: a date would be too far away for a course
    """
    course = courses.open_course(session, order.slug, source.title if order.title is None else order.title)
    for name in {*FIELDS, "packs"} - {"title"}:
        setattr(course, name, getattr(source, name))
    zone, remarks = zone_of(source), []
    rows = []
    for old in changes.read(session, source):
        dates = {"opens_at": old.opens_at, "due_at": old.due_at}
        moved = {name: moment and shifted(moment, zone, order.shift_days) for name, moment in dates.items()}
        remarks += [
            f"{name} of {old.exercise} is {local_text(moved[name], zone)}: the clocks skip that hour."
            for name, moment in dates.items()
            if not _same_time_of_day(moment, moved[name], zone)
        ]
        kept = old.model_dump(exclude={"version", "changed_at"})
        rows.append(AssignmentRow(**kept | moved | {"course_id": course.id}))
    session.add_all(rows)
    if instructor_id is not None:
        session.add(SeatRow(course_id=course.id, account_id=instructor_id, role=Role.INSTRUCTOR))
    origin = {"copied_from": source.slug, "shift_days": order.shift_days}
    record(session, Entry(course.id, actor.account_id, "course.open", after=origin))
    session.flush()
    return CourseCopy(course, rows, remarks)


def _same_time_of_day(old: datetime | None, new: datetime | None, zone: ZoneInfo) -> bool:
    return local_text(old, zone)[-5:] == local_text(new, zone)[-5:]
