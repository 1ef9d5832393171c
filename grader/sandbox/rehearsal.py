"""One harmless gradient: a small classifier, forwards and backwards, with the operations of the exercises.

The zygote plays it many times, so that all that Python and torch set up by and by is there before the fork. Every
child plays it once before its job, so that the pages which a run writes are already its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import safetensors.torch
import torch

from grader.sandbox.job import Slot

_SOURCE: Final = """
# A rehearsal, and short: what counts is that everything occurs once.
flat = embedding[tokens].view(rows, -1)
mixed = flat @ first + bias
centred = mixed - mixed.mean(0, keepdim=True)
scale = ((centred**2).sum(0, keepdim=True) / (rows - 1) + 1e-5) ** -0.5
hidden = torch.tanh(centred * scale)
scores = hidden @ second
weights = (scores - scores.max(1, keepdim=True).values).exp()
logs = (weights / weights.sum(1, keepdim=True)).log()
print(f"{logs[range(rows), labels].mean().item():.3f}")

dlogs = torch.zeros_like(logs)
dlogs[range(rows), labels] = -1.0 / rows
dscores = F.softmax(scores, 1) * dlogs - F.one_hot(scores.argmax(1), num_classes=scores.shape[1])
cmp("scores", dscores, scores)
dsecond = hidden.T @ dscores
dhidden = (1.0 - hidden**2) * (dscores @ second.T)
dembedding = torch.zeros_like(embedding)
for row in range(2):
    dembedding[tokens[row, 0]] += embedding[row]
"""
# What the zygote plays besides: a file that brings a comparison of its own is read in another way.
_WITH_THEIR_CMP: Final = """
def check(name, gradient, tensor):
    print(f"{name} {(gradient - tensor.grad).abs().max().item()}")
""" + _SOURCE.replace("cmp(", "check(")
_GRADIENTS: Final = "logs scores second hidden embedding".split()


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


def with_their_cmp(plain: Rehearsal) -> Rehearsal:
    """The same, with a comparison of the student's own."""
    return replace(plain, source=_WITH_THEIR_CMP)
