"""Chunks of a training run: given to the sandbox, and replayed on the trusted side."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import torch
from torch import Tensor

from exercises.exercise import Exercise
from exercises.instance import Instance, Kind, freeze
from exercises.language import reader
from exercises.tape import variables
from exercises.training import Parameters, Trainable
from grader import numerics
from grader.answer import Answer
from grader.compare import ATOL, RTOL, compare
from grader.descent import BadGradient, compiled, descend, forward_state, update
from grader.reference.gradients import reference
from grader.rounding.tolerance import judge_rounding
from grader.sandbox import Job, Limits, Loop, Run, RunStatus, Sandbox, SandboxFault, Slot

# A chunk is to take a second or two. Code that needs longer for a single step loops without end.
CHUNK_LIMITS: Final = Limits(cpu_seconds=8.0, wall_seconds=10.0)
# Of the largest parameter. Measured: right gradients in another order of rounding differ by 1.2e-7 after 40 steps and
# by 1.4e-6 after 2,000, gradients that are 5 % off by 4e-3 after 40. It grows with the steps, so that a run of short
# chunks gives no more room than one of long ones.
AGREED, AGREED_PER_STEP = 1e-6, 1e-8

# Steps enough that the start of a child does not count much.
MEASURED_STEPS: Final = 32
MEASURED_RATE: Final = 0.01
MEASURED_LIMITS: Final = Limits(cpu_seconds=4.0, wall_seconds=4.0)

# A chunk took ten seconds at most, and a fresh child for each step costs some hundredths.
OWN_SECONDS_MAX: Final = 60.0

Gradients = Callable[[dict[str, Any]], Mapping[Any, Any]]


class TooSlow(SandboxFault):
    """The steps of a chunk, taken one by one, take too long: the code, or the machine."""


@dataclass(frozen=True)
class Chunk:
    """Some steps of a run: where they start, their minibatches and their learning rates.

    ``contexts`` has the shape (steps, batch, 3), ``targets`` (steps, batch).
    """

    start: Parameters
    contexts: Tensor
    targets: Tensor
    rates: tuple[float, ...]

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.rates)

    @property
    def minibatches(self) -> Iterator[tuple[Tensor, Tensor, float]]:
        """Contexts, targets and learning rate of each step."""
        return zip(self.contexts, self.targets, self.rates, strict=True)


class Verdict(StrEnum):
    """What a replay says of a chunk."""

    AGREED = "agreed"
    WRONG = "wrong"  # the parameters are what the student's backward pass gives, and its gradients are not right
    FORGED = "forged"  # they are not


@dataclass(frozen=True)
class Own:
    """A chunk with the student's gradients, step by step. ``are_right`` says that all of them were the right ones."""

    parameters: dict[str, Tensor]
    are_right: bool


