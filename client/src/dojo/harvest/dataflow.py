"""What a statement reads, binds and changes, by its syntax tree alone.

Good enough to choose statements of a notebook by: straight-line code with loops, helpers and in-place
changes. What goes on in a function or through a second name for the same tensor takes more than one
statement to see: that is in dojo.harvest.statements."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# Methods that change what they are called on, besides torch's, which end in an underscore.
_CHANGING = frozenset("append extend insert update add setdefault pop remove clear sort reverse".split())
_NOT_CHANGING = frozenset({"requires_grad_"})
# Methods whose result is the same numbers under another shape: changing it changes what it was made from.
_VIEWS = frozenset(
    "detach expand expand_as flatten movedim narrow numpy permute ravel reshape select squeeze swapaxes t "
    "transpose unsqueeze view view_as".split()
)


@dataclass(frozen=True)
class Call:
    """A call by a plain name, or of a method of ``receiver``; ``arguments`` are the plain names among them."""

    name: str
    receiver: str | None
    arguments: frozenset[str]


Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Flow:
    """``reads``: names read before the statement itself binds them. ``later``: names that functions made in
    it read when they are called. ``binds``: names that surely have a new value afterwards. ``changes``: names
    that may have another value afterwards, or the same object with other contents."""

    reads: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)


def flow_of(statement: ast.stmt) -> Flow:
    """The flow of one statement; a function's body counts as ``later``."""
    return _flow([statement])


def body_flow(function: Function) -> Flow:
    """The flow of a call: parameters are bound beforehand, ``changes`` may name them."""
    return _flow(function.body, parameters(function.args))


def parameters(arguments: ast.arguments) -> set[str]:
    """The names of all parameters."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
    return {each.arg for each in every}


def root(node: ast.expr) -> str | None:
    """The name whose contents an expression like ``dC[ix].data`` or ``dC.view(-1)`` shares."""
    while True:
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS:
            node = node.func.value
        else:
            return node.id if isinstance(node, ast.Name) else None


def _flow(statements: Iterable[ast.stmt], bound: set[str] | None = None) -> Flow:
    visitor = _Visitor(bound or set())
    visitor.block(statements)
    visitor.flow.binds = visitor.bound - (bound or set())
    return visitor.flow


class _Visitor(ast.NodeVisitor):
    """Walks statements in the order of execution. ``bound`` holds what surely has a value by now."""

    def __init__(self, bound: set[str], flow: Flow | None = None) -> None:
        self.bound = set(bound)
        self.flow = flow or Flow()

    def block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self.visit(statement)

    def branch(self, statements: Iterable[ast.stmt], targets: Iterable[ast.expr] = ()) -> set[str]:
        """Walk something that may not happen; returns what it binds if it does."""
        inner = _Visitor(self.bound, self.flow)
        for target in targets:
            inner.visit(target)
        inner.block(statements)
        made = inner.bound - self.bound
        self.flow.changes |= made
        return made

    # -- names ------------------------------------------------------------------------------------

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.bound:
                self.flow.reads.add(node.id)
        elif isinstance(node.ctx, ast.Store):
            self.bound.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._place(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._place(node)

    def _place(self, node: ast.Attribute | ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Store):
            self._changed(node)
        self.generic_visit(node)

    def _changed(self, node: ast.expr) -> None:
        name = root(node)
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
        self._changed(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def visit_Import(self, node: ast.Import) -> None:
        self.bound |= {each.asname or each.name.partition(".")[0] for each in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.bound |= {each.asname or each.name for each in node.names}

    # -- functions --------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _function(self, node: Function) -> None:
        for each in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(each)
        inside = body_flow(node)
        self.flow.later |= (inside.reads | inside.later) - {node.name}
        self.bound.add(node.name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for each in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(each)
        inside = _Visitor(parameters(node.args))
        inside.visit(node.body)
        self.flow.later |= (inside.flow.reads | inside.flow.later) - self.bound

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for each in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(each)
        inside = _flow(node.body)
        self.flow.reads |= inside.reads - self.bound
        self.flow.later |= inside.later - {node.name}
        self.bound.add(node.name)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        names = [each.id for each in node.args if isinstance(each, ast.Name)]
        names += [each.value.id for each in node.keywords if isinstance(each.value, ast.Name)]
        if isinstance(node.func, ast.Name):
            self.flow.calls.append(Call(node.func.id, None, frozenset(names)))
        elif isinstance(node.func, ast.Attribute):
            method = node.func.attr
            self.flow.calls.append(Call(method, root(node.func.value), frozenset(names)))
            torchs = method.endswith("_") and not method.endswith("__") and method not in _NOT_CHANGING
            if torchs or method in _CHANGING:
                self._changed(node.func.value)
            if node.args and (torchs or method == "at"):  # torch.nn.init.zeros_(dC), numpy.add.at(dC, …)
                self._changed(node.args[0])
        for keyword in node.keywords:
            if keyword.arg == "out":
                self._changed(keyword.value)

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

    # -- what may happen or not -------------------------------------------------------------------

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.bound |= self.branch(node.body) & self.branch(node.orelse)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self.branch(node.body, [node.target])
        self.branch(node.orelse)

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
            captured = {each.name for each in ast.walk(case.pattern) if isinstance(each, ast.MatchAs) and each.name}
            inner = _Visitor(self.bound | captured, self.flow)
            inner.block(case.body)
            self.flow.changes |= inner.bound - self.bound
