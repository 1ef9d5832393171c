"""The line of time of a course: a row an assignment, from its opening to what is left of late answers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from server.assignments.assignment import Assignment, Extension
from server.assignments.points import factor_of
from server.tables import LatePolicy

WIDTH: Final = 1120.0
NAMES: Final = 236.0  # the column of titles
HEAD: Final = 34.0
ROW: Final = 40.0
BAR: Final = 16.0
MARGIN: Final = timedelta(days=3)
LATE_DAYS_MAX: Final = 14
LABEL_GAP: Final = 46.0  # what the name of a week takes


@dataclass(frozen=True)
class TermMark:
    """A line across all rows, with its label; an empty label has no room."""

    x: float
    label: str
    is_month: bool = False


@dataclass(frozen=True)
class TermRow:
    """An assignment on the line of time. ``due_x`` is None without a due time, ``late_x`` if nothing counts late."""

    exercise: str
    title: str
    y: float
    open_x: float
    end_x: float
    due_x: float | None
    late_x: float | None
    extensions: tuple[float, ...]
    is_over: bool
    sentence: str


@dataclass(frozen=True)
class Term:
    """A course's assignments on a line of time."""

    rows: tuple[TermRow, ...]
    marks: tuple[TermMark, ...]
    today_x: float
    height: float
    width: float = WIDTH
    names: float = NAMES
    bar: float = BAR


def term(
    assignments: Sequence[Assignment],
    extensions: Sequence[Extension],
    titles: Mapping[str, str],
    moment: datetime,
    zone: ZoneInfo,
) -> Term | None:
    """Return the line of time of these assignments; None if none has a date."""
    dates = [date for each in assignments for date in (each.opens_at, each.due_at) if date is not None]
    if not dates:
        return None
    dates += [extension.due_at for extension in extensions]
    ends = [end for each in assignments if (end := _late_end(each)) is not None]
    begin, end = min([*dates, moment]) - MARGIN, max([*dates, *ends, moment]) + MARGIN

    def x(date: datetime) -> float:
        return round(NAMES + (WIDTH - NAMES) * ((date - begin) / (end - begin)), 1)

    rows = []
    for number, each in enumerate(assignments):
        late_end = _late_end(each)
        due_x = x(each.due_at) if each.due_at else None
        later = sorted({x(extension.due_at) for extension in extensions if extension.exercise == each.exercise})
        rows.append(
            TermRow(
                each.exercise,
                titles.get(each.exercise, each.exercise),
                HEAD + number * ROW,
                x(each.opens_at) if each.opens_at else NAMES,
                due_x if due_x is not None else WIDTH,
                due_x,
                x(late_end) if late_end is not None else None,
                tuple(later),
                each.due_at is not None and each.due_at <= moment,
                _sentence(each, titles, len(later), zone),
            )
        )
    height = HEAD + len(rows) * ROW
    return Term(tuple(rows), _marks(begin, end, zone, x), x(moment), height)


def _late_end(assignment: Assignment) -> datetime | None:
    """Return until when a late answer still loses more; None if it loses nothing, or everything at once."""
    if assignment.due_at is None:
        return None
    end = assignment.due_at + timedelta(minutes=assignment.grace_minutes)
    if assignment.late_policy is LatePolicy.NONE:
        return None
    if assignment.late_policy is LatePolicy.CLOSED:
        return end if assignment.grace_minutes else None
    days = 1
    while days < LATE_DAYS_MAX and factor_of(assignment, days + 1) < factor_of(assignment, days):
        days += 1
    return end + timedelta(days=days)


def _marks(begin: datetime, end: datetime, zone: ZoneInfo, x: Callable[[datetime], float]) -> tuple[TermMark, ...]:
    """Return a line for each Monday, and one for each first of a month, with those labels that have room."""
    day = begin.astimezone(zone).date() + timedelta(days=1)
    weeks_are_shown = (end - begin) < timedelta(days=200)
    marks: list[TermMark] = []
    last_label = -LABEL_GAP
    while (midnight := datetime(day.year, day.month, day.day, tzinfo=zone)) <= end:
        is_month = day.day == 1
        if is_month or (weeks_are_shown and day.weekday() == 0):
            place = x(midnight)
            has_room = place - last_label >= LABEL_GAP and place < WIDTH - LABEL_GAP / 2
            label = (f"{day:%b %Y}" if is_month and day.month == 1 else f"{day:%-d %b}") if has_room else ""
            last_label = place if has_room else last_label
            marks.append(TermMark(place, label, is_month))
        day += timedelta(days=1)
    return tuple(marks)


def _sentence(assignment: Assignment, titles: Mapping[str, str], extensions: int, zone: ZoneInfo) -> str:
    """Return a row in words."""
    title = titles.get(assignment.exercise, assignment.exercise)
    opens = f"opens {_day(assignment.opens_at, zone)}" if assignment.opens_at else "is open from the start"
    due = f"is due {_day(assignment.due_at, zone)}" if assignment.due_at else "has no due time"
    more = f", with {extensions} later due time{'s' * (extensions > 1)}" if extensions else ""
    return f"{title} {opens} and {due}{more}"


def _day(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%-d %b %Y, %H:%M}"
