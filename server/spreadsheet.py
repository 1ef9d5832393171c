"""CSV for spreadsheets: no cell of it is computed.

What a person opens has a byte order mark (``as_csv``, ``cells_as_csv``). What a program imports has none
(``csv_text``).
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

_BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by which a spreadsheet knows UTF-8
_SIGNS: Final = frozenset("=+-@\N{MINUS SIGN}")  # they begin a formula
_SKIPPED: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # categories of blanks and invisible characters
# A spreadsheet of some languages splits at a semicolon or a tab, whatever is quoted: what follows begins a cell, too.
_SEPARATORS: Final = re.compile(r"([\t\r\n;|])")


def defused(text: str) -> str:
    """Return text that a spreadsheet shows instead of computing it: with an apostrophe before what begins a formula.

    ``restored`` takes it back. Full-width and small signs count like the plain ones, as do signs after blanks and
    invisible characters (OWASP, CSV Injection).
    """
    shown = "".join(f"'{part}" if _begins_formula(part) else part for part in _SEPARATORS.split(text))
    return f"'{shown}" if _is_moved(shown) else shown


def restored(text: str) -> str:
    """Return text as it was before ``defused``."""
    if text.startswith("'") and _is_moved(text):
        text = text[1:]
    parts = _SEPARATORS.split(text)
    return "".join(part[1:] if part.startswith("'") and _begins_formula(part[1:]) else part for part in parts)


def _is_moved(text: str) -> bool:
    """Whether a spreadsheet would take the first character, apostrophes aside, for the way to another cell."""
    return text.lstrip("'").startswith(("\t", "\r", "\n"))


def _begins_formula(text: str) -> bool:
    """Whether a formula begins, perhaps after apostrophes: of several, ``restored`` takes one away and no more."""
    first = next((each for each in text if each != "'" and unicodedata.category(each) not in _SKIPPED), "")
    return unicodedata.normalize("NFKC", first) in _SIGNS


def number(value: float) -> str:
    """Return a number with two decimals at most: ``26``, ``12.5``."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def csv_text(lines: Iterable[Sequence[str | float | None]]) -> str:
    """Return CSV (RFC 4180). Text is defused; numbers stay numbers; None is an empty cell."""
    return _written([_cell(value) for value in line] for line in lines)


def as_csv(header: Sequence[str], lines: Iterable[Sequence[str | float | None]]) -> str:
    """Return a table as CSV with a byte order mark, by which a spreadsheet knows UTF-8."""
    return _BOM + csv_text([header, *lines])


def cells_as_csv(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return a table like ``as_csv``, of cells whose text was defused where it needs that.

    A large table takes an eighth of the time: most of its text is ours.
    """
    return _BOM + _written([header, *lines])


def _written(lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue()


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return defused(value) if isinstance(value, str) else number(value)
