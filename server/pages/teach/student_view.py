"""What staff see of one student: each exercise as a small graph, and all attempts at one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from exercises import registry
from exercises.exercise import Exercise
from server.assignments.assignment import all_extensions_of, list_assignments
from server.courses.access import CourseSession
from server.feedback.overrides import list_overrides
from server.http.problems import NotFound
from server.pages.graph import MiniGraph, mini
from server.pages.marks import mark_of
from server.pages.study.training_view import RunShown
from server.people.people import Person, get_person
from server.queue.dispatcher import Dispatcher
from server.reports.asked import assigned
from server.reports.live_rows import LiveRow, read_live_rows
from server.reports.students import Scope, State
from server.submissions.history import Attempt, Work, list_attempts
from server.submissions.schemas import OverrideBody
from server.tables import Role
from server.training.runs import of_student

ATTEMPTS_SHOWN = 100
CHART = (300.0, 120.0)


class NoStudent(NotFound):
    """The course has no such student, or the reader does not look after them."""

    title, slug = "No such student", "unknown-student"


@dataclass(frozen=True)
class Done:
    """How a student stands in an exercise. ``due_at`` is their own, with their extensions."""

    exercise: Exercise
    row: LiveRow
    graph: MiniGraph
    due_at: datetime | None
    is_extended: bool
    override: OverrideBody | None


@dataclass(frozen=True)
class Dot:
    """An attempt in the chart; ``place`` counts from the oldest."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class StudentView:
    """The page. ``chosen`` is the exercise whose attempts are listed; ``step`` is marked in each of them.

    ``trained`` are the training runs, the newest first.
    """

    person: Person
    exercises: Sequence[Done]
    chosen: Done | None
    attempts: Sequence[Attempt]
    step: str | None
    trained: Sequence[RunShown]

    @property
    def standing(self) -> State | None:
        """The state in the chosen exercise."""
        return self.chosen.row.standing.state if self.chosen else None

    @property
    def dots(self) -> list[Dot]:
        """How many steps each attempt passed, from the first to the last; those that show no result are left out."""
        graded = [
            each for each in reversed(self.attempts) if each.summary.grade and each.summary.grade.passed is not None
        ]
        width, height = CHART
        dots = []
        for place, each in enumerate(graded):
            grade = each.summary.grade
            assert grade is not None and grade.passed is not None
            x = width * (place + 0.5) / len(graded)
            y = height * (1 - grade.passed / max(grade.total, 1))
            dots.append(Dot(round(x, 1), round(y, 1), f"attempt {each.summary.attempt}: {grade.passed}"))
        return dots


def read_student(
    member: CourseSession, dispatcher: Dispatcher, account_id: int, slug: str | None, step: str | None
) -> StudentView:
    """Return the work of a student, of the exercise that they handed in last or of the one that is named.

    :raises NoSuchPerson: nobody here has this number
    :raises NoStudent: they are no student, or the member looks after another section
    """
    session, course = member.session, member.course
    person = get_person(session, course, account_id)
    own = member.membership.section
    if person.seat.role is not Role.STUDENT or own not in (None, person.seat.section):
        raise NoStudent(f"You look after no student {account_id} in this course. Search the people of the course.")
    done = _exercises(member, account_id)
    chosen = next((each for each in done if each.exercise.slug == slug), None) or max(done, key=_last, default=None)
    attempts: list[Attempt] = []
    if chosen is not None:
        work = Work(account_id, chosen.exercise.slug)
        attempts = list_attempts(session, member.membership, dispatcher, work, ATTEMPTS_SHOWN)
        step = step if step in [each.name for each in chosen.exercise.checkpoints] else None
    trained = [RunShown(each) for each in of_student(session, course.id, account_id)]
    return StudentView(person, done, chosen, attempts, step, trained)


def _exercises(member: CourseSession, account_id: int) -> list[Done]:
    session, course = member.session, member.course
    exercises = assigned(session, course, list(registry.exercises().values()))
    assignments = {each.exercise: each for each in list_assignments(session, course, [e.slug for e in exercises])}
    extensions = all_extensions_of(session, course, account_id)
    overrides = {each.exercise: each for each in list_overrides(session, course, account_id=account_id)}
    found = []
    for exercise in exercises:
        rows = read_live_rows(session, course, exercise, Scope(among=frozenset({account_id})))
        if rows and exercise.slug in assignments:
            due_at = assignments[exercise.slug].due_for(extensions.get(exercise.slug, []))
            is_extended = due_at != assignments[exercise.slug].due_at
            found.append(
                Done(exercise, rows[0], _graph(exercise, rows[0]), due_at, is_extended, overrides.get(exercise.slug))
            )
    return found


def _graph(exercise: Exercise, row: LiveRow) -> MiniGraph:
    names = [each.name for each in exercise.checkpoints]
    marks = {name: mark_of(cell.best, cell.origin) for name, cell in zip(names, row.cells, strict=True) if cell}
    label = f"{exercise.slug}: {row.standing.passed} of {row.standing.total} steps pass"
    return mini(exercise, marks, label)


def _last(done: Done) -> float:
    moment = done.row.standing.last_handed_in_at
    return moment.timestamp() if moment else 0.0
