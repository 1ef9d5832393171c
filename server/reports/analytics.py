"""Analytics: how a class gets on with each checkpoint, and which mistakes it makes there.

Only the newest grade of each submission that counts is read; staff submissions are ignored. The database reduces a
class's rows to a few groups for each checkpoint, and returns only the mistakes one by one.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Final

from sqlalchemy import CTE, ColumnElement, Select, Text, and_, cast, func, select
from sqlmodel import Session, col

from exercises.exercise import Exercise
from grader.compare import Origin, Verdict
from grader.diagnosis.messages import mistake_phrase
from grader.sandbox import RunStatus
from server.courses.schemas import PersonBody
from server.database import dialect
from server.progress.record import PASSING
from server.reports.graded import counted_seat, graded
from server.reports.schemas import AnalyticsBody, CheckpointAnalyticsBody, ExerciseAnalyticsBody, MistakeBody, StopBody
from server.reports.stops import Stop, stop_of
from server.reports.students import EVERYBODY, STUCK_AFTER, Scope, in_scope
from server.tables import AccountRow, ComparisonRow, CourseRow, GradeRow, ProgressRow, SeatRow, SubmissionRow

STUCK_STUDENTS_MAX: Final = 50
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)

Place = tuple[str, str]  # exercise, checkpoint


@dataclass
class Tally:
    """The counts of a checkpoint.

    ``attempts_to_pass`` and ``minutes_to_pass`` count students by what they needed. ``stuck`` are id and name of the
    stuck ones. ``students_by_code`` are those who made a
    mistake of that kind. ``hints_by_code`` counts how often each first hint was given for it.
    """

    tried: int = 0
    attempts_to_pass: Counter[int] = field(default_factory=Counter)
    minutes_to_pass: Counter[int] = field(default_factory=Counter)
    stuck: list[tuple[int, str]] = field(default_factory=list)
    students_by_code: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    hints_by_code: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


@dataclass
class Runs:
    """What became of the code of an exercise.

    ``last_ok`` is the last attempt of each student whose code ran to its end, or 0; it has everybody who handed in
    code. ``last_stop`` is the last one that stopped. ``newest_by_stop`` are submissions.
    """

    last_ok: dict[int, int] = field(default_factory=dict)
    last_stop: dict[int, int] = field(default_factory=dict)
    students_by_stop: dict[Stop, set[int]] = field(default_factory=lambda: defaultdict(set))
    newest_by_stop: dict[Stop, int] = field(default_factory=dict)


def read_analytics(
    session: Session,
    course: CourseRow,
    exercises: Iterable[Exercise],
    scope: Scope = EVERYBODY,
    stuck_after: int = STUCK_AFTER,
) -> AnalyticsBody:
    """Return the analytics of some exercises, checkpoints in their order; seven queries, whatever the size."""
    asked = list(exercises)
    grades = graded(course, asked, scope)
    tallies: dict[Place, Tally] = defaultdict(Tally)
    read = session.connection().execute
    for exercise, name, needed, students in read(_attempts(grades)):
        tally = tallies[exercise, name]
        tally.tried += students
        if needed is not None:
            tally.attempts_to_pass[needed] += students
    parsed: dict[str, list[tuple[str, str]]] = {}  # a class makes the same few mistakes again and again
    for account_id, exercise, name, text in read(_mistakes(grades)):
        if text not in parsed:
            parsed[text] = [(each["code"], each["hints"][0]) for each in json.loads(text)]
        for code, hint in parsed[text]:
            tallies[exercise, name].students_by_code[code].add(account_id)
            tallies[exercise, name].hints_by_code[code][hint] += 1
    for exercise, name, minutes, students in read(_minutes(dialect.name(session), course, asked, scope)):
        tallies[exercise, name].minutes_to_pass[minutes] += students
    for exercise, name, id, student in read(_stuck(course, scope, stuck_after)):
        tallies[exercise, name].stuck.append((id, student))
    runs = _read_runs(session, grades, asked)
    seats = select(func.count()).where(counted_seat(course, scope))
    return AnalyticsBody(
        course=course.slug,
        students=read(seats).scalar_one(),
        exercises=[_exercise(each, tallies, runs[each.slug]) for each in asked],
    )


def read_mistakes(
    session: Session, course: CourseRow, exercise: Exercise, checkpoint: str, scope: Scope, tried: int
) -> list[MistakeBody]:
    """Return the mistakes at one step, the commonest first; one query.

    :param tried: how many students tried the step
    """
    tally = Tally(tried=tried)
    mistakes = _mistakes(graded(course, [exercise], scope)).where(col(ComparisonRow.name) == checkpoint)
    for account_id, _, _, text in session.connection().execute(mistakes):
        for each in json.loads(text):
            tally.students_by_code[each["code"]].add(account_id)
            tally.hints_by_code[each["code"]][each["hints"][0]] += 1
    return _checkpoint(checkpoint, tally).mistakes


def _attempts(graded: CTE) -> Select[str, str, int | None, int]:
    """Select exercise, checkpoint, the number of the first attempt that passed or None, and how many students."""
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


def _mistakes(graded: CTE) -> Select[int, str, str, str]:
    """Select account, exercise, checkpoint and the diagnosis, as JSON text, of each own mistake."""
    return (
        select(graded.c.account_id, graded.c.exercise, col(ComparisonRow.name), cast(ComparisonRow.diagnosis, Text))
        .join(graded, graded.c.grade_id == col(ComparisonRow.grade_id))
        .where(col(ComparisonRow.origin) == Origin.OWN.value)
    )


def _minutes(
    database: str, course: CourseRow, exercises: Sequence[Exercise], scope: Scope
) -> Select[str, str, int, int]:
    """Select exercise, checkpoint, the minutes from the first hand-in to the pass, and how many students."""
    first = (
        select(
            col(SubmissionRow.account_id),
            col(SubmissionRow.exercise),
            func.min(SubmissionRow.created_at).label("handed_in_at"),
        )
        .where(
            col(SubmissionRow.course_id) == course.id,
            col(SubmissionRow.exercise).in_([each.slug for each in exercises]),
        )
        .group_by(col(SubmissionRow.account_id), col(SubmissionRow.exercise))
        .subquery()
    )
    minutes = dialect.minutes_between(database, first.c.handed_in_at, col(ProgressRow.first_passed_at))
    groups = (col(ProgressRow.exercise), col(ProgressRow.checkpoint), minutes)
    return (
        select(*groups, func.count())
        .join(first, and_(first.c.account_id == ProgressRow.account_id, first.c.exercise == ProgressRow.exercise))
        .join(SeatRow, _seat_of_progress())
        .where(
            counted_seat(course, scope),
            col(ProgressRow.course_id) == course.id,
            col(ProgressRow.first_passed_at).is_not(None),
        )
        .group_by(*groups)
    )


def _stuck(course: CourseRow, scope: Scope, stuck_after: int) -> Select[str, str, int, str]:
    """Select exercise, checkpoint, and id and name of each student who is stuck there, the most attempts first."""
    return (
        select(col(ProgressRow.exercise), col(ProgressRow.checkpoint), col(AccountRow.id), col(AccountRow.name))
        .join(SeatRow, _seat_of_progress())
        .join(AccountRow, col(AccountRow.id) == ProgressRow.account_id)
        .where(
            in_scope(course, scope),
            col(ProgressRow.course_id) == course.id,
            col(ProgressRow.best).not_in(PASSING),
            col(ProgressRow.attempts) >= stuck_after,
        )
        .order_by(col(ProgressRow.attempts).desc(), AccountRow.name, col(AccountRow.id))
    )


def _seat_of_progress() -> ColumnElement[bool]:
    return and_(col(SeatRow.course_id) == ProgressRow.course_id, col(SeatRow.account_id) == ProgressRow.account_id)


def _runs(grades: CTE) -> Select[str, int, int | None]:
    """Select exercise, account and the last attempt whose code ran to its end, of all who handed in code."""
    last_ok = func.max(grades.c.attempt).filter(col(GradeRow.run_status) == RunStatus.OK.value)
    return (
        select(grades.c.exercise, grades.c.account_id, last_ok)
        .join(GradeRow, col(GradeRow.id) == grades.c.grade_id)
        .where(col(GradeRow.run_status).is_not(None))
        .group_by(grades.c.exercise, grades.c.account_id)
    )


def _stops(grades: CTE) -> Select[str, int, int, int, str, str]:
    """Select exercise, account, attempt, submission, status and message of each run that stopped, in their order."""
    return (
        select(
            grades.c.exercise,
            grades.c.account_id,
            grades.c.attempt,
            grades.c.submission_id,
            col(GradeRow.run_status),
            func.coalesce(GradeRow.run_message, ""),
        )
        .join(GradeRow, col(GradeRow.id) == grades.c.grade_id)
        .where(col(GradeRow.run_status) != RunStatus.OK.value)
        .order_by(grades.c.submission_id)
    )


def _read_runs(session: Session, grades: CTE, exercises: Iterable[Exercise]) -> Mapping[str, Runs]:
    """Return what became of the code of each exercise."""
    read = session.connection().execute
    runs = {each.slug: Runs() for each in exercises}
    names = {each.slug: frozenset(checkpoint.name for checkpoint in each.checkpoints) for each in exercises}
    for exercise, account_id, last_ok in read(_runs(grades)):
        runs[exercise].last_ok[account_id] = last_ok or 0
    for exercise, account_id, attempt, submission_id, status, message in read(_stops(grades)):
        stop = stop_of(status, message, names[exercise])
        runs[exercise].students_by_stop[stop].add(account_id)
        runs[exercise].newest_by_stop[stop] = submission_id
        runs[exercise].last_stop[account_id] = attempt
    return runs


def _exercise(exercise: Exercise, tallies: Mapping[Place, Tally], runs: Runs) -> ExerciseAnalyticsBody:
    stops = [_stop(stop, len(students), runs) for stop, students in runs.students_by_stop.items()]
    return ExerciseAnalyticsBody(
        exercise=exercise.slug,
        title=exercise.title,
        ran_code=len(runs.last_ok),
        stopped=len(runs.last_stop),
        still_stopping=sum(attempt > runs.last_ok[id] for id, attempt in runs.last_stop.items()),
        stops=sorted(stops, key=lambda stop: (-stop.students, stop.message)),
        checkpoints=[
            _checkpoint(each.name, tallies.get((exercise.slug, each.name), Tally())) for each in exercise.checkpoints
        ],
    )


def _stop(stop: Stop, students: int, runs: Runs) -> StopBody:
    share = students / len(runs.last_ok)
    return StopBody(
        **asdict(stop),
        students=students,
        share=share,
        message=f"{round(100 * share)} % have code that {stop.phrase} ({students} of {len(runs.last_ok)})",
        example_submission=runs.newest_by_stop[stop],
    )


def _checkpoint(name: str, tally: Tally) -> CheckpointAnalyticsBody:
    passed = tally.attempts_to_pass.total()
    return CheckpointAnalyticsBody(
        name=name,
        tried=tally.tried,
        passed=passed,
        passed_at_first=tally.attempts_to_pass[1],
        pass_rate=passed / tally.tried if tally.tried else None,
        attempts_to_pass=float(median(tally.attempts_to_pass.elements())) if passed else None,
        minutes_to_pass=float(median(tally.minutes_to_pass.elements())) if tally.minutes_to_pass else None,
        minutes_quantiles=_quantiles(sorted(tally.minutes_to_pass.elements())) or None,
        stuck=len(tally.stuck),
        stuck_students=[PersonBody(id=id, name=name) for id, name in tally.stuck[:STUCK_STUDENTS_MAX]],
        mistakes=sorted(
            (_mistake(name, code, len(students), tally) for code, students in tally.students_by_code.items()),
            key=lambda mistake: (-mistake.students, mistake.code),
        ),
    )


def _quantiles(minutes: Sequence[int]) -> list[float]:
    """Return the quantiles of ``minutes_quantiles``, between two neighbours where one falls there; none of nothing."""
    found = []
    for share in QUANTILES if minutes else ():
        place = share * (len(minutes) - 1)
        below = int(place)
        above = min(below + 1, len(minutes) - 1)
        found.append(round(minutes[below] + (place - below) * (minutes[above] - minutes[below]), 2))
    return found


def _mistake(name: str, code: str, students: int, tally: Tally) -> MistakeBody:
    share = students / tally.tried
    return MistakeBody(
        code=code,
        students=students,
        share=share,
        message=f"{round(100 * share)} % {mistake_phrase(code)} {name} ({students} of {tally.tried})",
        most_common_hint=tally.hints_by_code[code].most_common(1)[0][0],
    )
