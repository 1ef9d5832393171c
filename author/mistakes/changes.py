"""Changes: an expression with one thing in it changed, and the kinds of mistake that this is.

The gradient of a tensor is a sum of terms, and a term is a product of factors. So an expression is taken apart into
terms, and those into factors; calls are looked into. A factor that holds a gradient is *upstream*, any other a *local*
derivative or a number.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grader.diagnosis.codes import Code

_REDUCTIONS: Final = ("sum", "mean")
_TURNS: Final = ("T", "mT")
_TURNING_CALLS: Final = ("t", "transpose", "permute", "swapaxes", "movedim")
_ACCUMULATING: Final = {"index_add": "index_copy", "index_add_": "index_copy_", "scatter_add": "scatter",
                        "scatter_add_": "scatter_"}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """An expression or statement with one change. ``what`` says which, ``codes`` are the kinds that name it rightly."""

    what: str
    codes: frozenset[Code]
    node: ast.AST


@dataclass(frozen=True)
class Scope:
    """What the names of a line are.

    ``upstream`` maps variables that hold a gradient to those of the same shape that stand near them, ``local`` does so
    for tensors of the forward pass, and ``numbers`` are its constants.
    """

    upstream: Mapping[str, Sequence[str]]
    local: Mapping[str, Sequence[str]]
    numbers: frozenset[str]

    def is_upstream(self, node: ast.AST) -> bool:
        """Whether an expression reads a gradient."""
        return any(isinstance(each, ast.Name) and each.id in self.upstream for each in ast.walk(node))

    def is_number(self, node: ast.AST) -> bool:
        """Whether an expression is made of numbers alone."""
        return all(
            isinstance(each, ast.Constant | ast.operator | ast.unaryop | ast.expr_context | ast.BinOp | ast.UnaryOp)
            or (isinstance(each, ast.Name) and each.id in self.numbers)
            for each in ast.walk(node)
        )


def of_statement(statement: ast.stmt, scope: Scope) -> Iterator[Change]:
    """Yield the changes of a statement."""
    match statement:
        case ast.Assign(value=value):
            for change in _in_sum(value, scope, False):
                yield _put(change, statement, "value")
            yield from _kept_first(statement)
        case ast.AugAssign(op=op, value=value):
            is_sum = isinstance(op, ast.Add | ast.Sub)
            for change in _in_sum(value, scope, is_sum):
                yield _put(change, statement, "value")
            if is_sum:
                yield from _of_accumulation(statement)
        case ast.For(body=body):
            for number, inner in enumerate(body):
                for change in of_statement(inner, scope):
                    changed = copy.copy(statement)
                    changed.body = [*body[:number], change.node, *body[number + 1 :]]  # type: ignore[list-item]
                    yield Change(change.what, change.codes, changed)
        case ast.Expr(value=value):
            for change in _in_sum(value, scope, False):
                yield _put(change, statement, "value")


def _of_accumulation(statement: ast.AugAssign) -> Iterator[Change]:
    """Yield what becomes of ``x += y``: overwritten, subtracted."""
    indexed = isinstance(statement.target, ast.Subscript)
    assigned = ast.Assign([statement.target], statement.value, lineno=statement.lineno)
    overwritten = {Code.OVERWRITTEN, Code.MISSING_TERM}
    yield Change("assign for accumulate", frozenset(overwritten), assigned)
    turned = copy.copy(statement)
    turned.op = ast.Sub() if isinstance(statement.op, ast.Add) else ast.Add()
    yield Change("turn a sign", frozenset({Code.SIGN} if indexed else {Code.TERM_SIGN}), turned)


def _kept_first(statement: ast.Assign) -> Iterator[Change]:
    """Yield the whole right side times two: the change that fits every line."""
    doubled = copy.copy(statement)
    doubled.value = ast.BinOp(statement.value, ast.Mult(), ast.Constant(2))
    yield Change("a factor too many", frozenset({Code.SCALE}), doubled)
    if isinstance(statement.targets[0], ast.Name):
        negated = copy.copy(statement)
        negated.value = ast.UnaryOp(ast.USub(), statement.value)
        yield Change("turn a sign", frozenset({Code.SIGN}), negated)


def _put(change: Change, parent: ast.AST, field: str) -> Change:
    changed = copy.copy(parent)
    setattr(changed, field, change.node)
    return Change(change.what, change.codes, changed)


def _in_sum(node: ast.expr, scope: Scope, several: bool) -> Iterator[Change]:
    """Yield the changes of a sum of terms. ``several`` says that other terms are added elsewhere."""
    terms = _terms(node)
    if len(terms) > 1:
        for number, (_, term) in enumerate(terms):
            others = terms[:number] + terms[number + 1 :]
            if scope.is_upstream(term):
                yield Change("drop a term", frozenset({Code.MISSING_TERM}), _sum(others))
                yield Change("turn a term's sign", frozenset({Code.TERM_SIGN}), _sum(_turned(terms, number)))
                twice = frozenset({Code.DOUBLE_COUNTED, Code.TERM_SCALE})
                yield Change("count a term twice", twice, _sum([*terms, terms[number]]))
    for number, (sign, term) in enumerate(terms):
        for change in _in_product(term, scope, several or len(terms) > 1):
            assert isinstance(change.node, ast.expr)
            changed = [*terms[:number], (sign, change.node), *terms[number + 1 :]]
            yield Change(change.what, change.codes, _sum(changed))


def _in_product(node: ast.expr, scope: Scope, several: bool) -> Iterator[Change]:
    """Yield the changes of a product of factors."""
    factors = _factors(node)
    for number, (power, factor) in enumerate(factors):
        others = factors[:number] + factors[number + 1 :]
        codes = _codes_of_factor(factor, scope, several)
        if others:
            yield Change("drop a factor", codes, _product(others))
            if _is_simple(factor) and not scope.is_upstream(factor):
                inverted = [*factors[:number], (-power, factor), *factors[number + 1 :]]
                yield Change("divide for multiply", codes, _product(inverted))
        if isinstance(factor, ast.Name) and not others and factor.id in scope.local:
            continue  # what is handed on from a given tensor is no factor of a derivative
        if isinstance(factor, ast.Name) and any(_reads(other, factor.id) for _, other in others):
            continue  # in (1 - o) * o nobody mistakes one of the two
        for change in _in_factor(factor, scope, several):
            assert isinstance(change.node, ast.expr)
            changed = [*factors[:number], (power, change.node), *factors[number + 1 :]]
            yield Change(change.what, change.codes, _product(changed))


def _reads(node: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _is_simple(factor: ast.expr) -> bool:
    """Whether a factor is a name, a number, or a power of these: nobody divides by ``1 - h**2`` for multiply."""
    while isinstance(factor, ast.BinOp) and isinstance(factor.op, ast.Pow):
        factor = factor.left
    return isinstance(factor, ast.Name | ast.Constant)


def _codes_of_factor(factor: ast.expr, scope: Scope, several: bool) -> frozenset[Code]:
    if scope.is_upstream(factor):
        return frozenset({Code.MISSING_UPSTREAM})
    if scope.is_number(factor):
        return frozenset({Code.TERM_SCALE, Code.SCALE} if several else {Code.SCALE})
    return frozenset({Code.MISSING_LOCAL})


def _in_factor(node: ast.expr, scope: Scope, several: bool) -> Iterator[Change]:
    """Yield the changes within one factor."""
    local = frozenset({Code.MISSING_LOCAL})
    match node:
        case ast.Name(name) if name in scope.upstream:
            for other in scope.upstream[name]:
                swapped = frozenset({Code.SWAPPED, Code.MISSING_LOCAL, Code.MISSING_UPSTREAM})
                yield Change("a gradient of another step", swapped, ast.Name(other, ast.Load()))
            if name.removeprefix("d") in scope.local:
                value = ast.Name(name.removeprefix("d"), ast.Load())
                yield Change("the value for the gradient", frozenset({Code.MISSING_UPSTREAM}), value)
        case ast.Name(name):
            for other in scope.local.get(name, ()):
                yield Change("a wrong forward value", local, ast.Name(other, ast.Load()))
            if name in scope.numbers:
                less = ast.BinOp(node, ast.Sub(), ast.Constant(1))
                yield Change("a count off by one", _codes_of_factor(node, scope, several), less)
        case ast.BinOp(left, ast.Pow(), right) if not scope.is_upstream(node) and not scope.is_number(left):
            if scope.is_number(right):
                yield Change("a wrong power", local, _other_power(left, right))
            for change in _in_factor(left, scope, several):
                yield _put(change, node, "left")
        case ast.BinOp(left, ast.MatMult(), right):
            yield from _in_matmul(node, left, right, scope, several)
        case ast.BinOp(_, ast.Add() | ast.Sub(), _) if scope.is_upstream(node):
            yield from _in_sum(node, scope, several)
        case ast.BinOp(left, ast.Add() | ast.Sub() as op, right):
            if scope.is_number(node):
                codes = _codes_of_factor(node, scope, several)
                yield Change("a count off by one", codes, left)
                return
            turned = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield Change("a sign in the local derivative", local, ast.BinOp(left, turned, right))
            for field, inner in (("left", left), ("right", right)):
                if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Pow) and scope.is_number(inner.right):
                    yield _put(Change("a wrong power", local, _other_power(inner.left, inner.right)), node, field)
        case ast.BinOp(_, ast.Mult() | ast.Div(), _):
            yield from _in_product(node, scope, several)
        case ast.UnaryOp(ast.USub(), operand):
            for change in _in_product(operand, scope, several):
                yield _put(change, node, "operand")
        case ast.Attribute(value, attribute) if attribute in _TURNS:
            yield Change("drop a transposition", frozenset({Code.TRANSPOSED, Code.MISSING_LOCAL}), value)
            for change in _in_factor(value, scope, several):
                yield _put(change, node, "value")
        case ast.Call():
            yield from _in_call(node, scope, several)
        case ast.Subscript(value=value) if scope.is_upstream(value):
            for change in _in_sum(value, scope, several):
                yield _put(change, node, "value")


def _in_matmul(node: ast.BinOp, left: ast.expr, right: ast.expr, scope: Scope, several: bool) -> Iterator[Change]:
    if not several:
        yield Change("transpose", frozenset({Code.TRANSPOSED}), ast.Attribute(node, "mT", ast.Load()))
    for field, operand in (("left", left), ("right", right)):
        if scope.is_upstream(operand):
            ones = ast.Call(_torch("ones_like"), [operand], [])
            yield _put(Change("drop a factor", frozenset({Code.MISSING_UPSTREAM}), ones), node, field)
        for change in _in_factor(operand, scope, several):
            yield _put(change, node, field)


def _in_call(node: ast.Call, scope: Scope, several: bool) -> Iterator[Change]:
    """Yield the changes of a call, and in what it is called with."""
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    operand = _operand(node)
    if scope.is_upstream(node):
        if method in _REDUCTIONS and operand is not None:
            yield from _of_reduction(node, operand, several)
        if method in _TURNING_CALLS and operand is not None:
            yield Change("drop a transposition", frozenset({Code.TRANSPOSED, Code.WRONG_AXIS}), operand)
        if method in _ACCUMULATING:
            assert isinstance(node.func, ast.Attribute)
            changed = copy.copy(node)
            changed.func = ast.Attribute(node.func.value, _ACCUMULATING[method], ast.Load())
            yield Change("assign for accumulate", frozenset({Code.OVERWRITTEN}), changed)
        yield from _of_keywords(node)
    for field, number, inner in _inner(node):
        inner_changes = (
            _in_sum(inner, scope, several) if scope.is_upstream(inner) else _in_factor(inner, scope, several)
        )
        for change in inner_changes:
            assert isinstance(change.node, ast.expr)
            changed = copy.copy(node)
            if field == "func":
                assert isinstance(node.func, ast.Attribute)
                changed.func = ast.Attribute(change.node, node.func.attr, ast.Load())
            else:
                changed.args = [*node.args[:number], change.node, *node.args[number + 1 :]]
            # What is wrong within a function of forward values makes the local derivative wrong, and no multiple of it.
            codes = change.codes if scope.is_upstream(inner) else frozenset({Code.MISSING_LOCAL})
            yield Change(change.what, codes, changed)


def _of_reduction(node: ast.Call, operand: ast.expr, several: bool) -> Iterator[Change]:
    """Yield what becomes of a sum: left out, along another axis, a mean, without keepdim."""
    assert isinstance(node.func, ast.Attribute)
    yield Change("drop a sum", frozenset({Code.NOT_REDUCED}), operand)
    mean = copy.copy(node)
    mean.func = ast.Attribute(node.func.value, "mean" if node.func.attr == "sum" else "sum", ast.Load())
    yield Change("a mean for a sum", frozenset({Code.TERM_SCALE, Code.SCALE} if several else {Code.SCALE}), mean)
    wrong_axis = frozenset({Code.WRONG_AXIS})
    for changed in _other_axes(node):
        yield Change("a wrong axis", wrong_axis, changed)
    if any(keyword.arg == "keepdim" for keyword in node.keywords):
        changed = copy.copy(node)
        changed.keywords = [keyword for keyword in node.keywords if keyword.arg != "keepdim"]
        yield Change("drop keepdim", wrong_axis, changed)


def _other_axes(node: ast.Call) -> Iterator[ast.Call]:
    """Yield a reduction along other axes."""
    is_method = isinstance(node.func, ast.Attribute) and not _is_library(node.func.value)
    place = 0 if is_method else 1
    named = next((keyword for keyword in node.keywords if keyword.arg in ("dim", "axis")), None)
    axis = node.args[place] if len(node.args) > place else named.value if named else None
    number = ast.literal_eval(axis) if axis is not None and _is_literal(axis) else None
    if not isinstance(number, int):
        return
    for other in {0: (1, -1), 1: (0, 2), -1: (0, -2), -2: (-1, 0), 2: (1,)}.get(number, (0,)):
        changed = copy.copy(node)
        value = ast.Constant(other) if other >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-other))
        if named is None:
            changed.args = [*node.args[:place], value, *node.args[place + 1 :]]
        else:
            changed.keywords = [ast.keyword(each.arg, value) if each is named else each for each in node.keywords]
        yield changed


def _of_keywords(node: ast.Call) -> Iterator[Change]:
    """Yield ``accumulate=False``."""
    for number, keyword in enumerate(node.keywords):
        if keyword.arg == "accumulate" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True:
            changed = copy.copy(node)
            assigned = ast.keyword("accumulate", ast.Constant(False))
            changed.keywords = [*node.keywords[:number], assigned, *node.keywords[number + 1 :]]
            yield Change("assign for accumulate", frozenset({Code.OVERWRITTEN}), changed)


def _inner(node: ast.Call) -> Iterator[tuple[str, int, ast.expr]]:
    """Yield the expressions that a call is made on, with the place of each."""
    if isinstance(node.func, ast.Attribute) and not _is_library(node.func.value):
        yield "func", 0, node.func.value
    for number, argument in enumerate(node.args):
        if not isinstance(argument, ast.Constant | ast.Starred):
            yield "args", number, argument


def _operand(node: ast.Call) -> ast.expr | None:
    """Return what a method or a function of torch is called on."""
    if isinstance(node.func, ast.Attribute) and not _is_library(node.func.value):
        return node.func.value
    return node.args[0] if node.args else None


def _is_library(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("torch", "F")


def _is_literal(node: ast.expr) -> bool:
    return all(
        isinstance(each, ast.Constant | ast.UnaryOp | ast.USub | ast.Tuple | ast.Load) for each in ast.walk(node)
    )


Signed = tuple[int, ast.expr]


def _terms(node: ast.expr, sign: int = 1) -> list[Signed]:
    """Return the terms of a sum, each with its sign."""
    match node:
        case ast.BinOp(left, ast.Add(), right):
            return _terms(left, sign) + _terms(right, sign)
        case ast.BinOp(left, ast.Sub(), right):
            return _terms(left, sign) + _terms(right, -sign)
        case ast.UnaryOp(ast.USub(), operand):
            return _terms(operand, -sign)
    return [(sign, node)]


def _turned(terms: Sequence[Signed], number: int) -> list[Signed]:
    return [(-sign if place == number else sign, term) for place, (sign, term) in enumerate(terms)]


def _sum(terms: Sequence[Signed]) -> ast.expr:
    (sign, first), *others = terms
    total: ast.expr = first if sign > 0 else ast.UnaryOp(ast.USub(), first)
    for sign, term in others:
        total = ast.BinOp(total, ast.Add() if sign > 0 else ast.Sub(), term)
    return total


def _factors(node: ast.expr, power: int = 1) -> list[Signed]:
    """Return the factors of a product, each with its power, 1 or -1."""
    match node:
        case ast.BinOp(left, ast.Mult(), right):
            return _factors(left, power) + _factors(right, power)
        case ast.BinOp(left, ast.Div(), right):
            return _factors(left, power) + _factors(right, -power)
    return [(power, node)]


def _product(factors: Iterable[Signed]) -> ast.expr:
    total: ast.expr | None = None
    for power, factor in factors:
        if total is None:
            total = factor if power > 0 else ast.BinOp(_one(), ast.Div(), factor)
        else:
            total = ast.BinOp(total, ast.Mult() if power > 0 else ast.Div(), factor)
    assert total is not None
    return total


def _other_power(base: ast.expr, exponent: ast.expr) -> ast.expr:
    """Return a power that is one off: that of the forward pass, or none where it was a square."""
    if isinstance(exponent, ast.Constant) and exponent.value == 2:
        return base
    return ast.BinOp(base, ast.Pow(), ast.BinOp(exponent, ast.Add(), _one()))


def _one() -> ast.expr:
    return ast.Constant(1)


def _torch(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("torch", ast.Load()), name, ast.Load())
