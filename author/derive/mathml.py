"""Backward lines as MathML: formulas that a browser sets and a screen reader reads, without a script.

``dprobs`` is set as ∂L/∂probs, ``*`` as ⊙ between tensors, ``@`` as a product of matrices, sums as Σ over their
dimension. What only stretches or reshapes is left out, because a formula has no shapes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

from markupsafe import Markup

UNSEEN: Final = {"expand_as", "expand", "unsqueeze", "squeeze", "reshape", "view", "flatten", "view_as", "clone"}
FUNCTIONS: Final = {
    "log": "log", "tanh": "tanh", "sin": "sin", "cos": "cos", "sinh": "sinh", "cosh": "cosh", "sigmoid": "σ",
    "erf": "erf", "softmax": "softmax", "log_softmax": "log softmax", "sign": "sign",
}  # fmt: skip
COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Gt: ">", ast.GtE: "≥", ast.Lt: "<", ast.LtE: "≤", ast.Eq: "=", ast.NotEq: "≠",
}  # fmt: skip
REDUCTIONS: Final = {"sum": "∑", "mean": "mean", "var": "var", "prod": "∏", "norm": "norm"}
SUM, PRODUCT, LEFT, MINUS, POWER, ATOM = range(6)  # LEFT is the left side of a product


def formula(code: str, names: Collection[str]) -> Markup:
    """Return statements as formulas, one below the other. ``names`` are the tensors whose gradients have a ``d``."""
    writer = Writer(names)
    return Markup("").join(
        Markup('<math display="block" alttext="{}"><mrow>{}</mrow></math>').format(text, writer.statement(statement))
        for text, statement in zip(statements(code), ast.parse(code).body, strict=True)
    )


def _element(name: str, *parts: Markup) -> Markup:
    return Markup("<{0}>{1}</{0}>").format(Markup(name), Markup("").join(parts))


def _operator(text: str) -> Markup:
    return Markup("<mo>{}</mo>").format(text)


def _identifier(text: str) -> Markup:
    return Markup("<mi>{}</mi>").format(text)


def _row(*parts: Markup) -> Markup:
    return _element("mrow", *parts)


class Writer:
    """Write expressions of backward lines."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def statement(self, node: ast.stmt) -> Markup:
        """Return ``target = value``."""
        match node:
            case ast.Assign([target], value):
                return Markup("").join((self.expression(target), _operator("="), self.expression(value)))
            case ast.AugAssign(target, _, value):
                return Markup("").join((self.expression(target), _operator("+="), self.expression(value)))
        return Markup("<mtext>{}</mtext>").format(ast.unparse(node))

    def expression(self, node: ast.expr, binding: int = SUM) -> Markup:
        """Return an expression, in parentheses if it binds less tightly than ``binding``."""
        match node:
            case ast.BinOp(left, op, right):
                return self._binary(left, op, right, binding)
            case ast.UnaryOp(ast.USub(), operand):
                return _fenced(_row(_operator("−"), self.expression(operand, MINUS)), binding > MINUS)
            case ast.Compare(left, [op], [right]):
                symbol = COMPARISONS.get(type(op), "?")
                return _row(
                    _operator("["), self.expression(left), _operator(symbol), self.expression(right), _operator("]")
                )
            case ast.Constant(value):
                return self._constant(value)
            case ast.Name(name):
                return self._name(name)
            case ast.Attribute(value, attribute):
                return self._attribute(node, value, attribute)
            case ast.Subscript(value, index):
                inner = self.expression(value, ATOM)
                is_fraction = isinstance(value, ast.Name) and self._is_gradient(value.id)
                return _element("msub", _fenced(_row(inner), is_fraction), _row(self._index(index)))
            case ast.Call():
                return self._call(node, binding)
            case ast.Tuple(elements) | ast.List(elements):
                return _row(_operator("("), self._listed(elements), _operator(")"))
            case ast.UnaryOp(ast.Invert(), operand):
                return _row(_operator("¬"), self.expression(operand, ATOM))
        return Markup("<mtext>{}</mtext>").format(ast.unparse(node))

    def _listed(self, elements: list[ast.expr]) -> Markup:
        parts: list[Markup] = []
        for each in elements:
            parts += [_operator(","), self.expression(each)] if parts else [self.expression(each)]
        return Markup("").join(parts)

    def _binary(self, left: ast.expr, op: ast.operator, right: ast.expr, binding: int) -> Markup:
        match op:
            case ast.Div():
                return _element("mfrac", _row(self.expression(left)), _row(self.expression(right)))
            case ast.Pow():
                return _element("msup", _row(self.expression(left, ATOM)), _row(self.expression(right)))
            case ast.Add() | ast.Sub():
                symbol = "+" if isinstance(op, ast.Add) else "−"
                row = _row(self.expression(left), _operator(symbol), self.expression(right, PRODUCT))
                return _fenced(row, binding > SUM)
            case ast.Mult():
                symbol = "·" if _is_number(left) or _is_number(right) else "⊙"
            case ast.MatMult():
                symbol = "\u2062"  # invisible times
            case ast.BitAnd():
                symbol = "∧"
            case _:
                symbol = "?"
        row = _row(self.expression(left, LEFT), _operator(symbol), self.expression(right, MINUS))
        return _fenced(row, binding > LEFT)

    def _constant(self, value: object) -> Markup:
        if isinstance(value, bool | None):
            return _identifier(str(value))
        if isinstance(value, float) and (power := re.fullmatch(r"(.*)e(-?)0*(\d+)", repr(value))):
            ten = _element("msup", Markup("<mn>10</mn>"), Markup("<mn>{}</mn>").format(power[2] + power[3]))
            return ten if power[1] == "1" else _row(Markup("<mn>{}</mn>").format(power[1]), _operator("·"), ten)
        if isinstance(value, int | float):
            return Markup("<mn>{}</mn>").format(f"{value:g}" if float(f"{value:g}") == value else repr(value))
        return Markup("<mtext>{}</mtext>").format(str(value))

    def _is_gradient(self, name: str) -> bool:
        return name.startswith("d") and name[1:] in self._names and name not in self._names

    def _name(self, name: str) -> Markup:
        if self._is_gradient(name):
            over = _row(_operator("∂"), _identifier("L"))
            return _element("mfrac", over, _row(_operator("∂"), _identifier(name[1:])))
        return _identifier(name)

    def _attribute(self, node: ast.expr, value: ast.expr, attribute: str) -> Markup:
        if attribute in ("T", "mT"):
            return self._transposed(value)
        if attribute in ("values", "indices"):
            return self.expression(value, ATOM)
        if attribute == "pi":
            return _identifier("π")
        return _identifier(ast.unparse(node))

    def _transposed(self, value: ast.expr) -> Markup:
        return _element("msup", _row(self.expression(value, ATOM)), _identifier("⊤"))

    def _index(self, node: ast.expr) -> Markup:
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        shown: list[Markup] = []
        for part in parts:
            text = _operator(ast.unparse(part)) if isinstance(part, ast.Slice) else self.expression(part)
            shown += [_operator(","), text] if shown else [text]
        return Markup("").join(shown)

    def _call(self, node: ast.Call, binding: int) -> Markup:
        function = ast.unparse(node.func)
        arguments, name = list(node.args), function.rpartition(".")[2]
        is_method = isinstance(node.func, ast.Attribute) and not function.startswith(("torch.", "F."))
        if is_method and isinstance(node.func, ast.Attribute):
            arguments = [node.func.value, *arguments]
        if name == "range" or not arguments:
            return _identifier(ast.unparse(node))
        special = self._special(name, arguments, node.keywords, binding)
        if special is not None:
            return special
        shown = FUNCTIONS.get(name, name)
        tensors = arguments[:1] if name in FUNCTIONS else arguments
        return _row(_identifier(shown), _operator("\u2061"), _operator("("), self._listed(tensors), _operator(")"))

    def _special(
        self, name: str, arguments: list[ast.expr], keywords: list[ast.keyword], binding: int
    ) -> Markup | None:
        """Return what mathematics writes otherwise than as a function, None for anything else."""
        first = arguments[0]
        writers: Mapping[str, Callable[[], Markup]] = {
            "exp": lambda: _element("msup", _identifier("e"), _row(self.expression(first))),
            "sqrt": lambda: _element("msqrt", self.expression(first)),
            "rsqrt": lambda: _element("mfrac", Markup("<mn>1</mn>"), _element("msqrt", self.expression(first))),
            "abs": lambda: _row(_operator("|"), self.expression(first), _operator("|")),
            "zeros_like": lambda: Markup("<mn>0</mn>"),
            "ones_like": lambda: Markup("<mn>1</mn>"),
            "zeros": lambda: Markup("<mn>0</mn>"),
            "ones": lambda: Markup("<mn>1</mn>"),
            "one_hot": lambda: _element("msub", Markup("<mn>1</mn>"), _row(self.expression(first))),
            "transpose": lambda: self._transposed(first),
        }
        if name in UNSEEN:
            return self.expression(first, binding)
        if name in REDUCTIONS:
            return self._reduction(name, first, arguments[1:], keywords, binding)
        if name in ("full_like", "full") and len(arguments) > 1:
            return self.expression(arguments[1], binding)
        return writers[name]() if name in writers else None

    def _reduction(
        self, name: str, value: ast.expr, dims: list[ast.expr], keywords: list[ast.keyword], binding: int
    ) -> Markup:
        """Return a sum or a mean with the dimensions under it."""
        over = dims or [each.value for each in keywords if each.arg == "dim"]
        symbol = _operator(REDUCTIONS[name]) if name in ("sum", "prod") else _identifier(REDUCTIONS[name])
        if over:
            label = Markup("<mtext>dim {}</mtext>").format(", ".join(ast.unparse(each).strip("()") for each in over))
            symbol = _element("munder", symbol, label)
        return _fenced(_row(symbol, self.expression(value, PRODUCT)), binding == LEFT or binding > MINUS)


def _is_number(node: ast.expr) -> bool:
    """Whether an operand is a number, so that a dot and not ⊙ stands next to it."""
    return all(not isinstance(each, ast.Name | ast.Call) or _is_count(each) for each in ast.walk(node))


def _is_count(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and len(node.id) == 1 and node.id.islower() and node.id in "nmk"


def _fenced(inner: Markup, is_needed: bool) -> Markup:
    return _row(_operator("("), inner, _operator(")")) if is_needed else inner


def statements(code: str) -> list[str]:
    """Return the statements of code, each by itself."""
    lines = []
    for statement in ast.parse(code).body:
        segment = ast.get_source_segment(code, statement)
        lines.append(segment if segment is not None else ast.unparse(statement))
    return lines
