"""Exercise 4: the whole backward pass, by hand, and the network trained with it."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F

from exercises import derivations
from exercises.exercise import Checkpoint, Exercise
from exercises.makemore.network import LECTURE
from exercises.makemore.train.numbers import TrainingNumbers
from exercises.tape import Tape

HERE = Path(__file__).parent


def forward(t: Tape) -> None:
    """Play the forward pass of the lecture's training loop, to the last operation."""
    t.emb = t.C[t.Xb]  # a vector for each character of the context
    t.embcat = t.emb.view(t.emb.shape[0], -1)
    t.hprebn = t.embcat @ t.W1 + t.b1
    t.bnmean = t.hprebn.mean(0, keepdim=True)
    t.bnvar = t.hprebn.var(0, keepdim=True, unbiased=True)
    t.bnvar_inv = (t.bnvar + 1e-5) ** -0.5
    t.bnraw = (t.hprebn - t.bnmean) * t.bnvar_inv
    t.hpreact = t.bngain * t.bnraw + t.bnbias
    t.h = torch.tanh(t.hpreact)
    t.logits = t.h @ t.W2 + t.b2
    t.loss = F.cross_entropy(t.logits, t.Yb)


EXERCISE = Exercise(
    slug="makemore/train",
    revision=1,
    title="Train the network with your own backward pass",
    summary="Put the pieces together: all seven parameter gradients, then a training run without autograd.",
    statement=(HERE / "statement.md").read_text(encoding="utf-8"),
    solution=(HERE / "solution.py").read_text(encoding="utf-8"),
    checkpoints=tuple(Checkpoint(name, 6602, 6864) for name in ("W2", "b2", "bngain", "bnbias", "W1", "b1", "C")),
    pieces=(forward,),
    given_from=lambda numbers: numbers,
    numbers=TrainingNumbers(),
    lecture=LECTURE,
    derivations=derivations.read((HERE / "derivations.md").read_text(encoding="utf-8")),
)
