"""What a step computes: a tree of names, numbers and calls of operations.

Each spelling of an operation gives the same call: ``x.sum(0, keepdims=True)`` and
``torch.sum(x, dim=0, keepdim=True)`` are equal trees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exercises.language.operations import OPERATIONS, Operation

Reader = Callable[[str], Any]
"""Gives the value of a name."""


@dataclass(frozen=True)
class Name:
    """A value that was given, or that an earlier step computed."""

    name: str


@dataclass(frozen=True)
class Call:
    """An operation with its arguments, by the names of its parameters; those left at their default are not there.

    An argument is an expression, a constant (number, string, dtype, None, range, slice, Ellipsis), or a tuple of these.
    """

    operation: str
    arguments: tuple[tuple[str, Any], ...]

    @property
    def definition(self) -> Operation:
        """The operation."""
        return OPERATIONS[self.operation]

    def argument(self, name: str) -> Any:
        """Return an argument, or the default of its parameter."""
        return dict(self.arguments).get(name, self.definition.defaults.get(name))


@dataclass(frozen=True)
class Part:
    """One of several results of a call, such as the values of ``x.max(1)``."""

    call: Call
    index: int


Expression = Name | Call | Part


def walk(expression: Any) -> Iterator[Any]:
    """Yield an expression and all expressions in it, the outer first."""
    match expression:
        case Name():
            yield expression
        case Call(_, arguments):
            yield expression
            for _, argument in arguments:
                yield from walk(argument)
        case Part(call, _):
            yield expression
            yield from walk(call)
        case tuple():
            for each in expression:
                yield from walk(each)
        case slice(start=start, stop=stop, step=step):
            yield from walk((start, stop, step))


def names(expression: Any) -> list[str]:
    """Return the names that an expression reads, each once, in the order in which they stand there."""
    return list(dict.fromkeys(each.name for each in walk(expression) if isinstance(each, Name)))


def renamed(expression: Any, names_: Mapping[str, Any]) -> Any:
    """Return an expression with other expressions in place of names."""
    match expression:
        case Name(name):
            return names_.get(name, expression)
        case Call(operation, arguments):
            return Call(operation, tuple((key, renamed(value, names_)) for key, value in arguments))
        case Part(call, index):
            return Part(renamed(call, names_), index)
        case tuple():
            return tuple(renamed(each, names_) for each in expression)
    return expression


def evaluated(expression: Any, read: Reader) -> Any:
    """Return the value of an expression. ``read`` gives the values of names."""
    match expression:
        case Name(name):
            return read(name)
        case Call(operation, arguments):
            return OPERATIONS[operation].apply(**{key: evaluated(value, read) for key, value in arguments})
        case Part(call, index):
            return evaluated(call, read)[index]
        case tuple():
            return tuple(evaluated(each, read) for each in expression)
    return expression
