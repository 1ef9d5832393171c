"""Reading a roster: a CSV file of any spreadsheet, with its columns in any order and spelling."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.http.problems import Problem, Unprocessable
from server.people.people import Details
from server.spreadsheet import restored
from server.tables import Role

DELIMITERS: Final = ",;\t"
MISTAKES_SHOWN: Final = 10
LINES_MAX: Final = 10_000

# Headings without spaces, punctuation, accents and case, in English and German, as spreadsheets, Canvas, Moodle and
# university systems have them. Those that messages name come first.
HEADINGS: Final = {
    "name": "name fullname student studentname displayname nameofstudent vollername vollstandigername anzeigename "
    "studierende studierender studentin teilnehmer teilnehmerin",
    "first_name": "firstname vorname vornamen givenname forename rufname",
    "last_name": "lastname nachname surname familyname familienname zuname",
    "email": "email mail emailaddress mailaddress emails emailadresse mailadresse",
    "university_id": "universityid studentid matriculationnumber matrikelnummer idnumber uniid studentnumber studentno "
    "matriculationno matriculation matriculationid matrikelnr matrikel matrnr matnr sisuserid sisid idnummer",
    "section": "section group gruppe tutorial tutorium sections groups gruppen tutorialgroup tutoriumsgruppe "
    "ubungsgruppe uebungsgruppe ubung uebung class klasse sektion sectionname gruppenname",
    "role": "role rolle roles rollen",
}
HEADINGS_SHOWN: Final = 4  # of each, in a message
# These mean a university id if no other heading does: Canvas has an ID of its own beside the "SIS User ID".
VAGUE_ID_HEADINGS: Final = ("id", "number", "nummer")
FIELD_OF_HEADING: Final = {heading: name for name, headings in HEADINGS.items() for heading in headings.split()}
ROLE_OF_WORD: Final = {
    **dict.fromkeys("student studentin studierende studierender learner teilnehmer teilnehmerin".split(), Role.STUDENT),
    **dict.fromkeys("assistant assistent assistentin ta teachingassistant tutor tutorin".split(), Role.ASSISTANT),
    **dict.fromkeys("instructor teacher lecturer dozent dozentin lehrende lehrender trainer".split(), Role.INSTRUCTOR),
    "trainerin": Role.INSTRUCTOR,
}
WORDS: Final = {
    "university_id": "university id",
    "email": "e-mail",
    "first_name": "first name",
    "last_name": "last name",
}


@dataclass(frozen=True)
class Mistake:
    """What is wrong in a file: the number of the line, the column in words (empty for the whole line), a sentence."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        return (
            f"Line {self.line}, column {self.column}: {self.text}" if self.column else f"Line {self.line}: {self.text}"
        )


class BadRoster(Unprocessable):
    """A roster that holds mistakes. Nothing of it is written."""

    title, slug = "Roster with mistakes", "bad-roster"

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        shown = " ".join(map(str, mistakes[:MISTAKES_SHOWN]))
        more = f" And {len(mistakes) - MISTAKES_SHOWN} more." if len(mistakes) > MISTAKES_SHOWN else ""
        super().__init__(f"{shown}{more} Nothing was written. Correct the file and import it again.")
        self.mistakes = mistakes


@dataclass(frozen=True)
class RosterLine:
    """A person of a roster. Of ``details``, only those in ``given`` stood in the file; an empty cell is not given."""

    number: int
    details: Details
    given: frozenset[str]


@dataclass(frozen=True)
class Roster:
    """The people of a file, and the headings that mean nothing here."""

    lines: list[RosterLine]
    ignored_columns: list[str] = field(default_factory=list)


def read_roster(content: bytes) -> Roster:
    """Read a roster.

    :raises BadRoster: with every mistake, each with its line and column
    """
    rows = _rows(_text(content))
    if not rows:
        raise BadRoster([Mistake(1, "", "The file is empty.")])
    heading_line, headings = rows[0]
    columns = _columns(headings)
    _check_headings(heading_line, headings, columns)
    if len(rows) > LINES_MAX:
        raise BadRoster([Mistake(rows[LINES_MAX][0], "", f"A roster has at most {LINES_MAX} lines.")])
    lines, mistakes = [], []
    for number, cells in rows[1:]:
        line, found = _line(number, columns, cells)
        mistakes += found
        lines += [line] if line else []
    mistakes += _duplicates(lines)
    if mistakes:
        raise BadRoster(sorted(mistakes, key=lambda mistake: mistake.line))
    return Roster(lines, [heading for heading, name in zip(headings, columns, strict=True) if not name and heading])


