"""The gradebook in the columns that Canvas imports (``lib/gradebook_importer.rb`` of canvas-lms).

1. The header has Student, ID, SIS User ID, SIS Login ID and Section, in this order; assignments follow.
2. The line "Points Possible" says what each assignment is worth.
3. A student is found by ID, else by SIS User ID, else by SIS Login ID, else by name; an assignment by the number in
   brackets after its title, else by its title. Canvas asks whether to make anew what it does not find.

So that everything is found, an export of Canvas itself may be given as a *base*: its columns about students stay as
they are, and its assignments keep their numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from server.gradebook.exports import NUMBER_IN_BRACKETS, Export, titles
from server.gradebook.gradebook import Gradebook, Line
from server.http.problems import Unprocessable
from server.spreadsheet import csv_text, number

STUDENT, ID, SIS_USER_ID, SIS_LOGIN_ID, SECTION = "Student", "ID", "SIS User ID", "SIS Login ID", "Section"
LAST_NAME: Final = "LastName"  # with FirstName it stands in place of Student, if a teacher of Canvas wishes it so
STUDENT_COLUMNS: Final = (STUDENT, ID, SIS_USER_ID, SIS_LOGIN_ID, SECTION)
POINTS_POSSIBLE: Final = "    Points Possible"
EXPORT_AGAIN: Final = "In Canvas, export it again: Gradebook, Export, Export Entire Gradebook."
NOT_THERE: Final = (
    "Not in the gradebook of Canvas, and at the end of the file: {}. "
    "Add them in Canvas, or correct their university id in the roster."
)
MADE_ANEW: Final = "Canvas has no assignment of this name, and will make it: {}."
NOT_HERE: Final = "{} of the gradebook of Canvas are not in this course, and left out of the file."

Cells = Sequence[str | float | None]


class BadBase(Unprocessable):
    """What was given as an export of Canvas is none, or does not fit the course."""

    title, slug = "Not a gradebook of Canvas", "not-a-canvas-gradebook"


@dataclass(frozen=True)
class CanvasBase:
    """An export of Canvas's gradebook.

    ``header`` are its columns about students, and ``students`` the cells of these, line by line. ``assignments`` maps
    the title of each assignment to the header of its column and to its points possible, None if it has none.
    """

    header: tuple[str, ...]
    students: tuple[tuple[str, ...], ...]
    assignments: Mapping[str, tuple[str, float | None]]

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read an export as Canvas writes it: UTF-8, perhaps with a BOM, with commas or semicolons.

        :raises BadBase: it is none
        """
        try:
            text = content.decode("utf-8-sig")
            first = text.partition("\n")[0]
            separator = ";" if first.count(";") > first.count(",") else ","
            header, *lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        except (UnicodeDecodeError, csv.Error, ValueError):
            raise BadBase(f"This is no CSV in UTF-8. {EXPORT_AGAIN}") from None
        if ID not in header or SECTION not in header or header.index(SECTION) < header.index(ID):
            raise BadBase(f"The first line of a gradebook of Canvas has the columns ID and Section. {EXPORT_AGAIN}")
        if any(len(line) != len(header) for line in lines if line):
            raise BadBase(f"Not every line has as many cells as the first. {EXPORT_AGAIN}")
        width = header.index(SECTION) + 1
        possible = next((line for line in lines if line and POINTS_POSSIBLE.strip() in line[0]), [""] * len(header))
        assignments = {
            NUMBER_IN_BRACKETS.sub("", name): (name, _points(points))
            for name, points in list(zip(header, possible, strict=True))[width:]
            if NUMBER_IN_BRACKETS.search(name)
        }
        id_place = header.index(ID)
        students = tuple(tuple(line[:width]) for line in lines if line and line[id_place].strip())
        return cls(tuple(header[:width]), students, assignments)

    def places(self) -> dict[str, int]:
        """Return where each student stands, by SIS User ID and by SIS Login ID in small letters."""
        found: dict[str, int] = {}
        for name in (SIS_LOGIN_ID, SIS_USER_ID):  # the latter counts where both fit
            if name in self.header:
                keys = [cells[self.header.index(name)].strip().casefold() for cells in self.students]
                found |= {key: place for place, key in enumerate(keys) if key}
        return found


def as_canvas(gradebook: Gradebook, base: CanvasBase | None = None) -> Export:
    """Return a file that Canvas imports.

    Who is in the base comes first, in its order. The others follow, without an ID of Canvas.

    :raises BadBase: an assignment is worth something else in the base
    """
    header: Sequence[str] = STUDENT_COLUMNS if base is None else base.header
    students: list[tuple[Cells, Line]] = []
    notes: tuple[str, ...] = ()
    if base is not None:
        students, notes = _matched(gradebook, base)
    known = {line.student.id for _, line in students}
    others = [line for line in gradebook.lines if line.student.id not in known]
    rows = [[*cells, *_points_of(line)] for cells, line in students]
    rows += [[*(_own_cell(name, line) for name in header), *_points_of(line)] for line in others]
    possible = [POINTS_POSSIBLE, *[None] * (len(header) - 1), *(column.points_max for column in gradebook.columns)]
    headers = _headers(gradebook, base)
    made = [name for name in headers if not NUMBER_IN_BRACKETS.search(name)] if base else []
    if made:
        notes += (MADE_ANEW.format(", ".join(made)),)
    return Export(csv_text([[*header, *headers], possible, *rows]), notes)


def _matched(gradebook: Gradebook, base: CanvasBase) -> tuple[list[tuple[Cells, Line]], tuple[str, ...]]:
    """Return the students of the base who are in the course, and what is to be said of the others."""
    places = base.places()
    found: dict[int, Line] = {}
    missing = []
    for line in gradebook.lines:
        keys = [key.strip().casefold() for key in (line.student.university_id, line.student.email) if key]
        place = next((places[key] for key in keys if key in places), None)
        if place is None or place in found:
            missing.append(line.student.name)
        else:
            found[place] = line
    notes = [NOT_THERE.format(", ".join(missing))] if missing else []
    if len(found) < len(base.students):
        notes.append(NOT_HERE.format(len(base.students) - len(found)))
    return [(base.students[place], found[place]) for place in sorted(found)], tuple(notes)


def _headers(gradebook: Gradebook, base: CanvasBase | None) -> list[str]:
    """Return the header of each assignment, with its number in Canvas if the base has it, by title or by slug.

    :raises BadBase: the base says that it is worth something else
    """
    headers = []
    for title, column in zip(titles(gradebook), gradebook.columns, strict=True):
        known = base.assignments if base else {}
        name, points = known.get(title) or known.get(column.exercise) or (title, None)
        if points is not None and number(points) != number(column.points_max):
            raise BadBase(
                f"{title!r} is worth {number(points)} points in Canvas and {number(column.points_max)} here. "
                "Change it in one of them, and export again."
            )
        headers.append(name)
    return headers


def _own_cell(name: str, line: Line) -> str | None:
    """Return what the course knows for a column about students."""
    student = line.student
    known = {
        STUDENT: student.name,
        LAST_NAME: student.name,
        SIS_USER_ID: student.university_id,
        SIS_LOGIN_ID: student.email,
        SECTION: student.section,
    }
    return known.get(name)


def _points_of(line: Line) -> list[float]:
    return [cell.points for cell in line.cells]


def _points(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
