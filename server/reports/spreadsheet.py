"""Text for spreadsheets: cells that one would run are shown instead."""

from __future__ import annotations

import unicodedata
from typing import Final

FORMULA: Final = frozenset("=+-@\N{MINUS SIGN}")
# A spreadsheet takes these off, or begins a cell with them (OWASP, CSV Injection).
SKIPPED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def defused(text: str) -> str:
    """Return text that a spreadsheet shows instead of computing it.

    Full-width and small signs count like the plain ones, as do signs after blanks and invisible characters.
    """
    first = next((each for each in text if unicodedata.category(each) not in SKIPPED_CATEGORIES), "")
    is_formula = unicodedata.normalize("NFKC", first) in FORMULA
    return f"'{text}" if is_formula or text.startswith(("\t", "\r", "\n")) else text
