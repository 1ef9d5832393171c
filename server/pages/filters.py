"""What templates do with values: times, numbers, verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from markupsafe import Markup

from server.database.table import now

_UNITS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"))


def relative(moment: datetime, seen_at: datetime | None = None) -> str:
    """Return a moment as people say it: ``in 2 days``, ``5 minutes ago``, ``just now``."""
    difference = moment - (seen_at or now())
    seconds = abs(difference.total_seconds())
    for size, unit in _UNITS:
        if seconds >= size:
            number = int(seconds // size)
            said = f"{number} {unit}{'s' if number > 1 else ''}"
            return f"in {said}" if difference > timedelta() else f"{said} ago"
    return "just now" if difference <= timedelta() else "in a moment"


def exact(moment: datetime, zone: str) -> str:
    """Return a moment in a zone, with the zone's name."""
    return f"{moment.astimezone(ZoneInfo(zone)):%a %-d %b %Y, %H:%M} ({zone})"


def time(moment: datetime | None, zone: str = "UTC") -> Markup:
    """Return a ``time`` element: relative, and exact on hover. A script keeps it up to date in the reader's zone."""
    if moment is None:
        return Markup("–")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(), exact(moment, zone), relative(moment)
    )


def day(moment: datetime, zone: str = "UTC") -> Markup:
    """Return a ``time`` element that shows day and hour in a zone."""
    local = moment.astimezone(ZoneInfo(zone))
    return Markup('<time datetime="{}" title="{}" data-day>{}</time>').format(
        moment.isoformat(), exact(moment, zone), f"{local:%a %-d %b, %H:%M}"
    )


def fixed(moment: datetime, zone: str) -> Markup:
    """Return a ``time`` element that shows day and hour by the clocks of a zone, whatever the reader's own show."""
    local = moment.astimezone(ZoneInfo(zone))
    return Markup('<time datetime="{}" title="{}" data-fixed>{}</time>').format(
        moment.isoformat(), exact(moment, zone), f"{local:%a %-d %b, %H:%M}"
    )


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def query(values: Mapping[str, object]) -> str:
    """Return the query of an address, without what is empty."""
    return urlencode({name: value for name, value in values.items() if value not in ("", None)})


ALL: Final[Mapping[str, Callable[..., Any]]] = {
    "relative": relative,
    "exact": exact,
    "time": time,
    "day": day,
    "fixed": fixed,
    "plural": plural,
    "query": query,
}
