"""Code cells of a notebook as Python: without magics, dedented and parsed."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dojo.errors import BadFile
from dojo.notebook_slice.indentation import dedented, reindented

# Cell magics under which the cell still runs as Python in the notebook's namespace.
_PYTHON_CELL_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")
_MAGIC = re.compile(r"^(\s*)(?:%time\s+(?P<timed>[^%\s-].*)|(?:[\w\s,.]+=\s*)?[%!].*|[\w.]+\?\??\s*|\?\??[\w.]+\s*)$")
_HEADING = re.compile(
    r"^[\s#>*_=%-]*(?:\[markdown\][\s#*_]*)?(?:exercise|ex\.?|task)\s*(?:no\.?|nr\.?|#)?\s*(?P<number>\d+)\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
# The words of the lecture's headings, for notebooks with other numbers or none.
_HEADING_WORDS = {
    1: re.compile(r"backprop\w* through the whole thing", re.IGNORECASE),
    2: re.compile(r"cross.?entropy.*\bone go\b", re.IGNORECASE),
    3: re.compile(r"batch.?norm.*\bone go\b", re.IGNORECASE),
    4: re.compile(r"putting it all together", re.IGNORECASE),
}
# Words of headings that students write themselves. In a comment they may mean a line alone, so they count in markdown.
_SHORT = r"\b(?:one go|at once|fast\w*|quick\w*|analytic\w*|closed.form|simpl\w*|short\w*|efficient\w*|single|fused)\b"
_MARKDOWN_WORDS = {
    2: re.compile(rf"(?:cross.?entropy|softmax|loss).*{_SHORT}|{_SHORT}.*(?:cross.?entropy|softmax)", re.IGNORECASE),
    3: re.compile(rf"batch.?norm.*{_SHORT}|{_SHORT}.*batch.?norm", re.IGNORECASE),
    4: re.compile(r"\ball (?:\w+ )?together\b|\bfull training\b|\btraining loop\b", re.IGNORECASE),
}
_CELL_MARKER = re.compile(r"#\s*(?:%%|In\s*\[|[-=#]{3})")  # of cells in scripts, and lines drawn above a heading
_GAPS_MAX = 20  # unreadable statements left out of one cell; after that, the rest of the cell is left out


@dataclass(frozen=True)
class Cell:
    """A code cell.

    ``number`` counts all cells from 1, as the file has them; ``run`` is Jupyter's ``In [run]``. ``source`` is what
    was parsed; its lines are the lines of the cell. ``sections`` are pairs of a line and the exercise that a heading
    announces from that line on. A ``broken`` cell holds something that Python cannot read, so it cannot have been run
    as it stands. ``gaps`` are the statements that Python cannot read, each with its line.
    """

    number: int
    run: int | None
    source: str
    statements: tuple[ast.stmt, ...]
    sections: tuple[tuple[int, int], ...]
    broken: bool = False
    gaps: tuple[tuple[int, str], ...] = ()
    is_script: bool = False

    def text(self, statement: ast.stmt) -> str:
        """Return a statement as it was written, with the comments right above it."""
        lines = self._lines
        first, last = first_line(statement), statement.end_lineno or statement.lineno
        if self._statements_by_line[first] > 1 or self._statements_by_line[last] > 1:
            return ast.get_source_segment(self.source, statement) or ""  # several statements on one line
        while first > 1 and lines[first - 2].startswith("#"):
            first -= 1
        return "\n".join(lines[first - 1 : last])

    @cached_property
    def _lines(self) -> list[str]:
        return self.source.split("\n")

    @cached_property
    def _statements_by_line(self) -> Counter[int]:
        """How many statements begin or end in a line."""
        ends = ({first_line(statement), statement.end_lineno or 0} for statement in self.statements)
        return Counter(line for lines in ends for line in lines)


@dataclass(frozen=True)
class NotebookCells:
    """The code cells. ``unfinished`` and ``repaired`` hold a sentence for the number of a cell.

    A script is one cell; ``is_script`` says so.
    """

    cells: tuple[Cell, ...]
    unfinished: Mapping[int, str]
    repaired: Mapping[int, str]
    is_script: bool = False


@dataclass(frozen=True)
class _Parsed:
    """The part of a cell that Python can read, and a remark about the rest."""

    source: str = ""
    statements: tuple[ast.stmt, ...] = ()
    remark: str | None = None
    broken: bool = False
    gaps: tuple[tuple[int, str], ...] = ()


def first_line(statement: ast.stmt) -> int:
    """Return the line that a statement starts in, decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def read_notebook(path: Path) -> list[Any]:
    """Return the cells as the file has them.

    :raises BadFile: the file is no notebook of format 3 or 4
    """
    try:
        return raw_cells(path.read_bytes(), path)
    except OSError as error:
        raise BadFile(f"{path} cannot be read as a notebook: {error}.", "Save it again in Jupyter.") from error


