"""The statements of a notebook in order: what each reads and makes, and the exercise it belongs to."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dojo.notebook_slice.cells import Cell, NotebookCells, first_line
from dojo.notebook_slice.dataflow import Flow, flow_of, shared_name
from dojo.notebook_slice.functions import Functions

# Names that the lecture makes first in exercises 2 and 3, for notebooks without headings.
_FIRST_NAMES = {"loss_fast": 2, "hpreact_fast": 3}


@dataclass(eq=False)
class Statement:
    """A statement at the top level of a cell. ``section`` is the exercise whose heading it is under, or None."""

    position: int
    cell: Cell
    node: ast.stmt
    flow: Flow
    section: int | None

    @property
    def text(self) -> str:
        """The statement as it was written. One name of an import of several is written anew."""
        return self.cell.text(self.node) if self.node in self.cell.statements else ast.unparse(self.node)

    @property
    def makes(self) -> set[str]:
        """The names that have, or may have, another value afterwards."""
        return self.flow.binds | self.flow.changes


def read_statements(notebook: NotebookCells) -> list[Statement]:
    """Return all statements in order.

    Their flows include what they change by calling functions and through second names.
    """
    statements = list(_in_order(notebook))
    functions = Functions(statement.node for statement in statements)
    for statement in statements:
        for call in statement.flow.calls:
            statement.flow.changes |= functions.changed_by(call)
    _add_changes_through_second_names(statements)
    return statements


def _in_order(notebook: NotebookCells) -> Iterator[Statement]:
    position = 0
    section: int | None = None
    for cell in notebook.cells:
        headings = list(cell.sections)
        for node in cell.statements:
            while headings and headings[0][0] <= first_line(node):
                section = headings.pop(0)[1]
            for single in _single_imports(node):
                flow = flow_of(single)
                section = next((_FIRST_NAMES[name] for name in flow.binds if name in _FIRST_NAMES), section)
                yield Statement(position, cell, single, flow, section)
                position += 1
        if headings:
            section = headings[-1][1]


def _single_imports(node: ast.stmt) -> Iterable[ast.stmt]:
    """Split an import of several names: of ``import numpy as np, matplotlib.pyplot as plt`` only one is needed."""
    if isinstance(node, ast.Import) and len(node.names) > 1:
        return [ast.copy_location(ast.Import([name]), node) for name in node.names]
    if isinstance(node, ast.ImportFrom) and len(node.names) > 1:
        return [ast.copy_location(ast.ImportFrom(node.module, [name], node.level), node) for name in node.names]
    return [node]


def _add_changes_through_second_names(statements: list[Statement]) -> None:
    """Follow second names: after ``dlogits = dnorm_logits``, a change of the one changes the other."""
    groups: dict[str, set[str]] = {}  # each name of a shared tensor → all its names
    for statement in statements:
        for name in list(statement.flow.changes):
            statement.flow.changes |= groups.get(name, set())
        for name in statement.flow.binds:
            groups.pop(name, set()).discard(name)
        node = statement.node
        source = shared_name(node.value) if isinstance(node, ast.Assign) else None
        if source is not None and isinstance(node, ast.Assign):
            group = groups.setdefault(source, {source})
            group |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            groups |= dict.fromkeys(group, group)
