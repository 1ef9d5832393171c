"""Whether an exercise fits: its answers in their slots, its state in a job, its work in a run.

Work is counted, not timed: multiplications (by torch's counter of floating-point operations) and elements made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from author.prove.findings import Fault, FaultAt, Finding, finding
from author.prove.subject import Subject
from exercises.tape import CutTape
from grader.compare import BROADCAST_ELEMENTS_MAX
from grader.sandbox.limits import MIB

CHECK: Final = "limits"
_DOUBLE: Final = torch.float64.itemsize  # an answer may be handed in as float64


def limits(subject: Subject) -> Finding:
    """Check that the answers, the forward state and the work of each step are within the limits of a run."""
    work = _work(subject)
    state_bytes = len(subject.instance(0).state)
    return finding(CHECK, _faults(subject, work), work=sum(work.values()), state_bytes=state_bytes)


def _faults(subject: Subject, work: dict[str, int]) -> Iterator[FaultAt]:
    bounds, instance = subject.bounds, subject.instance(0)
    state = subject.reference(0).state
    sizes = {name: state[name].numel() for name in subject.asked}
    for name, size in sizes.items():
        if size > BROADCAST_ELEMENTS_MAX:
            values = {"size": f"{size:,} elements", "most": f"{BROADCAST_ELEMENTS_MAX:,}"}
            yield FaultAt(Fault.TOO_LARGE, name, values)
    answers = sum(sizes.values()) * _DOUBLE
    if answers > bounds.limits.output_bytes:
        yield FaultAt(Fault.TOO_LARGE, "All answers together", _in_mib(answers, bounds.limits.output_bytes))
    if len(instance.state) > bounds.limits.state_bytes:
        yield FaultAt(Fault.TOO_LARGE, "The forward state", _in_mib(len(instance.state), bounds.limits.state_bytes))
    source = len(subject.exercise.solution.encode())
    if source > bounds.limits.source_bytes:
        yield FaultAt(Fault.TOO_LARGE, "solution.py", _in_mib(source, bounds.limits.source_bytes))
    for name, size in sorted(work.items(), key=lambda each: -each[1])[:1]:
        if size > bounds.work:
            values = {"size": f"{size / 1e6:.0f} million operations", "most": f"{bounds.work / 1e6:.0f} million"}
            yield FaultAt(Fault.TOO_SLOW, name, values)


def _in_mib(size: int, most: int) -> dict[str, str]:
    return {"size": f"{size / MIB:.1f} MiB", "most": f"{most / MIB:.0f} MiB"}


def _work(subject: Subject) -> dict[str, int]:
    """Return step → its multiplications and elements, forward and back."""
    exercise = subject.exercise
    state = subject.reference(0).state
    tape = CutTape(exercise.given(state), exercise.data)
    work = {}
    for line in exercise.forward.lines:
        elements = _Elements()
        with FlopCounterMode(display=False) as multiplications, elements:
            line.play(tape)
            if not line.frozen:
                step = tape.steps[-1]
                if step.reads:
                    reads = list(step.reads.values())
                    torch.autograd.grad(step.output, reads, torch.ones_like(step.output), allow_unused=True)
        work[line.name] = multiplications.get_total_flops() // 2 + elements.made
    return work


class _Elements(TorchDispatchMode):
    """Counts the elements of all tensors that are made."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.made = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for each in result if isinstance(result, tuple | list) else (result,):
            if isinstance(each, Tensor):
                self.made += each.numel()
        return result
