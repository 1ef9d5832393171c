"""Indentation that a cell has too much of, or has lost."""

from __future__ import annotations

import ast
import re

_CONTINUES = re.compile(r"\s*(?:else\b|elif\b|except\b|finally\b)")
_DEEPEST = 50  # nested blocks whose indentation is put back in one cell


def dedented(text: str) -> str:
    """Without the indentation of the first line of code, where the others have it too."""
    lines = text.split("\n")
    code = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not code:
        return text
    indent = code[0][: len(code[0]) - len(code[0].lstrip())]
    return "\n".join(
        line.removeprefix(indent) if line.startswith(indent) else line.lstrip() if line.lstrip()[:1] == "#" else line
        for line in lines
    )


def reindented(text: str) -> str | None:
    """Put back the indentation of blocks in a text where every run of spaces became one; None where it cannot
    be.

    Some programs that pass notebooks on do that, so that `for …:` inside a block is followed by a line that
    is no deeper. Such a block is taken to end at the next blank line, at a line less deep, or at its `else`.
    """
    for _ in range(_DEEPEST):
        try:
            ast.parse(text)
            return text
        except IndentationError as error:
            deeper = _deepened(text.split("\n"), error.lineno or 0)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        if deeper is None:
            return None
        text = deeper
    return None


def _deepened(lines: list[str], at: int) -> str | None:
    """The block that should begin in line ``at`` (from 1) made one space deeper."""
    start = at - 1
    header = next((n for n in range(start - 1, -1, -1) if lines[n].strip() and lines[n].strip()[0] != "#"), None)
    if header is None or start >= len(lines) or not lines[header].split("#")[0].rstrip().endswith(":"):
        return None
    depth = _depth(lines[header])
    if depth == 0 or _depth(lines[start]) != depth:  # a block at the margin: nothing says where it would end
        return None
    end = start
    while end < len(lines) and lines[end].strip() and _depth(lines[end]) >= depth:
        if _depth(lines[end]) == depth and _CONTINUES.match(lines[end]):
            break
        end += 1
    return "\n".join([*lines[:start], *(" " + line for line in lines[start:end]), *lines[end:]])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
