"""Arithmetic of numbers, strings and lists, bounded."""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable, Iterable
from typing import Any

from exercises.language.reading.limits import Limits
from exercises.language.spelled import combined


class TooMuch(ValueError):
    """A number, string or list that is too large."""


ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.LShift: operator.lshift,
    ast.RShift: operator.rshift, ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda item, items: item in items, ast.NotIn: lambda item, items: item not in items,
}  # fmt: skip
_SEQUENCES = (str, bytes, list, tuple)


def computed(op: ast.operator, left: Any, right: Any, limits: Limits) -> Any:
    """Return the result of an operator on plain values.

    :raises TooMuch: it would be too large
    :raises TypeError: the values do not go together
    """
    if isinstance(left, str | bytes) and isinstance(op, ast.Mod):
        raise TooMuch("a string is formatted with %")
    if isinstance(op, ast.Mult) and (isinstance(left, _SEQUENCES) or isinstance(right, _SEQUENCES)):
        sequence, count = (left, right) if isinstance(left, _SEQUENCES) else (right, left)
        if isinstance(count, int) and len(sequence) * count > limits.items:
            raise TooMuch(f"a list or string has more than {limits.items:,} items")
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(op, left, right, limits)
    return combined(checked(ARITHMETIC[type(op)](left, right), limits), op, left, right)


def _check_bits(op: ast.operator, left: int, right: int, limits: Limits) -> None:
    bits = 0
    if isinstance(op, ast.Pow) and right > 0:
        bits = left.bit_length() * right if abs(left) > 1 else 1
    elif isinstance(op, ast.LShift):
        bits = left.bit_length() + right
    if bits > limits.bits:
        raise TooMuch(f"a number has more than {limits.bits} bits")


def checked(value: Any, limits: Limits) -> Any:
    """Return a value that is not too large.

    :raises TooMuch: it is
    """
    if isinstance(value, int) and value.bit_length() > limits.bits:
        raise TooMuch(f"a number has more than {limits.bits} bits")
    if isinstance(value, _SEQUENCES) and len(value) > limits.items:
        raise TooMuch(f"a list or string has more than {limits.items:,} items")
    if isinstance(value, complex):
        raise TypeError("complex numbers have no place in the language")
    return value


def taken(items: Iterable[Any], most: int) -> list[Any]:
    """Return the items of what can be iterated.

    :raises TooMuch: there are more than ``most``
    """
    found = list(itertools.islice(items, most + 1))
    if len(found) > most:
        raise TooMuch(f"a loop or list has more than {most:,} items")
    return found


def product(numbers: Iterable[Any], limits: Limits) -> Any:
    """Return the product of numbers, none of which on the way is too large.

    :raises TooMuch: one is
    """
    result: Any = 1
    for each in numbers:
        result = computed(ast.Mult(), result, each, limits)
    return result


def total(values: Iterable[Any], start: Any, limits: Limits) -> Any:
    """Return the sum of numbers or lists, none of which on the way is too large.

    :raises TooMuch: one is
    """
    for each in values:
        start = computed(ast.Add(), start, each, limits)
    return start