def raw_cells(content: bytes, path: object) -> list[Any]:
    """Return the cells of a notebook's bytes as they stand there.

    :raises BadFile: it is no notebook of format 3 or 4
    """
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} cannot be read as a notebook: {error}.", "Save it again in Jupyter.") from error
    sheets = notebook.get("worksheets", [notebook]) if isinstance(notebook, dict) else None
    cells_by_sheet = [sheet.get("cells") if isinstance(sheet, dict) else None for sheet in sheets or [None]]
    if all(isinstance(cells, list) for cells in cells_by_sheet):
        return [cell for cells in cells_by_sheet for cell in cells or ()]
    raise BadFile(f"{path} is no notebook.", "Open it in Jupyter and save it again.")


def read_cells(raw_cells: Iterable[Any]) -> NotebookCells:
    """Parse the code cells, in order. Of markdown only the headings count."""
    cells: list[Cell] = []
    unfinished: dict[int, str] = {}
    repaired: dict[int, str] = {}
    sections_above: list[tuple[int, int]] = []
    for number, raw in enumerate(raw_cells, 1):
        raw = raw if isinstance(raw, dict) else {}
        text = _text(raw)
        if raw.get("cell_type") != "code":
            sections_above += [(1, section) for _, section in _headings(text, in_code=False)]
            continue
        sections = (*sections_above, *_headings(text, in_code=True))
        sections_above = []
        parsed = _parse(text)
        run = raw.get("execution_count", raw.get("prompt_number"))
        run = run if isinstance(run, int) else None
        if parsed.remark:
            label = f"Cell {number} (In [{run}])" if run else f"Cell {number}"
            (unfinished if parsed.broken or not parsed.statements else repaired)[number] = f"{label} {parsed.remark}"
        cells.append(Cell(number, run, parsed.source, parsed.statements, sections, parsed.broken, parsed.gaps))
    return NotebookCells(tuple(cells), unfinished, repaired)


def read_script(text: str) -> NotebookCells:
    """Parse a script: one cell, with the headings of its comments and of cells such as ``# %% Exercise 2``."""
    parsed = _parse(text.replace("\r\n", "\n").replace("\r", "\n"))
    sections = tuple(_headings(text, in_code=True))
    cell = Cell(1, None, parsed.source, parsed.statements, sections, parsed.broken, parsed.gaps, is_script=True)
    remark = {1: f"The script {parsed.remark}"} if parsed.remark else {}
    repaired = bool(parsed.remark) and not parsed.broken and bool(parsed.statements)
    return NotebookCells((cell,), {} if repaired else remark, remark if repaired else {}, is_script=True)


def _text(raw: Mapping[str, Any]) -> str:
    source = raw.get("source", raw.get("input", ""))
    text = source if isinstance(source, str) else "".join(line for line in source if isinstance(line, str))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _headings(text: str, *, in_code: bool) -> list[tuple[int, int]]:
    """Return the line and the exercise of each heading. In code, headings are comments."""
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    headings = []
    above = ""
    for number, line in lines:
        if in_code and not line.startswith("#"):
            continue
        is_marker = _CELL_MARKER.match(line) or (number > 1 and _CELL_MARKER.match(above))
        prominent = number == lines[0][0] or bool(is_marker) if in_code else line.startswith(("#", "*", "_"))
        above = line
        section = _section(line, prominent)
        if section is None and not in_code and line.startswith("#"):
            section = next((each for each, words in _MARKDOWN_WORDS.items() if words.search(line)), None)
        if section:
            headings.append((number, section))
    return headings


