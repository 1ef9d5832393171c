"""The names that one statement reads, binds and changes, by its syntax tree alone.

This covers straight-line code with loops, helpers and in-place changes. Changes inside of functions and through
second names need more than one statement: see ``aliases``.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dojo.notebook_slice.callables import VIEW_METHODS, is_in_place

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Flow:
    """The names that a statement uses.

    ``reads``: read before the statement itself binds them.
    ``later``: read by functions that the statement defines, when they are called.
    ``binds``: have a new value afterwards, for certain.
    ``changes``: may have another value afterwards, or the same object with other contents.
    ``perhaps``: changes too, if a function that nobody here knows changes what it is given.
    ``by_name``: names made at run time, as ``globals()["d" + name] = …`` does.
    """

    reads: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)
    by_name: bool = False


def flow_of(statement: ast.stmt) -> Flow:
    """Return the flow of one statement. A function's body counts as ``later``."""
    return _flow([statement])


def body_flow(function: Function) -> Flow:
    """Return the flow of a function's body. Its parameters are bound before; ``changes`` may name them."""
    return _flow(function.body, parameters(function.args))


def parameters(arguments: ast.arguments) -> set[str]:
    """Return the names of all parameters."""
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    starred = [parameter for parameter in (arguments.vararg, arguments.kwarg) if parameter]
    return {parameter.arg for parameter in (*named, *starred)}


def shared_name(node: ast.expr) -> str | None:
    """Return the name whose memory an expression shares: ``dC`` for ``dC[ix].data`` and ``dC.view(-1)``."""
    while True:
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VIEW_METHODS:
            node = node.func.value
        else:
            return node.id if isinstance(node, ast.Name) else None


def _is_namespace(node: ast.expr) -> bool:
    """Return whether an expression is the dict of a notebook's names: ``globals()``."""
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("globals", "locals", "vars")
    )


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [*arguments.defaults, *filter(None, arguments.kw_defaults)]


def _flow(statements: Iterable[ast.stmt], bound: set[str] | None = None) -> Flow:
    visitor = _Visitor(bound or set())
    visitor.block(statements)
    visitor.flow.binds = visitor.bound - (bound or set())
    return visitor.flow


class _Visitor(ast.NodeVisitor):
    """Walks statements in the order of execution. ``bound`` holds the names that have a value so far."""

    def __init__(self, bound: set[str], flow: Flow | None = None) -> None:
        self.bound = set(bound)
        self.flow = flow or Flow()

    def block(self, statements: Iterable[ast.stmt]) -> None:
        """Walk statements that run."""
        for statement in statements:
            self.visit(statement)

    def branch(self, statements: Iterable[ast.stmt], targets: Iterable[ast.expr] = ()) -> set[str]:
        """Walk statements that may not run, and return the names that they bind if they do."""
        inner = _Visitor(self.bound, self.flow)
        for target in targets:
            inner.visit(target)
        inner.block(statements)
        bound = inner.bound - self.bound
        self.flow.changes |= bound
        return bound

    # -- names ------------------------------------------------------------------------------------

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.bound:
                self.flow.reads.add(node.id)
        elif isinstance(node.ctx, ast.Store):
            self.bound.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._visit_part(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._visit_part(node)

    def _visit_part(self, node: ast.Attribute | ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Store):
            self._mark_changed(node)
            key = node.slice.value if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) else None
            if _is_namespace(node.value) and isinstance(key, str):
                self.bound.add(key)
            else:
                self.flow.by_name |= _is_namespace(node.value)
        self.generic_visit(node)

    def _mark_changed(self, node: ast.expr) -> None:
        name = shared_name(node)
        if name is not None:
            self.flow.changes.add(name)

    # -- assignments ------------------------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            if node.target.id not in self.bound:
                self.flow.reads.add(node.target.id)
        else:
            self.generic_visit(node.target)
        self._mark_changed(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def visit_Import(self, node: ast.Import) -> None:
        self.bound |= {name.asname or name.name.partition(".")[0] for name in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.bound |= {name.asname or name.name for name in node.names}

    # -- functions --------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _function(self, node: Function) -> None:
        for expression in (*node.decorator_list, *_defaults(node.args)):
            self.visit(expression)
        body = body_flow(node)
        self.flow.later |= body.reads | body.later
        self.bound.add(node.name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for expression in _defaults(node.args):
            self.visit(expression)
        inner = _Visitor(parameters(node.args))
        inner.visit(node.body)
        self.flow.later |= (inner.flow.reads | inner.flow.later) - self.bound

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for expression in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(expression)
        body = _flow(node.body)
        self.flow.reads |= body.reads - self.bound
        self.flow.later |= body.later
        self.bound.add(node.name)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and _is_namespace(node.func.value):
            self.flow.by_name |= node.func.attr in ("update", "__setitem__", "setdefault")
        elif isinstance(node.func, ast.Name) and node.func.id in ("exec", "eval") and node.args:
            self._program(node.args[0])
        elif isinstance(node.func, ast.Attribute) and is_in_place(node.func.attr):
            self._mark_changed(node.func.value)

    def _program(self, node: ast.expr) -> None:
        """Walk the program in a text, as ``exec`` runs it; of another text nothing is known."""
        with contextlib.suppress(SyntaxError, ValueError):
            self.block(ast.parse(str(node.value)).body if isinstance(node, ast.Constant) else [])
        self.flow.by_name |= not isinstance(node, ast.Constant)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        inner = _Visitor(self.bound, self.flow)
        for generator in node.generators:
            inner.visit(generator.iter)
            inner.visit(generator.target)
            for condition in generator.ifs:
                inner.visit(condition)
        if isinstance(node, ast.DictComp):
            inner.visit(node.key)
            inner.visit(node.value)
        else:
            inner.visit(node.elt)

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension

    # -- what may run or not ------------------------------------------------------------------------

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.bound |= self.branch(node.body) & self.branch(node.orelse)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self.branch(node.body, [node.target])
        self.branch(node.orelse)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self.visit_For(node)

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self.branch(node.body)
        self.branch(node.orelse)

    def visit_Try(self, node: ast.Try) -> None:
        self.branch([*node.body, *node.orelse])
        for handler in node.handlers:
            self.branch(handler.body, [ast.Name(handler.name, ast.Store())] if handler.name else [])
        self.block(node.finalbody)

    def visit_TryStar(self, node: Any) -> None:
        self.visit_Try(node)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        for case in node.cases:
            patterns = [part for part in ast.walk(case.pattern) if isinstance(part, ast.MatchAs)]
            captured = {pattern.name for pattern in patterns if pattern.name}
            inner = _Visitor(self.bound | captured, self.flow)
            inner.block(case.body)
            self.flow.changes |= inner.bound - self.bound
