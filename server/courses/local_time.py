"""A course's own time: moments are kept in UTC, and typed and shown in the course's zone."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from server.http.problems import Unprocessable
from server.tables import CourseRow

YEARS: Final = range(2000, 2201)  # a term lies in them, and no zone takes such a moment out of what a datetime holds
SHOWN: Final = "%Y-%m-%d %H:%M"


class BadTime(Unprocessable):
    """A time that is none, or that is two."""

    title, slug = "Not a time", "bad-time"


class UnknownTimeZone(Unprocessable):
    """There is no such time zone."""

    title, slug = "Unknown time zone", "unknown-time-zone"


def find_zone(name: str) -> ZoneInfo:
    """Return the time zone with this IANA name.

    :raises UnknownTimeZone: there is none
    """
    if name not in _zones():
        raise UnknownTimeZone(f"There is no time zone {name[:64]!r}. Give its IANA name, such as Europe/Berlin or UTC.")
    return ZoneInfo(name)


def zone_of(course: CourseRow) -> ZoneInfo:
    """Return the time zone of a course, which was checked when it was set."""
    return ZoneInfo(course.time_zone)


@cache
def _zones() -> frozenset[str]:
    """Return the names of all zones. To ask for one by name would open a path that a stranger typed."""
    return frozenset(zoneinfo.available_timezones()) - {"localtime", "Factory"}


def parse(text: str, zone: ZoneInfo) -> datetime:
    """Return the moment of a typed time, in UTC: ``2026-12-01 23:59`` in the zone, or ISO 8601 with an offset.

    :raises BadTime: it is no time, or the clocks of the zone show it never or twice
    """
    try:
        typed = datetime.fromisoformat(text.strip())
    except ValueError:
        typed = None
    if typed is None or len(text.strip()) < len("2026-12-01T23:59"):
        raise BadTime(
            f"{text[:40]!r} is no time. Type it as 2026-12-01 23:59, or with an offset, 2026-12-01T23:59+01:00."
        )
    return checked(typed if typed.tzinfo is not None else _in_zone(typed, zone))


def checked(moment: datetime) -> datetime:
    """Return an aware moment in UTC.

    :raises BadTime: it is too far away for a course
    """
    if moment.year not in YEARS:
        raise BadTime(f"The year {moment.year} is out of range. Choose one from {YEARS[0]} to {YEARS[-1]}.")
    return moment.astimezone(UTC)


def local_text(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment as the clocks of the zone show it, to the minute; ``-`` for None."""
    return "-" if moment is None else moment.astimezone(zone).strftime(SHOWN)


def utc_text(moment: datetime) -> str:
    """Return a moment as JSON has it, to the second: ``2026-12-01T22:59:00Z``."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def shifted(moment: datetime, zone: ZoneInfo, days: int) -> datetime:
    """Return the moment so many days later at which the clocks of the zone show the same time.

    Where they show it twice it is the later one; where they skip it, as long after the change as it was skipped.

    :raises BadTime: it is too far away for a course
    """
    try:
        wall_clock = moment.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    except OverflowError:
        raise BadTime(f"{days} days are too many. Choose fewer.") from None
    first, second = (wall_clock.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    is_skipped = first.utcoffset() < second.utcoffset()  # type: ignore[operator]  # a zone always has an offset
    return checked(first if is_skipped else second)


def _in_zone(typed: datetime, zone: ZoneInfo) -> datetime:
    """Return a time without an offset as the zone's.

    :raises BadTime: the clocks of the zone show it never or twice
    """
    first, second = (typed.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    text = typed.strftime(SHOWN)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != typed:
        raise BadTime(f"The clocks of {zone.key} skip {text}. Choose a time an hour earlier or later.")
    choices = " or ".join(each.isoformat(timespec="minutes") for each in (first, second))
    raise BadTime(f"The clocks of {zone.key} show {text} twice. Say which: {choices}.")
