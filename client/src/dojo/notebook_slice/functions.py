"""The notebook's own functions and methods: what a call of one changes."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from dojo.notebook_slice.dataflow import Call, Function, body_flow, parameters


@dataclass
class _Effect:
    """What a call may change: the object that a method is called on, its arguments, and names outside of it."""

    receiver: bool = False
    arguments: bool = False
    outside: frozenset[str] = frozenset()


class Functions:
    """The functions and methods that statements define."""

    def __init__(self, nodes: Iterable[ast.stmt]) -> None:
        self.plain: dict[str, Function] = {}
        self.methods: dict[str, list[Function]] = {}
        for node in nodes:
            if isinstance(node, Function):
                self.plain[node.name] = node
            elif isinstance(node, ast.ClassDef):
                for member in node.body:
                    if isinstance(member, Function):
                        self.methods.setdefault(member.name, []).append(member)
        self._effects: dict[Function, _Effect] = {}

    def changed_by(self, call: Call) -> set[str]:
        """Return the names that a call may change; none if the notebook does not define the function."""
        changed: set[str] = set()
        for function in self._candidates(call):
            effect = self._effect(function, is_method=function is not self.plain.get(call.name))
            changed |= effect.outside
            if effect.arguments:
                changed |= call.arguments
            if effect.receiver and call.receiver:
                changed.add(call.receiver)
        return changed

    def _candidates(self, call: Call) -> list[Function]:
        if call.receiver is None:
            return [self.plain[call.name]] if call.name in self.plain else []
        return self.methods.get(call.name, [])

    def _effect(self, function: Function, *, is_method: bool) -> _Effect:
        if function in self._effects:
            return self._effects[function]
        effect = self._effects[function] = _Effect()  # a recursive call sees no effect of its own
        flow = body_flow(function)
        first = next(iter([*function.args.posonlyargs, *function.args.args]), None)
        receiver = {first.arg} if is_method and first else set()
        arguments = parameters(function.args) - receiver
        changed = set(flow.changes).union(*(self.changed_by(call) for call in flow.calls))
        declared = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
        stored = {
            node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        effect.receiver = bool(changed & receiver)
        effect.arguments = bool(changed & arguments)
        changed_outside = changed - stored - arguments - receiver
        effect.outside = frozenset(changed_outside | ((flow.binds | flow.changes) & declared))
        return effect
