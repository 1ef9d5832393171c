"""The progress table, a page of it, and the analytics of classes of several sizes, as an instructor fetches them.

``python -m bench.progress_table [SIZE …]`` prints the milliseconds, on SQLite and on PostgreSQL if its programs are
installed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from grader import numerics

numerics.pin()

from sqlalchemy import JSON, String, insert, literal, select  # noqa: E402
from sqlmodel import Session, col  # noqa: E402

from bench.classes import analyse, seat_students  # noqa: E402
from bench.figures import Times  # noqa: E402
from bench.http_client import HttpClient  # noqa: E402
from bench.single import WrongGrade  # noqa: E402
from bench.test_server import EXERCISE, BenchServer, run_server  # noqa: E402
from exercises.registry import find  # noqa: E402
from server.courses import courses  # noqa: E402
from server.database.engine import Database  # noqa: E402
from server.database.table import now  # noqa: E402
from server.instances.exercises import record_revisions  # noqa: E402
from server.tables import (  # noqa: E402
    ComparisonRow,
    CourseRow,
    GradeRow,
    InstanceRow,
    ProgressRow,
    Role,
    SeatRow,
    SubmissionRow,
)
from tests.support import postgres  # noqa: E402

PAGE = 50
FETCHES = {1_000: 10, 10_000: 2}  # by size of the class
GOALS = {("table", 1_000): "under 50 ms", ("table", 10_000): "ten times that of 1,000"}


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

    def fetch_page(self) -> float:
        """Fetch the first page of those who passed most; return the seconds until its last byte."""
        return self._fetch(f"progress?exercise={EXERCISE}&sort=-passed&limit={PAGE}")

    def fetch_analytics(self) -> float:
        """Fetch the analytics; return the seconds until their last byte."""
        return self._fetch(f"analytics?exercise={EXERCISE}")

    def fetch_clusters(self) -> float:
        """Fetch the clusters; return the seconds until their last byte."""
        return self._fetch(f"clusters?exercise={EXERCISE}")

    def _fetch(self, what: str) -> float:
        """Fetch a report.

        :raises WrongGrade: it is refused
        """
        reply = self.client.get(f"/api/v1/courses/class-{self.students}/{what}")
        if reply.status != 200:
            raise WrongGrade(f"{reply.status}: {what} of a class of {self.students}")
        return reply.seconds


def main(sizes: Iterable[int] = FETCHES) -> int:
    """Measure every report of classes of these sizes, and print the table."""
    sizes = list(sizes)
    with ExitStack() as stack:
        server = stack.enter_context(run_server(children=1, students=0))
        classes = open_classes(server, "", sizes)
        fill_submissions(server, sizes)
        try:
            url = stack.enter_context(postgres.database(stack.enter_context(postgres.server())))
        except postgres.PostgresMissing as reason:
            print(f"not on PostgreSQL: {reason}")
        else:
            server = stack.enter_context(run_server(children=1, students=0, url=url))
            classes += open_classes(server, "_postgresql", sizes)
            fill_submissions(server, sizes)
        for each in classes:
            reports = {
                "table": each.fetch,
                "page": each.fetch_page,
                "analytics": each.fetch_analytics,
                "clusters": each.fetch_clusters,
            }
            for name, fetch in reports.items():
                fetch()
                times = Times.of([fetch() for _ in range(FETCHES.get(each.students, 5))])
                goal = GOALS.get((name, each.students))
                print(
                    f"{each.name:26s}{name:10s}{times.median_ms:9.1f} ms" + (f"  goal: {goal}" if goal else ""),
                    flush=True,
                )
    return 0


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


def fill_class(session: Session, course: CourseRow, size: int) -> None:
    """Write students who have every checkpoint right. The database itself multiplies the rows."""
    seat_students(session, course, size)
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


def fill_submissions(server: BenchServer, sizes: Iterable[int]) -> None:
    """Write two submissions for each student, each with its grade and rows: a wrong step in the first, none after."""
    database = Database(server.settings.url)
    record_revisions(database)
    exercise = find(EXERCISE)
    with database.writing() as session:
        instance = InstanceRow(
            exercise=EXERCISE, revision=exercise.revision, kind="canonical", dataset="", digest="", state=b""
        )
        session.add(instance)
        session.flush()
        for size in sizes:
            course = courses.find_course(session, f"class-{size}")
            assert course is not None
            for attempt in (1, 2):
                _fill_attempt(session, course, instance, attempt)
    analyse(database)
    database.close()


def _fill_attempt(session: Session, course: CourseRow, instance: InstanceRow, attempt: int) -> None:
    exercise = find(EXERCISE)
    total = len(exercise.checkpoints)
    submission = {
        "course_id": col(SeatRow.course_id),
        "account_id": col(SeatRow.account_id),
        "exercise": literal(EXERCISE),
        "revision": literal(exercise.revision),
        "attempt": literal(attempt),
        "kind": literal("code", String),
        "body": literal(exercise.solution.encode()),
        "digest": literal("0" * 64),
        "created_at": literal(now()),
    }
    students = (col(SeatRow.course_id) == course.id, col(SeatRow.role) == Role.STUDENT)
    session.execute(insert(SubmissionRow).from_select(list(submission), select(*submission.values()).where(*students)))
    of_attempt = (col(SubmissionRow.course_id) == course.id, col(SubmissionRow.attempt) == attempt)
    grade = {
        "submission_id": col(SubmissionRow.id),
        "instance_id": literal(instance.id),
        "revision": literal(exercise.revision),
        "environment": literal(numerics.environment()),
        "run_status": literal("ok"),
        "flags": literal([], JSON),
        "passed": literal(total),
        "exact": literal(total),
        "inherited": literal(0),
        "total": literal(total),
        "seconds": literal(0.01),
        "graded_at": literal(now()),
    }
    session.execute(insert(GradeRow).from_select(list(grade), select(*grade.values()).where(*of_attempt)))
    for position, checkpoint in enumerate(exercise.checkpoints):
        is_wrong = attempt == 1 and position == total // 2
        hints = [{"code": "sign", "message": "Turned.", "hints": ["Turned."]}]
        row = {
            "grade_id": col(GradeRow.id),
            "position": literal(position),
            "name": literal(checkpoint.name),
            "verdict": literal("wrong" if is_wrong else "exact"),
            "exact": literal(not is_wrong),
            "approximate": literal(not is_wrong),
            "origin": literal("own" if is_wrong else None, String),
            "inherits_constant": literal(False),
            "diagnosis": literal(hints if is_wrong else [], JSON),
            "notes": literal([], JSON),
            "pattern": literal("sign.numbers" if is_wrong else None, String),
        }
        rows = select(*row.values()).join(SubmissionRow, col(SubmissionRow.id) == GradeRow.submission_id)
        session.execute(insert(ComparisonRow).from_select(list(row), rows.where(*of_attempt)))


if __name__ == "__main__":
    sys.exit(main(list(map(int, sys.argv[1:])) or FETCHES))
