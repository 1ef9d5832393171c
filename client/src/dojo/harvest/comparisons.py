"""The student's own ways of comparing made the plain one, `cmp(…)`, which is the grader's where it is graded.

A notebook's `cmp` reads `.grad` of the tensor that it is given. There is no such thing where code is graded, so
every function that does so gives way, whatever its name, and whether it is a method, a lambda or inside of
another function. What it would have returned is not there either: `assert cmp(…)` becomes `cmp(…)`, and a line
that only prints or asserts something about `.grad` goes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeGuard

from dojo.harvest.cells import Cell, Cells, first_line
from dojo.harvest.dataflow import Function, body_flow, parameters

CMP = "cmp"


@dataclass(frozen=True)
class _Edit:
    """Bytes of a cell to be replaced. The number of lines stays: what is taken away leaves blank ones."""

    start: int
    end: int
    text: str


def with_plain_cmp(cells: Cells) -> Cells:
    """The same cells, line for line, where everything that compares is called `cmp`."""
    comparers = _Comparers(each for cell in cells.cells for each in cell.statements)
    return replace(cells, cells=tuple(comparers.plain(cell) for cell in cells.cells))


class _Comparers:
    """What compares in a notebook: ``names`` of functions, ``methods`` by their names."""

    def __init__(self, statements: Iterable[ast.stmt]) -> None:
        self.names = {CMP}
        self.methods = {CMP}
        for statement in statements:
            for node in ast.walk(statement):
                if isinstance(node, ast.ClassDef):
                    self.methods |= {each.name for each in node.body if isinstance(each, Function) and _compares(each)}
                elif (name := _name_of_comparer(node)) is not None:
                    self.names.add(name)

    def plain(self, cell: Cell) -> Cell:
        """The cell as it is where there is nothing to do, and where doing it would make no Python of it."""
        source = _Source(cell.source)
        edits = [edit for statement in cell.statements for edit in self._edits(source, statement, statement)]
        if not edits:
            return cell
        plain = source.edited(edits)
        try:
            return replace(cell, source=plain, statements=tuple(ast.parse(plain).body))
        except SyntaxError:
            return cell

    def _edits(self, source: _Source, node: ast.AST, statement: ast.stmt) -> Iterator[_Edit]:
        """The edits in a node. ``statement`` is the one of the cell that it stands in."""
        name = _name_of_comparer(node)
        if name is not None:
            yield source.edit(node, "pass" if name == CMP else f"{name} = {CMP}")
        elif isinstance(node, ast.Assert) and self._is_call(node.test):
            yield source.edit(node, self._call(source, node.test))
        elif _takes_apart(node, statement) and self._is_call(node.value):
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
        return any(self._is_call(each) for each in ast.walk(node))

    def _is_call(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        if isinstance(node.func, ast.Attribute):
            return node.func.attr in self.methods
        return isinstance(node.func, ast.Name) and node.func.id in self.names


def _reads_grad(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Attribute) and each.attr == "grad" for each in ast.walk(node))


def _compares(node: ast.AST) -> bool:
    """Whether it reads `.grad` of a parameter, beside another one, and leaves it as it is: an optimiser's step
    does not."""
    if not isinstance(node, Function | ast.Lambda):
        return False
    own = parameters(node.args)
    read = {
        each.value.id
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute) and each.attr == "grad" and isinstance(each.value, ast.Name)
    } & own
    changed = body_flow(node).changes if isinstance(node, Function) else set()
    return len(own) > 1 and bool(read) and not read & changed


def _name_of_comparer(node: ast.AST) -> str | None:
    """The name of a function or a named lambda that compares."""
    if isinstance(node, Function) and _compares(node):
        return node.name
    if isinstance(node, ast.Assign) and _compares(node.value) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def _takes_apart(node: ast.AST, statement: ast.stmt) -> TypeGuard[ast.Assign | ast.AugAssign]:
    """Whether it keeps a value where nobody needs it, or adds it to something, or unpacks it."""
    if isinstance(node, ast.Assign):
        return node is statement or isinstance(node.targets[0], ast.Tuple)
    return isinstance(node, ast.AugAssign)


class _Source:
    """A cell's source and the places of nodes in it, in bytes."""

    def __init__(self, text: str) -> None:
        self._content = text.encode()
        self._starts = [0]
        for line in self._content.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def edit(self, node: ast.AST, text: str) -> _Edit:
        return _Edit(*self._span(node), text)

    def between(self, first: ast.AST, whole: ast.AST) -> str:
        """The text of a node after a part of it."""
        return self._content[self._span(first)[1] : self._span(whole)[1]].decode()

    def edited(self, edits: Iterable[_Edit]) -> str:
        content = self._content
        for edit in sorted(edits, key=lambda each: each.start, reverse=True):
            text = edit.text.encode()
            lost = content[edit.start : edit.end].count(b"\n") - text.count(b"\n")
            content = content[: edit.start] + text + b"\n" * lost + content[edit.end :]
        return content.decode()

    def _span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.stmt | ast.expr)
        assert node.end_lineno is not None and node.end_col_offset is not None
        line = first_line(node) if isinstance(node, ast.stmt) else node.lineno
        return self._starts[line - 1] + node.col_offset, self._starts[node.end_lineno - 1] + node.end_col_offset
