"""The progress matrix of classes of several sizes, as an instructor fetches it over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import String, func, insert, literal, select
from sqlmodel import Session, col

from bench.figures import Times
from bench.guest import Guest
from bench.house import EXERCISE, House
from bench.single import WrongGrade
from exercises.catalog import find
from server import courses
from server.db import Database
from server.models import Course, Enrolment, Progress, Role, Student, now


@dataclass(frozen=True)
class Class:
    """A course of so many students, all of whom have every checkpoint, and its instructor's connection."""

    name: str
    students: int
    instructor: Guest

    def fetch(self) -> float:
        """Fetch the matrix; seconds until its last byte.

        :raises WrongGrade: it is not the whole class
        """
        reply = self.instructor.get(f"/api/v1/courses/class-{self.students}/progress?exercise={EXERCISE}")
        begun = reply.body.count(b'"best":')
        if reply.status != 200 or begun != self.students * len(find(EXERCISE).checkpoints):
            raise WrongGrade(f"{reply.status}: {begun} cells of a class of {self.students}")
        return reply.seconds


def classes(house: House, kind: str, sizes: Iterable[int]) -> list[Class]:
    """Classes of these sizes in a server's database; ``kind`` is added to their names."""
    database = Database(house.settings.url)
    found = []
    for size in sizes:
        with database.writing() as session:
            course = courses.open_course(session, f"class-{size}", f"A class of {size}")
            token = courses.enrol(session, course, "Instructor", Role.INSTRUCTOR).token
            _fill(session, course, size)
        found.append(Class(f"matrix_{size}{kind}", size, house.guest(token)))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")  # as a database that has run for a day has done it
    database.close()
    return found


def play(classes: Iterable[Class], rounds: Mapping[int, int]) -> dict[str, Times]:
    """Fetch all by turns; ``rounds`` says how often for each size."""
    classes = list(classes)
    taken: dict[str, list[float]] = {each.name: [] for each in classes}
    for each in classes:
        each.fetch()
    for number in range(max(rounds.values())):
        for each in classes:
            if number < rounds[each.students]:
                time.sleep(0.01)
                taken[each.name].append(each.fetch())
    return {name: Times.of(seconds) for name, seconds in taken.items()}


def _fill(session: Session, course: Course, size: int) -> None:
    """Students who have everything right, written by the database itself."""
    last = session.scalar(select(func.max(Student.id))) or 0
    session.execute(insert(Student), [{"name": f"Student {number:05d}"} for number in range(size)])
    students = select(literal(course.id), col(Student.id), literal("student", String), literal(now()))
    seats = insert(Enrolment).from_select(
        ["course_id", "student_id", "role", "created_at"], students.where(col(Student.id) > last)
    )
    session.execute(seats)
    for checkpoint in find(EXERCISE).checkpoints:
        row = select(
            col(Enrolment.course_id),
            col(Enrolment.student_id),
            literal(EXERCISE),
            literal(checkpoint.name),
            literal("exact"),
            literal(3),
            literal(now()),
        ).where(col(Enrolment.course_id) == course.id, col(Enrolment.role) == Role.STUDENT)
        names = "course_id student_id exercise checkpoint best attempts first_passed_at".split()
        session.execute(insert(Progress).from_select(names, row))
