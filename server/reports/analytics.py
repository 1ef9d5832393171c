"""Analytics: how a class gets on with each checkpoint, and which mistakes it makes there.

Only the newest grade of each submission that counts is read; staff submissions are ignored. The database reduces a
class's rows to a few groups for each checkpoint, and returns only the mistakes one by one.
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
from server.progress.record import PASSING
from server.reports.schemas import AnalyticsBody, CheckpointAnalyticsBody, ExerciseAnalyticsBody, MistakeBody
from server.tables import ComparisonRow, CourseRow, GradeRow, Role, SeatRow, SubmissionRow

Place = tuple[str, str]  # exercise, checkpoint


@dataclass
class Tally:
    """The counts of a checkpoint.

    ``attempts_to_pass`` counts students by the attempts that they needed. ``students_by_code`` are those who made a
    mistake of that kind. ``hints_by_code`` counts how often each first hint was given for it.
    """

    tried: int = 0
    attempts_to_pass: Counter[int] = field(default_factory=Counter)
    students_by_code: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    hints_by_code: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def read_analytics(session: Session, course: CourseRow, exercises: Iterable[Exercise]) -> AnalyticsBody:
    """Return the analytics of some exercises, checkpoints in their order; three queries, whatever the size."""
    asked = list(exercises)
    tallies: dict[Place, Tally] = defaultdict(Tally)
    read = session.connection().execute
    for exercise, name, needed, students in read(_attempts(course, asked)):
        tally = tallies[exercise, name]
        tally.tried += students
        if needed is not None:
            tally.attempts_to_pass[needed] += students
    parsed: dict[str, list[tuple[str, str]]] = {}  # a class makes the same few mistakes again and again
    for account_id, exercise, name, text in read(_mistakes(course, asked)):
        if text not in parsed:
            parsed[text] = [(each["code"], each["hints"][0]) for each in json.loads(text)]
        for code, hint in parsed[text]:
            tallies[exercise, name].students_by_code[code].add(account_id)
            tallies[exercise, name].hints_by_code[code][hint] += 1
    seats = select(func.count()).where(col(SeatRow.course_id) == course.id, col(SeatRow.role) == Role.STUDENT)
    return AnalyticsBody(
        course=course.slug,
        students=read(seats).scalar_one(),
        exercises=[_exercise(each, tallies) for each in asked],
    )


def _attempts(course: CourseRow, exercises: list[Exercise]) -> Select[str, str, int | None, int]:
    """Select exercise, checkpoint, the number of the first attempt that passed or None, and how many students."""
    graded = _graded(course, exercises)
    numbered = (
        select(
            graded.c.account_id,
            graded.c.exercise,
            col(ComparisonRow.name).label("name"),
            col(ComparisonRow.verdict).in_(PASSING).label("passed"),
            func.row_number()
            .over(
                partition_by=(graded.c.account_id, graded.c.exercise, col(ComparisonRow.name)),
                order_by=graded.c.attempt,
            )
            .label("number"),
        )
        .join(graded, graded.c.grade_id == col(ComparisonRow.grade_id))
        .where(col(ComparisonRow.verdict) != Verdict.MISSING.value)
        .subquery()
    )
    whose = (numbered.c.account_id, numbered.c.exercise, numbered.c.name)
    first = func.min(numbered.c.number).filter(numbered.c.passed).label("needed")
    needed = select(*whose[1:], first).group_by(*whose).subquery()
    groups = (needed.c.exercise, needed.c.name, needed.c.needed)
    return select(*groups, func.count()).group_by(*groups)


def _mistakes(course: CourseRow, exercises: list[Exercise]) -> Select[int, str, str, str]:
    """Select account, exercise, checkpoint and the diagnosis, as JSON text, of each own mistake."""
    graded = _graded(course, exercises)
    return (
        select(graded.c.account_id, graded.c.exercise, col(ComparisonRow.name), cast(ComparisonRow.diagnosis, Text))
        .join(graded, graded.c.grade_id == col(ComparisonRow.grade_id))
        .where(col(ComparisonRow.origin) == Origin.OWN.value)
    )


def _graded(course: CourseRow, exercises: list[Exercise]) -> CTE:
    """Select the submissions of students, each with its newest grade."""
    whose = (col(SubmissionRow.account_id), col(SubmissionRow.exercise), col(SubmissionRow.attempt))
    seat = and_(
        col(SeatRow.course_id) == SubmissionRow.course_id,
        col(SeatRow.account_id) == SubmissionRow.account_id,
        col(SeatRow.role) == Role.STUDENT,
    )
    return (
        select(*whose, func.max(GradeRow.id).label("grade_id"))
        .join(SeatRow, seat)
        .join(GradeRow, col(GradeRow.submission_id) == SubmissionRow.id)
        .where(
            col(SubmissionRow.course_id) == course.id,
            col(SubmissionRow.exercise).in_([each.slug for each in exercises]),
            col(GradeRow.counts),
        )
        .group_by(col(SubmissionRow.id), *whose)
        .cte("graded")
    )


def _exercise(exercise: Exercise, tallies: Mapping[Place, Tally]) -> ExerciseAnalyticsBody:
    return ExerciseAnalyticsBody(
        exercise=exercise.slug,
        title=exercise.title,
        checkpoints=[
            _checkpoint(each.name, tallies.get((exercise.slug, each.name), Tally())) for each in exercise.checkpoints
        ],
    )


def _checkpoint(name: str, tally: Tally) -> CheckpointAnalyticsBody:
    passed = tally.attempts_to_pass.total()
    return CheckpointAnalyticsBody(
        name=name,
        tried=tally.tried,
        passed=passed,
        pass_rate=passed / tally.tried if tally.tried else None,
        attempts_to_pass=float(median(tally.attempts_to_pass.elements())) if passed else None,
        mistakes=sorted(
            (_mistake(name, code, len(students), tally) for code, students in tally.students_by_code.items()),
            key=lambda mistake: (-mistake.students, mistake.code),
        ),
    )


def _mistake(name: str, code: str, students: int, tally: Tally) -> MistakeBody:
    share = students / tally.tried
    return MistakeBody(
        code=code,
        students=students,
        share=share,
        message=f"{round(100 * share)} % {mistake_phrase(code)} {name} ({students} of {tally.tried})",
        most_common_hint=tally.hints_by_code[code].most_common(1)[0][0],
    )
