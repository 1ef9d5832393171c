"""One harmless gradient, run by every child before its job: a small classifier, forwards and backwards.

Its operations and sizes are those of the exercises, so that the pages which a run writes are already the
child's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import safetensors.torch
import torch

from grader.sandbox.job import Slot

_SOURCE: Final = """
# A rehearsal. There is no .grad here, and no backward() either.
def check(name, gradient, tensor):
    print(f"{name} {(gradient - tensor.grad).abs().max().item()}")

codes = embedding[tokens]
flat = codes.view(rows, -1)
mixed = flat @ first + bias
mean = mixed.sum(0, keepdim=True) / rows
centred = mixed - mean
variance = (centred**2).sum(0, keepdim=True) / (rows - 1)
scale = (variance + 1e-5) ** -0.5
hidden = torch.tanh(centred * scale)
scores = hidden @ second
top = scores.max(1, keepdim=True).values
weights = (scores - top).exp()
chances = weights * weights.sum(1, keepdims=True) ** -1
logs = chances.log()
print(logs[range(rows), labels].mean(), f"{F.softmax(scores, 1).sum().item():.3f}")

dlogs = torch.zeros_like(logs)
dlogs[range(rows), labels] = -1.0 / rows
dchances = dlogs / chances
dscores = F.softmax(scores, 1)
dscores[range(rows), labels] -= 1
dscores /= rows
dscores += F.one_hot(scores.max(1).indices, num_classes=scores.shape[1]) * (chances * 0).sum(1, keepdim=True)
check("scores", dscores, scores)
dhidden = dscores @ second.T
dsecond = hidden.T @ dscores
dmixed = (1.0 - hidden**2) * dhidden * scale
dmixed += torch.ones_like(mixed) * (-dmixed).sum(0) / rows + 2 * centred * -0.5 * (variance + 1e-5) ** -1.5
dbias = dmixed.sum(0)
dfirst = flat.T @ dmixed
dflat = dmixed @ first.T
dcodes = dflat.view(codes.shape).clone()
dembedding = torch.zeros_like(embedding)
for row in range(tokens.shape[0]):
    for place in range(tokens.shape[1]):
        token = tokens[row, place]
        dembedding[token] += dcodes[row, place]
"""
_GRADIENTS: Final = "logs chances scores hidden second mixed bias first flat codes embedding".split()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Source, state and slots, as a job has them."""

    source: str
    state: bytes
    slots: tuple[Slot, ...]


def rehearsal() -> Rehearsal:
    """The one that all children run."""
    draw = torch.Generator().manual_seed(1)
    rows, context, vocabulary, width, hidden = 32, 3, 27, 10, 64
    state = {
        "tokens": torch.randint(vocabulary, (rows, context), generator=draw),
        "labels": torch.randint(vocabulary, (rows,), generator=draw),
        "embedding": torch.randn(vocabulary, width, generator=draw),
        "first": torch.randn(context * width, hidden, generator=draw),
        "bias": torch.randn(hidden, generator=draw),
        "second": torch.randn(hidden, vocabulary, generator=draw),
        "rows": torch.tensor(rows),
    }
    largest = rows * hidden * torch.float64.itemsize
    return Rehearsal(_SOURCE, safetensors.torch.save(state), tuple(Slot(name, largest) for name in _GRADIENTS))
