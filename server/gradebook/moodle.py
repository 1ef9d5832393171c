"""The gradebook in the columns that Moodle imports (``grade/import/csv`` of moodle; docs.moodle.org, "Grade import").

Moodle looks up the student of each line by one column, which the teacher maps to "Email address" or "ID number", and
maps each other column to a grade item, to a new one, or to nothing. Where the cell of that column is empty, it writes
the line's points to the student of the line before; where it knows nobody of that name, it takes in nothing at all.
"""

from __future__ import annotations

from server.gradebook.exports import Export, titles
from server.gradebook.gradebook import Gradebook
from server.spreadsheet import csv_text

EMAIL, ID_NUMBER = "Email address", "ID number"
HOW_TO_MAP = "In Moodle, map {0!r} to {0!r}, and each title to its grade item, or to a new one."
LEFT_OUT = "Left out, without {}: {}. Add it to the roster, and export again."


def as_moodle(gradebook: Gradebook) -> Export:
    """Return a file that Moodle imports: who it is, the name, and a column for each assignment.

    Who it is says the e-mail address, or the id number if more students have one. A student without it is left out.
    """
    by_column = {
        EMAIL: [line.student.email for line in gradebook.lines],
        ID_NUMBER: [line.student.university_id for line in gradebook.lines],
    }
    column = max(by_column, key=lambda name: sum(map(bool, by_column[name])))
    lines = list(zip(by_column[column], gradebook.lines, strict=True))
    rows = [
        [identity, line.student.name, *(cell.points for cell in line.cells)] for identity, line in lines if identity
    ]
    left_out = ", ".join(line.student.name for identity, line in lines if not identity)
    notes = [HOW_TO_MAP.format(column)]
    if left_out:
        notes.append(LEFT_OUT.format(f"an {column}", left_out))
    return Export(csv_text([[column, "Name", *titles(gradebook)], *rows]), tuple(notes))
