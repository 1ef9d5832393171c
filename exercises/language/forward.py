"""A forward pass in the language: lines, each of which sets one name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from exercises.language.expression import Call, Expression, evaluated, walk
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

    A ``frozen`` line sets a tensor without a gradient, such as a mask or a target under ``no_grad``.
    """

    name: str
    text: str
    expression: Expression
    number: int = field(compare=False)
    frozen: bool = False

    def play(self, tape: Tape) -> None:
        """Play this line alone on a tape."""
        setattr(tape, self.name, evaluated(self.expression, lambda name: getattr(tape, name)))

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
    """A whole forward pass. ``text`` is what is shown, with its comments.

    ``drawn`` are the tensors that the lines need beside those that are given: noise, and the parameters of models.
    """

    lines: tuple[Line, ...]
    text: str
    notes: tuple[Note, ...] = field(default=(), compare=False)
    drawn: tuple[Drawn, ...] = ()

    def play(self, tape: Tape) -> None:
        """Play all lines on a tape, which holds what is given."""
        for line in self.lines:
            line.play(tape)


def _small_constant(expression: object, limit: float) -> float | None:
    if isinstance(expression, Call) and expression.operation in ("add", "sub"):
        number = expression.argument("other")
        if isinstance(number, float) and 0 < number < limit:
            return number
    return None


def _replaced(expression: object, call: Call) -> Expression:
    """Return an expression with the first operand of a call in place of the call."""
    if expression == call:
        return call.argument("input")  # type: ignore[no-any-return]
    if isinstance(expression, Call):
        return Call(
            expression.operation,
            tuple(
                (key, _replaced(value, call) if isinstance(value, Call) else value)
                for key, value in expression.arguments
            ),
        )
    return expression  # type: ignore[return-value]
