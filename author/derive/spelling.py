"""How values are written: numbers as the line writes them, calls as a person would write them."""

from __future__ import annotations

import ast
import math
from collections.abc import Container, Mapping
from fractions import Fraction
from typing import Any

import torch

from author.derive.code import Binding, Code, Shape, broadcast, number
from author.derive.nodes import Node

SYMBOLS_BINDING = {
    "+": Binding.SUM, "-": Binding.SUM, "*": Binding.PRODUCT, "/": Binding.PRODUCT, "@": Binding.PRODUCT,
    "%": Binding.PRODUCT, "//": Binding.PRODUCT,
}  # fmt: skip
FRACTIONS_MAX = 100_000
EXACT_CONSTANTS = {math.inf: "float('inf')", -math.inf: "-float('inf')"}


class Numbers:
    """Write the numbers of a line as the line has them: ``1 / (n - 1)`` in place of 0.03225806451612903."""

    def __init__(self, text: str, constants: Mapping[str, Any]) -> None:
        self._texts: dict[tuple[type, Any], str] = {}
        namespace = {"__builtins__": {}, "range": range, "float": float, "len": len, **constants}
        try:
            tree = ast.parse(text)
        except SyntaxError:
            return
        for node in ast.walk(tree):
            if not isinstance(node, ast.BinOp | ast.UnaryOp | ast.Name | ast.Call) or not _reads(node, namespace):
                continue
            try:
                value = eval(compile(ast.Expression(node), "line", "eval"), namespace)  # numbers and range alone
            except Exception:
                continue
            if isinstance(value, (int, float, range)):
                self._texts.setdefault((type(value), value), ast.get_source_segment(text, node) or ast.unparse(node))

    def text(self, value: float | range) -> str | None:
        """Return how the line writes a value, None if it does not."""
        return self._texts.get((type(value), value))

    def code(self, value: float) -> Code:
        """Return a number as code."""
        return number(value, self.text(value) or spelled(value))


def _reads(node: ast.expr, names: Container[str]) -> bool:
    """Return whether an expression reads names, none but these, and no attributes."""
    parts = list(ast.walk(node))
    read = [each.id for each in parts if isinstance(each, ast.Name)]
    is_plain = not any(isinstance(each, ast.Attribute | ast.Lambda | ast.comprehension) for each in parts)
    return bool(read) and is_plain and all(each in names for each in read)


def spelled(value: float) -> str:
    """Return a number: ``1 / 31`` and ``6**-0.5`` in place of their decimals."""
    if isinstance(value, bool | int):
        return repr(value)
    if value in EXACT_CONSTANTS:
        return EXACT_CONSTANTS[value]
    if len(repr(value)) <= 7 or not math.isfinite(value):
        return repr(value).replace("e-0", "e-")
    fraction = Fraction(value).limit_denominator(FRACTIONS_MAX)
    if fraction.numerator / fraction.denominator == value:
        return f"{fraction.numerator} / {fraction.denominator}"
    for sign, base in (("", value), ("-", -value)):
        if base > 0:
            square = round(base**-2)
            if square and square**-0.5 == base:
                return f"{sign}{square}**-0.5"
            square = round(base**2)
            if square and square**0.5 == base:
                return f"{sign}{square}**0.5"
    return repr(value)


def value_code(node: Any, numbers: Numbers) -> Code:
    """Return the code of the value of a node, or of a plain argument."""
    if isinstance(node, Node):
        if node.name is not None:
            return Code(node.name, node.shape)
        if node.value_name is not None:
            return Code(node.value_name, node.shape)
        return _call_code(node, numbers)
    if isinstance(node, bool):
        return Code(repr(node), ())
    if isinstance(node, int | float):
        return numbers.code(node)
    return Code(argument_text(node, numbers), ())


def argument_text(argument: Any, numbers: Numbers) -> str:
    """Return an argument as it stands in a call."""
    match argument:
        case Node():
            return value_code(argument, numbers).text
        case tuple():
            parts = [argument_text(each, numbers) for each in argument]
            return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
        case range():
            found = numbers.text(argument)
            if found:
                return found
            return f"range({argument.stop})" if (argument.start, argument.step) == (0, 1) else repr(argument)
        case bool() | None | str() | torch.dtype():
            return repr(argument)
        case int() | float():
            return numbers.code(argument).text
    return repr(argument)


