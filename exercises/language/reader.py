"""Read the lines of a forward pass into steps, without running them as Python.

The reader walks the statements like an interpreter. A number is a number; a tensor is ``Traced``: the expression that
makes it, and its value on sample numbers, which tells its shape and whether it has a gradient. Each assignment of a
tensor with a gradient is a step.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from exercises.language.errors import Refused
from exercises.language.expression import Call, Expression, Name, Part, evaluated
from exercises.language.forward import Forward, Line
from exercises.language.operations import OPERATIONS, SPELLINGS, Operation


@dataclass(frozen=True)
class Traced:
    """A tensor while lines are read: what makes it, and its value on sample numbers."""

    expression: Expression
    value: Tensor


@dataclass(frozen=True)
class Results:
    """Several results of one call, before one of them is taken."""

    call: Call
    values: tuple[Any, ...]

    def part(self, index: int) -> Traced:
        """Return one of the results."""
        return Traced(Part(self.call, index), self.values[index])


_ARITHMETIC = {
    ast.Add: ("add", operator.add), ast.Sub: ("sub", operator.sub), ast.Mult: ("mul", operator.mul),
    ast.Div: ("div", operator.truediv), ast.Pow: ("pow", operator.pow), ast.MatMult: ("matmul", operator.matmul),
    ast.FloorDiv: (None, operator.floordiv), ast.Mod: (None, operator.mod),
}  # fmt: skip
_COMPARISONS = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}
_RESULT_NAMES = {"values": 0, "indices": 1}


def read(source: str, given: Mapping[str, Any]) -> Forward:
    """Read lines. ``given`` holds sample tensors (a parameter requires a gradient) and constants.

    :raises Refused: a line is not in the language
    """
    reader = _Reader(source, given)
    for statement in ast.parse(source).body:
        reader.statement(statement)
    return Forward(tuple(reader.lines), source.strip("\n"))


class _Reader:
    def __init__(self, source: str, given: Mapping[str, Any]) -> None:
        self._source = source
        self._samples: dict[str, Any] = dict(given)
        self._names: dict[str, Any] = {
            name: Traced(Name(name), value) if isinstance(value, Tensor) else value for name, value in given.items()
        }
        self.lines: list[Line] = []

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign([ast.Name(name)], value):
                self._bind(name, self._value(value), node)
            case ast.Assign([ast.Tuple(targets)], value):
                self._unpack(targets, self._value(value), node)
            case ast.Expr(ast.Constant()):
                return
            case _:
                raise self._refused(node, "this statement is not read", "Write name = expression")

    def _unpack(self, targets: list[ast.expr], value: Any, node: ast.stmt) -> None:
        values = [value.part(i) for i in range(len(value.values))] if isinstance(value, Results) else list(value)
        for target, each in zip(targets, values, strict=True):
            assert isinstance(target, ast.Name)
            self._bind(target.id, each, node)

    def _bind(self, name: str, value: Any, node: ast.stmt) -> None:
        """Set a name: a tensor with a gradient becomes a step, anything else is kept as it is."""
        if isinstance(value, Traced) and value.value.requires_grad:
            fresh = self._fresh(name)
            self._samples[fresh] = value.value
            text = ast.get_source_segment(self._source, node) or ast.unparse(node)
            self.lines.append(Line(fresh, text, value.expression, node.lineno))
            value = Traced(Name(fresh), value.value)
        self._names[name] = value

    def _fresh(self, name: str) -> str:
        count = 2
        fresh = name
        while fresh in self._samples:
            fresh, count = f"{name}_{count}", count + 1
        return fresh

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value):
                return value
            case ast.Name(name):
                if name in self._names:
                    return self._names[name]
                raise self._refused(node, f"{name!r} is not given and no line above sets it", "Add it to given")
            case ast.Tuple(elements) | ast.List(elements):
                return tuple(self._value(each) for each in elements)
            case ast.UnaryOp(ast.USub(), operand):
                value = self._value(operand)
                return self._apply(OPERATIONS["neg"], node, value) if isinstance(value, Traced) else -value
            case ast.BinOp(left, op, right):
                return self._binary(node, self._value(left), op, self._value(right))
            case ast.Compare(left, [op], [right]):
                return self._compare(node, self._value(left), op, self._value(right))
            case ast.Subscript(value, index):
                return self._subscript(node, self._value(value), self._index(index))
            case ast.Attribute(value, attribute):
                return self._attribute(node, value, attribute)
            case ast.Call(function, arguments, keywords):
                return self._call(
                    node, function, [self._value(each) for each in arguments],
                    {each.arg: self._value(each.value) for each in keywords if each.arg},
                )  # fmt: skip
        raise self._refused(node, f"{ast.unparse(node)!r} is not read", "Write it with the operations of the language")

    def _binary(self, node: ast.expr, left: Any, op: ast.operator, right: Any) -> Any:
        name, compute = _ARITHMETIC[type(op)]
        if not isinstance(left, Traced) and not isinstance(right, Traced):
            return compute(left, right)
        if name is None:
            raise self._refused(node, f"{ast.unparse(node)!r} has no gradient", "Use / and numbers")
        return self._apply(OPERATIONS[name], node, left, right)

    def _compare(self, node: ast.expr, left: Any, op: ast.cmpop, right: Any) -> Any:
        name = _COMPARISONS[type(op)]
        if not isinstance(left, Traced) and not isinstance(right, Traced):
            return getattr(operator, name)(left, right)
        return self._apply(OPERATIONS[name], node, left, right)

    def _index(self, node: ast.expr) -> Any:
        match node:
            case ast.Slice(lower, upper, step):
                return slice(*(None if each is None else self._value(each) for each in (lower, upper, step)))
            case ast.Tuple(elements):
                return tuple(self._index(each) for each in elements)
        return self._value(node)

    def _subscript(self, node: ast.expr, value: Any, index: Any) -> Any:
        if isinstance(value, Results):
            return value.part(index)
        if isinstance(value, Traced):
            return self._apply(OPERATIONS["index"], node, value, index)
        return value[index]

    def _attribute(self, node: ast.expr, holder: ast.expr, attribute: str) -> Any:
        value = self._value(holder)
        if isinstance(value, Results) and attribute in _RESULT_NAMES:
            return value.part(_RESULT_NAMES[attribute])
        if isinstance(value, Traced):
            if attribute == "shape":
                return tuple(value.value.shape)
            if attribute == "T":
                return self._apply(OPERATIONS["t"], node, value)
        raise self._refused(node, f".{attribute} is not read", "Write it with the operations of the language")

    def _call(self, node: ast.expr, function: ast.expr, arguments: list[Any], options: dict[str, Any]) -> Any:
        spelled = ast.unparse(function)
        if spelled == "range":
            return range(*arguments)
        if spelled in SPELLINGS:
            return self._apply(SPELLINGS[spelled], node, *arguments, **options)
        if isinstance(function, ast.Attribute):
            value = self._value(function.value)
            if isinstance(value, Traced) and f".{function.attr}" in SPELLINGS:
                return self._apply(SPELLINGS[f".{function.attr}"], node, value, *arguments, **options)
        raise self._refused(node, f"{spelled} is not in the language", "Write it with the operations of the language")

    def _apply(self, operation: Operation, node: ast.expr, *arguments: Any, **options: Any) -> Traced | Results:
        """Return the call of an operation, computed on the sample numbers."""
        settled, bound = self._bound(operation, node, arguments, options)
        call = Call(settled.name, tuple(bound.items()))
        try:
            value = evaluated(call, self._samples.__getitem__)
        except (RuntimeError, TypeError, IndexError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise self._refused(node, f"torch refuses {ast.unparse(node)!r}: {reason}", "Check the shapes") from error
        return Results(call, tuple(value)) if isinstance(value, tuple | list) else Traced(call, value)

    def _bound(
        self, operation: Operation, node: ast.expr, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[Operation, dict[str, Any]]:
        """Return the operation with its arguments by the names of its parameters, without those at their default."""
        bound: dict[str, Any] = {}
        positional = [_plain(each) for each in arguments]
        for place, parameter in enumerate(operation.parameters):
            if not positional[place:]:
                break
            rest = positional[place:]
            if parameter == operation.rest:
                bound[parameter] = rest[0] if isinstance(rest[0], tuple) else tuple(rest)
                break
            bound[parameter] = rest[0]
        for spelled, value in options.items():
            parameter = operation.other_names.get(spelled, spelled)
            if parameter not in operation.parameters:
                raise self._refused(node, f"{operation.name} takes no {spelled}", "Leave it out")
            bound[parameter] = _plain(value)
        return operation.settled(bound)

    def _refused(self, node: ast.expr | ast.stmt, reason: str, advice: str) -> Refused:
        return Refused(node.lineno, reason, advice)


def _plain(value: Any) -> Any:
    """Return an argument as an expression: a traced tensor is what makes it."""
    if isinstance(value, Traced):
        return value.expression
    if isinstance(value, tuple | list):
        return tuple(_plain(each) for each in value)
    if isinstance(value, slice):
        return slice(_plain(value.start), _plain(value.stop), _plain(value.step))
    return tuple(value) if isinstance(value, torch.Size) else value