def _text(content: bytes) -> str:
    """Return the text of a file: UTF-8, or UTF-16 with its mark, as Excel writes "Unicode text"."""
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadRoster([Mistake(line, "", "This is no UTF-8. Save the file as “CSV UTF-8”.")]) from None
    if "\0" in text:
        raise BadRoster(
            [Mistake(text[: text.index("\0")].count("\n") + 1, "", "This is no CSV. Save the file as CSV.")]
        )
    return text


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return the rows that hold something, each with the number of its first line."""
    first_line = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    number = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((number, [cell.strip() for cell in cells]))
            number = reader.line_num + 1
    except csv.Error as error:
        raise BadRoster([Mistake(number, "", f"The CSV cannot be read ({error}).")]) from None
    return rows


def _columns(headings: Sequence[str]) -> list[str | None]:
    """Return what each column holds, or None if its heading means nothing here."""
    columns = [FIELD_OF_HEADING.get(_plain(heading)) for heading in headings]
    if "university_id" not in columns:
        vague = [heading for heading in map(_plain, headings) if heading in VAGUE_ID_HEADINGS]
        return [
            column or ("university_id" if _plain(h) in vague[:1] else None)
            for column, h in zip(columns, headings, strict=True)
        ]
    return columns


def _check_headings(line: int, headings: Sequence[str], columns: Sequence[str | None]) -> None:
    named = [column for column in columns if column]
    for column in named:
        if named.count(column) > 1:
            twice = [heading for heading, name in zip(headings, columns, strict=True) if name == column]
            raise BadRoster(
                [Mistake(line, WORDS.get(column, column), f"The headings {' and '.join(twice)} both mean it.")]
            )
    if not {"name", "last_name"} & set(named):
        text = f"There is no such heading. {known_headings('name', 'first_name', 'last_name')}"
        raise BadRoster([Mistake(line, "name", text)])
    if not {"email", "university_id"} & set(named):
        text = f"There is neither such a heading nor one for the e-mail. {known_headings('university_id', 'email')}"
        raise BadRoster([Mistake(line, "university id", text)])


def known_headings(*names: str) -> str:
    """Return a sentence with the headings that are known for some columns, or with all columns in words."""
    if not names:
        return f"What is known: {', '.join(WORDS.get(name, name) for name in HEADINGS)}, in English or German."
    known = (f"for the {WORDS.get(name, name)}: {', '.join(HEADINGS[name].split()[:HEADINGS_SHOWN])}" for name in names)
    return f"Known are {'; '.join(known)}. Spaces and capitals do not matter."


def _line(number: int, columns: Sequence[str | None], cells: Sequence[str]) -> tuple[RosterLine | None, list[Mistake]]:
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        return None, [Mistake(number, "", f"There are {len(cells)} cells under {len(columns)} headings.")]
    values = {column: restored(cell) for column, cell in zip(columns, cells, strict=False) if column and cell}
    mistakes = []
    values["name"] = values.get("name") or " ".join(values.pop(part, "") for part in ("first_name", "last_name"))
    role = ROLE_OF_WORD.get(_plain(values.get("role", "student")))
    if role is None:
        mistakes.append(
            Mistake(number, "role", f"{values['role']!r} is no role. Write student, assistant or instructor.")
        )
    details: dict[str, str | None] = {"name": None, "email": None, "university_id": None, "section": None}
    for name in details:
        try:
            cleaned = Details(**{"name": "x", name: values.get(name)} if name != "name" else {"name": values["name"]})
            details[name] = getattr(cleaned.cleaned(), name)
        except Problem as problem:
            mistakes.append(Mistake(number, WORDS.get(name, name), problem.detail))
    if not values.get("email") and not values.get("university_id"):
        mistakes.append(Mistake(number, "university id", "There is neither a university id nor an e-mail address."))
    if mistakes or role is None or details["name"] is None:
        return None, mistakes
    known = Details(details.pop("name") or "", role, **details)
    given = {name for name in ("role", "email", "university_id", "section") if values.get(name)} | {"name"}
    return RosterLine(number, known, frozenset(given)), []


def _duplicates(lines: Iterable[RosterLine]) -> list[Mistake]:
    seen: dict[tuple[str, str], int] = {}
    mistakes = []
    for line in lines:
        for name, value in (("university_id", line.details.university_id), ("email", line.details.email)):
            if value and (first := seen.setdefault((name, value.casefold()), line.number)) != line.number:
                mistakes.append(Mistake(line.number, WORDS[name], f"{value} stands in line {first} already."))
    return mistakes


def _plain(heading: str) -> str:
    text = unicodedata.normalize("NFKD", heading).casefold()
    return re.sub(r"[^a-z0-9]", "", text)
