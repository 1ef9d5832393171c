"""The kind of a statement: an answer, a comparison, or something that is not taken."""

from __future__ import annotations

import ast

from dojo.notebook_slice.comparisons import CMP
from dojo.notebook_slice.dataflow import Function, flow_of, shared_name
from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.statements import Statement

_LOOPS = (ast.For, ast.While, ast.AsyncFor)
TRAINING_NAMES_MIN = 3  # a loop that makes so many handed-out names is a forward pass on other data

NO_FILES = "it reads a file or the keyboard"
NO_GRAD = "it reads .grad, and there is none where it is graded"
OTHER_DATA = "it computes on other data, or has torch go backward"


class Kinds:
    """The kinds of a notebook's statements.

    ``compared`` maps a statement to the checkpoints that its calls of ``cmp`` are for; an empty name stands for a
    name that is known at run time only. ``usable`` holds the statements that are no placeholder, do not train, and
    do not call torch's ``backward``.
    """

    def __init__(self, statements: list[Statement], goal: Goal) -> None:
        self._goal = goal
        self._comparers = _comparer_names(statements)
        self._has_own_backward = any(_defines_backward(statement.node) for statement in statements)
        self.compared = {statement: self._compared_names(statement.node) for statement in statements}
        self.usable = dict.fromkeys(statement for statement in statements if self._is_usable(statement))

    def obstacle(self, statement: Statement) -> str | None:
        """Return why the grader cannot run a statement, or None."""
        if statement not in self.usable:
            return OTHER_DATA
        is_assignment = isinstance(statement.node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "input"):
                return NO_FILES
            is_grad = isinstance(node, ast.Attribute) and node.attr == "grad"
            if is_assignment and is_grad and self._is_handed_out(node):
                return NO_GRAD
        return None

    def is_placeholder(self, statement: Statement) -> bool:
        """Return whether a statement only sets an answer to None, such as ``dlogits = None``."""
        node = statement.node
        return (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(node.value, ast.Constant)
            and node.value.value is None
            and bool(statement.flow.binds & self._goal.variables)
        )

    def _is_usable(self, statement: Statement) -> bool:
        node = statement.node
        if self.is_placeholder(statement):
            return False
        if isinstance(node, Function | ast.ClassDef):
            return True
        return not any(self._is_torch_backward(part) or self._trains(part) for part in ast.walk(node))

    def _is_torch_backward(self, node: ast.AST) -> bool:
        """Return whether a node is torch's method ``backward``, not one of a class in the notebook."""
        if not isinstance(node, ast.Attribute) or node.attr != "backward":
            return False
        return not self._has_own_backward or self._is_handed_out(node)

    def _trains(self, node: ast.AST) -> bool:
        """Return whether a node is a loop that computes the forward pass on other data."""
        if not isinstance(node, _LOOPS):
            return False
        flow = flow_of(node)
        return len((flow.binds | flow.changes) & self._goal.handed_out) >= TRAINING_NAMES_MIN

    def _is_handed_out(self, node: ast.AST) -> bool:
        return isinstance(node, ast.expr) and shared_name(node) in self._goal.handed_out

    def _compared_names(self, node: ast.stmt) -> set[str]:
        if isinstance(node, Function | ast.ClassDef):
            return set()
        calls = [part for part in ast.walk(node) if isinstance(part, ast.Call) and _is_name(part.func, self._comparers)]
        return set[str]().union(*(self._compared_by(call) for call in calls))

    def _compared_by(self, call: ast.Call) -> set[str]:
        """Return what a call of cmp is for, as the grader reads it: the text, else the tensor, else the answer."""
        checkpoint_by_variable = self._goal.checkpoint_by_variable
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        constants = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
        texts = {constant.strip() for constant in constants if isinstance(constant, str)}
        names = {argument.id for argument in arguments if isinstance(argument, ast.Name)}
        answers = {checkpoint_by_variable[name] for name in names if name in checkpoint_by_variable}
        for candidates in (texts, {text.removeprefix("d") for text in texts}, names, answers):
            checkpoints = candidates & set(self._goal.checkpoints)
            if checkpoints:
                return checkpoints
        return set() if texts else {""}


def _comparer_names(statements: list[Statement]) -> set[str]:
    """Return the names under which cmp is called: second names for it, and functions that call it."""
    names = {CMP}
    nodes = [node for statement in statements for node in ast.walk(statement.node)]
    while True:
        more: set[str] = set()
        for node in nodes:
            if isinstance(node, Function):
                called = [part.func for part in ast.walk(node) if isinstance(part, ast.Call)]
                more |= {node.name} if any(_is_name(function, names) for function in called) else set()
            elif isinstance(node, ast.Assign) and _is_name(node.value, names):
                more |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if more <= names:
            return names
        names |= more


def _is_name(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _defines_backward(node: ast.stmt) -> bool:
    """Return whether a node is a class with a method ``backward``."""
    return isinstance(node, ast.ClassDef) and any(
        isinstance(member, Function) and member.name == "backward" for member in node.body
    )
