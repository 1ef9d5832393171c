"""Exercise 3: the gradient of batch normalisation at its input, in one expression."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from exercises import derivations
from exercises.exercise import Checkpoint, Exercise
from exercises.makemore.network import FORWARD, LECTURE, MAKEMORE, batch_norm
from exercises.tape import Tape

HERE = Path(__file__).parent
KEPT = ("hprebn", "bngain", "bnbias", "n", "batch_size", "n_hidden")


def rest_of_the_network(t: Tape) -> None:
    """Set a loss whose gradient at ``hpreact`` is ``dhpreact``, in place of the layers above."""
    # Stands for all that follows: its gradient at hpreact is dhpreact.
    t.loss = (t.hpreact * t.dhpreact).sum()


def _given(numbers: dict[str, Tensor]) -> dict[str, Tensor]:
    tape = Tape(numbers)
    for piece in FORWARD:
        piece(tape)
    torch.autograd.backward(tape.loss)
    values = tape.values()
    return {name: values[name] for name in KEPT} | {"dhpreact": tape.gradients()["hpreact"]}


EXERCISE = Exercise(
    slug="makemore/batch-norm",
    revision=1,
    title="Batch normalisation in one expression",
    summary="Derive dhprebn from dhpreact on paper, through mean and variance at once.",
    statement=(HERE / "statement.md").read_text(encoding="utf-8"),
    solution=(HERE / "solution.py").read_text(encoding="utf-8"),
    checkpoints=(Checkpoint("hprebn", 5797, 6602),),
    pieces=(batch_norm, rest_of_the_network),
    given_from=_given,
    numbers=MAKEMORE,
    lecture=LECTURE,
    derivations=derivations.read((HERE / "derivations.md").read_text(encoding="utf-8")),
)
