"""Classes of several sizes in a server's database, and what an instructor fetches of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Protocol

from sqlalchemy import String, func, insert, literal, select
from sqlmodel import Session, col

from bench.figures import Times
from server.database.engine import Database
from server.database.table import now
from server.tables import AccountRow, CourseRow, SeatRow

PAUSE_SECONDS = 0.01


class Fetched(Protocol):
    """Something that is fetched of a class of so many students. ``name`` is that of its figure."""

    @property
    def name(self) -> str:
        """The name of the figure."""

    @property
    def students(self) -> int:
        """The size of the class."""

    def fetch(self) -> float:
        """Fetch it; return the seconds until its last byte."""


def fetch_in_turns(all_fetched: Iterable[Fetched], fetches: Mapping[int, int]) -> dict[str, Times]:
    """Fetch each in turns; ``fetches`` says how often, by size of the class."""
    all_fetched = list(all_fetched)
    taken: dict[str, list[float]] = {each.name: [] for each in all_fetched}
    for each in all_fetched:
        each.fetch()
    for number in range(max(fetches.values())):
        for each in all_fetched:
            if number < fetches[each.students]:
                time.sleep(PAUSE_SECONDS)
                taken[each.name].append(each.fetch())
    return {name: Times.of(seconds) for name, seconds in taken.items()}


def seat_students(session: Session, course: CourseRow, size: int) -> int:
    """Write so many students into a course; return the largest account before theirs."""
    last_id = session.scalar(select(func.max(AccountRow.id))) or 0
    session.execute(insert(AccountRow), [{"name": f"Student {number:05d}"} for number in range(size)])
    seats = select(literal(course.id), col(AccountRow.id), literal("student", String), literal(now()))
    session.execute(
        insert(SeatRow).from_select(
            ["course_id", "account_id", "role", "created_at"], seats.where(col(AccountRow.id) > last_id)
        )
    )
    return last_id


def analyse(database: Database) -> None:
    """Have the database count its rows, as one does that has run for a day."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
