"""What a rule sees: one operation of a line, the gradient that comes in, and what it may name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from author.derive import code as build
from author.derive.code import Code, Shape
from author.derive.nodes import Node
from author.derive.spelling import Numbers, value_code

LONG = 36  # characters: a longer inner value gets a name of its own
LONG_GRADIENT = 44
Rule = Callable[["Site"], Iterator["Flow"]]


@dataclass(frozen=True)
class Placed:
    """A gradient that is zero but for one place: ``index`` is the text between the brackets.

    ``repeats`` tells that the index may name a place more than once.
    """

    index: str
    value: Code
    repeats: bool = False


@dataclass(frozen=True)
class Split:
    """A gradient of one of the parts into which a tensor was split along ``dim``: ``start`` is where it begins."""

    dim: int
    start: int
    stop: int
    value: Code


@dataclass(frozen=True)
class Flow:
    """What flows on to an argument of an operation. ``special`` is another way to write it in a statement."""

    to: Node
    code: Code
    special: Placed | Split | None = None


@dataclass
class Temporaries:
    """The names that the derivation gives to inner values and inner gradients, with their statements."""

    taken: set[str]
    statements: dict[str, str] = field(default_factory=dict)

    def fresh(self, base: str) -> str:
        """Return a name that nothing has yet."""
        name, count = base, 2
        while name in self.taken or f"d{name}" in self.taken:
            name, count = f"{base}{count}", count + 1
        self.taken |= {name}
        return name

    def set(self, name: str, text: str) -> None:
        """Set a name by a statement."""
        self.statements[name] = f"{name} = {text}"


@dataclass
class Site:
    """An operation, and ``gradient``: the code of the gradient at its output, maybe still to be stretched to it."""

    line: str
    node: Node
    gradient: Code
    numbers: Numbers
    temporaries: Temporaries

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that the line has."""
        return self.node.arguments

    def argument(self, name: str) -> Any:
        """Return an argument or its default; None if the operation has no such parameter."""
        return self.node.argument(name)

    def plain(self, name: str, default: Any = None) -> Any:
        """Return an argument that is a number, a string or a tuple of numbers."""
        value = self.node.argument(name)
        return default if value is None else value

    @property
    def output(self) -> Code:
        """The value of the output; a long one gets a name."""
        return self.value(self.node)

    def value(self, argument: Any, often: bool = False) -> Code:
        """Return the value of an argument. A long one, and one that is used ``often``, gets a name."""
        code = value_code(argument, self.numbers)
        if not isinstance(argument, Node) or code.is_name or code.number is not None:
            return code
        if len(code.text) <= LONG and not (often and len(code.text) > LONG // 3):
            return code
        argument.value_name = self.temporaries.fresh(self._base(argument))
        self.temporaries.set(argument.value_name, code.text)
        return Code(argument.value_name, code.shape)

    def named_gradient(self) -> Code:
        """Return the gradient for a rule that reads it more than once: a name unless it is short."""
        if self.gradient.is_name or self.gradient.number is not None or len(self.gradient.text) <= LONG // 3:
            return self.gradient
        self.gradient = self.name_gradient(self.node, self.gradient)
        return self.gradient

    def name_gradient(self, node: Node, code: Code) -> Code:
        """Give the gradient of a node a name."""
        base = node.value_name or self.temporaries.fresh(self._base(node))
        name = f"d{base}"
        self.temporaries.taken.add(name)
        self.temporaries.set(name, code.text)
        return Code(name, code.shape)

    def full(self) -> Code:
        """Return the gradient in the shape of the output."""
        return stretched(self.gradient, self.node.shape)

    def fit(self, to: Node, code: Code) -> Flow:
        """Return the flow to an operand of an elementwise operation: summed where the operand was stretched."""
        return Flow(to, fitted(code, self.node.shape, to.shape))

    def _base(self, node: Node) -> str:
        return node.base_name or f"{self.line}_{node.operation}"


def stretched(code: Code, shape: Shape) -> Code:
    """Return code in a shape, stretched if need be."""
    if code.shape == shape:
        return code
    if code.number is not None:
        if code.number in (0, 1):
            return build.call(f"torch.{'ones' if code.number else 'zeros'}", build.literal(shape), shape=shape)
        return build.call("torch.full", f"({build.literal(shape)}{',' * (len(shape) == 1)})", code, shape=shape)
    return build.method(code, f".expand({build.literal(shape)})", shape)


def fitted(code: Code, full: Shape, target: Shape) -> Code:
    """Return the gradient of an operand: ``code`` stands for the shape ``full``, the operand has ``target``."""
    if code.number is None and code.text.startswith("-"):
        return build.neg(fitted(build.neg(code), full, target))
    leading = len(full) - len(target)
    kept = [leading + i for i, size in enumerate(target) if size == 1 and full[leading + i] != 1]
    dims = [*range(leading), *kept]
    if not dims:
        return code
    if len(code.shape) != len(full) or any(code.shape[dim] != full[dim] for dim in dims):
        code = stretched(code, full)
    if target == ():
        return build.method(code, ".sum()", ())
    shape = tuple(1 if i in kept else size for i, size in enumerate(code.shape) if i >= leading or i in kept)
    if not kept:
        return build.method(code, f".sum({build.dims_text(dims)})", shape)
    summed = build.method(code, f".sum({build.dims_text(dims)}, keepdim=True)", shape)
    if leading:
        return build.method(summed, f".reshape({build.literal(target)})", target)
    return summed
