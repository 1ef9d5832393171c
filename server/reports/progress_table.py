"""The progress table: the students of a course by checkpoints, as JSON and as CSV.

The database writes the cells; here they are only put in their places. The number of queries does not depend on the size
of the class.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from sqlmodel import Session

from exercises.exercise import Exercise
from grader.compare import Verdict
from server.courses.local_time import zone_of
from server.database import dialect
from server.reports.queries import SEPARATOR, cells_of_students
from server.reports.students import (
    EVERY_ROW,
    EVERYBODY,
    STUCK_AFTER,
    Page,
    RowFilter,
    Scope,
    StudentStanding,
    chosen,
    list_standings,
    shown,
    standings_of,
)
from server.spreadsheet import cells_as_csv, defused
from server.tables import CourseRow

CELLS_HEADER: Final = (
    "student_id",
    "student",
    "exercise",
    "checkpoint",
    "best",
    "exact",
    "attempts",
    "first_passed_at",
    "state",
)
STUDENTS_HEADER: Final = (
    "student_id",
    "student",
    "university_id",
    "section",
    "state",
    "passed",
    "exact",
    "checkpoints",
    "submissions",
    "last_handed_in_at",
    "last_seen_at",
    "stuck",
)
NO_CELL: Final = "null"


@dataclass(frozen=True)
class Wanted:
    """What is asked of the table: whose rows, which of them, and from how many attempts on a step counts as stuck."""

    scope: Scope = EVERYBODY
    filter: RowFilter = EVERY_ROW
    stuck_after: int = STUCK_AFTER


@dataclass(frozen=True)
class ProgressTable:
    """``columns`` are (exercise, checkpoint). Each standing of the page has a JSON text for each column in ``cells``.

    Such a text is a ``CellBody``, or ``null`` if nothing was handed in. CSV shows moments in the zone of the course.
    """

    course: str
    zone: ZoneInfo
    columns: list[tuple[str, str]]
    page: Page
    cells: list[list[str]]

    def as_json(self) -> str:
        """Return the JSON of a ``ProgressBody``."""
        columns = [{"exercise": exercise, "checkpoint": checkpoint} for exercise, checkpoint in self.columns]
        head = json.dumps(
            {
                "course": self.course,
                "students": self.page.matching,
                "next_after": self.page.next_after,
                "columns": columns,
            }
        )
        rows = [
            f'{{{_fields(standing)},"cells":[{",".join(cells)}]}}'
            for standing, cells in zip(self.page.standings, self.cells, strict=True)
        ]
        return f'{head[:-1]}, "rows": [{",".join(rows)}]}}'

    def as_csv(self) -> str:
        """Return a line for each student and checkpoint handed in, and one for each student without any."""
        return cells_as_csv(CELLS_HEADER, self._cell_lines())

    def students_as_csv(self) -> str:
        """Return a line for each student."""
        return cells_as_csv(STUDENTS_HEADER, map(self._student_line, self.page.standings))

    def _cell_lines(self) -> Iterator[Sequence[object]]:
        for standing, cells in zip(self.page.standings, self.cells, strict=True):
            student = (standing.id, defused(standing.name))
            is_empty = True
            for column, cell in zip(self.columns, map(json.loads, cells), strict=True):
                if cell is not None:
                    is_empty = False
                    exact = "true" if cell["best"] == Verdict.EXACT.value else "false"
                    passed_at = cell["first_passed_at"] and datetime.fromisoformat(cell["first_passed_at"])
                    values = (cell["best"], exact, cell["attempts"], self._local(passed_at))
                    yield (*student, *column, *values, standing.state)
            if is_empty:
                yield (*student, "", "", "", "", 0, "", standing.state)

    def _student_line(self, standing: StudentStanding) -> Sequence[object]:
        stuck = " ".join(f"{step.exercise}:{step.checkpoint}" for step in standing.stuck)
        texts = (standing.name, standing.university_id or "", standing.section or "")
        counts = (standing.passed, standing.exact, standing.total, standing.submissions)
        moments = map(self._local, (standing.last_handed_in_at, standing.last_seen_at))
        return (standing.id, *map(defused, texts), standing.state, *counts, *moments, stuck)

    def _local(self, moment: datetime | None) -> str:
        return "" if moment is None else moment.astimezone(self.zone).isoformat(timespec="seconds")


def read_progress_table(
    session: Session, course: CourseRow, exercises: Iterable[Exercise], wanted: Wanted | None = None
) -> ProgressTable:
    """Read the progress of a course; three queries, and one more for a page of it, whatever the size."""
    wanted = wanted or Wanted()
    asked, scope = list(exercises), wanted.scope
    database, read = dialect.name(session), session.connection().execute
    visible = shown(asked, scope)
    if wanted.filter.limit is None:
        outcomes = read(cells_of_students(database, course, visible, scope.account_ids, wanted.stuck_after)).all()
        page = chosen(standings_of(session, course, asked, scope, outcomes), wanted.filter)
    else:
        page = chosen(list_standings(session, course, asked, scope, wanted.stuck_after), wanted.filter)
        ids = [each.id for each in page.standings]
        outcomes = read(cells_of_students(database, course, visible, ids, wanted.stuck_after)).all()
    texts = {(row[0], row[1]): row[-2:] for row in outcomes}
    columns = [(exercise.slug, tuple(each.name for each in exercise.checkpoints)) for exercise in asked]
    cells = [
        [cell for slug, names in columns for cell in _in_places(names, *texts.get((each.id, slug), ("", "")))]
        for each in page.standings
    ]
    places = [(slug, name) for slug, names in columns for name in names]
    return ProgressTable(course.slug, zone_of(course), places, page, cells)


def _in_places(checkpoints: tuple[str, ...], names: str, cells: str) -> list[str]:
    """Return the cells of one student and exercise, which are in the order of ``names``, in that of the checkpoints."""
    texts = [*cells.split(SEPARATOR), NO_CELL]
    return [texts[place] for place in _places(checkpoints, names)]


@lru_cache(maxsize=1024)
def _places(checkpoints: tuple[str, ...], names: str) -> list[int]:
    """Return where each checkpoint stands among the names, or -1. Most of a class handed in the same ones."""
    place_of = {name: place for place, name in enumerate(names.split(SEPARATOR))}
    return [place_of.get(name, -1) for name in checkpoints]


def _fields(standing: StudentStanding) -> str:
    """Return the JSON of a ``StudentProgressBody`` without its cells.

    Most values need no escape, so ``json`` is asked for the others alone.
    """
    stuck = json.dumps([vars(step) for step in standing.stuck]) if standing.stuck else "[]"
    return (
        f'"student":{{"id":{standing.id},"name":{json.dumps(standing.name)}}},'
        f'"section":{_text(standing.section)},"university_id":{_text(standing.university_id)},'
        f'"state":"{standing.state.value}","passed":{standing.passed},"exact":{standing.exact},'
        f'"submissions":{standing.submissions},"last_handed_in_at":{_utc(standing.last_handed_in_at)},'
        f'"last_seen_at":{_utc(standing.last_seen_at)},"stuck":{stuck}'
    )


def _text(text: str | None) -> str:
    return "null" if text is None else json.dumps(text)


def _utc(moment: datetime | None) -> str:
    return "null" if moment is None else f'"{moment.isoformat().removesuffix("+00:00")}Z"'
