"""CSV that people open in a spreadsheet: no cell of it is run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

BYTE_ORDER_MARK: Final = "\ufeff"  # Excel reads UTF-8 as UTF-8 with it only
# A cell that begins with one of these is computed; some programs take the full-width signs for the plain ones.
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
QUOTE: Final = "'"
IGNORED: Final = f"{QUOTE} \u00a0\u3000"  # before a sign; the quote, so that ``restored`` takes one away and no more


def defused(cell: str) -> str:
    """Return text that a spreadsheet shows instead of computing it. ``restored`` takes it back."""
    return f"{QUOTE}{cell}" if cell.lstrip(IGNORED).startswith(FORMULA_SIGNS) else cell


def restored(cell: str) -> str:
    """Return text as it was before ``defused``."""
    return cell[1:] if cell.startswith(QUOTE) and defused(cell[1:]) == cell else cell


def as_csv(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table as CSV with a byte order mark, all cells defused."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([defused(cell) for cell in line] for line in lines)
    return BYTE_ORDER_MARK + text.getvalue()
