"""Numbers that remember how the lines spell them, so that a line that is written anew still says ``1 - alpha``.

A number of given is spelled by its name, and an arithmetic of spelled numbers by its operands. Only a reader and what
rewrites its lines see such numbers: ``unspelled`` takes the spelling off.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Any, Final

from exercises.language.expression import Call, Part

_CHARACTERS_MAX: Final = 24  # a longer spelling says less than the number, and grows with each turn of a loop


class SpelledInt(int):
    """A whole number and its spelling."""

    node: ast.expr


class SpelledFloat(float):
    """A number and its spelling."""

    node: ast.expr


@dataclass(frozen=True)
class SpelledRange:
    """A range in an expression, and its spelling."""

    numbers: range
    text: str


def spelled(value: Any, node: ast.expr) -> Any:
    """Return a finite number with a spelling; any other value as it is, and a number whose spelling is long."""
    kinds: dict[type, type[SpelledInt] | type[SpelledFloat]] = {int: SpelledInt, float: SpelledFloat}
    if type(value) not in kinds or not math.isfinite(value) or len(ast.unparse(node)) > _CHARACTERS_MAX:
        return value
    number = kinds[type(value)](value)
    number.node = node
    return number


def combined(value: Any, op: ast.operator, left: Any, right: Any) -> Any:
    """Return the result of an operator, spelled if an operand is."""
    if not isinstance(left, SpelledInt | SpelledFloat) and not isinstance(right, SpelledInt | SpelledFloat):
        return value
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return value
    return spelled(unspelled(value), ast.BinOp(_node(left), op, _node(right)))


def negated(value: Any, operand: Any) -> Any:
    """Return the negative of a number, spelled if the number is."""
    is_spelled = isinstance(operand, SpelledInt | SpelledFloat)
    return spelled(unspelled(value), ast.UnaryOp(ast.USub(), operand.node)) if is_spelled else value


def range_text(bounds: tuple[Any, ...]) -> str | None:
    """Return the spelling of a range; None if all its bounds are plain numbers."""
    if not any(isinstance(each, SpelledInt) for each in bounds):
        return None
    return f"range({', '.join(ast.unparse(_node(each)) for each in bounds)})"


def unspelled(expression: Any) -> Any:
    """Return an expression or a number in which all numbers are Python's own."""
    match expression:
        case SpelledInt():
            return int(expression)
        case SpelledFloat():
            return float(expression)
        case SpelledRange(numbers):
            return numbers
        case Call(operation, arguments):
            return Call(operation, tuple((key, unspelled(value)) for key, value in arguments))
        case Part(call, index):
            return Part(unspelled(call), index)
        case tuple():
            return tuple(unspelled(each) for each in expression)
        case slice(start=start, stop=stop, step=step):
            return slice(*(unspelled(each) for each in (start, stop, step)))
    return expression


def _node(value: Any) -> ast.expr:
    return value.node if isinstance(value, SpelledInt | SpelledFloat) else ast.Constant(value)
