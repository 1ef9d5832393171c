"""The rows of the live class: how each student stands in one exercise, and whose mistake each wrong step is.

Progress keeps the best verdict of a step. Whose mistake a wrong one is, the newest answer to that step says. So only
the steps that a student did not pass yet are looked up among the grades.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, and_, func, select
from sqlmodel import Session, col

from exercises.exercise import Exercise
from grader.compare import Origin, Verdict
from server.courses.schemas import PersonBody
from server.database import dialect
from server.progress.record import PASSING
from server.reports.graded import graded
from server.reports.queries import SEPARATOR, cells_of_students
from server.reports.schemas import LiveCellBody, LiveRowBody, StuckBody
from server.reports.students import STUCK_AFTER, Scope, StudentStanding, standings_of
from server.tables import ComparisonRow, CourseRow, ProgressRow

CELL: Final = re.compile(r'"best":"(\w+)","attempts":(\d+)')  # of the texts that ``cells_of_students`` selects


@dataclass(frozen=True)
class LiveCell:
    """The best of a student at a checkpoint. ``origin`` and ``code`` are of the newest wrong answer; None if it passed.

    ``submission_id`` is that of this answer, None once the step passed.
    """

    best: str
    attempts: int
    origin: str | None = None
    code: str | None = None
    submission_id: int | None = None

    @property
    def has_passed(self) -> bool:
        """Whether the step is passed."""
        return self.best in PASSING

    @property
    def is_inherited(self) -> bool:
        """Whether the only mistake is above this step."""
        return self.origin == Origin.INHERITED


@dataclass(frozen=True)
class LiveRow:
    """A student in one exercise; a cell is None if nothing was handed in."""

    exercise: str
    standing: StudentStanding
    cells: tuple[LiveCell | None, ...]

    def body(self) -> LiveRowBody:
        """Return what is sent of it."""
        standing = self.standing
        cells = [
            None
            if each is None
            else LiveCellBody(
                best=each.best,
                attempts=each.attempts,
                origin=each.origin,
                code=each.code,
            )
            for each in self.cells
        ]
        return LiveRowBody(
            exercise=self.exercise,
            student=PersonBody(id=standing.id, name=standing.name),
            section=standing.section,
            state=standing.state,
            passed=standing.passed,
            exact=standing.exact,
            submissions=standing.submissions,
            last_handed_in_at=standing.last_handed_in_at,
            stuck=[StuckBody(**vars(each)) for each in standing.stuck],
            cells=cells,
        )


def read_live_rows(
    session: Session, course: CourseRow, exercise: Exercise, scope: Scope, stuck_after: int = STUCK_AFTER
) -> list[LiveRow]:
    """Return how everybody in the scope stands in an exercise, by name; four queries, whatever the size."""
    read = session.connection().execute
    statement = cells_of_students(dialect.name(session), course, [exercise], scope.account_ids, stuck_after)
    outcomes = read(statement).all()
    wrong = {(account_id, name): rest for account_id, name, *rest in read(_newest_wrong(course, exercise, scope))}
    cells = {row[0]: _cells(row[0], (row[-2], row[-1]), wrong) for row in outcomes}
    names, nothing = [each.name for each in exercise.checkpoints], dict[str, LiveCell]()
    return [
        LiveRow(exercise.slug, standing, tuple(map(cells.get(standing.id, nothing).get, names)))
        for standing in standings_of(session, course, [exercise], scope, outcomes)
    ]


def _cells(
    account_id: int, texts: tuple[str, str], wrong: Mapping[tuple[int, str], Sequence[Any]]
) -> dict[str, LiveCell]:
    """Return the cells of a student by checkpoint, from the names and the cells of ``cells_of_students``."""
    (names, joined), cells = texts, {}
    for name, (best, attempts) in zip(names.split(SEPARATOR), CELL.findall(joined), strict=True):
        if best in PASSING:
            cells[name] = _passed(best, attempts)
        else:
            origin, diagnosis, submission_id = wrong.get((account_id, name), (None, [], None))
            code = diagnosis[0]["code"] if diagnosis else None
            cells[name] = LiveCell(best, int(attempts), origin, code, submission_id)
    return cells


@lru_cache(maxsize=1024)
def _passed(best: str, attempts: str) -> LiveCell:
    """Return the cell of a step that passed. A class of 1,000 has some hundred different ones."""
    return LiveCell(best, int(attempts))


def _newest_wrong(course: CourseRow, exercise: Exercise, scope: Scope) -> Select[Any]:
    """Select account, checkpoint, origin, diagnosis and submission of the newest answer to each unpassed step."""
    grades = graded(course, [exercise], scope)
    newest = (
        select(grades.c.account_id, col(ComparisonRow.name).label("name"), func.max(grades.c.submission_id).label("id"))
        .join(grades, grades.c.grade_id == col(ComparisonRow.grade_id))
        .join(
            ProgressRow,
            and_(
                col(ProgressRow.course_id) == course.id,
                col(ProgressRow.account_id) == grades.c.account_id,
                col(ProgressRow.exercise) == exercise.slug,
                col(ProgressRow.checkpoint) == ComparisonRow.name,
            ),
        )
        .where(col(ProgressRow.best).not_in(PASSING), col(ComparisonRow.verdict) != Verdict.MISSING.value)
        .group_by(grades.c.account_id, col(ComparisonRow.name))
        .subquery()
    )
    chosen: Select[Any] = select(  # type: ignore[call-overload]
        newest.c.account_id, newest.c.name, col(ComparisonRow.origin), ComparisonRow.diagnosis, newest.c.id
    )
    is_row = and_(col(ComparisonRow.grade_id) == grades.c.grade_id, col(ComparisonRow.name) == newest.c.name)
    of_newest = chosen.select_from(newest).join(grades, grades.c.submission_id == newest.c.id)
    return of_newest.join(ComparisonRow, is_row)
