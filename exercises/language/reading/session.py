"""What is read so far: the steps, their sample values, notes, and what noise was found."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from exercises.language.errors import Refused
from exercises.language.expression import Call, Expression, Name, evaluated, names
from exercises.language.forward import Line, Note
from exercises.language.given import Drawn
from exercises.language.operations import OPERATIONS, Operation
from exercises.language.reading.limits import Budget, Limits, too_large
from exercises.language.reading.scope import Scope
from exercises.language.reading.sizes import elements_bound
from exercises.language.reading.values import Class, Instance, Results, Stale, Traced
from exercises.language.spelled import SpelledRange, unspelled
from exercises.language.step_names import StepNames
from exercises.language.writer import statement

_INLINED = (torch.int64, torch.float64, torch.bool)  # a constant of a forward state, if it has no dimension


@dataclass(eq=False)
class Session:
    """What is read so far.

    The callables walk a tree; ``reader`` sets them. ``line`` is where the reader stands, ``inside_layer`` whether that
    is the text of a layer, whose own lines nobody knows. ``models`` counts the models that are being made.
    """

    source: str
    samples: dict[str, Any]
    limits: Limits
    evaluate: Callable[[ast.expr, Scope], Any] = field(init=False)
    execute: Callable[[list[ast.stmt], Scope], None] = field(init=False)
    evaluate_index: Callable[[ast.expr, Scope], Any] = field(init=False)
    call_value: Callable[[Any, list[Any]], Any] = field(init=False)
    instantiate: Callable[[Class, list[Any], dict[str, Any]], Instance] = field(init=False)
    budget: Budget = field(init=False)
    names: StepNames = field(init=False)
    lines: list[Line] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    range_texts: dict[range, str] = field(default_factory=dict)  # those whose bounds are spelled
    line: int = 1
    depth: int = 0
    no_grad: int = 0
    inside_layer: int = 0
    models: int = 0
    layer_scope: Scope | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.constants = {key: value for key, value in self.samples.items() if not isinstance(value, Tensor)}
        self.budget = Budget(self.limits)
        self.names = StepNames(self.samples)

    def at(self, node: ast.AST) -> None:
        """Note where the reader stands, and take one part off the budget."""
        if not self.inside_layer:
            self.line = getattr(node, "lineno", self.line)
        self.budget.spend(self.line)

    def refused(self, reason: str, advice: str) -> Refused:
        """Return a refusal of the line where the reader stands."""
        return Refused(self.line, reason, advice)

    def note(self, text: str) -> None:
        """Keep a note on the line where the reader stands, once."""
        note = Note(self.line, text)
        if note not in self.notes:
            self.notes.append(note)

    def count_call(self, name: str) -> int:
        """Return how often a function was called, this call included."""
        self.counts[name] += 1
        return self.counts[name]

    # steps

    def step(self, name: str, traced: Traced) -> Traced:
        """Return a tensor under a name of its own: the line that computes it becomes a step."""
        if traced.is_named or _is_number(traced.value):
            return traced
        traced = self.sealed(traced)
        fresh = self.names.fresh(name)
        value = traced.value
        line = Line(fresh, statement(fresh, traced.expression), traced.expression, self.line, not value.requires_grad)
        self.lines.append(line)
        self.samples[fresh] = value
        return Traced(Name(fresh), value, copied=traced.copied)

    def sealed(self, traced: Traced) -> Traced:
        """Return a tensor that was computed under ``no_grad`` with a wall that reads back as one."""
        if self.no_grad and not _is_wall(traced.expression) and self.has_gradient(traced.expression):
            call = Call("detach", (("input", traced.expression),))
            return replace(traced, expression=call, value=traced.value.detach(), size=traced.size + 1)
        return traced

    def has_gradient(self, expression: Expression) -> bool:
        """Return whether an expression reads a name that has a gradient."""
        read = (self.samples[name] for name in names(expression))
        return any(isinstance(value, Tensor) and value.requires_grad for value in read)

    def kept(self, value: Any, name: str) -> Any:
        """Return a value with a name for each tensor in it, so that no expression stands in two steps."""
        self.weigh(value)
        match value:
            case Traced():
                return self.step(name, value)
            case list() if any(isinstance(each, Traced | list | tuple) for each in value):
                value[:] = [self.kept(each, f"{name}_{place}") for place, each in enumerate(value, 1)]
                return value
            case tuple() if type(value) is tuple:
                return tuple(self.kept(each, f"{name}_{place}") for place, each in enumerate(value, 1))
            case dict():
                for key in list(value):
                    value[key] = self.kept(value[key], f"{name}_{key}" if str(key).isidentifier() else name)
                return value
            case Instance() if not value.path:
                value.path = name
        return value

    def weigh(self, value: Any) -> Any:
        """Return a value, and take its items off the budget, those of lists in it too: to walk it takes that long.

        :raises Refused: nothing is left
        """
        waiting = [value]
        while waiting:
            each = waiting.pop()
            self.budget.spend(self.line)
            items = tuple(each.items()) if type(each) is dict else each
            if type(items) in (list, tuple):
                self.budget.spend(self.line, len(items))
                waiting += [inner for inner in items if type(inner) in (list, tuple, dict)]
        return value

    def used(self, value: Any) -> Any:
        """Return an argument as an operation takes it: what a function made gets a name first."""
        if isinstance(value, Stale):
            raise self.refused(
                f"line {value.line} changed a tensor in place that is read here", "Copy it with .clone()."
            )
        if isinstance(value, Results):
            return value.parts()
        if isinstance(value, Traced) and value.hint and not value.is_named:
            return self.step(value.hint, value)
        if type(value) in (tuple, list):
            self.budget.spend(self.line, len(value))
            return type(value)(self.used(each) for each in value)
        return value

    def forget(self, name: str) -> None:
        """Take back a step that nothing reads, so that its name is free again."""
        self.lines = [line for line in self.lines if line.name != name]
        self.names.free(name)
        del self.samples[name]

    def is_read(self, name: str) -> bool:
        """Return whether a step reads a name."""
        return any(name in names(line.expression) for line in self.lines)

    def shares_numbers(self, traced: Traced) -> bool:
        """Return whether a tensor is a view of one that has a name."""
        storage = traced.value.untyped_storage().data_ptr()
        tensors = (each for each in self.samples.values() if isinstance(each, Tensor))
        return any(each.untyped_storage().data_ptr() == storage for each in tensors)

    # operations

    def operation(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Return the call of an operation by its inner name."""
        return self.apply(OPERATIONS[name], list(arguments), options)

    def apply(self, operation: Operation, arguments: list[Any], options: Mapping[str, Any]) -> Any:
        """Return the call of an operation, computed on the sample numbers: a tensor, or several results."""
        operation, values = self._bound(operation, arguments, options)
        call = Call(operation.name, tuple((key, self._spelled(plain(value))) for key, value in values.items()))
        size = 1 + sum(_size(value) for value in values.values())
        if size > self.limits.size:
            raise self.refused("the line is too long", "Give parts of it names.")
        result = self._computed(operation, {key: valued(value) for key, value in values.items()})
        if isinstance(result, tuple | list):
            self.budget.spend_elements(self.line, 0, sum(each.numel() for each in result if isinstance(each, Tensor)))
            return Results(call, tuple(result), size)
        self.budget.spend_elements(self.line, result.numel())
        return Traced(call, result, size)

    def _spelled(self, argument: Any) -> Any:
        if isinstance(argument, range) and argument in self.range_texts:
            return SpelledRange(argument, self.range_texts[argument])
        return tuple(self._spelled(each) for each in argument) if isinstance(argument, tuple) else argument

    def _computed(self, operation: Operation, values: dict[str, Any]) -> Any:
        try:
            if elements_bound(operation.name, values) > self.limits.elements:
                raise too_large(self.line, self.limits)
            with torch.set_grad_enabled(not self.no_grad):
                return evaluated(Call(operation.name, tuple(values.items())), self.samples.__getitem__)
        except (RuntimeError, TypeError, IndexError, ValueError, NotImplementedError, OverflowError) as error:
            if isinstance(error, Refused):
                raise
            raise self.refused(
                f"torch refuses {operation.name}: {_first_line(error)}", "Check the shapes of its arguments."
            ) from error

    def _bound(
        self, operation: Operation, arguments: list[Any], options: Mapping[str, Any]
    ) -> tuple[Operation, dict[str, Any]]:
        """Return the settled operation with its arguments by name, without those at their default."""
        bound: dict[str, Any] = {}
        positional = [self.used(each) for each in arguments]
        for place, parameter in enumerate(operation.parameters):
            rest = positional[place:]
            if not rest:
                break
            if parameter == operation.rest:
                bound[parameter] = tuple(rest[0]) if isinstance(rest[0], tuple | list) else tuple(rest)
                positional = []
                break
            bound[parameter] = rest[0]
        if len(positional) > len(operation.parameters):
            raise self.refused(f"{operation.name} takes {len(operation.parameters)} arguments", "Leave the others out.")
        for spelled, value in options.items():
            parameter = operation.other_names.get(spelled, spelled)
            if parameter not in operation.parameters:
                raise self.refused(f"{operation.name} takes no {spelled} here", "Leave it out.")
            bound[parameter] = self.used(value)
        settled, bound = operation.settled(bound)
        missing = [each for each in settled.parameters if each not in bound and each not in settled.defaults]
        if missing:
            raise self.refused(f"{operation.name} lacks {', '.join(missing)}", "Give it.")
        return settled, bound

    def noise(self, kind: str, name: str, shape: Iterable[int], **options: Any) -> Traced:
        """Return a given tensor in place of random numbers."""
        if self.models:  # what a parameter starts from; its numbers are drawn when it has a name
            start: Traced = self.operation("zeros", tuple(shape))
            return start
        drawn = Drawn(
            self.names.fresh(name),
            kind,
            unspelled(tuple(shape)),
            {key: unspelled(value) for key, value in options.items()},
        )
        self._check_shape(drawn.shape)
        self.drawn.append(drawn)
        value = drawn.draw(0)
        self.samples[drawn.name] = value
        self.note(f"the random numbers are given: {drawn.name}, drawn from the instance's seed")
        return Traced(Name(drawn.name), value)

    def parameter(self, name: str, sample: Tensor) -> Traced:
        """Return a parameter of a model as a given tensor."""
        options = {"mean": 1.0, "scale": 0.1} if bool((sample == 1).all()) else {}
        drawn = Drawn(self.names.fresh(name), "param", tuple(sample.shape), options, is_param=True)
        self.drawn.append(drawn)
        value = drawn.draw(0).requires_grad_()
        self.samples[drawn.name] = value
        return Traced(Name(drawn.name), value)

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if not all(isinstance(size, int) and size >= 0 for size in shape):
            raise self.refused("a size is no number", "Write the sizes as numbers.")
        self.budget.spend_elements(self.line, math.prod(shape))


