"""Whether an exercise can be drawn: its lines play, its numbers are finite, and a seed decides them."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from author.prove.findings import Fault, FaultAt, Finding, finding
from author.prove.subject import Subject
from exercises.errors import PackError
from exercises.instance import Instance
from exercises.tape import constants

CHECK = "instances"


def instances(subject: Subject) -> Finding:
    """Check that every seed can be drawn, that its numbers are finite, and that it gives the same bytes again."""
    return finding(CHECK, _faults(subject), seeds=subject.effort.seeds)


def _faults(subject: Subject) -> Iterator[FaultAt]:
    digests = set()
    first: Instance | None = None
    for seed in range(subject.effort.seeds):
        subject.progress(f"draws seed {seed}")
        try:
            instance = subject.instance(seed)
        except (RuntimeError, IndexError, ValueError, TypeError, LookupError, PackError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
            is_index = isinstance(error, IndexError) or "out of bounds" in reason or "out of range" in reason
            yield FaultAt(Fault.OUT_OF_RANGE if is_index else Fault.DOES_NOT_PLAY, "", {"reason": reason})
            return
        first = first or instance
        digests.add(instance.digest)
        yield from _of_numbers(subject, seed)
        yield from _against_first(first, instance, seed)
        if seed < 3 and subject.drawn(seed).digest != instance.digest:
            yield FaultAt(Fault.SEED_IS_NOT_KEPT, "", {"seed": seed})
            return
    if len(digests) == 1 and subject.effort.seeds > 1:
        yield FaultAt(Fault.SEED_CHANGES_NOTHING)


def _of_numbers(subject: Subject, seed: int) -> Iterator[FaultAt]:
    """Yield each NaN and infinity. A masked score is minus infinity: no fault while its gradients are finite."""
    state = subject.instance(seed).tensors()  # before a reference is made: NaN equals nothing
    steps = [line.name for line in subject.exercise.forward.lines]
    for name in (*sorted(state.keys() - set(steps)), *steps):  # the first step that has it, not the loss
        value = state[name]
        if value.is_floating_point() and (bool(value.isnan().any()) or (name == "loss" and not _is_finite(value))):
            yield FaultAt(Fault.NOT_FINITE, name, {"seed": seed})
            return
    for name, gradient in sorted(subject.reference(seed).gradients.items()):
        if not _is_finite(gradient):
            yield FaultAt(Fault.NOT_FINITE, f"the gradient of {name}", {"seed": seed})
            return


def _against_first(first: Instance, instance: Instance, seed: int) -> Iterator[FaultAt]:
    one, other = first.tensors(), instance.tensors()
    for name in one.keys() ^ other.keys():
        yield FaultAt(Fault.SHAPE_DIFFERS, name, {"seed": seed})
    for name in sorted(one.keys() & other.keys()):
        if (one[name].shape, one[name].dtype) != (other[name].shape, other[name].dtype):
            yield FaultAt(Fault.SHAPE_DIFFERS, name, {"seed": seed})
    numbers, others = constants(one), constants(other)
    for name in sorted(numbers.keys() & others.keys()):
        if numbers[name] != others[name]:
            yield FaultAt(Fault.CONSTANT_DIFFERS, name, {"seed": seed})


def _is_finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())
