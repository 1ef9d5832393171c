"""Code cells of a notebook as Python: without magics, dedented, and parsed."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dojo.errors import BadFile
from dojo.harvest.indentation import dedented, reindented

# Cell magics under which the cell is still Python of the notebook's own namespace.
_TRANSPARENT = ("%%time", "%%timeit", "%%capture", "%%prun")
_MAGIC = re.compile(r"^(\s*)(?:%time\s+(?P<timed>[^%\s-].*)|(?:[\w\s,.]+=\s*)?[%!].*|[\w.]+\?\??\s*|\?\??[\w.]+\s*)$")
_HEADING = re.compile(r"^[\s#>*_=-]*exercise\s*(?:no\.?|nr\.?|#)?\s*(?P<number>\d+)\s*(?P<rest>.*)$", re.IGNORECASE)
# What the lecture's headings say, for notebooks that have other numbers or none.
_WORDINGS = {
    1: re.compile(r"backprop\w* through the whole thing", re.IGNORECASE),
    2: re.compile(r"cross.?entropy.*\bone go\b", re.IGNORECASE),
    3: re.compile(r"batch.?norm.*\bone go\b", re.IGNORECASE),
    4: re.compile(r"putting it all together", re.IGNORECASE),
}
_MOST_GAPS = 20  # places of one cell at which something unreadable is left out; after that, the rest is


@dataclass(frozen=True)
class Cell:
    """``number`` counts all cells from 1, as the file has them; ``run`` is Jupyter's ``In [run]``.

    ``source`` is what was parsed; its lines are the cell's own lines. ``sections`` are pairs of a line and
    the number of the exercise that a heading announces from that line on. A ``broken`` cell holds something
    that Python cannot read, so it cannot have been run as it stands."""

    number: int
    run: int | None
    source: str
    statements: tuple[ast.stmt, ...]
    sections: tuple[tuple[int, int], ...]
    broken: bool = False

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


@dataclass(frozen=True)
class _Read:
    """What Python can read of a cell, and what there is to say about it."""

    source: str = ""
    statements: tuple[ast.stmt, ...] = ()
    remark: str | None = None
    broken: bool = False


def first_line(statement: ast.stmt) -> int:
    """The line that a statement starts in, decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def read_notebook(path: Path) -> list[Any]:
    """The cells as the file has them. Raises BadFile where it is no notebook of format 3 or 4."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadFile(f"{path} cannot be read as a notebook: {error}.", "Save it again in Jupyter.") from error
    sheets = notebook.get("worksheets", [notebook]) if isinstance(notebook, dict) else None
    cells = [each.get("cells") if isinstance(each, dict) else None for each in sheets or [None]]
    if all(isinstance(each, list) for each in cells):
        return [raw for each in cells for raw in each or ()]
    raise BadFile(f"{path} is no notebook.", "Open it in Jupyter and save it again.")


def read_cells(raw_cells: Iterable[Any]) -> Cells:
    """The code cells with what Python can read of them, in order. Markdown only counts for its headings."""
    cells: list[Cell] = []
    unfinished: dict[int, str] = {}
    repaired: dict[int, str] = {}
    pending: list[tuple[int, int]] = []
    for number, raw in enumerate(raw_cells, 1):
        raw = raw if isinstance(raw, dict) else {}
        text = _text(raw)
        if raw.get("cell_type") != "code":
            pending += [(1, section) for _, section in _headings(text, in_code=False)]
            continue
        sections, pending = (*pending, *_headings(text, in_code=True)), []
        read = _read(text)
        run = raw.get("execution_count", raw.get("prompt_number"))
        if read.remark:
            shown = f" (In [{run}])" if run else ""
            (repaired if read.statements else unfinished)[number] = f"Cell {number}{shown} {read.remark}"
        run = run if isinstance(run, int) else None
        cells.append(Cell(number, run, read.source, read.statements, sections, read.broken))
    return Cells(tuple(cells), unfinished, repaired)


def _text(raw: Mapping[str, Any]) -> str:
    source = raw.get("source", raw.get("input", ""))
    text = source if isinstance(source, str) else "".join(each for each in source if isinstance(each, str))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _headings(text: str, *, in_code: bool) -> list[tuple[int, int]]:
    """Line and exercise of each heading; in code those are comments."""
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    found = []
    for number, line in lines:
        if in_code and not line.startswith("#"):
            continue
        prominent = number == lines[0][0] if in_code else line.startswith(("#", "*", "_"))
        section = _section(line, prominent)
        if section:
            found.append((number, section))
    return found


def _section(line: str, prominent: bool) -> int | None:
    """The exercise that a line announces. “Exercise 2 is faster” in the midst of a text announces none."""
    match = _HEADING.match(line)
    if match and (prominent or not match["rest"][:1].isalnum()):
        return int(match["number"])
    return next((section for section, wording in _WORDINGS.items() if wording.search(line)), None)


def _read(text: str) -> _Read:
    first = text.lstrip().partition("\n")[0]
    if first.startswith("%%"):
        if first.split()[0] not in _TRANSPARENT:
            return _Read()
        text = text.replace(first, "", 1)
    attempts = [text, dedented(text), without_magics(dedented(text))]
    for attempt in attempts:
        try:
            return _Read(attempt, _statements(attempt))
        except SyntaxError:
            continue
        except (ValueError, RecursionError, MemoryError):
            return _Read(remark="is left out: Python cannot read it.")
    indented = reindented(attempts[-1])
    if indented is not None and _is_python(indented):
        remark = "has lost the indentation inside its blocks; it was put back as far as the next blank line."
        return _Read(indented, _statements(indented), f"{remark} Look at the result with --dry-run.")
    return _with_gaps(attempts[-1])


def _with_gaps(text: str) -> _Read:
    """What can be read of a text that is not finished: a line that Python trips over is left out, with the
    statement that it stands in."""
    lines = text.split("\n")
    gaps: list[int] = []
    problem = ""
    while True:
        try:
            statements = _statements("\n".join(lines))
            break
        except SyntaxError as error:
            start = end = min(max(error.lineno or 1, 1), len(lines))
            problem = problem or error.msg
        start -= 1
        while start and (lines[start][:1].isspace() or not _is_python("\n".join(lines[:start]))):
            start -= 1
        while end < len(lines) and (lines[end][:1].isspace() or len(gaps) == _MOST_GAPS):
            end += 1
        gaps.append(start + 1)
        lines[start:end] = [""] * (end - start)
    where = f"line{'s' if len(gaps) > 1 else ''} {', '.join(map(str, gaps))}"
    if not statements:
        return _Read(remark=f"is left out: it is not finished ({problem}, line {gaps[0]}).", broken=True)
    return _Read("\n".join(lines), statements, f"is not finished: {where} left out ({problem}).", broken=True)


def _is_python(source: str) -> bool:
    try:
        _statements(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _statements(source: str) -> tuple[ast.stmt, ...]:
    """Raises SyntaxError also for what only the compiler minds, such as a `return` outside of a function."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # '\d' and the like: the student's business
        tree = ast.parse(source)
        compile(source, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return tuple(tree.body)


def without_magics(text: str) -> str:
    """With magics, shell commands and questions to IPython replaced by `pass`; `%time statement` is the
    statement."""
    lines = []
    continues = False  # a shell command goes on in the next line
    for line in text.split("\n"):
        match = _MAGIC.match(line)
        if continues:
            lines.append("")
        else:
            lines.append(line if match is None else match[1] + (match["timed"] or "pass"))
        continues = line.endswith("\\") and (continues or match is not None)
    return "\n".join(lines)
