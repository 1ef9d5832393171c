"""The forward pass in float64, played plainly, with nudges: what the slopes of the loss are measured on.

What stands behind a wall (``detach``, a frozen line) keeps the value that it has without a nudge, because no gradient
goes back through a wall.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import torch
from torch import Tensor

from exercises.language.expression import Call, Name, Part, compiled
from exercises.language.forward import Forward
from exercises.tape import is_constant

_CASTS: Final = frozenset({"to", "float", "double", "half", "bfloat16", "type", "type_as"})


@dataclass
class Walls:
    """The values behind walls, in the order in which a play comes by them."""

    values: list[Tensor] = field(default_factory=list)
    place: int = 0

    def keep(self, value: Tensor) -> Tensor:
        """Return the value of the first play here; remember it if this is the first."""
        if self.place == len(self.values):
            self.values.append(value.detach())
        self.place += 1
        return self.values[self.place - 1]


class PrecisePass:
    """A forward pass in float64.

    :param given: the given part of a forward state
    :param data: the names in it that have no gradient
    """

    def __init__(self, forward: Forward, given: Mapping[str, Tensor], data: Collection[str]) -> None:
        self._lines = forward.lines
        self._given = {name: _read(value) for name, value in given.items()}
        self._data = frozenset(data)
        self._walls = Walls()
        self.loss = float(self.play().detach())

    def play(self, nudges: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the loss. ``nudges`` are added to the values of their names, given or computed."""
        return self._played(nudges or {}, lambda name, value: value)[0]

    def gradients(self) -> dict[str, Tensor]:
        """Return name → gradient in float64, by autograd: what is zero in mathematics is zero to 1e-16 there."""
        leaves: dict[str, Tensor] = {}

        def keep(name: str, value: Any) -> Any:
            if isinstance(value, Tensor) and value.is_floating_point():
                if not value.requires_grad and name in self._given and name not in self._data:
                    value = value.clone().requires_grad_()
                if value.requires_grad:
                    leaves[name] = value
            return value

        loss, _ = self._played({}, keep)
        found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        return {name: gradient for name, gradient in zip(leaves, found, strict=True) if gradient is not None}

    def _played(self, nudges: Mapping[str, Tensor], keep: Callable[[str, Any], Any]) -> tuple[Tensor, dict[str, Any]]:
        self._walls.place = 0
        values = {
            name: keep(name, value + nudges[name] if name in nudges else value) for name, value in self._given.items()
        }
        for line in self._lines:
            value = self._value(line.expression, values)
            if line.frozen:
                value = self._walls.keep(value)
            elif line.name in nudges:
                value = value + nudges[line.name]
            values[line.name] = value if line.frozen else keep(line.name, value)
        return values["loss"], values

    def _value(self, expression: Any, values: Mapping[str, Any]) -> Any:
        match expression:
            case Name(name):
                return values[name]
            case Call(operation, arguments):
                return self._called(operation, {key: self._value(value, values) for key, value in arguments})
            case Part(call, index):
                return _precise(self._value(call, values)[index])
            case tuple():
                return tuple(self._value(each, values) for each in expression)
            case slice(start=start, stop=stop, step=step):
                return slice(*(self._value(each, values) for each in (start, stop, step)))
        return expression

    def _called(self, operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "detach":
            return self._walls.keep(arguments["input"])
        if operation in _CASTS and isinstance(arguments.get("input"), Tensor):
            value = arguments["input"]
            if value.is_floating_point():  # a cast to float32 would round the nudge away
                return value
        return _precise(_applied(operation, tuple(arguments))(arguments.__getitem__))


@cache
def _applied(operation: str, parameters: tuple[str, ...]) -> Callable[[Callable[[str], Any]], Any]:
    """Return an operation as a function of what gives its arguments by their names."""
    return compiled(Call(operation, tuple((parameter, Name(parameter)) for parameter in parameters)))


def _read(value: Tensor) -> Any:
    return value.item() if is_constant(value) else _precise(value.detach())


def _precise(value: Any) -> Any:
    """Return float32 as float64: torch makes new tensors of float32, and a product refuses two types."""
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.double()
    return value
