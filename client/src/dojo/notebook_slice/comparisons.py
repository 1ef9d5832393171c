"""The student's own ways of comparing, replaced by plain calls ``cmp(…)``.

The lecture's ``cmp`` reads ``.grad`` of the tensor that it gets, and where code is graded there is no ``.grad``.

1. Every function that reads ``.grad`` of a parameter becomes ``cmp``: a function, a method, a lambda, at any depth.
2. Its result does not exist either, so ``assert cmp(…)`` and ``ok = cmp(…)`` become ``cmp(…)``.
3. A line that only prints or asserts something about ``.grad`` becomes ``pass``.

The sandbox replaces such functions too; ``tests/client/test_both_sides.py`` compares the two.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeGuard

from dojo.notebook_slice.cells import Cell, NotebookCells, first_line
from dojo.notebook_slice.dataflow import Function, body_flow, parameters

CMP = "cmp"
ANY_ORDER = "__cmp__"  # the grader's cmp for functions with another order of arguments than the lecture's


@dataclass(frozen=True)
class _Edit:
    """Bytes of a cell to replace. The number of lines stays: a shorter text is followed by blank lines."""

    start: int
    end: int
    text: str


def with_plain_cmp(notebook: NotebookCells) -> NotebookCells:
    """Return the same cells, line for line, in which everything that compares is called ``cmp``."""
    comparers = _Comparers(statement for cell in notebook.cells for statement in cell.statements)
    return replace(notebook, cells=tuple(comparers.plain(cell) for cell in notebook.cells))


class _Comparers:
    """The functions of a notebook that compare: ``names`` of functions, and ``methods`` by their names."""

    def __init__(self, statements: Iterable[ast.stmt]) -> None:
        self.names = {CMP}
        self.methods = {CMP}
        for statement in statements:
            for node in ast.walk(statement):
                if isinstance(node, ast.ClassDef):
                    members = (member for member in node.body if isinstance(member, Function))
                    self.methods |= {member.name for member in members if _compares(member)}
                elif (name := _comparer_name(node)) is not None:
                    self.names.add(name)

    def plain(self, cell: Cell) -> Cell:
        """Return the cell with its comparisons replaced; unchanged if the result would be no Python."""
        source = _Source(cell.source)
        edits = [edit for statement in cell.statements for edit in self._edits(source, statement, statement)]
        if not edits:
            return cell
        text = source.edited(edits)
        try:
            return replace(cell, source=text, statements=tuple(ast.parse(text).body))
        except SyntaxError:
            return cell

    def _edits(self, source: _Source, node: ast.AST, statement: ast.stmt) -> Iterator[_Edit]:
        """Yield the edits in a node. ``statement`` is the cell's statement that contains it."""
        name = _comparer_name(node)
        if name is not None:
            plain = CMP if _has_lectures_order(node) else ANY_ORDER
            yield source.edit(node, "pass" if name == plain else f"{name} = {plain}")
        elif isinstance(node, ast.Assert) and self._is_call(node.test):
            yield source.edit(node, self._call(source, node.test))
        elif _discards_value(node, statement) and self._is_call(node.value):
            yield source.edit(node, self._call(source, node.value))
        elif isinstance(node, ast.Assert | ast.Expr) and _reads_grad(node) and not self._has_call(node):
            yield source.edit(node, "pass")
        elif isinstance(node, ast.Attribute) and node.attr in self.methods:
            yield source.edit(node, CMP)
        else:
            for child in ast.iter_child_nodes(node):
                if not (isinstance(node, ast.ClassDef) and _compares(child)):
                    yield from self._edits(source, child, statement)

    def _call(self, source: _Source, call: ast.expr) -> str:
        assert isinstance(call, ast.Call)
        name = call.func.id if isinstance(call.func, ast.Name) else CMP
        return name + source.between(call.func, call)

    def _has_call(self, node: ast.AST) -> bool:
        return any(self._is_call(part) for part in ast.walk(node))

    def _is_call(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        if isinstance(node.func, ast.Attribute):
            return node.func.attr in self.methods
        return isinstance(node.func, ast.Name) and node.func.id in self.names


def _reads_grad(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr == "grad" for part in ast.walk(node))


def _compares(node: ast.AST) -> bool:
    """Return whether a function reads ``.grad`` of one of several parameters and does not change that parameter.

    An optimiser's step does change it.
    """
    if not isinstance(node, Function | ast.Lambda):
        return False
    own_names = parameters(node.args)
    grad_names = {
        part.value.id
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and part.attr == "grad" and isinstance(part.value, ast.Name)
    } & own_names
    changed = body_flow(node).changes if isinstance(node, Function) else set()
    return len(own_names) > 1 and bool(grad_names) and not grad_names & changed


def _has_lectures_order(node: ast.AST) -> bool:
    """Return whether ``.grad`` is read of a function's last tensor, as in ``cmp(s, dt, t)``."""
    function = node.value if isinstance(node, ast.Assign) else node
    assert isinstance(function, Function | ast.Lambda)
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    grads = {
        names.index(part.value.id)
        for part in ast.walk(function)
        if isinstance(part, ast.Attribute)
        and part.attr == "grad"
        and isinstance(part.value, ast.Name)
        and part.value.id in names
    }
    return grads != {1}


def _comparer_name(node: ast.AST) -> str | None:
    """Return the name of a function or a named lambda that compares, or None."""
    if isinstance(node, Function) and _compares(node):
        return node.name
    if isinstance(node, ast.Assign) and _compares(node.value) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def _discards_value(node: ast.AST, statement: ast.stmt) -> TypeGuard[ast.Assign | ast.AugAssign]:
    """Return whether a node keeps a comparison's result at the top level, adds it to something, or unpacks it."""
    if isinstance(node, ast.Assign):
        return node is statement or isinstance(node.targets[0], ast.Tuple)
    return isinstance(node, ast.AugAssign)


class _Source:
    """The source of a cell, and the places of nodes in it, in bytes."""

    def __init__(self, text: str) -> None:
        self._content = text.encode()
        self._line_starts = [0]
        for line in self._content.split(b"\n"):
            self._line_starts.append(self._line_starts[-1] + len(line) + 1)

    def edit(self, node: ast.AST, text: str) -> _Edit:
        """Return the edit that replaces a node."""
        return _Edit(*self._span(node), text)

    def between(self, part: ast.AST, whole: ast.AST) -> str:
        """Return the text of a node after a part of it."""
        return self._content[self._span(part)[1] : self._span(whole)[1]].decode()

    def edited(self, edits: Iterable[_Edit]) -> str:
        """Return the text after the edits."""
        content = self._content
        for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
            text = edit.text.encode()
            lost_lines = content[edit.start : edit.end].count(b"\n") - text.count(b"\n")
            content = content[: edit.start] + text + b"\n" * lost_lines + content[edit.end :]
        return content.decode()

    def _span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.stmt | ast.expr)
        assert node.end_lineno is not None and node.end_col_offset is not None
        line = first_line(node) if isinstance(node, ast.stmt) else node.lineno
        start = self._line_starts[line - 1] + node.col_offset
        return start, self._line_starts[node.end_lineno - 1] + node.end_col_offset
