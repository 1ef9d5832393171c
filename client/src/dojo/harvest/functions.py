"""The notebook's own functions and methods: what a call of one changes."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from dojo.harvest.dataflow import Call, Function, body_flow, parameters


@dataclass
class _Effect:
    """What a call may change: the object that the method is of, its arguments, and names outside of it."""

    receiver: bool = False
    arguments: bool = False
    outside: frozenset[str] = frozenset()


class Functions:
    def __init__(self, nodes: Iterable[ast.stmt]) -> None:
        self.plain: dict[str, Function] = {}
        self.methods: dict[str, list[Function]] = {}
        for node in nodes:
            if isinstance(node, Function):
                self.plain[node.name] = node
            elif isinstance(node, ast.ClassDef):
                for each in node.body:
                    if isinstance(each, Function):
                        self.methods.setdefault(each.name, []).append(each)
        self._effects: dict[Function, _Effect] = {}

    def changed_by(self, call: Call) -> set[str]:
        """The names that a call may change; a call of something else than these functions changes none."""
        changed: set[str] = set()
        for function in self._called(call):
            effect = self._effect(function, is_method=function is not self.plain.get(call.name))
            changed |= effect.outside
            if effect.arguments:
                changed |= call.arguments
            if effect.receiver and call.receiver:
                changed.add(call.receiver)
        return changed

    def _called(self, call: Call) -> list[Function]:
        if call.receiver is None:
            return [self.plain[call.name]] if call.name in self.plain else []
        return self.methods.get(call.name, [])

    def _effect(self, function: Function, *, is_method: bool) -> _Effect:
        if function in self._effects:
            return self._effects[function]
        effect = self._effects[function] = _Effect()  # what a function that calls itself sees of itself
        inside = body_flow(function)
        first = next(iter([*function.args.posonlyargs, *function.args.args]), None)
        receiver = {first.arg} if is_method and first else set()
        arguments = parameters(function.args) - receiver
        changed = set(inside.changes).union(*(self.changed_by(call) for call in inside.calls))
        declared = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
        stored = {
            node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        effect.receiver = bool(changed & receiver)
        effect.arguments = bool(changed & arguments)
        own = (stored - declared) | arguments | receiver
        effect.outside = frozenset((changed - own) | ((inside.binds | inside.changes) & declared))
        return effect
