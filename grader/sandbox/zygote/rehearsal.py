"""The rehearsal: a small classifier, forwards and backwards, with the operations of the exercises.

The zygote runs it many times, so that Python and torch initialise before the fork. Every child runs it once before its
job, so that it already owns copies of the pages that a run writes to.
"""

from __future__ import annotations

import mmap
import random
from dataclasses import replace
from typing import Final

import numpy
import torch

from grader.sandbox.child.child import rehearse
from grader.sandbox.child.result_writer import ResultWriter
from grader.sandbox.job import Slot
from grader.sandbox.limits import Limits
from grader.sandbox.protocol import ReceivedJob
from grader.sandbox.result_layout import result_bytes

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
# A file with a comparison function of its own takes another path through the harness. Only the zygote runs this.
_SOURCE_WITH_OWN_CMP: Final = """
def check(name, gradient, tensor):
    print(f"{name} {(gradient - tensor.grad).abs().max().item()}")
""" + _SOURCE.replace("cmp(", "check(")
_GRADIENTS: Final = "logs scores second hidden embedding".split()
_PRACTICE_RUNS: Final = 20


def make() -> ReceivedJob:
    """Make the rehearsal that every child runs."""
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
    slots = tuple(Slot(name, largest) for name in _GRADIENTS)
    return ReceivedJob(_SOURCE, "rehearsal.py", state, slots, Limits())


def practise(rehearsal: ReceivedJob) -> None:
    """Run the rehearsal in the zygote, several times: Python and torch initialise lazily, some parts after many calls.

    A child would initialise them again, in pages that it has to copy first.
    """
    # A private mapping: children must share nothing.
    writer = ResultWriter(mmap.mmap(-1, result_bytes(Limits()), flags=mmap.MAP_PRIVATE))
    for _ in range(_PRACTICE_RUNS):
        rehearse(rehearsal, writer)
        rehearse(replace(rehearsal, source=_SOURCE_WITH_OWN_CMP), writer)


def seed_generators() -> None:
    """Seed all global generators, so that the same code and state draw the same numbers in every run.

    Done in the zygote: neither the fork nor the rehearsal draws a number.
    """
    torch.default_generator.manual_seed(0)
    random.seed(0)
    numpy.random.seed(0)
