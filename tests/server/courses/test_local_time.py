"""Times in a course's zone: typed, shown, and moved to another term."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from server.courses.local_time import BadTime, UnknownTimeZone, find_zone, local_text, parse, shifted

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-12-01 23:59", datetime(2026, 12, 1, 22, 59, tzinfo=UTC)),
        ("2026-07-01T23:59", datetime(2026, 7, 1, 21, 59, tzinfo=UTC)),
        (" 2026-12-01T23:59-05:00 ", datetime(2026, 12, 2, 4, 59, tzinfo=UTC)),
        ("2026-12-01T23:59:30Z", datetime(2026, 12, 1, 23, 59, 30, tzinfo=UTC)),
        ("2026-10-25T02:30+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),  # the second of two
    ],
)
def test_a_typed_time_is_a_moment(typed: str, moment: datetime) -> None:
    assert parse(typed, BERLIN) == moment


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("tomorrow", "Type it as 2026-12-01 23:59"),
        ("2026-12-01", "Type it as 2026-12-01 23:59"),
        ("2026-02-30 12:00", "Type it as 2026-12-01 23:59"),
        ("2026-03-29 02:30", "The clocks of Europe/Berlin skip 2026-03-29 02:30."),
        ("2026-10-25 02:30", "Say which: 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00."),
        ("0001-01-01 00:00", "The year 1 is out of range."),
        ("9999-12-31 23:59", "The year 9999 is out of range."),
    ],
)
def test_a_time_that_is_none_or_two_is_refused(typed: str, sentence: str) -> None:
    with pytest.raises(BadTime) as refused:
        parse(typed, BERLIN)

    assert sentence in refused.value.detail


@pytest.mark.parametrize(
    ("day", "days", "later"),
    [
        ("2026-10-01 23:59", 182, "2027-04-01 23:59"),  # from summer time over winter to summer time
        ("2026-10-01 23:59", 60, "2026-11-30 23:59"),
        ("2026-11-30 23:59", -60, "2026-10-01 23:59"),
        ("2026-09-28 02:30", 181, "2027-03-28 03:30"),  # skipped there
    ],
)
def test_a_date_moves_on_the_wall_clock(day: str, days: int, later: str) -> None:
    assert local_text(shifted(parse(day, BERLIN), BERLIN, days), BERLIN) == later


def test_a_date_moves_to_the_second_of_two_equal_times() -> None:
    assert shifted(parse("2026-10-24 02:30", BERLIN), BERLIN, 1) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_date_does_not_move_out_of_the_calendar() -> None:
    for days in (10**7, 10**5):
        with pytest.raises(BadTime):
            shifted(datetime(2026, 12, 1, tzinfo=UTC), BERLIN, days)


@pytest.mark.parametrize("name", ["", "Berlin", "../etc/passwd", "/etc/passwd", "europe/berlin", "localtime"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownTimeZone, match="IANA name"):
        find_zone(name)


def test_a_known_zone_is_found() -> None:
    assert find_zone("Europe/Berlin").key == "Europe/Berlin"
    assert local_text(None, BERLIN) == "-"
