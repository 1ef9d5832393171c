"""The progress table of classes of several sizes, as an instructor fetches it over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import String, func, insert, literal, select
from sqlmodel import Session, col

from bench.figures import Times
from bench.http_client import HttpClient
from bench.single import WrongGrade
from bench.test_server import EXERCISE, BenchServer
from exercises.registry import find
from server.courses import courses
from server.database.engine import Database
from server.database.table import now
from server.tables import AccountRow, CourseRow, ProgressRow, Role, SeatRow

PAUSE_SECONDS = 0.01


@dataclass(frozen=True)
class BenchClass:
    """A course of so many students who have every checkpoint. ``name`` is the row's; the client is the instructor's."""

    name: str
    students: int
    client: HttpClient

    def fetch(self) -> float:
        """Fetch the progress table; return the seconds until its last byte.

        :raises WrongGrade: it is not the whole class
        """
        reply = self.client.get(f"/api/v1/courses/class-{self.students}/progress?exercise={EXERCISE}")
        cells = reply.body.count(b'"best":')
        if reply.status != 200 or cells != self.students * len(find(EXERCISE).checkpoints):
            raise WrongGrade(f"{reply.status}: {cells} cells of a class of {self.students}")
        return reply.seconds


def open_classes(server: BenchServer, suffix: str, sizes: Iterable[int]) -> list[BenchClass]:
    """Write classes of these sizes into a server's database. The suffix ends the names of their rows."""
    database = Database(server.settings.url)
    opened = []
    for size in sizes:
        with database.writing() as session:
            course = courses.open_course(session, f"class-{size}", f"A class of {size}")
            token = courses.enrol(session, course, "Instructor", Role.INSTRUCTOR).token
            fill_class(session, course, size)
        opened.append(BenchClass(f"matrix_{size}{suffix}", size, server.client(token)))
    analyse(database)
    database.close()
    return opened


def measure(classes: Iterable[BenchClass], fetches: Mapping[int, int]) -> dict[str, Times]:
    """Fetch the table of every class in turns; ``fetches`` says how often, by size of the class."""
    classes = list(classes)
    taken: dict[str, list[float]] = {each.name: [] for each in classes}
    for each in classes:
        each.fetch()
    for number in range(max(fetches.values())):
        for each in classes:
            if number < fetches[each.students]:
                time.sleep(PAUSE_SECONDS)
                taken[each.name].append(each.fetch())
    return {name: Times.of(seconds) for name, seconds in taken.items()}


def fill_class(session: Session, course: CourseRow, size: int) -> None:
    """Write students who have every checkpoint right. The database itself multiplies the rows."""
    last_id = session.scalar(select(func.max(AccountRow.id))) or 0
    session.execute(insert(AccountRow), [{"name": f"Student {number:05d}"} for number in range(size)])
    seats = select(literal(course.id), col(AccountRow.id), literal("student", String), literal(now()))
    session.execute(
        insert(SeatRow).from_select(
            ["course_id", "account_id", "role", "created_at"], seats.where(col(AccountRow.id) > last_id)
        )
    )
    columns = ["course_id", "account_id", "exercise", "checkpoint", "best", "attempts", "first_passed_at"]
    for checkpoint in find(EXERCISE).checkpoints:
        rows = select(
            col(SeatRow.course_id),
            col(SeatRow.account_id),
            literal(EXERCISE),
            literal(checkpoint.name),
            literal("exact"),
            literal(3),
            literal(now()),
        ).where(col(SeatRow.course_id) == course.id, col(SeatRow.role) == Role.STUDENT)
        session.execute(insert(ProgressRow).from_select(columns, rows))


def analyse(database: Database) -> None:
    """Have the database count its rows, as one does that has run for a day."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
