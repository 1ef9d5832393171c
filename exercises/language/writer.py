"""Write an expression as a line of the language, which reads back to the same expression."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any, Final

import torch

from exercises.language.expression import Call, Expression, Name, Part
from exercises.language.operations import Operation
from exercises.language.spelled import SpelledFloat, SpelledInt, SpelledRange

_ATOM, _POWER, _SIGN, _PRODUCT, _SUM, _BITS, _COMPARISON = 7, 6, 5, 4, 3, 2, 1
_PRECEDENCE: Final = {
    "**": _POWER, "*": _PRODUCT, "/": _PRODUCT, "@": _PRODUCT, "//": _PRODUCT, "%": _PRODUCT, "+": _SUM, "-": _SUM,
    "&": _BITS, "|": _BITS, "^": _BITS,
    "<": _COMPARISON, "<=": _COMPARISON, ">": _COMPARISON, ">=": _COMPARISON, "==": _COMPARISON, "!=": _COMPARISON,
}  # fmt: skip
_PARTS: Final = {"max": ("values", "indices"), "min": ("values", "indices"), "sort": ("values", "indices"),
                 "topk": ("values", "indices"), "cummax": ("values", "indices")}  # fmt: skip
_AS_METHODS: Final = frozenset(
    "sum mean max min amax amin view reshape transpose permute unsqueeze squeeze expand flatten unflatten chunk split "
    "masked_fill var std float long bool gather repeat softmax log_softmax logsumexp detach cumsum argmax "
    "unbind".split()
)


def statement(name: str, expression: Expression) -> str:
    """Return the line that sets a name."""
    return f"{name} = {written(expression)}"


def written(expression: Any) -> str:
    """Return an expression as text."""
    return _written(expression)[0]


def _written(value: Any) -> tuple[str, int]:
    """Return the text of an argument and how tightly it binds."""
    match value:
        case Name(name):
            return name, _ATOM
        case Part(call, index):
            names = _PARTS.get(call.operation)
            return _tight(call, _ATOM) + (f".{names[index]}" if names else f"[{index}]"), _ATOM
        case Call():
            return _call(value)
        case bool() | None | str():
            return repr(value), _ATOM
        case SpelledInt() | SpelledFloat():
            return ast.unparse(value.node).replace(" ** ", "**"), _binding(value.node)
        case int() | float():
            return number(value)
        case tuple():
            return _sequence(value), _ATOM
        case torch.dtype():
            return str(value), _ATOM
        case SpelledRange(_, text):
            return text, _ATOM
        case range():
            return _range(value), _ATOM
    if value is ...:
        return "...", _ATOM
    return repr(value), _ATOM


def _binding(node: ast.expr) -> int:
    """Return how tightly the spelling of a number binds."""
    if isinstance(node, ast.UnaryOp):
        return _SIGN
    if not isinstance(node, ast.BinOp):
        return _ATOM
    return {ast.Pow: _POWER, ast.Add: _SUM, ast.Sub: _SUM}.get(type(node.op), _PRODUCT)


def _tight(value: Any, least: int) -> str:
    text, binds = _written(value)
    return text if binds >= least else f"({text})"


def _sequence(value: tuple[Any, ...]) -> str:
    inner = ", ".join(written(each) for each in value)
    return f"({inner},)" if len(value) == 1 else f"({inner})"


def _range(value: range) -> str:
    if value.step != 1:
        return f"range({value.start}, {value.stop}, {value.step})"
    return f"range({value.start}, {value.stop})" if value.start else f"range({value.stop})"


def _call(call: Call) -> tuple[str, int]:
    operation = call.definition
    arguments = dict(call.arguments)
    if operation.name == "index":
        return f"{_tight(call.argument('input'), _ATOM)}[{_index(call.argument('index'))}]", _ATOM
    if operation.name == "t":
        return f"{_tight(call.argument('input'), _ATOM)}.T", _ATOM
    if operation.symbol and len(arguments) == 2:
        return _infix(operation, *arguments.values())
    if operation.symbol and len(arguments) == 1:
        return f"{operation.symbol}{_tight(call.argument('input'), _POWER)}", _SIGN
    return _spelled(operation, arguments), _ATOM


def _infix(operation: Operation, left: Any, right: Any) -> tuple[str, int]:
    symbol = operation.symbol or ""
    binds = _PRECEDENCE[symbol]
    if symbol == "**":
        return f"{_tight(left, _ATOM)}{symbol}{_tight(right, _SIGN)}", binds
    first = binds + 1 if binds == _COMPARISON else binds
    return f"{_tight(left, first)} {symbol} {_tight(right, binds + 1)}", binds


def _index(index: Any) -> str:
    if isinstance(index, tuple):
        inner = ", ".join(_index_part(each) for each in index)
        return f"{inner}," if len(index) == 1 else inner or "()"
    return _index_part(index)


def _index_part(part: Any) -> str:
    if isinstance(part, slice):
        bounds = [("" if each is None else written(each)) for each in (part.start, part.stop, part.step)]
        return ":".join(bounds if part.step is not None else bounds[:2])
    return written(part)


def _spelled(operation: Operation, arguments: dict[str, Any]) -> str:
    spelling = _spelling(operation)
    left = dict(arguments)
    if spelling.startswith("."):
        first = operation.parameters[0]
        callee = _tight(left.pop(first), _ATOM) + spelling
        parameters = operation.parameters[1:]
    else:
        callee, parameters = spelling, operation.parameters
    by_position = True
    words = []
    for parameter in parameters:
        if parameter not in left:
            by_position = False
        elif parameter == operation.rest and by_position and left[parameter] and _is_spread(spelling):
            words += [written(each) for each in left[parameter]]
        else:
            is_positional = by_position and parameter not in _BY_KEYWORD | operation.keyword_only
            prefix = "" if is_positional else f"{parameter}="
            by_position = by_position and not prefix
            words.append(prefix + written(left[parameter]))
    return f"{callee}({', '.join(words)})"


def _is_spread(spelling: str) -> bool:
    return spelling.startswith(".") or spelling in ("torch.einsum", "torch.meshgrid")


_BY_KEYWORD: Final = frozenset(
    "keepdim unbiased approximate dtype reduction stride padding dilation groups eps largest descending training "
    "momentum kernel_size mode".split()
)


def _spelling(operation: Operation) -> str:
    method = f".{operation.name}"
    if operation.name in _AS_METHODS and method in operation.spellings:
        return method
    functions = [each for each in operation.spellings if not each.startswith(".")]
    return functions[0] if functions else operation.spellings[0]


def number(value: float) -> tuple[str, int]:
    """Return a number as a person would write it, ``6**-0.5`` for 0.408…, and how tightly it binds."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')", _ATOM
    text = repr(value)
    if isinstance(value, float) and len(text) > 8 and "e" not in text:
        text = next((made for make in _SHAPES if (made := make(abs(value)))), repr(abs(value)))
        text = f"-{text}" if value < 0 else text
    binds = _PRODUCT if " " in text else _POWER if "**" in text else _ATOM
    return text, min(binds, _SIGN) if text.startswith("-") else binds


def _as_root(value: float) -> str:
    count = round(value**-2) if value else 0
    return f"{count}**-0.5" if 1 < count < 10**6 and count**-0.5 == value else ""


def _as_square_root(value: float) -> str:
    count = round(value**2)
    return f"{count}**0.5" if 1 < count < 10**6 and count**0.5 == value else ""


def _as_fraction(value: float) -> str:
    for above in range(1, 10):
        below = round(above / value) if value else 0
        if 1 < below < 10**6 and above / below == value:
            return f"{above} / {below}"
    return ""


def _as_pi(value: float) -> str:
    return "math.pi" if value == math.pi else "2 * math.pi" if value == 2 * math.pi else ""


_SHAPES: Final[tuple[Callable[[float], str], ...]] = (_as_pi, _as_fraction, _as_root, _as_square_root)
