"""Putting back the indentation that a file has lost.

Programs that pass notebooks on may squeeze every run of spaces into one. A loop inside a loop is then
followed by lines that are no deeper than itself, which Python refuses. Such lines are taken to be its block,
up to the next blank line, the next line that is less deep, or the branch (`else` …) that belongs to it.
"""

from __future__ import annotations

import ast
import re
from typing import Final

_DEEPEST: Final = 50  # blocks mended in one file
_BRANCH: Final = re.compile(r"\s*(?:else|elif|except|finally)\b")


def mended(text: str) -> str | None:
    """The same lines, some of them deeper, such that Python can read them; None where that cannot be had."""
    lines = text.split("\n")
    for _ in range(_DEEPEST):
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
    """The lines that should be deeper, beginning with `first`; none where it cannot be said which."""
    heads = [line for line in lines[:first] if line.strip() and not line.lstrip().startswith("#")]
    # At the margin nothing would say where a block ends: the student forgot its body, and should hear that.
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
