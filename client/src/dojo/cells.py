"""Code cells of a notebook as Python: without magics, dedented, and parsed."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dojo.errors import BadFile

# Cell magics under which the cell is still Python of the notebook's own namespace.
_TRANSPARENT = ("%%time", "%%timeit", "%%capture", "%%prun")
_MAGIC = re.compile(r"^(\s*)(?:%time\s+(?P<timed>[^%\s-].*)|(?:[\w\s,.]+=\s*)?[%!].*|[\w.]+\?\??\s*|\?\??[\w.]+\s*)$")
_HEADING = re.compile(r"^[\s#>*_=-]*exercise\s*(?:no\.?|nr\.?|#)?\s*(\d+)", re.IGNORECASE)
_CONTINUES = re.compile(r"\s*(?:else\b|elif\b|except\b|finally\b)")
_DEEPEST = 50  # nested blocks whose indentation is put back in one cell


@dataclass(frozen=True)
class Cell:
    """``number`` counts all cells from 1, as the file has them; ``run`` is Jupyter's ``In [run]``.

    ``source`` is what was parsed; its lines are the cell's own lines. ``sections`` are pairs of a line and
    the number of the exercise that a heading announces from that line on."""

    number: int
    run: int | None
    source: str
    statements: tuple[ast.stmt, ...]
    sections: tuple[tuple[int, int], ...]

    def text(self, statement: ast.stmt) -> str:
        """A statement as it was written, with the comments right above it."""
        lines = self.source.split("\n")
        first, last = first_line(statement), statement.end_lineno or statement.lineno
        mates = [each for each in self.statements if each is not statement]
        if any(first_line(each) <= last and first <= (each.end_lineno or 0) for each in mates):
            return ast.get_source_segment(self.source, statement) or ""  # several on one line
        while first > 1 and lines[first - 2].startswith("#"):
            first -= 1
        return "\n".join(lines[first - 1 : last])


@dataclass(frozen=True)
class Cells:
    """``unfinished`` and ``repaired`` are sentences about cells that had to be left out or mended, by
    number."""

    cells: tuple[Cell, ...]
    unfinished: Mapping[int, str]
    repaired: Mapping[int, str]


def first_line(statement: ast.stmt) -> int:
    """The line that a statement starts in, decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def read_notebook(path: Path) -> dict[str, Any]:
    """Raises BadFile where it is no notebook of format 4."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadFile(f"{path} cannot be read as a notebook: {error}.", "Save it again in Jupyter.") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise BadFile(f"{path} is no notebook of format 4.", "Open it in Jupyter and save it again.")
    return notebook


def read_cells(notebook: Mapping[str, Any]) -> Cells:
    """The code cells that can be parsed, in order. Markdown only counts for its headings."""
    cells: list[Cell] = []
    unfinished: dict[int, str] = {}
    repaired: dict[int, str] = {}
    pending: list[tuple[int, int]] = []
    for number, raw in enumerate(notebook["cells"], 1):
        text = _text(raw)
        if not isinstance(raw, dict) or raw.get("cell_type") != "code":
            pending += [(1, section) for _, section in _headings(text)]
            continue
        sections, pending = (*pending, *_headings(text, "#")), []
        source, statements, remark = _parsed(text)
        if remark:
            (repaired if statements else unfinished)[number] = f"Cell {number}{_run(raw)} {remark}"
        run = raw.get("execution_count")
        cells.append(Cell(number, run if isinstance(run, int) else None, source, statements, sections))
    return Cells(tuple(cells), unfinished, repaired)


def _text(raw: Any) -> str:
    source = raw.get("source", "") if isinstance(raw, dict) else ""
    text = source if isinstance(source, str) else "".join(each for each in source if isinstance(each, str))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _run(raw: Mapping[str, Any]) -> str:
    return f" (In [{raw['execution_count']}])" if raw.get("execution_count") else ""


def _headings(text: str, prefix: str = "") -> list[tuple[int, int]]:
    found = [(number, _HEADING.match(line)) for number, line in enumerate(text.splitlines(), 1)]
    lines = text.splitlines()
    return [(n, int(match[1])) for n, match in found if match and lines[n - 1].lstrip().startswith(prefix)]


def _parsed(text: str) -> tuple[str, tuple[ast.stmt, ...], str | None]:
    """The source that was parsed, its statements, and a remark. A cell that is no Python has no
    statements."""
    first = text.lstrip().partition("\n")[0]
    if first.startswith("%%"):
        if first.split()[0] not in _TRANSPARENT:
            return "", (), None
        text = text.replace(first, "", 1)
    attempts = [text, dedented(text), without_magics(dedented(text))]
    for attempt in attempts:
        try:
            return attempt, _statements(attempt), None
        except SyntaxError as error:
            problem = error
        except (ValueError, RecursionError, MemoryError):
            return "", (), "is left out: Python cannot read it."
    repaired = reindented(attempts[-1])
    if repaired is not None:
        try:
            return (
                repaired,
                _statements(repaired),
                (
                    "has lost the indentation inside its blocks; it was put back as far as the next blank "
                    "line. Look at the result with --dry-run."
                ),
            )
        except SyntaxError:
            pass
    return "", (), f"is left out: it is not finished ({problem.msg}, line {problem.lineno})."


def _statements(source: str) -> tuple[ast.stmt, ...]:
    """Raises SyntaxError also for what only the compiler minds, such as a `return` outside of a function."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # '\d' and the like: the student's business
        tree = ast.parse(source)
        compile(source, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return tuple(tree.body)


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


def without_magics(text: str) -> str:
    """With magics, shell commands and questions to IPython replaced by `pass`; `%time statement` is the
    statement."""

    def plain(line: str) -> str:
        match = _MAGIC.match(line)
        return line if match is None else match[1] + (match["timed"] or "pass")

    return "\n".join(plain(line) for line in text.split("\n"))


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
