"""Repair the indentation that a file has lost.

Some programs that convert notebooks turn every run of spaces into one. A loop inside a loop is then followed by lines
that are no deeper than itself, which Python refuses. Such lines become its block, up to the next blank line, the next
line that is less deep, or its own branch (``else`` …).

The client has its own repair: both stand on their side of HTTP.
"""

from __future__ import annotations

import ast
import re
from typing import Final

_REPAIRS_MAX: Final = 50  # blocks of one file
_BRANCH: Final = re.compile(r"\s*(?:else|elif|except|finally)\b")


def repair_indentation(text: str) -> str | None:
    """Return the same lines, some of them deeper, so that Python can parse them; None if that is impossible."""
    lines = text.split("\n")
    for _ in range(_REPAIRS_MAX):
        try:
            ast.parse("\n".join(lines))
            return "\n".join(lines)
        except IndentationError as error:
            block = _block(lines, (error.lineno or 1) - 1)
        except SyntaxError:
            return None
        if not block:
            return None
        for at in block:
            lines[at] = " " + lines[at]
    return None


def _block(lines: list[str], first: int) -> range:
    """Return the lines that should be deeper, from ``first`` on; empty if that is ambiguous."""
    heads = [line for line in lines[:first] if line.strip() and not line.lstrip().startswith("#")]
    # Without indentation nothing shows where a block ends: the student forgot its body, and reads Python's error.
    if not heads or not heads[-1].rstrip().endswith(":") or not 0 < _depth(heads[-1]) == _depth(lines[first]):
        return range(0)
    end = first
    while end < len(lines) and lines[end].strip() and _depth(lines[end]) >= _depth(lines[first]):
        if _depth(lines[end]) == _depth(lines[first]) and _BRANCH.match(lines[end]):
            break
        end += 1
    return range(first, end)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
