"""What the wall shows of one step: how many have it, what the others lack, and the commonest mistake. No names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import Final

from sqlmodel import Session

from exercises.exercise import Exercise
from server.http.problems import NotFound
from server.pages.marks import Mark, mark_of
from server.pages.steps import Column, columns_of
from server.reports.analytics import read_mistakes
from server.reports.live_rows import LiveRow, read_live_rows
from server.reports.schemas import MistakeBody
from server.reports.students import Scope
from server.tables import CourseRow

HAVE_IT: Final = (Mark.EXACT, Mark.APPROXIMATE, Mark.ROUNDING)
ORDER: Final = (*HAVE_IT, Mark.INHERITED, Mark.UNKNOWN, Mark.OWN, Mark.MISSING)
MARKS_MAX: Final = 400  # more students than this are a bar, not marks
MARK_STEP: Final = 20


class UnknownStep(NotFound):
    """The exercise has no such step."""

    title, slug = "No such step", "unknown-step"


@dataclass(frozen=True)
class Placed:
    """A mark of the waffle, and where it stands."""

    mark: Mark
    x: int
    y: int


@dataclass(frozen=True)
class Bar:
    """A step in the foot: how many have it, and the top of its bar of 40."""

    column: Column
    passed: int
    y: float
    is_shown: bool


@dataclass(frozen=True)
class Wall:
    """One step on the wall. ``counts`` are students by mark, ``students`` all of them."""

    exercise: Exercise
    column: Column
    counts: Mapping[Mark, int]
    students: int
    bars: Sequence[Bar]
    mistake: MistakeBody | None
    previous: str | None
    following: str | None

    @property
    def have_it(self) -> int:
        """How many passed the step."""
        return sum(self.counts[each] for each in HAVE_IT)

    @property
    def has_marks(self) -> bool:
        """Whether each student is a mark."""
        return 0 < self.students <= MARKS_MAX

    @property
    def across(self) -> int:
        """How many marks stand in a row."""
        return max(ceil(sqrt(self.students * 2.4)), 1)

    @property
    def waffle(self) -> list[Placed]:
        """A mark for each student."""
        marks = [mark for mark in ORDER for _ in range(self.counts[mark])]
        across = self.across
        return [
            Placed(mark, place % across * MARK_STEP, place // across * MARK_STEP) for place, mark in enumerate(marks)
        ]

    @property
    def waffle_size(self) -> tuple[int, int]:
        """Width and height of the waffle."""
        return self.across * MARK_STEP - 4, ceil(self.students / self.across) * MARK_STEP - 4

    @property
    def shares(self) -> list[tuple[Mark, float, float]]:
        """Mark, begin and width of each part of the bar, in percent."""
        parts, at = [], 0.0
        for mark in ORDER:
            width = 100 * self.counts[mark] / max(self.students, 1)
            parts.append((mark, round(at, 2), round(width, 2)))
            at += width
        return parts


@dataclass
class Tally:
    """The marks of a class at one step, kept up to date while it works. ``marks`` are by account and step."""

    exercise: Exercise
    step: str
    marks: dict[int, tuple[Mark, ...]] = field(default_factory=dict)
    mistake: MistakeBody | None = None

    def take(self, rows: Iterable[LiveRow]) -> None:
        """Take the rows of students, new ones or again."""
        for row in rows:
            self.marks[row.standing.id] = tuple(
                mark_of(cell.best, cell.origin) if cell else Mark.MISSING for cell in row.cells
            )

    def wall(self) -> Wall:
        """Return the wall as it is now."""
        columns = columns_of(self.exercise)
        place = next(number for number, each in enumerate(columns) if each.name == self.step)
        counts = Counter(each[place] for each in self.marks.values())
        students = len(self.marks)
        passed = [sum(mark in HAVE_IT for mark in marks) for marks in zip(*self.marks.values(), strict=True)]
        passed = passed or [0] * len(columns)
        return Wall(
            exercise=self.exercise,
            column=columns[place],
            counts=counts,
            students=students,
            bars=[
                Bar(column, count, round(40 - 40 * count / max(students, 1), 1), column.name == self.step)
                for column, count in zip(columns, passed, strict=True)
            ],
            mistake=self.mistake,
            previous=columns[place - 1].name if place else None,
            following=columns[place + 1].name if place + 1 < len(columns) else None,
        )


def begin_tally(session: Session, course: CourseRow, exercise: Exercise, step: str, scope: Scope) -> Tally:
    """Return how a class stands at a step now.

    :raises UnknownStep: the exercise has no such step
    """
    names = [each.name for each in exercise.checkpoints]
    if step not in names:
        raise UnknownStep(f"{exercise.slug} has no step {step!r}. Choose one of: {', '.join(names)}.")
    tally = Tally(exercise, step)
    tally.take(read_live_rows(session, course, exercise, scope))
    read_mistake(session, course, tally, scope)
    return tally


def read_mistake(session: Session, course: CourseRow, tally: Tally, scope: Scope) -> None:
    """Read the commonest mistake of the step that a tally is about."""
    found = read_mistakes(session, course, tally.exercise, tally.step, scope, max(len(tally.marks), 1))
    known = [each for each in found if each.code != "unknown"]
    tally.mistake = next(iter([*known, *found]), None)
