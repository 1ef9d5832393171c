"""Analytics: how a course gets on with each checkpoint, and which mistakes it makes there.

Counted is the newest grade of every submission of a student; staff who try an exercise are left out. The database
folds a class's rows into a few groups for each checkpoint, and hands over one by one only the mistakes.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from sqlalchemy import CTE, Select, Text, and_, cast, func, select
from sqlmodel import Session, col

from exercises.exercise import Exercise
from grader.compare import Origin, Verdict
from grader.diagnosis.messages import mistake_phrase
from server import schemas
from server.models import ComparisonRow, Course, Enrolment, Grade, Role, Submission

Place = tuple[str, str]  # exercise, checkpoint


@dataclass
class Tally:
    """A checkpoint, counted. ``passes`` is how many students needed so many attempts to pass; ``codes`` is code → the
    students who made that mistake; ``told`` is code → how often each first hint was given."""

    tried: int = 0
    passes: Counter[int] = field(default_factory=Counter)
    codes: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    told: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def read_analytics(session: Session, course: Course, exercises: Iterable[Exercise]) -> schemas.Analytics:
    """The checkpoints of some exercises, in their order. Three queries, whatever the size of the class."""
    asked = list(exercises)
    tallies: dict[Place, Tally] = defaultdict(Tally)
    read = session.connection().execute
    for exercise, name, needed, students in read(_attempts(course, asked)):
        tally = tallies[exercise, name]
        tally.tried += students
        if needed is not None:
            tally.passes[needed] += students
    known: dict[str, list[tuple[str, str]]] = {}  # a class makes the same few mistakes again and again
    for student_id, exercise, name, text in read(_mistakes(course, asked)):
        if text not in known:
            known[text] = [(each["code"], each["hints"][0]) for each in json.loads(text)]
        for code, hint in known[text]:
            tallies[exercise, name].codes[code].add(student_id)
            tallies[exercise, name].told[code][hint] += 1
    seats = select(func.count()).where(col(Enrolment.course_id) == course.id, col(Enrolment.role) == Role.STUDENT)
    return schemas.Analytics(
        course=course.slug,
        students=read(seats).scalar_one(),
        exercises=[_exercise(each, tallies) for each in asked],
    )


def _attempts(course: Course, exercises: list[Exercise]) -> Select[str, str, int | None, int]:
    """Exercise, checkpoint, attempts until the first that passed (None: none did), and how many students."""
    graded = _graded(course, exercises)
    numbered = (
        select(
            graded.c.student_id,
            graded.c.exercise,
            col(ComparisonRow.name).label("name"),
            col(ComparisonRow.approximate).label("passed"),
            func.row_number()
            .over(
                partition_by=(graded.c.student_id, graded.c.exercise, col(ComparisonRow.name)),
                order_by=graded.c.attempt,
            )
            .label("number"),
        )
        .join(graded, graded.c.grade_id == col(ComparisonRow.grade_id))
        .where(col(ComparisonRow.verdict) != Verdict.MISSING.value)
        .subquery()
    )
    whose = (numbered.c.student_id, numbered.c.exercise, numbered.c.name)
    first = func.min(numbered.c.number).filter(numbered.c.passed).label("needed")
    needed = select(*whose[1:], first).group_by(*whose).subquery()
    groups = (needed.c.exercise, needed.c.name, needed.c.needed)
    return select(*groups, func.count()).group_by(*groups)


def _mistakes(course: Course, exercises: list[Exercise]) -> Select[int, str, str, str]:
    """Student, exercise, checkpoint and the diagnosis, as JSON text, of each mistake of their own."""
    graded = _graded(course, exercises)
    return (
        select(graded.c.student_id, graded.c.exercise, col(ComparisonRow.name), cast(ComparisonRow.diagnosis, Text))
        .join(graded, graded.c.grade_id == col(ComparisonRow.grade_id))
        .where(col(ComparisonRow.origin) == Origin.OWN.value)
    )


def _graded(course: Course, exercises: list[Exercise]) -> CTE:
    """The students' submissions, each with its newest grade."""
    whose = (col(Submission.student_id), col(Submission.exercise), col(Submission.attempt))
    seat = and_(
        col(Enrolment.course_id) == Submission.course_id,
        col(Enrolment.student_id) == Submission.student_id,
        col(Enrolment.role) == Role.STUDENT,
    )
    return (
        select(*whose, func.max(Grade.id).label("grade_id"))
        .join(Enrolment, seat)
        .join(Grade, col(Grade.submission_id) == Submission.id)
        .where(
            col(Submission.course_id) == course.id,
            col(Submission.exercise).in_([each.slug for each in exercises]),
        )
        .group_by(col(Submission.id), *whose)
        .cte("graded")
    )


def _exercise(exercise: Exercise, tallies: Mapping[Place, Tally]) -> schemas.ExerciseAnalytics:
    return schemas.ExerciseAnalytics(
        exercise=exercise.slug,
        title=exercise.title,
        checkpoints=[
            _checkpoint(each.name, tallies.get((exercise.slug, each.name), Tally())) for each in exercise.checkpoints
        ],
    )


def _checkpoint(name: str, tally: Tally) -> schemas.CheckpointAnalytics:
    passed = tally.passes.total()
    return schemas.CheckpointAnalytics(
        name=name,
        tried=tally.tried,
        passed=passed,
        pass_rate=passed / tally.tried if tally.tried else None,
        attempts_to_pass=float(median(tally.passes.elements())) if passed else None,
        mistakes=sorted(
            (_mistake(name, code, len(students), tally) for code, students in tally.codes.items()),
            key=lambda mistake: (-mistake.students, mistake.code),
        ),
    )


def _mistake(name: str, code: str, students: int, tally: Tally) -> schemas.Mistake:
    share = students / tally.tried
    return schemas.Mistake(
        code=code,
        students=students,
        share=share,
        message=f"{round(100 * share)} % {mistake_phrase(code)} {name} ({students} of {tally.tried})",
        told=tally.told[code].most_common(1)[0][0],
    )
