"""What the page of the class shows: students by the steps of an exercise, and who needs help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from exercises import registry
from exercises.exercise import Exercise
from server.assignments.exercises import find_exercise
from server.courses.access import CourseSession
from server.pages.steps import Column, columns_of
from server.pages.teach.live_cells import row_of
from server.reports.asked import assigned, class_scope
from server.reports.class_events import read_position
from server.reports.live_rows import LiveRow, read_live_rows
from server.reports.students import Order, RowFilter, State, chosen
from server.submissions.listing import SubmissionFilter, find_submissions

STUCK_SHOWN = 12


@dataclass(frozen=True)
class Asked:
    """What the address of the page asks for."""

    exercise: str | None = None
    section: str | None = None
    show: State | None = None
    sort: Order = Order.PASSED_DOWN
    search: str | None = None


@dataclass(frozen=True)
class Stuck:
    """A student who is stuck, with the first step of it that is their own mistake, and the kind of that."""

    row: LiveRow
    checkpoint: str
    attempts: int
    code: str | None


@dataclass(frozen=True)
class ClassView:
    """The page of the class. ``passed_by`` counts those who passed, by column; ``states`` counts all students by state.

    ``groups`` are the sections with their rows, ready for the page. ``position`` is where its events go on.
    """

    asked: Asked
    exercise: Exercise | None
    exercises: Sequence[Exercise]
    sections: Sequence[str]
    columns: Sequence[Column]
    passed_by: Sequence[int]
    states: Counter[State]
    students: int
    groups: Sequence[tuple[str | None, Sequence[Markup]]]
    stuck: Sequence[Stuck]
    position: str

    @property
    def shown(self) -> int:
        """How many rows the filter shows."""
        return sum(len(rows) for _, rows in self.groups)

    @property
    def at_work(self) -> int:
        """How many have begun and are not done."""
        return self.states[State.WORKING] + self.states[State.STUCK]


def chosen_exercise(member: CourseSession, slug: str | None) -> tuple[Exercise | None, list[Exercise]]:
    """Return the exercise that is looked at, and all that the course asks for.

    Without a name it is the one that was last handed in, or else the first.

    :raises UnknownExercise: there is no such exercise
    """
    exercises = assigned(member.session, member.course, list(registry.exercises().values()))
    if slug is not None:
        return find_exercise(slug), exercises
    last = find_submissions(member.session, member.course, SubmissionFilter(section=member.membership.section, limit=1))
    return find_exercise(last[0].exercise) if last else next(iter(exercises), None), exercises


def student_address(course: str, account_id: int, exercise: str) -> str:
    """Return where the work of a student in an exercise is shown to staff."""
    return f"/courses/{course}/students/{account_id}?exercise={exercise}"


def group_starts(exercise: Exercise) -> tuple[bool, ...]:
    """Return for each column whether a line stands before it."""
    return tuple(place > 0 and each.begins > 0 for place, each in enumerate(columns_of(exercise)))


def read_class(member: CourseSession, asked: Asked) -> ClassView:
    """Return the class in an exercise.

    :raises UnknownExercise: there is no such exercise
    :raises Forbidden: the member looks after another section
    """
    session, course = member.session, member.course
    position = str(read_position(session))
    exercise, exercises = chosen_exercise(member, asked.exercise)
    section = class_scope(member, asked.section).section
    everybody = read_live_rows(session, course, exercise, class_scope(member, None)) if exercise else []
    rows = [each for each in everybody if section in (None, each.standing.section)]
    by_id = {row.standing.id: row for row in rows}
    wanted = RowFilter(asked.show, asked.search, asked.sort)
    ordered = [by_id[each.id] for each in chosen([row.standing for row in rows], wanted).standings]
    starts = group_starts(exercise) if exercise else ()
    return ClassView(
        asked=asked,
        exercise=exercise,
        exercises=exercises,
        sections=sorted({each.standing.section for each in everybody if each.standing.section}),
        columns=columns_of(exercise) if exercise else (),
        passed_by=[
            sum(cell is not None and cell.has_passed for cell in column)
            for column in zip(*(row.cells for row in rows), strict=True)
        ]
        or [0] * len(starts),
        states=Counter(row.standing.state for row in rows),
        students=len(rows),
        groups=_groups(ordered, course.slug, starts),
        stuck=stuck_of(rows)[:STUCK_SHOWN],
        position=position,
    )


def _groups(
    rows: Sequence[LiveRow], course: str, starts: tuple[bool, ...]
) -> list[tuple[str | None, Sequence[Markup]]]:
    """Return the rows by section, in their order within each; who has none comes last."""

    def key(row: LiveRow) -> tuple[bool, str]:
        return row.standing.section is None, row.standing.section or ""

    return [
        (
            section or None,
            [row_of(each, student_address(course, each.standing.id, each.exercise), starts) for each in same],
        )
        for (_, section), same in groupby(sorted(rows, key=key), key)
    ]


def stuck_of(rows: Sequence[LiveRow]) -> list[Stuck]:
    """Return who is stuck, most attempts first."""
    found = []
    for row in rows:
        if row.standing.state is State.STUCK:
            names = [each.name for each in columns_of(registry.find(row.exercise))]
            cells = dict(zip(names, row.cells, strict=True))
            steps = {each.checkpoint: each.attempts for each in row.standing.stuck}
            unpassed = [(name, cells[name]) for name in names if name in steps]
            name, cell = next((each for each in unpassed if each[1] and not each[1].is_inherited), unpassed[0])
            found.append(Stuck(row, name, steps[name], cell.code if cell else None))
    return sorted(found, key=lambda each: -each.attempts)
