"""Indentation that a cell has too much of, or has lost."""

from __future__ import annotations

import ast
import re

_CONTINUES_BLOCK = re.compile(r"\s*(?:else\b|elif\b|except\b|finally\b)")
_BLOCKS_MAX = 50  # repaired blocks in one cell


def dedented(text: str) -> str:
    """Return the text without the indentation of its first line of code, on every line that has it."""
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
    """Return the text with the indentation of its blocks restored, or None if that is impossible.

    Some programs that copy notebooks replace every run of spaces by one space. A header such as ``for …:`` inside a
    block is then followed by a line that is no deeper. The block is taken to end at the next blank line, at a
    less indented line, or at its ``else``. The sandbox has a repair of its own; ``tests/client/test_both_sides.py``
    compares the two.
    """
    for _ in range(_BLOCKS_MAX):
        try:
            ast.parse(text)
            return text
        except IndentationError as error:
            deeper = _with_deeper_block(text.split("\n"), error.lineno or 0)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        if deeper is None:
            return None
        text = deeper
    return None


def _with_deeper_block(lines: list[str], line_number: int) -> str | None:
    """Return the text with the block that begins in a line (from 1) indented by one space more, or None."""
    start = line_number - 1
    header = next((n for n in range(start - 1, -1, -1) if lines[n].strip() and lines[n].strip()[0] != "#"), None)
    if header is None or start >= len(lines) or not lines[header].split("#")[0].rstrip().endswith(":"):
        return None
    depth = _depth(lines[header])
    if depth == 0 or _depth(lines[start]) != depth:  # at the margin, nothing says where the block ends
        return None
    end = start
    while end < len(lines) and lines[end].strip() and _depth(lines[end]) >= depth:
        if _depth(lines[end]) == depth and _CONTINUES_BLOCK.match(lines[end]):
            break
        end += 1
    return "\n".join([*lines[:start], *(" " + line for line in lines[start:end]), *lines[end:]])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
