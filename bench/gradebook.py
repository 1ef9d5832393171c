"""The gradebook of classes of several sizes, with three assignments, as an instructor fetches it over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, literal, select
from sqlmodel import Session, col

from bench.classes import analyse, fetch_in_turns, seat_students
from bench.http_client import HttpClient
from bench.single import WrongGrade
from bench.test_server import BenchServer
from exercises.registry import find
from server.courses import courses
from server.database.engine import Database
from server.database.table import now
from server.tables import AssignmentRow, CourseRow, LatePolicy, ProgressRow, Role, SeatRow

ASSIGNED = ("makemore/full-backward", "makemore/cross-entropy", "makemore/batch-norm")
LATE_EVERY = 3  # one student in so many has handed in two days late


@dataclass(frozen=True)
class BenchGradebook:
    """A course of so many students with everything right. ``name`` is the row's; the client is the instructor's."""

    name: str
    students: int
    client: HttpClient

    def fetch(self) -> float:
        """Fetch the gradebook; return the seconds until its last byte.

        :raises WrongGrade: it is not the whole class, or not what they have earned
        """
        reply = self.client.get(f"/api/v1/courses/graded-{self.students}/gradebook")
        lines = json.loads(reply.body)["lines"] if reply.status == 200 else []
        late = sum(line["late_days"] > 0 for line in lines)
        if len(lines) != self.students or late != len(range(0, self.students, LATE_EVERY)):
            raise WrongGrade(f"{reply.status}: {len(lines)} students of {self.students}, {late} of them late")
        return reply.seconds


def open_gradebooks(server: BenchServer, suffix: str, sizes: Iterable[int]) -> list[BenchGradebook]:
    """Write classes of these sizes into a server's database. The suffix ends the names of their rows."""
    database = Database(server.settings.url)
    opened = []
    for size in sizes:
        with database.writing() as session:
            course = courses.open_course(session, f"graded-{size}", f"A class of {size}")
            token = courses.enrol(session, course, "Instructor", Role.INSTRUCTOR).token
            fill(session, course, size)
        opened.append(BenchGradebook(f"gradebook_{size}{suffix}", size, server.client(token)))
    analyse(database)
    database.close()
    return opened


def fill(session: Session, course: CourseRow, size: int) -> None:
    """Write students who have every checkpoint of the assigned exercises. The database itself multiplies the rows."""
    due_at = now() - timedelta(days=9)
    last_id = seat_students(session, course, size)
    for position, slug in enumerate(ASSIGNED):
        session.add(
            AssignmentRow(
                course_id=course.id,
                exercise=slug,
                position=position,
                due_at=due_at,
                late_policy=LatePolicy.DAILY,
                late_per_day=0.1,
            )
        )
        # Each checkpoint in an answer of its own, so that nothing late can be grouped.
        for number, checkpoint in enumerate(find(slug).checkpoints):
            early = due_at - timedelta(days=2, minutes=number)
            late = due_at + timedelta(days=1, minutes=number + 1)
            _reach(session, course, slug, checkpoint.name, early, last_id, is_late=False)
            _reach(session, course, slug, checkpoint.name, late, last_id, is_late=True)


def _reach(
    session: Session, course: CourseRow, exercise: str, checkpoint: str, at: datetime, last_id: int, *, is_late: bool
) -> None:
    place = (col(SeatRow.account_id) - last_id - 1) % LATE_EVERY
    rows = select(
        col(SeatRow.course_id),
        col(SeatRow.account_id),
        literal(exercise),
        literal(checkpoint),
        literal("exact"),
        literal(3),
        literal(at),
        literal(at),
    ).where(
        col(SeatRow.course_id) == course.id,
        col(SeatRow.role) == Role.STUDENT,
        place == 0 if is_late else place != 0,
    )
    columns = ["course_id", "account_id", "exercise", "checkpoint", "best", "attempts"]
    session.execute(insert(ProgressRow).from_select([*columns, "first_exact_at", "first_passed_at"], rows))


def main(fetches: Mapping[int, int] | None = None) -> None:
    """Measure gradebooks alone, on SQLite."""
    from bench.test_server import run_server

    wanted = fetches or {1_000: 10, 10_000: 5}
    with run_server(children=1, students=0) as server:
        for name, times in fetch_in_turns(open_gradebooks(server, "", wanted), wanted).items():
            print(f"{name:24s} p50 {times.median_ms:.0f} ms, p95 {times.percentile_ms(95):.0f} ms")


if __name__ == "__main__":
    main()