@dataclass(frozen=True)
class Trainer:
    """Trains the network of an exercise.

    :param own_seconds_max: what the steps of a chunk may take one by one, with the student's gradients
    :raises UnpinnedNumerics: this process computes with other kernels
    """

    exercise: Exercise
    network: Trainable
    own_seconds_max: float = OWN_SECONDS_MAX

    def chunk(self, seed: int, first: int, batch: int, rates: Sequence[float], start: Parameters) -> Chunk:
        """Return the steps of a run from ``first`` on, one for each rate."""
        contexts, targets = self.network.minibatches(seed, first, len(rates), batch)
        return Chunk(start, contexts, targets, tuple(rates))

    def job(self, chunk: Chunk, source: str, filename: str, limits: Limits = CHUNK_LIMITS) -> Job:
        """Return the job of a chunk for the sandbox."""
        state = {
            **chunk.start,
            **self.network.constants(chunk.contexts.shape[1]),
            "Xb": chunk.contexts,
            "Yb": chunk.targets,
            "rates": torch.tensor(chunk.rates, dtype=torch.float64),
        }
        names = self.network.parameter_names
        given = (*self.exercise.lines, *state)
        slots = tuple(Slot(name, tensor.numel() * tensor.itemsize) for name, tensor in chunk.start.items())
        return Job(source, filename, freeze(state), slots, limits, Loop(self.exercise.forward.text, given, names))

    def lecture_seconds(self, batch: int, sandbox: Sandbox) -> float:
        """Return what a step with this minibatch takes in the sandbox now, with the exercise's own answer.

        If the machine does not get through the steps in time, a step takes this long at least.

        :raises SandboxFault: the sandbox failed; try again
        """
        chunk = self.chunk(0, 0, batch, [MEASURED_RATE] * MEASURED_STEPS, self.network.start(0))
        run = sandbox.run(self.job(chunk, self.exercise.solution, "solution.py", MEASURED_LIMITS))
        if run.status not in (RunStatus.OK, RunStatus.TIME_LIMIT):
            raise SandboxFault(f"the exercise's own answer did not run: {run.status.value}")
        return run.seconds / chunk.steps

    def parameters(self, run: Run, start: Parameters) -> dict[str, Tensor] | None:
        """Return the parameters that a run of a chunk claims; None if they are not those of this network."""
        found = {}
        for name, tensor in start.items():
            answer = run.answers.get(name)
            claimed = None if answer is None else answer.tensor
            if claimed is None or claimed.shape != tensor.shape or claimed.dtype != tensor.dtype:
                return None
            found[name] = claimed
        return found

    def replay(self, chunk: Chunk, gradients: Gradients | None = None) -> dict[str, Tensor]:
        """Take the steps of a chunk on the trusted side, by default with the right gradients.

        A caller that stops it raises in ``gradients``.
        """
        numerics.environment()
        parameters = {name: tensor.clone() for name, tensor in chunk.start.items()}
        forward = compiled(self.exercise.forward.text)
        constants = {name: int(value) for name, value in self.network.constants(chunk.contexts.shape[1]).items()}
        descend(forward, parameters, constants, chunk.minibatches, gradients or self.network.gradients)
        return parameters

    def judge(self, chunk: Chunk, claimed: Parameters, reference: Parameters, own: Callable[[], Own | None]) -> Verdict:
        """Return what is to be said of the parameters that a run of a chunk claims.

        Where large steps blow up every rounding error, right gradients give other parameters. So what does not agree is
        computed once more step by step.

        :param own: what ``own`` returns; asked if the parameters do not agree
        """
        most = AGREED + AGREED_PER_STEP * chunk.steps
        if distance(claimed, reference) <= most:
            return Verdict.AGREED
        steps = own()
        if steps is None or distance(claimed, steps.parameters) > most:
            return Verdict.FORGED
        return Verdict.AGREED if steps.are_right else Verdict.WRONG

    def own(
        self, chunk: Chunk, source: str, filename: str, sandbox: Sandbox, before_step: Callable[[], None]
    ) -> Own | None:
        """Take the steps of a chunk with the student's gradients, each from a fresh child that knows of no chunk.

        None if the code does not run to its end in one of them. ``before_step`` raises to stop it.

        :raises TooSlow: the code or the machine was too slow; try again
        :raises SandboxFault: the sandbox failed; try again
        """
        numerics.environment()
        parameters = {name: tensor.clone() for name, tensor in chunk.start.items()}
        forward = compiled(self.exercise.forward.text)
        constants = self.network.constants(chunk.contexts.shape[1])
        are_right, seconds = True, 0.0
        for contexts, targets, rate in chunk.minibatches:
            before_step()
            if seconds > self.own_seconds_max:
                raise TooSlow("the steps of a chunk took too long one by one")
            given: dict[str, Tensor] = {**parameters, **constants, "Xb": contexts, "Yb": targets}
            with torch.no_grad():
                played = forward_state(forward, variables(given))
                state = {**given, **{name: value for name, value in played.items() if isinstance(value, Tensor)}}
                run = self._run(state, source, filename, sandbox)
                seconds += run.seconds
                gradients = _given(run)
                if gradients is None:
                    return None
                are_right = are_right and self._are_right(state, gradients)
                try:
                    update(parameters, gradients, rate)
                except BadGradient:
                    return None
        return Own(parameters, are_right)

    def _are_right(self, state: Parameters, gradients: Parameters) -> bool:
        """Return whether gradients on a forward state pass as an answer does: by ``cmp``, or within the error bound."""
        right = self.network.gradients(state)
        if any(gradients[name].numel() != expected.numel() for name, expected in right.items()):
            return False
        answers = {
            name: gradients[name].reshape(expected.shape).to(expected.dtype).contiguous()
            for name, expected in right.items()
        }
        if all(torch.allclose(answers[name], expected, RTOL, ATOL) for name, expected in right.items()):
            return True
        # One comparison in many: a graph, and bounds for each of its steps.
        with torch.enable_grad():
            instance = Instance(self._exercise_for(state), freeze(state), Kind.STUDENT, self.network.dataset)
            expected = reference(instance)
            rows = [compare(name, Answer(tensor), expected.gradients[name]) for name, tensor in answers.items()]
            return all(row.passed for row in judge_rounding(expected, answers, rows).rows)

    def _exercise_for(self, state: Parameters) -> Exercise:
        """Return the exercise with lines that are read for the shapes of a state: a run has minibatches of any size."""
        names = self.network.parameter_names
        given = {name: value.detach().clone() for name, value in self.exercise.given(state).items()}
        samples = variables({name: value.requires_grad_(name in names) for name, value in given.items()})
        return replace(self.exercise, forward=reader.read(self.exercise.forward.text, samples))

    def _run(self, state: Mapping[str, Tensor], source: str, filename: str, sandbox: Sandbox) -> Run:
        """Run the student's code on a forward state. A gradient has the elements of its parameter, or it is of no use.

        :raises TooSlow: it did not end in time
        """
        names = self.network.parameter_names
        slots = tuple(Slot(name, state[name].numel() * torch.float64.itemsize) for name in names)
        run = sandbox.run(Job(source, filename, freeze(state), slots, Limits()))
        if run.status is RunStatus.TIME_LIMIT:
            raise TooSlow("a single backward pass did not end in time")
        return run


def _given(run: Run) -> dict[str, Tensor] | None:
    """Return the gradients of a run; None if it does not give all of them, as real numbers."""
    tensors = {name: answer.tensor for name, answer in run.answers.items()}
    found = {name: tensor for name, tensor in tensors.items() if tensor is not None and not tensor.is_complex()}
    return found if run.status is RunStatus.OK and len(found) == len(tensors) else None


def distance(one: Parameters, other: Parameters) -> float:
    """Return the largest difference between two sets of parameters, as a share of the largest parameter or of 1.

    Infinite if one of them is not finite.
    """
    if not (is_finite(one) and is_finite(other)):
        return math.inf
    largest = max(float((one[name] - other[name]).abs().max()) for name in one)
    return largest / max(1.0, *(float(tensor.abs().max()) for tensor in other.values()))


def is_finite(parameters: Parameters) -> bool:
    """Return whether all parameters are finite."""
    return all(bool(tensor.isfinite().all()) for tensor in parameters.values())
