"""A forward pass in the language: lines, each of which sets one name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch

from exercises.language.expression import Call, Expression, Part, Reader, compiled, names, names_with_gradient, walk
from exercises.language.given import Drawn
from exercises.tape import Tape


@dataclass(frozen=True)
class Note:
    """What a reader should know of a line that was read otherwise than it is written."""

    line: int
    text: str


@dataclass(frozen=True)
class Line:
    """One step: ``name`` is what it sets, ``text`` the line as it is shown, ``number`` where it stands, from 1.

    A ``frozen`` line sets a tensor without a gradient, such as a mask or a target under ``no_grad``. Students get it
    with the forward state. It is no checkpoint, and no gradient goes back through it.
    """

    name: str
    text: str
    expression: Expression = field(hash=False)  # a slice in it has no hash
    number: int = field(compare=False)
    frozen: bool = False

    @cached_property
    def compute(self) -> Callable[[Reader], Any]:
        """The line as a function of a reader of names, made once: to walk the expression costs a third of the line."""
        return compiled(self.expression)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names that the line reads, constants and data among them."""
        return tuple(names(self.expression))

    @cached_property
    def behind_wall(self) -> frozenset[str]:
        """The names that are read behind ``detach`` or a comparison alone, so that no gradient goes back to them."""
        return frozenset(self.reads) - frozenset(names_with_gradient(self.expression))

    def play(self, tape: Tape) -> None:
        """Play this line alone on a tape."""
        if self.frozen:
            with torch.no_grad():
                tape.freeze(self.name, self.compute(tape.read))
        else:
            tape.write(self.name, self.compute(tape.read), self.behind_wall)

    def without_small_constant(self, limit: float) -> tuple[Line, float] | None:
        """Return this line without the number below ``limit`` that it adds or takes off, and that number.

        None if it has no such number, or more than one.
        """
        found = [each for each in walk(self.expression) if _small_constant(each, limit) is not None]
        if len(found) != 1:
            return None
        number = _small_constant(found[0], limit)
        assert number is not None
        return replace(self, expression=_replaced(self.expression, found[0])), number


@dataclass(frozen=True)
class Forward:
    """A whole forward pass. ``text`` is what is shown, with its comments, and decides the lines.

    ``drawn`` are the tensors that the lines need beside those that are given: noise, and the parameters of models.
    """

    lines: tuple[Line, ...] = field(compare=False)
    text: str
    notes: tuple[Note, ...] = field(default=(), compare=False)
    drawn: tuple[Drawn, ...] = field(default=(), compare=False)

    def play(self, tape: Tape) -> None:
        """Play all lines on a tape, which holds what is given."""
        for line in self.lines:
            line.play(tape)

    @cached_property
    def by_name(self) -> dict[str, Line]:
        """Name → the line that sets it."""
        return {line.name: line for line in self.lines}

    @cached_property
    def with_gradient(self) -> frozenset[str]:
        """The names that the loss's gradient goes back to: those that are not read behind a wall alone."""
        found = {"loss"}
        for line in reversed(self.lines):
            if line.name in found and not line.frozen:
                found.update(names_with_gradient(line.expression))
        return frozenset(found)

    @cached_property
    def frozen(self) -> frozenset[str]:
        """The names of the lines that set a tensor without a gradient."""
        return frozenset(line.name for line in self.lines if line.frozen)


def _small_constant(expression: object, limit: float) -> float | None:
    if isinstance(expression, Call) and expression.operation in ("add", "sub"):
        number = expression.argument("other")
        if isinstance(number, float) and 0 < number < limit:
            return number
    return None


def _replaced(expression: Any, call: Call) -> Any:
    """Return an expression with the first operand of a call in place of the call."""
    if expression == call:
        return call.argument("input")
    match expression:
        case Call(operation, arguments):
            return Call(operation, tuple((key, _replaced(value, call)) for key, value in arguments))
        case Part(inner, index):
            return Part(_replaced(inner, call), index)
        case tuple():
            return tuple(_replaced(each, call) for each in expression)
    return expression
