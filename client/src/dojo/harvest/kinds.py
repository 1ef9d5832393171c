"""What a statement is to the grader: an answer, a comparison, or something that stays behind."""

from __future__ import annotations

import ast

from dojo.harvest.comparisons import CMP
from dojo.harvest.dataflow import Function, flow_of, root
from dojo.harvest.statements import Statement
from dojo.harvest.wanted import Wanted

_LOOPS = (ast.For, ast.While, ast.AsyncFor)
_TRAINING = 3  # a loop that makes this many handed-out names anew is a forward pass of its own


class Kinds:
    """``compared``: the checkpoints that each statement's cmp calls are for; an empty name where that shows at run
    time. ``usable``: those that are not a placeholder, have an effect, do not train, and leave torch's
    backward alone."""

    def __init__(self, statements: list[Statement], wanted: Wanted) -> None:
        self._wanted = wanted
        self._comparers = _comparers(statements)
        self._own_backward = any(_has_backward(each.node) for each in statements)
        self.compared = {each: self._names_compared(each.node) for each in statements}
        self.usable = dict.fromkeys(each for each in statements if self._is_usable(each))

    def out_of_reach(self, statement: Statement) -> str | None:
        """Why the grader cannot run it: there are no files and no gradients, and what trains stays behind."""
        if statement not in self.usable:
            return "it computes on other data, or has torch go backward"
        is_simple = isinstance(statement.node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "input"):
                return "it reads a file or the keyboard"
            if is_simple and isinstance(node, ast.Attribute) and node.attr == "grad" and self._is_handed_out(node):
                return "it reads .grad, and there is none where it is graded"
        return None

    def is_nothing(self, statement: Statement) -> bool:
        """`dlogits = None`: a placeholder, which is no answer."""
        node = statement.node
        return (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(node.value, ast.Constant)
            and node.value.value is None
            and bool(statement.flow.binds & set(self._wanted.answers))
        )

    def _is_usable(self, statement: Statement) -> bool:
        """Not a placeholder, not what has torch go backward, not what has no effect, and not a loop that
        trains: it makes answers on other data."""
        node = statement.node
        if self.is_nothing(statement):
            return False
        if isinstance(node, Function | ast.ClassDef):
            return True
        if isinstance(node, ast.Expr) and not statement.makes and not self.compared[statement]:
            return False
        for each in ast.walk(node):
            if isinstance(each, ast.Attribute) and each.attr == "backward" and self._is_torchs(each):
                return False
            if isinstance(each, _LOOPS):
                inside = flow_of(each)
                if len((inside.binds | inside.changes) & self._wanted.handed_out) >= _TRAINING:
                    return False
        return True

    def _is_torchs(self, backward: ast.Attribute) -> bool:
        """Whether it is torch's method of that name, not one of a class in the notebook."""
        return not self._own_backward or self._is_handed_out(backward)

    def _is_handed_out(self, node: ast.expr) -> bool:
        return root(node) in self._wanted.handed_out

    def _names_compared(self, node: ast.stmt) -> set[str]:
        if isinstance(node, Function | ast.ClassDef):
            return set()
        calls = [each for each in ast.walk(node) if isinstance(each, ast.Call) and _is_name(each.func, self._comparers)]
        return set[str]().union(*(self._named(call) for call in calls))

    def _named(self, call: ast.Call) -> set[str]:
        """What a cmp call is for, as the grader reads it: the text, else the tensor, else the answer."""
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        constants = [each.value for each in arguments if isinstance(each, ast.Constant)]
        texts = {each.strip() for each in constants if isinstance(each, str)}
        names = {each.id for each in arguments if isinstance(each, ast.Name)}
        answers = self._wanted.answers
        of_answers = {answers[name] for name in names if name in answers}
        for found in (texts, {text.removeprefix("d") for text in texts}, names, of_answers):
            if found & set(answers.values()):
                return found & set(answers.values())
        return set() if texts else {""}


def _comparers(statements: list[Statement]) -> set[str]:
    """The names under which cmp is called: second names for it, and functions that call it."""
    names = {CMP}
    nodes = [node for each in statements for node in ast.walk(each.node)]
    while True:
        more = set()
        for node in nodes:
            if isinstance(node, Function):
                calls = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
                more |= {node.name} if any(_is_name(each, names) for each in calls) else set()
            elif isinstance(node, ast.Assign) and _is_name(node.value, names):
                more |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if more <= names:
            return names
        names |= more


def _is_name(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _has_backward(node: ast.stmt) -> bool:
    """Whether it is a class of the student's own with a method `backward`."""
    return isinstance(node, ast.ClassDef) and any(
        isinstance(each, Function) and each.name == "backward" for each in node.body
    )