def _section(line: str, prominent: bool) -> int | None:
    """Return the exercise that a line announces. “Exercise 2 is faster” inside a text announces none."""
    match = _HEADING.match(line)
    by_words = next((section for section, words in _HEADING_WORDS.items() if words.search(line)), None)
    if match and by_words is None and (prominent or not match["rest"][:1].isalnum()):
        return int(match["number"])
    return by_words


def _parse(text: str) -> _Parsed:
    first = text.lstrip().partition("\n")[0]
    if first.startswith("%%"):
        if first.split()[0] not in _PYTHON_CELL_MAGICS:
            return _Parsed()
        text = text.replace(first, "", 1)
    plain = without_magics(dedented(text))
    for attempt in (dedented(text), plain):
        try:
            return _Parsed(attempt, _statements(attempt))
        except SyntaxError:
            continue
        except (ValueError, RecursionError, MemoryError):
            return _Parsed(remark="is left out: Python cannot read it.")
    indented = reindented(plain)
    if indented is not None and _is_python(indented):
        remark = "has lost the indentation inside its blocks; it was put back as far as the next blank line."
        return _Parsed(indented, _statements(indented), f"{remark} Look at the result with --dry-run.")
    return _parse_with_gaps(plain)


def _parse_with_gaps(text: str) -> _Parsed:
    """Parse a text that is not finished: each statement with a syntax error is a gap."""
    lines = text.split("\n")
    gaps: list[tuple[int, str]] = []
    problem = ""
    while True:
        try:
            statements = _statements("\n".join(lines))
            break
        except SyntaxError as error:
            line = min(max(error.lineno or 1, 1), len(lines))
            problem = problem or error.msg
        start, end = _gap(lines, line, whole=len(gaps) > _GAPS_MAX // 2)
        if len(gaps) == _GAPS_MAX:
            end = len(lines)
        gaps.append((start + 1, "\n".join(lines[start:end])))
        instead = lines[start][: _depth(lines[start])] + "pass"
        lines[start:end] = [instead if instead != "pass" else "", *[""] * (end - start - 1)]
    if not statements:
        remark = f"is left out: it is not finished ({problem}, line {gaps[0][0]})."
        return _Parsed(remark=remark, broken=True, gaps=tuple(gaps))
    numbers = list(dict.fromkeys(str(number) for number, _ in gaps))
    where = f"line{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"
    remark = f"is not finished: {where} left out ({problem})."
    return _Parsed("\n".join(lines), statements, remark, broken=True, gaps=tuple(gaps))


def _gap(lines: list[str], line: int, *, whole: bool) -> tuple[int, int]:
    """Return where the statement with a syntax error in a line (from 1) begins and ends.

    :param whole: whether to take the statement at the margin that the line is in
    """
    start = line - 1
    while start and (
        (whole and lines[start][:1].isspace())
        or not lines[start].strip()
        or not _is_python("\n".join([*lines[:start], lines[start][: _depth(lines[start])] + "pass"]))
    ):
        start -= 1
    end = line
    while end < len(lines) and (not lines[end].strip() or _depth(lines[end]) > _depth(lines[start])):
        end += 1
    while end > line and not lines[end - 1].strip():
        end -= 1
    return start, end


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_python(source: str) -> bool:
    try:
        _statements(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _statements(source: str) -> tuple[ast.stmt, ...]:
    """Parse a source.

    :raises SyntaxError: also for what only the compiler refuses, such as a ``return`` outside of a function
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as '\d': Python warns the student, not this command
        tree = ast.parse(source)
        compile(source, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return tuple(tree.body)


def without_magics(text: str) -> str:
    """Return the text with magics, shell commands and IPython's questions replaced by ``pass``.

    ``%time statement`` becomes the statement.
    """
    lines = []
    in_command = False  # a shell command continues in the next line
    for line in text.split("\n"):
        match = _MAGIC.match(line)
        if in_command:
            lines.append("")
        else:
            lines.append(line if match is None else match[1] + (match["timed"] or "pass"))
        in_command = line.endswith("\\") and (in_command or match is not None)
    return "\n".join(lines)