def index_text(index: Any, numbers: Numbers) -> str:
    """Return an index without its brackets: ``:, 0`` or ``range(n), Yb``."""
    parts = index if isinstance(index, tuple) else (index,)
    return ", ".join(_index_part(each, numbers) for each in parts)


def _index_part(part: Any, numbers: Numbers) -> str:
    if part is Ellipsis:
        return "..."
    if isinstance(part, slice):
        start, stop, step = ("" if each is None else argument_text(each, numbers) for each in
                             (part.start, part.stop, part.step))  # fmt: skip
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if isinstance(part, tuple):
        return str([*part]) if all(isinstance(each, int) for each in part) else argument_text(part, numbers)
    return argument_text(part, numbers)


def _call_code(node: Node, numbers: Numbers) -> Code:
    definition, arguments = node.call.definition, node.arguments
    values = list(arguments.values())
    if definition.name == "index":
        return Code(f"{value_code(values[0], numbers).atom}[{index_text(values[1], numbers)}]", node.shape)
    if definition.name == "t":
        return Code(f"{value_code(values[0], numbers).atom}.T", node.shape)
    if definition.symbol:
        return _operator_code(definition.symbol, [value_code(each, numbers) for each in values], node.shape)
    text = _spelled_call(node, numbers)
    return Code(text if node.index is None else f"{text}{_part_text(node)}", node.shape)


def _part_text(node: Node) -> str:
    is_value = node.operation in ("max", "min", "topk", "sort", "median", "kthvalue", "mode", "cummax", "cummin")
    return (".values", ".indices")[node.index or 0] if is_value else f"[{node.index}]"


def _operator_code(symbol: str, operands: list[Code], shape: Shape) -> Code:
    if len(operands) == 1:
        return Code(f"{symbol}{operands[0].within(Binding.POWER)}", shape, Binding.MINUS)
    left, right = operands
    if symbol == "**":
        return Code(f"{left.within(Binding.ATOM)}**{right.within(Binding.MINUS)}", shape, Binding.POWER)
    binding = SYMBOLS_BINDING.get(symbol)
    if binding is None:
        text = f"{left.within(Binding.SUM)} {symbol} {right.within(Binding.SUM)}"
        return Code(text, shape, Binding.COMPARISON)
    tighter = Binding(binding + 1)
    return Code(f"{left.within(binding)} {symbol} {right.within(tighter)}", shape, binding)


def _spelled_call(node: Node, numbers: Numbers) -> str:
    """Return a call by its shortest spelling: as a method of its first argument where there is one."""
    definition = node.call.definition
    items = list(node.arguments.items())
    method = next((each for each in definition.spellings if each.startswith(".")), None)
    first = items[0][1] if items else None
    is_method = method is not None and isinstance(first, Node) and items[0][0] == definition.parameters[0]
    head = ""
    if is_method:
        head = value_code(first, numbers).atom + str(method)
        items = items[1:]
    else:
        functions = [each for each in definition.spellings if not each.startswith(".")]
        head = functions[0] if functions else f"torch.{definition.name}"
    keyword_only: frozenset[str] = getattr(definition, "keyword_only", frozenset())
    place = 1 if is_method else 0
    texts = []
    for name, value in items:
        in_place = definition.parameters[place : place + 1] == (name,) and name not in keyword_only
        if name == definition.rest and isinstance(value, tuple):
            texts += [argument_text(each, numbers) for each in value]
        elif in_place and not isinstance(value, bool):
            texts.append(argument_text(value, numbers))
        else:
            texts.append(f"{name}={argument_text(value, numbers)}")
        place = place + 1 if in_place else len(definition.parameters)
    return f"{head}({', '.join(texts)})"


def broadcast_shape(*nodes: Any) -> Shape:
    """Return the shape of an elementwise operation of nodes and numbers."""
    return broadcast(*(each.shape if isinstance(each, Node) else () for each in nodes))
