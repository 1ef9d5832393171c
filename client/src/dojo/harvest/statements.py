"""The statements of a notebook, one after another: what each reads and makes, and the exercise it is under."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dojo.harvest.cells import Cell, Cells, first_line
from dojo.harvest.dataflow import Flow, flow_of, root
from dojo.harvest.functions import Functions

# The lecture's own names for what exercises 2 and 3 begin with, where the headings are gone.
_BEGINS = {"loss_fast": 2, "hpreact_fast": 3}


@dataclass(eq=False)
class Statement:
    """A statement at the top level of a cell. ``section`` is the exercise that it stands under."""

    position: int
    cell: Cell
    node: ast.stmt
    flow: Flow
    section: int | None

    @property
    def text(self) -> str:
        """As it was written; one name of an import of several is written anew."""
        return self.cell.text(self.node) if self.node in self.cell.statements else ast.unparse(self.node)

    @property
    def makes(self) -> set[str]:
        return self.flow.binds | self.flow.changes


def read_statements(cells: Cells) -> list[Statement]:
    """All statements, in order, with what they change by calling functions and through second names."""
    statements = list(_numbered(cells))
    functions = Functions(each.node for each in statements)
    for each in statements:
        for call in each.flow.calls:
            each.flow.changes |= functions.changed_by(call)
    _follow_second_names(statements)
    return statements


def _numbered(cells: Cells) -> Iterator[Statement]:
    position = 0
    section: int | None = None
    for cell in cells.cells:
        marks = list(cell.sections)
        for whole in cell.statements:
            while marks and marks[0][0] <= first_line(whole):
                section = marks.pop(0)[1]
            for node in _single(whole):
                flow = flow_of(node)
                section = next((_BEGINS[name] for name in flow.binds if name in _BEGINS), section)
                yield Statement(position, cell, node, flow, section)
                position += 1
        if marks:
            section = marks[-1][1]


def _single(node: ast.stmt) -> Iterable[ast.stmt]:
    """One import for each name: `import numpy as np, matplotlib.pyplot as plt` is needed for numpy alone."""
    if isinstance(node, ast.Import) and len(node.names) > 1:
        return [ast.copy_location(ast.Import([each]), node) for each in node.names]
    if isinstance(node, ast.ImportFrom) and len(node.names) > 1:
        return [ast.copy_location(ast.ImportFrom(node.module, [each], node.level), node) for each in node.names]
    return [node]


def _follow_second_names(statements: list[Statement]) -> None:
    """After `dlogits = dnorm_logits`, what changes the one changes the other."""
    groups: dict[str, set[str]] = {}
    for each in statements:
        for name in list(each.flow.changes):
            each.flow.changes |= groups.get(name, set())
        for name in each.flow.binds:
            groups.pop(name, set()).discard(name)
        node = each.node
        source = root(node.value) if isinstance(node, ast.Assign) else None
        if source is not None and isinstance(node, ast.Assign):
            group = groups.setdefault(source, {source})
            group |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            groups |= dict.fromkeys(group, group)
