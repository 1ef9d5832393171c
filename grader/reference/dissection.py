"""The forward pass of an instance, cut into its steps: what wrong answers alone need.

It takes twice the memory of a reference. So it is kept for fewer instances, and made again in less than a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache, wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.tape import Step, constants
from grader.caches.budget import DISSECTIONS_BYTES
from grader.caches.byte_cache import ByteCache
from grader.reference.backward import back_all


class Dissection:
    """The forward pass of an instance, cut into its steps, and what was worked out of it since.

    If two threads make it at once, they make the same.
    """

    def __init__(self, instance: Instance) -> None:
        self.state = state_of(instance)
        self.cut = instance.exercise.cut(self.state)
        self.worked_out: dict[Hashable, Any] = {}
        self._reach: dict[tuple[str, str], float] = {}
        self._largest: dict[str, float] = {}

    @cached_property
    def consumers(self) -> Mapping[str, Sequence[Step]]:
        """See ``Reference``."""
        consumers: dict[str, list[Step]] = {}
        for step in self.cut.steps:
            for read in step.reads:
                consumers.setdefault(read, []).append(step)
        return consumers

    @cached_property
    def backward_order(self) -> Sequence[str]:
        """See ``Reference``."""
        names = [step.name for step in reversed(self.cut.steps)]
        return [*names, *(read for read in self.consumers if read not in names)]

    @cached_property
    def constants(self) -> Mapping[str, int]:
        """See ``Reference``."""
        return {name: number for name, number in constants(self.state).items() if type(number) is int}

    def reach(self, step: str, read: str) -> float:
        """See ``Reference``."""
        if (step, read) not in self._reach:
            self._measure_reach([step])
        return self._reach[step, read]

    def largest_terms(self, names: Iterable[str], gradients: Mapping[str, Tensor]) -> Mapping[str, float]:
        """See ``Reference``, which knows the right gradients."""
        consumers = {name: self.consumers.get(name, ()) for name in names}
        # All in one pass of the engine: one step alone costs a third of that.
        self._measure_reach({step.name for steps in consumers.values() for step in steps})
        return {
            name: max(
                (self._reach[step.name, name] * self._largest_element(step.name, gradients) for step in steps),
                default=0.0,
            )
            for name, steps in consumers.items()
        }

    def _largest_element(self, step: str, gradients: Mapping[str, Tensor]) -> float:
        """Return the largest element of the right gradient of a step's output."""
        if step not in self._largest:
            self._largest[step] = float(gradients[step].abs().max()) if step in gradients else 0.0
        return self._largest[step]

    def _measure_reach(self, names: Container[str]) -> None:
        steps = self.cut.steps
        signs = _signs(tuple((step.output.shape, step.output.dtype) for step in steps))
        upstream = {
            step.name: ones
            for step, ones in zip(steps, signs, strict=True)
            if step.name in names and not all((step.name, read) in self._reach for read in step.reads)
        }
        for step, terms in back_all([step for step in steps if step.name in upstream], upstream).items():
            for read, term in terms.items():
                self._reach[step, read] = float(term.abs().max()) if term.numel() else 0.0


@lru_cache(maxsize=16)  # the same for all instances of an exercise
def _signs(outputs: Sequence[tuple[torch.Size, torch.dtype]]) -> Sequence[Tensor]:
    """Return ones and minus ones of each shape and type."""
    signs = torch.Generator().manual_seed(1)
    return [torch.randint(0, 2, shape, generator=signs).to(dtype) * 2 - 1 for shape, dtype in outputs]


def state_of(instance: Instance) -> dict[str, Tensor]:
    """Return the forward state, in the order of its names."""
    # safetensors gives the tensors in another order in each process; the first that fits is named in a diagnosis.
    return dict(sorted(instance.tensors().items()))


P = ParamSpec("P")
T = TypeVar("T")


def kept_with_dissection(
    work_out: Callable[Concatenate[Instance, P], T],
) -> Callable[Concatenate[Instance, P], T]:
    """Keep what a function works out of an instance as long as its dissection: so one bound holds for all of it."""

    @wraps(work_out)
    def kept(instance: Instance, /, *args: P.args, **kwargs: P.kwargs) -> T:
        worked_out = dissect(instance).worked_out
        key = (work_out, *args, *kwargs.items())
        if key not in worked_out:
            worked_out[key] = work_out(instance, *args, **kwargs)
        found: T = worked_out[key]
        return found

    return kept


def _weigh(made: Dissection) -> int:
    """Return the bytes of a dissection with what is worked out of it, measured for the lecture's network."""
    return DISSECTED_TIMES * sum(tensor.nbytes for tensor in made.state.values())


DISSECTED_TIMES: Final = 20  # the bytes of the forward state
_dissections: ByteCache[Instance, Dissection] = ByteCache(DISSECTIONS_BYTES, _weigh, newest_stays=True)


def dissect(instance: Instance) -> Dissection:
    """Cut the forward pass of an instance into its steps. Cached."""
    return _dissections.get(instance, lambda: Dissection(instance))


def divide_room(processes: int) -> None:
    """Give this process its part of the room, if several of a server keep dissections."""
    _dissections.bound(DISSECTIONS_BYTES // processes)
