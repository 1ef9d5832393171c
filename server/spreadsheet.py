"""CSV for spreadsheets: no cell of it is computed."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by which a spreadsheet knows UTF-8
_SIGNS: Final = frozenset("=+-@\N{MINUS SIGN}")  # they begin a formula
_SKIPPED: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # categories of blanks and invisible characters
# A spreadsheet of some languages splits at a semicolon or a tab, whatever is quoted: what follows begins a cell, too.
_SEPARATORS: Final = re.compile(r"([\t\r\n;|])")


def defused(text: str) -> str:
    """Return text that a spreadsheet shows instead of computing it: with an apostrophe before what begins a formula.

    Full-width and small signs count like the plain ones, as do signs after blanks and invisible characters
    (OWASP, CSV Injection).
    """
    shown = "".join(f"'{part}" if _begins_formula(part) else part for part in _SEPARATORS.split(text))
    return f"'{shown}" if shown.startswith(("\t", "\r", "\n")) else shown


def _begins_formula(text: str) -> bool:
    first = next((each for each in text if unicodedata.category(each) not in _SKIPPED), "")
    return unicodedata.normalize("NFKC", first) in _SIGNS


def number(value: float) -> str:
    """Return a number with two decimals at most: ``26``, ``12.5``."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def csv_text(lines: Iterable[Sequence[str | float | None]]) -> str:
    """Return CSV (RFC 4180). Text is defused; numbers stay numbers; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    for line in lines:
        writer.writerow([_cell(value) for value in line])
    return text.getvalue()


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return defused(value) if isinstance(value, str) else number(value)
