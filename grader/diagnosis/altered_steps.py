"""A line of the forward pass played again, with another tensor in place of one that it reads.

The terms that autograd gives for a step are summed and have the shape of the tensor that was read. To see the numbers
before the sum, or with another tensor, the line is played again: each read gives the recorded value, or an altered one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.language.expression import Call, Name, Part, walk
from exercises.tape import CutTape, Step
from grader.reference.backward import back, go_back
from grader.reference.dissection import kept_with_dissection
from grader.reference.gradients import reference
from grader.rounding.closeness import broadcasts_to, close, is_uniform

PLACES_MAX: Final = 4
NODES_MAX: Final = 64  # of a line

# (the name that is read, its recorded value) → the value to use
Alter = Callable[[str, Tensor], Tensor]


class AlteredSteps:
    """The steps of an instance, to be played again with alterations.

    Results that depend on the instance alone are cached.
    """

    def __init__(self, instance: Instance) -> None:
        self._values = reference(instance).state
        self._lines = instance.exercise.forward.by_name
        self._data = instance.exercise.without_gradient
        self._steps = {step.name: step for step in reference(instance).cut.steps}
        self._stretched: dict[tuple[str, str], Step | None] = {}
        self._terms_alone: dict[tuple[str, bool], dict[str, Tensor]] = {}
        self._factors: dict[tuple[str, str], Tensor | None] = {}
        self._graphs: dict[tuple[str, str], tuple[Tensor, Tensor]] = {}
        self._positions: dict[tuple[str, str], Tensor | None] = {}
        self._nodes: dict[str, frozenset[str]] = {}

    def played(self, step: str, alter: Alter) -> Step | None:
        """Return a step played with an alteration; None if its line raises."""
        line = self._lines[step]
        tape = CutTape({read: alter(read, self._values[read]) for read in line.reads}, self._data)
        try:
            line.play(tape)
        except (RuntimeError, IndexError, TypeError, ValueError):
            return None
        return tape.steps[0]

    def read_by(self, step: str) -> tuple[str, ...]:
        """Return the names that the line of a step reads, also those without a gradient."""
        return tuple(self._lines[step].reads)

    def stretched(self, step: str, read: str) -> Step | None:
        """Return the step with ``read`` stretched as its line stretches it, so that its gradient is not summed yet.

        None if the line does not broadcast ``read``.
        """
        key = (step, read)
        if key not in self._stretched:
            self._stretched[key] = self._stretch(step, read)
        return self._stretched[key]

    def substituted(self, step: str, read: str, substitute: Tensor) -> Step | None:
        """Return the step with another tensor of the same shape in place of ``read``; None if its line raises."""
        return self.played(step, lambda name, value: substitute if name == read else value)

    def apart(self, step: str, read: str) -> Step | None:
        """Return the step with a leaf of its own, ``read#1`` and so on, for each place where its line reads ``read``.

        None if there is one place alone, or more than ``PLACES_MAX``.
        """
        line = self._lines[step]
        count = sum(each == Name(read) for each in walk(line.expression))
        if not 1 < count <= PLACES_MAX:
            return None
        altered = replace(line, expression=_numbered(line.expression, read, iter(range(1, count + 1))))
        tape = CutTape({each: self._values[each.partition("#")[0]] for each in altered.reads}, self._data)
        altered.play(tape)
        return tape.steps[0]

    def nodes(self, step: str) -> frozenset[str]:
        """Return the names of what autograd goes back through in a line, such as ``SoftmaxBackward0``."""
        if step not in self._nodes:
            names: set[str] = set()
            waiting = [self._steps[step].output.grad_fn]
            for _ in range(NODES_MAX):
                node = waiting.pop() if waiting else None
                if node is not None:
                    names.add(node.name())
                    waiting += [following for following, _ in node.next_functions]
            self._nodes[step] = frozenset(names)
        return self._nodes[step]

    def transposed(self, step: str, read: str) -> Step | None:
        """Return the step with ``read`` transposed; None if ``read`` is not square, or the line raises."""
        value = self._values[read]
        if value.dim() < 2 or value.shape[-1] != value.shape[-2]:
            return None
        return self.substituted(step, read, value.mT)

    def term_without_upstream(self, step: str, read: str, value: bool) -> Tensor:
        """Return the term of ``read`` for an upstream gradient of ones; with ``value``, for the step's own output."""
        key = (step, value)
        if key not in self._terms_alone:
            output = self._steps[step].output.detach()
            self._terms_alone[key] = back(self._steps[step], output if value else torch.ones_like(output))
        return self._terms_alone[key][read]

    def factor(self, step: str, read: str) -> Tensor | None:
        """Return the tensor that a line multiplies its upstream gradient with, entry by entry.

        None if it does anything else, or multiplies with one number.
        """
        key = (step, read)
        if key not in self._factors:
            output, local = self._steps[step].output, self.term_without_upstream(step, read, False)
            signs = torch.linspace(-1, 1, output.numel()).reshape(output.shape)
            is_factor = local.shape == output.shape and not is_uniform(local)
            is_factor = is_factor and close(back(self._steps[step], signs)[read], local * signs)
            self._factors[key] = local if is_factor else None
        return self._factors[key]

    def term_of_any_upstream(self, step: str, read: str) -> tuple[Tensor, Tensor]:
        """Return an upstream gradient of zeros, and the term of ``read`` for it, with the graph between the two."""
        key = (step, read)
        if key not in self._graphs:
            output, leaf = self._steps[step].output, self._steps[step].reads[read]
            upstream = torch.zeros_like(output).requires_grad_()
            (term,) = go_back([output], [leaf], [upstream], create_graph=True)
            self._graphs[key] = upstream, term
        return self._graphs[key]

    def positions(self, step: str, read: str) -> Tensor | None:
        """Return, for each element of the output, the position in ``read`` that it was taken from; both flattened.

        None if the line does more than take elements.
        """
        key = (step, read)
        if key not in self._positions:
            self._positions[key] = self._find_positions(step, read)
        return self._positions[key]

    def _find_positions(self, step: str, read: str) -> Tensor | None:
        recorded, output = self._values[read], self._steps[step].output.detach()
        numbers = torch.arange(recorded.numel(), dtype=recorded.dtype).reshape(recorded.shape)
        played = self.substituted(step, read, numbers)
        if played is None:
            return None
        positions = played.output.detach().reshape(-1).to(torch.int64)
        if bool(((positions < 0) | (positions >= recorded.numel())).any()):
            return None
        return positions if torch.equal(recorded.reshape(-1)[positions], output.reshape(-1)) else None

    def _stretch(self, step: str, read: str) -> Step | None:
        small, large = self._values[read], self._steps[step].output
        # A line may take a piece of what it stretched: (x @ W + b).split(8, 2)[0]. Then the axes in front are new.
        for shape in (large.shape, large.shape[: large.dim() - small.dim()] + small.shape):
            if small.numel() >= shape.numel() or not broadcasts_to(small.shape, shape):
                continue
            played = self.substituted(step, read, small.expand(shape))
            if played is not None and played.output.shape == large.shape and torch.equal(played.output, large):
                return played
        return None


def _numbered(expression: Any, read: str, numbers: Iterator[int]) -> Any:
    """Return an expression with a name of its own for each place of ``read``."""
    match expression:
        case Name(name) if name == read:
            return Name(f"{read}#{next(numbers)}")
        case Call(operation, arguments):
            return Call(operation, tuple((key, _numbered(value, read, numbers)) for key, value in arguments))
        case Part(call, index):
            return Part(_numbered(call, read, numbers), index)
        case tuple():
            return tuple(_numbered(each, read, numbers) for each in expression)
        case slice(start=start, stop=stop, step=step):
            return slice(*(_numbered(each, read, numbers) for each in (start, stop, step)))
    return expression


@kept_with_dissection
def altered_steps(instance: Instance) -> AlteredSteps:
    """Return the altered steps of an instance. Each is played when it is asked for first."""
    return AlteredSteps(instance)
