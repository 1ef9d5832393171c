"""Code that is put together: its text, how tightly it binds, the shape that it has.

Only the parentheses that the order of operations needs are written. A factor of one and a minus before a minus
vanish. The order of the operands stays: float32 would round another order otherwise.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import zip_longest
from typing import Any

Shape = tuple[int, ...]


class Binding(IntEnum):
    """How tightly the outermost operation of a text binds, the loosest first."""

    COMPARISON = 0
    SUM = 1
    PRODUCT = 2
    MINUS = 3
    POWER = 4
    ATOM = 5


@dataclass(frozen=True)
class Code:
    """An expression of Python. ``shape`` is what it has, which may still have to be stretched to what it stands for.

    ``number`` is its value if it is a number of Python, else None. ``factors`` are those of a product of matrices.
    """

    text: str
    shape: Shape
    binding: Binding = Binding.ATOM
    number: float | None = None
    factors: tuple[Code, Code] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.text

    def within(self, binding: Binding) -> str:
        """Return the text, in parentheses if it binds less tightly than ``binding``."""
        return self.text if self.binding >= binding else f"({self.text})"

    @property
    def atom(self) -> str:
        """The text such that a method or an index can follow."""
        if self.binding is Binding.ATOM and self.number is None:
            return self.text
        return f"({self.text})"

    @property
    def is_name(self) -> bool:
        """Whether it is a name alone."""
        return self.text.isidentifier()


def number(value: float, text: str | None = None) -> Code:
    """Return a number. ``text`` is how to write it."""
    spelled = text if text is not None else repr(value)
    return Code(spelled, (), _binding_of(spelled), float(value))


def _binding_of(text: str) -> Binding:
    match ast.parse(text, mode="eval").body:
        case ast.BinOp(_, ast.Add() | ast.Sub()):
            return Binding.SUM
        case ast.BinOp(_, ast.Pow()):
            return Binding.POWER
        case ast.BinOp():
            return Binding.PRODUCT
        case ast.UnaryOp():
            return Binding.MINUS
    return Binding.ATOM


ONE = number(1.0)


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape to which shapes are stretched.

    ``torch.broadcast_shapes`` would import sympy, which costs some 2 s at the first call.

    :raises ValueError: they do not fit
    """
    sizes: list[int] = []
    for column in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1):
        wide = {size for size in column if size != 1}
        if len(wide) > 1:
            raise ValueError(f"the shapes {', '.join(map(str, shapes))} do not fit")
        sizes.append(wide.pop() if wide else 1)
    return tuple(reversed(sizes))


def mul(left: Code, right: Code) -> Code:
    """Return a product."""
    if left.number == 1:
        return right
    if right.number == 1:
        return left
    if right.number == -1:
        return neg(left)
    if left.number == -1:
        return neg(right)
    return Code(
        f"{left.within(Binding.PRODUCT)} * {right.within(Binding.MINUS)}",
        broadcast(left.shape, right.shape),
        Binding.PRODUCT,
        None if left.number is None or right.number is None else left.number * right.number,
    )


def div(left: Code, right: Code) -> Code:
    """Return a quotient."""
    if right.number == 1:
        return left
    return Code(
        f"{left.within(Binding.PRODUCT)} / {right.within(Binding.MINUS)}",
        broadcast(left.shape, right.shape),
        Binding.PRODUCT,
        None if left.number is None or right.number is None else left.number / right.number,
    )


def neg(code: Code) -> Code:
    """Return the negative."""
    value = None if code.number is None else -code.number
    if code.text.startswith("-") and code.binding in (Binding.MINUS, Binding.PRODUCT):
        rest = code.text[1:]
        binding = Binding.PRODUCT if code.binding is Binding.PRODUCT else _binding_of(rest)
        return Code(rest, code.shape, binding, value)
    if code.binding is Binding.PRODUCT:
        # -a * b is (-a) * b: the same bits as -(a * b), and the lecture's way to write it.
        return Code(f"-{code.text}", code.shape, Binding.PRODUCT, value)
    return Code(f"-{code.within(Binding.POWER)}", code.shape, Binding.MINUS, value)


def add(left: Code, right: Code) -> Code:
    """Return a sum."""
    shape = broadcast(left.shape, right.shape)
    if right.text.startswith("-") and right.binding in (Binding.MINUS, Binding.PRODUCT) and right.number is None:
        return Code(f"{left.within(Binding.SUM)} - {right.text[1:]}", shape, Binding.SUM)
    return Code(f"{left.within(Binding.SUM)} + {right.within(Binding.PRODUCT)}", shape, Binding.SUM)


def sub(left: Code, right: Code) -> Code:
    """Return a difference."""
    shape = broadcast(left.shape, right.shape)
    return Code(f"{left.within(Binding.SUM)} - {right.within(Binding.PRODUCT)}", shape, Binding.SUM)


def power(base: Code, exponent: str) -> Code:
    """Return a power."""
    return Code(f"{base.within(Binding.ATOM)}**{exponent}", base.shape, Binding.POWER)


def matmul(left: Code, right: Code) -> Code:
    """Return a product of matrices."""
    shape: Shape = (*broadcast(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-1])
    text = f"{left.within(Binding.PRODUCT)} @ {right.within(Binding.MINUS)}"
    return Code(text, shape, Binding.PRODUCT, factors=(left, right))


def turned(code: Code) -> Code:
    """Return matrices with rows and columns exchanged: ``B.T @ A.T`` for ``A @ B``, ``A`` for ``A.T``."""
    shape: Shape = (*code.shape[:-2], code.shape[-1], code.shape[-2])
    if code.factors is not None:
        left, right = code.factors
        return matmul(turned(right), turned(left))
    suffix = ".T" if len(code.shape) == 2 else ".transpose(-2, -1)"
    if code.binding is Binding.ATOM and code.text.endswith(suffix):
        return Code(code.text.removesuffix(suffix), shape)
    return method(code, suffix, shape)


def compared(left: Code, symbol: str, right: Code) -> Code:
    """Return a comparison."""
    text = f"{left.within(Binding.SUM)} {symbol} {right.within(Binding.SUM)}"
    return Code(text, broadcast(left.shape, right.shape), Binding.COMPARISON)


def method(code: Code, text: str, shape: Sequence[int]) -> Code:
    """Return the call of a method, an attribute or an index: ``text`` is ``.sum(0)``, ``.T``, ``[:, 0]``."""
    return Code(f"{code.atom}{text}", tuple(shape))


def call(function: str, *arguments: Any, shape: Sequence[int], **options: Any) -> Code:
    """Return the call of a function."""
    parts = [str(each) for each in arguments] + [f"{name}={value}" for name, value in options.items()]
    return Code(f"{function}({', '.join(parts)})", tuple(shape))


def literal(shape: Sequence[int]) -> str:
    """Return a shape as arguments: ``32, 64``."""
    return ", ".join(str(each) for each in shape)


def dims_text(dims: Sequence[int]) -> str:
    """Return dimensions as one argument: ``0`` or ``(0, 1)``."""
    return str(dims[0]) if len(dims) == 1 else f"({', '.join(str(each) for each in dims)})"
