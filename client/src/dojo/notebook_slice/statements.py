"""The statements of a notebook in order: what each reads and makes, and the exercise it belongs to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dojo.notebook_slice.aliases import Aliases
from dojo.notebook_slice.cells import Cell, NotebookCells, first_line
from dojo.notebook_slice.dataflow import Flow, flow_of

# Names that the lecture makes first in exercises 2 and 3, for notebooks without headings.
_FIRST_NAMES = {2: re.compile(r"loss\w*_fast"), 3: re.compile(r"(?:h|bn)\w*_fast")}
_SECTIONS_MAX = 4  # a notebook that numbers more exercises has numbers of its own
_WRITTEN = re.compile(
    r"^\s*(?:(?:def|class)\s+(?P<defined>\w+)|(?P<bound>\w+(?:\s*,\s*\w+)*)\s*(?::[^=]*)?=(?!=)"
    r"|(?P<changed>\w+)(?:\s*\[.*|(?:\.\w+)*\.\w+_\(.*|\s*(?:[-+*/@]|//|\*\*)=.*))"
)
_BLOCK = re.compile(r"\s*(?:for|while|with|if)\b")


@dataclass(eq=False)
class Statement:
    """A statement that stands alone: at the top level of a cell, or in a block that runs once.

    ``section`` is the exercise whose heading it is under, or None. Of an ``unfinished`` one, a part cannot be read.
    """

    position: int
    cell: Cell
    node: ast.stmt
    flow: Flow
    section: int | None
    unfinished: bool = False
    as_written: bool = True
    line: int = 0

    @property
    def text(self) -> str:
        """The statement as it was written, or written anew if it was changed."""
        return self.cell.text(self.node) if self.as_written else ast.unparse(self.node)

    @property
    def makes(self) -> set[str]:
        """The names that have, or may have, another value afterwards."""
        return self.flow.binds | self.flow.changes | self.flow.perhaps


@dataclass(frozen=True)
class Part:
    """A statement before its flow is known. ``as_written`` is False if it is not a statement of its cell's source."""

    cell: Cell
    node: ast.stmt
    section: int | None
    as_written: bool = True


@dataclass
class _Gaps:
    """The gaps of a cell that belong to no statement yet."""

    pending: list[tuple[int, str]] = field(default_factory=list)

    def before(self, line: int) -> list[tuple[int, str]]:
        """Return the gaps before a line, once."""
        passed = [gap for gap in self.pending if gap[0] < line]
        self.pending = [gap for gap in self.pending if gap[0] >= line]
        return passed


def read_parts(notebook: NotebookCells) -> list[Part]:
    """Return the statements of all cells in order, each with its exercise."""
    announced = {section for cell in notebook.cells for _, section in cell.sections}
    own_numbers = max(announced, default=0) > _SECTIONS_MAX
    parts = []
    section: int | None = None
    for cell in notebook.cells:
        headings = [] if own_numbers else list(cell.sections)
        for node in cell.statements:
            while headings and headings[0][0] <= first_line(node):
                section = headings.pop(0)[1]
            section = section_by_name(node) or section
            parts.append(Part(cell, node, section))
        if headings:
            section = headings[-1][1]
        if not cell.statements:
            parts += [Part(cell, _pass(line), section) for line, _ in cell.gaps]
    return parts


def _pass(line: int) -> ast.Pass:
    return ast.Pass(lineno=line, col_offset=0, end_lineno=line, end_col_offset=0)


def section_by_name(node: ast.stmt) -> int | None:
    """Return the exercise that begins where a statement makes ``loss_fast`` or ``hpreact_fast``, or None."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return next(
        (section for name in names for section, words in _FIRST_NAMES.items() if words.fullmatch(name)),
        None,
    )


def read_statements(parts: list[Part]) -> list[Statement]:
    """Return all statements in order.

    Their flows include what they change by calling functions and through second names.
    """
    statements = list(_in_order(parts))
    aliases = Aliases(statement.node for statement in statements)
    for statement in statements:
        changes = aliases.read(statement.node)
        statement.flow.changes |= changes.certain
        statement.flow.perhaps |= changes.perhaps - statement.flow.changes
    return statements


def _in_order(parts: list[Part]) -> Iterator[Statement]:
    position = 0
    gaps: dict[int, _Gaps] = {}
    last: dict[int, Statement] = {}
    for index, part in enumerate(parts):
        cell = part.cell
        of_cell = gaps.setdefault(cell.number, _Gaps(list(cell.gaps)))
        first, end = first_line(part.node), part.node.end_lineno or part.node.lineno
        for gap in of_cell.before(first):
            yield _of_gap(position, part, gap, last.get(cell.number))
            position += 1
        inside = [gap for gap in cell.gaps if first <= gap[0] <= end]
        of_cell.pending = [gap for gap in of_cell.pending if gap not in inside]
        if isinstance(part.node, ast.Pass) and inside:
            yield _of_gap(position, part, inside[0], last.get(cell.number))
            position += 1
            continue
        for single in _single_imports(part.node):
            as_written = part.as_written and single is part.node
            flow = flow_of(single)
            statement = Statement(
                position, cell, single, flow, part.section, bool(inside), as_written, first_line(single)
            )
            for gap in inside:
                flow.changes |= set().union(*_written(gap[1]))
            yield statement
            last[cell.number] = statement
            position += 1
        if index + 1 == len(parts) or parts[index + 1].cell is not cell:
            for gap in of_cell.before(1 << 30):
                yield _of_gap(position, part, gap, last.get(cell.number))
                position += 1


def _of_gap(position: int, part: Part, gap: tuple[int, str], above: Statement | None) -> Statement:
    """Return the statement that stands for one that Python cannot read.

    It may make the names that its text assigns to; the beginning of a block may also change what was made above it.
    """
    line, text = gap
    bound, changed = _written(text)
    if _BLOCK.match(text) and above is not None and _is_to_be_filled(above.node):
        changed |= above.flow.binds
    flow = Flow(binds=bound, changes=changed)
    return Statement(position, part.cell, _pass(line), flow, part.section, unfinished=True, as_written=False, line=line)


def _is_to_be_filled(node: ast.stmt) -> bool:
    """Return whether a statement makes zeros or an empty container: what follows fills it."""
    value = node.value if isinstance(node, ast.Assign) else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute | ast.Name):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else value.func.id
        return name.partition("_like")[0].removeprefix("new_") in (
            "zeros",
            "empty",
            "ones",
            "full",
            "clone",
            "dict",
            "list",
        )
    return isinstance(value, ast.Constant | ast.List | ast.Dict)


def _written(text: str) -> tuple[set[str], set[str]]:
    """Return the names that the first line of a text binds, and those that any line of it may change."""
    bound: set[str] = set()
    changed: set[str] = set()
    for number, line in enumerate(text.split("\n")):
        match = _WRITTEN.match(line)
        if match:
            names = set(re.findall(r"\w+", match["bound"] or match["defined"] or ""))
            bound |= names if number == 0 else set()
            changed |= (names if number else set()) | ({match["changed"]} if match["changed"] else set())
    return bound, changed


def _single_imports(node: ast.stmt) -> Iterable[ast.stmt]:
    """Split an import of several names: of ``import numpy as np, matplotlib.pyplot as plt`` only one is needed."""
    if isinstance(node, ast.Import) and len(node.names) > 1:
        return [ast.copy_location(ast.Import([name]), node) for name in node.names]
    if isinstance(node, ast.ImportFrom) and len(node.names) > 1:
        return [ast.copy_location(ast.ImportFrom(node.module, [name], node.level), node) for name in node.names]
    return [node]