def plain(value: Any) -> Any:
    """Return an argument as an expression: a traced tensor is what makes it."""
    if isinstance(value, Traced):
        return value.expression
    if isinstance(value, tuple | list | range):
        return tuple(plain(each) for each in value) if not isinstance(value, range) else value
    if isinstance(value, slice):
        return slice(plain(value.start), plain(value.stop), plain(value.step))
    return value


def valued(value: Any) -> Any:
    """Return an argument as torch takes it: a traced tensor is its sample value."""
    if isinstance(value, Traced):
        return value.value
    if isinstance(value, tuple | list):
        return tuple(valued(each) for each in value)
    if isinstance(value, slice):
        return slice(valued(value.start), valued(value.stop), valued(value.step))
    return value


def holds_traced(value: Any) -> bool:
    """Return whether a value is a tensor, or holds one. Each list is looked into once, wherever it stands."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Traced | Results):
            return True
        if isinstance(each, tuple | list) and id(each) not in seen:
            seen.add(id(each))
            waiting += each
    return False


def _is_number(value: Tensor) -> bool:
    # Tapes and students' code get such a tensor as a number of Python: it stays in the line that reads it.
    return value.dim() == 0 and value.dtype in _INLINED


def _is_wall(expression: Expression) -> bool:
    return isinstance(expression, Call) and not expression.definition.differentiable


def _size(value: Any) -> int:
    if isinstance(value, Traced):
        return 0 if value.is_named else value.size
    return sum(_size(each) for each in value) if isinstance(value, tuple | list) else 0


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
