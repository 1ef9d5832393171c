"""The reference: PyTorch's own gradients of an instance, which every answer is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.tape import CutTape, Step
from grader import numerics


class StaleInstance(RuntimeError):
    """Playing the forward pass gives other bits than the frozen state: the state is from another
    environment.
    """


@dataclass(frozen=True)
class Reference:
    """``gradients``: name → gradient of the loss, for every named float tensor. ``vanishing`` are those that
    mathematics says are zero, where only rounding noise is left (logit_maxes; b1 under batch
    normalisation). ``state`` is the forward state that they belong to.
    """

    gradients: Mapping[str, Tensor]
    vanishing: frozenset[str]
    instance: Instance
    state: Mapping[str, Tensor]

    @cached_property
    def cut(self) -> CutTape:
        """The forward pass cut into its steps, made when the first wrong answer comes in.

        Threads may go back through it at the same time: its graph is only ever read. Should two make it at
        once, they make the same.
        """
        return self.instance.exercise.cut(self.state)

    @cached_property
    def reach(self) -> Mapping[tuple[str, str], float]:
        """(step, read) → how large the sums are that going back through the step makes of an upstream gradient
        of size 1.

        The signs of that gradient are drawn at random, so that sums that cancel show the size of their terms.
        """
        signs = torch.Generator().manual_seed(1)
        drawn = {
            step.name: torch.randint(0, 2, step.output.shape, generator=signs).to(step.output.dtype) * 2 - 1
            for step in self.cut.steps
        }
        return {
            (step, read): float(term.abs().max()) if term.numel() else 0.0
            for step, terms in back_all(self.cut.steps, drawn).items()
            for read, term in terms.items()
        }


def back(step: Step, upstream: Tensor) -> dict[str, Tensor]:
    """Go back through one step: what it adds to the gradient of each tensor that it reads, given the gradient
    of its output.
    """
    if not step.reads:
        return {}
    terms = torch.autograd.grad(
        step.output, list(step.reads.values()), upstream, retain_graph=True, materialize_grads=True
    )
    return dict(zip(step.reads, terms, strict=True))


def back_all(steps: Sequence[Step], upstream: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Go back through many steps in one pass of the engine: step → what ``back`` gives for it."""
    leaves = [(step.name, read, leaf) for step in steps for read, leaf in step.reads.items()]
    found: dict[str, dict[str, Tensor]] = {step.name: {} for step in steps}
    if leaves:
        terms = torch.autograd.grad(
            [step.output for step in steps if step.reads],
            [leaf for _, _, leaf in leaves],
            [upstream[step.name] for step in steps if step.reads],
            retain_graph=True,
            materialize_grads=True,
        )
        for (name, read, _), term in zip(leaves, terms, strict=True):
            found[name][read] = term
    return found


@lru_cache(maxsize=256)  # 0.4 MB each; one is made again in a few milliseconds
def reference(instance: Instance) -> Reference:
    """Play the forward pass of an instance and go back through it; some milliseconds once, then cached.

    :raises UnpinnedNumerics: this process computes with other kernels
    :raises StaleInstance: the instance was frozen by other kernels
    """
    numerics.environment()
    state = instance.tensors()
    tape = instance.exercise.played(state)
    for name, value in tape.values().items():
        if not torch.equal(value, state[name]):
            raise StaleInstance(
                f"{instance.exercise.slug} {instance.digest[:12]}: {name} comes out different here. It was "
                "frozen in another numeric environment; draw the instance again."
            )
    gradients = tape.gradients()
    vanishing = {name for name, gradient in gradients.items() if gradient.abs().max() < 1e-7}
    return Reference(gradients, frozenset(vanishing), instance, state)
