"""What a step computes: a tree of names, numbers and calls of operations.

Each spelling of an operation gives the same call: ``x.sum(0, keepdims=True)`` and
``torch.sum(x, dim=0, keepdim=True)`` are equal trees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exercises.language.operations import OPERATIONS, WITH_INDICES, Operation

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
        case slice(start=start, stop=stop, step=step):
            return slice(*(renamed(each, names_) for each in (start, stop, step)))
    return expression


def names_with_gradient(expression: Any) -> list[str]:
    """Return the names that a gradient may go back to: those that are not all behind ``detach`` or a comparison."""
    match expression:
        case Name(name):
            return [name]
        case Call(operation, arguments):
            return (
                names_with_gradient(tuple(value for _, value in arguments))
                if OPERATIONS[operation].differentiable
                else []
            )
        case Part(call, index):
            return [] if index and call.operation in WITH_INDICES else names_with_gradient(call)
        case tuple():
            return list(dict.fromkeys(name for each in expression for name in names_with_gradient(each)))
    return []


def evaluated(expression: Any, read: Reader) -> Any:
    """Return the value of an expression. ``read`` gives the values of names."""
    return compiled(expression)(read)


def compiled(expression: Any) -> Callable[[Reader], Any]:
    """Return an expression as a function of a reader of names.

    Each call is one closure, so that to evaluate it again costs little more than the operations themselves.
    """
    match expression:
        case Name(name):
            return lambda read: read(name)
        case Call():
            return _compiled_call(expression)
        case Part(call, index):
            inner = _compiled_call(call)
            return lambda read: inner(read)[index]
        case tuple() if not is_constant(expression):
            elements = [compiled(each) for each in expression]
            return lambda read: tuple([element(read) for element in elements])
        case slice(start=start, stop=stop, step=step) if not is_constant(expression):
            bounds = compiled((start, stop, step))
            return lambda read: slice(*bounds(read))
    return lambda read: expression


def is_constant(expression: Any) -> bool:
    """Return whether an argument holds no expression."""
    return not any(isinstance(each, Name | Call | Part) for each in walk(expression))


def _compiled_call(call: Call) -> Callable[[Reader], Any]:
    apply = call.definition.function
    positional, named = call.definition.sorted(dict(call.arguments))
    constants = {key: value for key, value in named.items() if is_constant(value)}
    if constants == named and positional:
        first, *rest = [compiled(each) for each in positional]
        if not rest:
            return (lambda read: apply(first(read), **constants)) if constants else lambda read: apply(first(read))
        if len(rest) == 1 and not constants:
            second, other = rest[0], positional[1]
            if is_constant(other):
                return lambda read: apply(first(read), other)
            return lambda read: apply(first(read), second(read))
        return lambda read: apply(first(read), *[each(read) for each in rest], **constants)
    getters, named_getters = (
        [compiled(each) for each in positional],
        {key: compiled(each) for key, each in named.items()},
    )
    return lambda read: apply(
        *[each(read) for each in getters], **{key: each(read) for key, each in named_getters.items()}
    )
