"""An expression of a line with its values: what the rules ask for shapes and for what needs a gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from author.derive.code import Shape
from exercises.language.expression import Call, Name, Part, evaluated


@dataclass(eq=False)
class Node:
    """A part of a line: ``expression``, its ``value`` on sample numbers, and the nodes of its arguments.

    ``arguments`` are nodes, tuples and slices of nodes, or plain values. ``index`` says which of several results it is.
    ``value_name`` is the name under which its value is at hand, ``base_name`` what to call it if it needs a name.
    """

    expression: Name | Call | Part
    value: Any
    arguments: dict[str, Any] = field(default_factory=dict)
    index: int | None = None
    value_name: str | None = None
    base_name: str | None = None

    @property
    def call(self) -> Call:
        """The call that computes it."""
        if isinstance(self.expression, Part):
            return self.expression.call
        assert isinstance(self.expression, Call)
        return self.expression

    @property
    def operation(self) -> str:
        """The name of its operation."""
        return self.call.operation

    @property
    def name(self) -> str | None:
        """The name, if it is one."""
        return self.expression.name if isinstance(self.expression, Name) else None

    @property
    def shape(self) -> Shape:
        """The shape of its value, ``()`` for a number."""
        return tuple(self.value.shape) if isinstance(self.value, Tensor) else ()

    @property
    def needs_gradient(self) -> bool:
        """Whether a gradient flows through it."""
        return isinstance(self.value, Tensor) and self.value.requires_grad

    def argument(self, name: str) -> Any:
        """Return an argument, or the default of its parameter."""
        if name in self.arguments:
            return self.arguments[name]
        return self.call.definition.defaults.get(name)

    def children(self) -> Iterator[Node]:
        """Yield the nodes of the arguments, in their order."""
        for argument in self.arguments.values():
            yield from nodes_in(argument)


def nodes_in(argument: Any) -> Iterator[Node]:
    """Yield the nodes that an argument holds."""
    match argument:
        case Node():
            yield argument
        case tuple():
            for each in argument:
                yield from nodes_in(each)
        case slice():
            yield from nodes_in((argument.start, argument.stop, argument.step))


def planted(expression: Any, values: Mapping[str, Any]) -> Any:
    """Return the tree of an expression, computed on ``values``. Other values stay as they are."""
    match expression:
        case Name(name):
            return Node(expression, values[name])
        case Call():
            arguments, value = _computed(expression, values)
            return Node(expression, value, arguments)
        case Part(call, index):
            arguments, value = _computed(call, values)
            return Node(expression, value[index], arguments, index)
        case tuple():
            return tuple(planted(each, values) for each in expression)
        case slice():
            return slice(*(planted(each, values) for each in (expression.start, expression.stop, expression.step)))
    return expression


def _computed(call: Call, values: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    arguments = {name: planted(value, values) for name, value in call.arguments}
    constant = Call(call.operation, tuple((name, plain(each)) for name, each in arguments.items()))
    return arguments, evaluated(constant, values.__getitem__)


def plain(argument: Any) -> Any:
    """Return the value of an argument."""
    match argument:
        case Node():
            return argument.value
        case tuple():
            return tuple(plain(each) for each in argument)
        case slice():
            return slice(plain(argument.start), plain(argument.stop), plain(argument.step))
    return argument


def in_order(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, each after its arguments: the order in which torch computes them."""
    for child in node.children():
        yield from in_order(child)
    yield node
