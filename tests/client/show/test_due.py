"""When an exercise is due, by the clocks of its course."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from dojo.api.responses import Exercise, read_exercise
from dojo.show.due import NO_MORE, due_lines, due_text, relative
from dojo.show.lists import show_checkpoints, show_exercises
from dojo.show.screen import Screen

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
DUE = "2026-12-01T22:59:00Z"


def exercise(**fields: Any) -> Exercise:
    return read_exercise({"slug": "a/b", "due_at": DUE, "time_zone": "Europe/Berlin", **fields})


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "2026-12-01 23:59, in 3 days"),
        ({"passed": 2, "total": 2}, "2026-12-01 23:59"),
        ({"opens_at": "2026-11-30T07:00:00Z"}, "opens 2026-11-30 08:00"),
        ({"opens_at": "2026-11-20T07:00:00Z"}, "2026-12-01 23:59, in 3 days"),
        ({"due_at": "2026-11-26T22:59:00Z"}, "2026-11-26 23:59, 37 hours ago"),
        ({"due_at": "2026-11-26T22:59:00Z", "answers": "closed"}, "closed 2026-11-26 23:59"),
        ({"answers": "closed"}, "closed"),
        ({"answers": "closed", "opens_at": "2026-11-30T07:00:00Z", "due_at": None}, "closed"),
        ({"due_at": None}, "-"),
        ({"due_at": "whenever"}, "whenever"),
        ({"due_at": "9999-12-31T23:59:00Z"}, "9999-12-31T23:59:00Z"),
    ],
)
def test_the_due_time_is_that_of_the_courses_clocks(fields: dict[str, Any], text: str) -> None:
    assert due_text(exercise(**fields), NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3 * 86400 + 5, "in 3 days"),
        (47 * 3600, "in 47 hours"),
        (90 * 60, "in 90 minutes"),
        (90, "in 1 minute"),
        (0, "in 0 minutes"),
        (-86400 * 2, "2 days ago"),
    ],
)
def test_how_far_it_is(seconds: int, text: str) -> None:
    assert relative(NOW + timedelta(seconds=seconds), NOW) == text


def test_the_status_says_lateness_and_attempts() -> None:
    told = exercise(late="It closes at the due time.", attempts_left=1)

    assert due_lines(told, NOW) == [
        "Due 2026-12-01 23:59 (Europe/Berlin), in 3 days.",
        "It closes at the due time.",
        "1 attempt left.",
    ]


@pytest.mark.parametrize(
    ("due", "lines"),
    [
        ("2026-11-26T22:59:00Z", ["It was due 2026-11-26 23:59 (Europe/Berlin), 37 hours ago.", NO_MORE]),
        (DUE, [NO_MORE]),
        (None, [NO_MORE]),
    ],
)
def test_what_is_closed_has_no_date_ahead(due: str | None, lines: list[str]) -> None:
    told = exercise(due_at=due, answers="closed", late="It closes at the due time.", attempts_left=1)

    assert due_lines(told, NOW) == lines


@pytest.mark.parametrize("zone", ["No/Where", "../../etc/passwd", "", None])
def test_without_the_zone_times_are_the_machines(zone: str | None) -> None:
    here = datetime.fromisoformat("2026-12-01T22:59:00+00:00").astimezone().strftime("%Y-%m-%d %H:%M")

    assert due_lines(exercise(time_zone=zone), NOW) == [f"Due {here}, in 3 days."]


def test_a_list_says_closed_where_nothing_has_a_date() -> None:
    file = io.StringIO()

    show_exercises(Screen(Console(file=file)), [exercise(due_at=None, answers="closed")], NOW)

    assert "| closed |" in file.getvalue()


def test_lists_show_it() -> None:
    file = io.StringIO()
    screen = Screen(Console(file=file))

    show_exercises(screen, [exercise()], NOW)
    show_checkpoints(screen, exercise(attempts_left=0), NOW)

    assert "2026-12-01 23:59, in 3 days" in file.getvalue()
    assert file.getvalue().endswith(f"Due 2026-12-01 23:59 (Europe/Berlin), in 3 days.\n0 attempts left.\n{NO_MORE}\n")
