"""Changing a course: its title, its time zone, the rules that hold for each exercise, and whether it is archived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlmodel import Session

from server.audit.log import Entry, record
from server.courses.access import Actor, lock, require_active
from server.courses.courses import HINT_LEVELS_MAX, HINTS_AFTER_MAX
from server.courses.local_time import find_zone
from server.courses.titles import clean_title
from server.database.table import now
from server.http.problems import Unprocessable
from server.tables import CourseRow

FIELDS: Final = ("title", "time_zone", "hint_levels", "hints_after", "counterexamples", "inherited_share")


class BadCourse(Unprocessable):
    """Rules that no course can have."""

    title, slug = "Not a course", "bad-course"


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return new values of a course as they are kept.

    :raises BadTitle: the title cannot be shown in a list
    :raises UnknownTimeZone: there is no such time zone
    :raises BadCourse: another value is out of range
    """
    values = {name: value for name, value in fields.items() if name in FIELDS}
    if "title" in values:
        values["title"] = clean_title(values["title"])
    if "time_zone" in values:
        values["time_zone"] = find_zone(values["time_zone"]).key
    if not 0 <= values.get("hint_levels", 0) <= HINT_LEVELS_MAX:
        raise BadCourse(f"hint_levels must be 0 to {HINT_LEVELS_MAX}. Correct that and send it again.")
    if not 0 <= values.get("hints_after", 0) <= HINTS_AFTER_MAX:
        raise BadCourse(f"hints_after must be 0 to {HINTS_AFTER_MAX}. Correct that and send it again.")
    if not 0 <= values.get("inherited_share", 0) <= 1:
        raise BadCourse("inherited_share must be a share from 0 to 1. Correct that and send it again.")
    return values


def change(session: Session, course: CourseRow, fields: Mapping[str, Any], actor: Actor) -> None:
    """Give a course new values, and tell the audit log; raises what ``checked`` does.

    ``is_archived`` may be among them. A course is reopened before it is changed, and archived after it.

    :raises Archived: the course is archived
    """
    if fields.get("is_archived") is False:
        reopen(session, course, actor)
    _change(session, course, fields, actor)
    if fields.get("is_archived"):
        archive(session, course, actor)


def archive(session: Session, course: CourseRow, actor: Actor) -> None:
    """Let a course be read only. One that is archived stays as it is."""
    lock(session, course)
    if course.archived_at is None:
        course.archived_at = now()
        session.add(course)
        record(session, Entry(course.id, actor.account_id, "course.archive"))


def reopen(session: Session, course: CourseRow, actor: Actor) -> None:
    """Let an archived course take answers, people and changes again. One that is open stays as it is."""
    lock(session, course)
    if course.archived_at is not None:
        course.archived_at = None
        session.add(course)
        record(session, Entry(course.id, actor.account_id, "course.reopen"))


def _change(session: Session, course: CourseRow, fields: Mapping[str, Any], actor: Actor) -> None:
    lock(session, course)
    values = {name: value for name, value in checked(fields).items() if value != getattr(course, name)}
    if not values:
        return
    require_active(course)
    before = {name: getattr(course, name) for name in values}
    for name, value in values.items():
        setattr(course, name, value)
    session.add(course)
    record(session, Entry(course.id, actor.account_id, "course.change", before=before, after=values))
