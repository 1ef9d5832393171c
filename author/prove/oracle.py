"""Whether the gradients are the slopes of the loss, by an oracle that is not autograd.

A named tensor is moved a little in a random direction, forwards and backwards, and the loss is computed again in
float64. The difference must be the product of gradient and direction (a directional derivative). If the two sides
differ, the loss has a kink there: two values of a maximum are equal, or an argument of relu is zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import torch

from author.precise import PrecisePass
from author.prove.findings import Fault, FaultAt, Finding, finding
from author.prove.subject import Subject

CHECK: Final = "slopes"
STEP: Final = 1e-6  # of float64: half of its digits
TOLERANCE: Final = 1e-4  # of the sum of absolute products; float32 gradients are right to some 1e-6 of it
NOISE: Final = 1e-8  # of the loss: what float64 leaves of a difference of two losses
ROUNDING: Final = 2e-6  # of the largest gradient: what float32 leaves of a sum that cancels
KINK: Final = 1e-3


def slopes(subject: Subject) -> Finding:
    """Check that each gradient that is asked for is the slope of the loss there."""
    compared = len(subject.asked) * subject.effort.oracle_seeds
    return finding(CHECK, _faults(subject), compared=compared)


def _faults(subject: Subject) -> Iterator[FaultAt]:
    exercise = subject.exercise
    for seed in range(subject.effort.oracle_seeds):
        expected = subject.reference(seed)
        precise = PrecisePass(exercise.forward, exercise.given(expected.state), exercise.data)
        largest = max(float(each.abs().max()) for each in expected.gradients.values())
        generator = torch.Generator().manual_seed(seed + 1)
        for name in subject.asked:
            subject.progress(f"measures the slope at {name}")
            gradient = expected.gradients[name].double()
            direction = torch.randn(gradient.shape, generator=generator, dtype=torch.float64)
            forwards = (float(precise.play({name: STEP * direction})) - precise.loss) / STEP
            backwards = (precise.loss - float(precise.play({name: -STEP * direction}))) / STEP
            slope = float((gradient * direction).sum())
            size = float((gradient * direction).abs().sum())
            noise = NOISE * (1 + abs(precise.loss)) + ROUNDING * largest * gradient.numel() ** 0.5
            if abs(forwards - backwards) > KINK * size + 100 * noise:
                yield FaultAt(Fault.TIES, name, {"seed": seed})
                return  # every step above has it, too; the nearest to the loss is named
            if abs((forwards + backwards) / 2 - slope) > TOLERANCE * size + noise:
                yield FaultAt(Fault.GRADIENT_DIFFERS, name, {"seed": seed})
