"""When an exercise is due, by the clocks of its course, and how long that is from now."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dojo.api.responses import Exercise
from dojo.text import plural

UTC = timezone.utc  # noqa: UP017  # the only name that Python 3.10 has

NO_MORE = "It takes no more answers. See what does: dojo list"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def due_text(exercise: Exercise, now: datetime | None = None) -> str:
    """Return when an exercise is due: ``2026-12-01 23:59, in 3 days``; ``-`` if never.

    It is when it opens if it is not open yet, and says so if it is closed.

    An exercise that is done needs no hurry, so it has the date alone.
    """
    now = now or datetime.now(UTC)
    opens, due = _moment(exercise.opens), _moment(exercise.due)
    if exercise.answers == "closed":  # of an archived course also before it is due
        return f"closed {_shown(due, exercise)}" if due is not None and due <= now else "closed"
    if opens is not None and opens > now:
        return f"opens {_shown(opens, exercise)}"
    if due is None:
        return exercise.due or "-"
    return _shown(due, exercise) if exercise.is_done else f"{_shown(due, exercise)}, {relative(due, now)}"


def due_lines(exercise: Exercise, now: datetime | None = None) -> list[str]:
    """Return what there is to say of the dates and the attempts of an exercise, a sentence each.

    Of one that is closed, only that it is, and since when.
    """
    now = now or datetime.now(UTC)
    opens, due = _moment(exercise.opens), _moment(exercise.due)
    zone = f" ({exercise.time_zone})" if _zone(exercise) is not None else ""
    lines = []
    if exercise.answers == "closed":
        if due is not None and due <= now:
            lines.append(f"It was due {_shown(due, exercise)}{zone}, {relative(due, now)}.")
        return [*lines, NO_MORE]
    if opens is not None and opens > now:
        lines.append(f"O{opening_text(exercise, now).removeprefix('o')}.")
    if due is not None:
        lines.append(f"Due {_shown(due, exercise)}{zone}, {relative(due, now)}.")
        lines += [exercise.late] if exercise.late else []
    if exercise.attempts_left is not None:
        lines.append(f"{plural(exercise.attempts_left, 'attempt')} left.")
    if exercise.attempts_left == 0:
        lines.append(NO_MORE)
    return lines


def opening_text(exercise: Exercise, now: datetime | None = None) -> str:
    """Return when an exercise opens: ``opens 2026-12-01 10:00 (Europe/Berlin), in 3 days``."""
    opens = _moment(exercise.opens)
    if opens is None:
        return "opens later"
    zone = f" ({exercise.time_zone})" if _zone(exercise) is not None else ""
    return f"opens {_shown(opens, exercise)}{zone}, {relative(opens, now or datetime.now(UTC))}"


def relative(moment: datetime, now: datetime) -> str:
    """Return how far a moment is from now, in the largest unit of which there are two: ``in 3 days``."""
    distance = abs(moment - now)
    for unit, noun in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if distance >= 2 * unit or unit is MINUTE:
            count = plural(distance // unit, noun)
            return f"in {count}" if moment >= now else f"{count} ago"
    raise AssertionError("the last unit always fits")


def local_time(moment: str | None, zone: tzinfo | None = None) -> str:
    """Return an ISO 8601 moment to the minute, in a zone or in that of this machine; ``-`` for None."""
    if not moment:
        return "-"
    parsed = _moment(moment)
    return moment if parsed is None else f"{parsed.astimezone(zone):%Y-%m-%d %H:%M}"


def _shown(moment: datetime, exercise: Exercise) -> str:
    return f"{moment.astimezone(_zone(exercise)):%Y-%m-%d %H:%M}"


def _zone(exercise: Exercise) -> tzinfo | None:
    """Return the zone of the course. A machine may have no list of zones, and then shows times in its own: None."""
    try:
        return ZoneInfo(exercise.time_zone) if exercise.time_zone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _moment(text: str | None) -> datetime | None:
    """Return an ISO 8601 moment with an offset; None if it is none that can be shown."""
    try:
        moment = datetime.fromisoformat((text or "").replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if 1970 < moment.year < 9000 else None  # a zone must not take it out of the calendar
