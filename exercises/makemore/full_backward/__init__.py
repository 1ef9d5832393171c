"""Exercise 1: backpropagate through the whole network, one step of the forward pass at a time."""

from __future__ import annotations

from pathlib import Path

from exercises import derivations
from exercises.exercise import Checkpoint, Exercise
from exercises.makemore.network import FORWARD, LECTURE, MAKEMORE

HERE = Path(__file__).parent

EXERCISE = Exercise(
    slug="makemore/full-backward",
    revision=1,
    title="Backprop through the whole thing",
    summary="Derive the gradient of the loss at each of 26 named tensors, from logprobs back to C.",
    statement=(HERE / "statement.md").read_text(encoding="utf-8"),
    solution=(HERE / "solution.py").read_text(encoding="utf-8"),
    checkpoints=(
        Checkpoint("logprobs", 781, 1145),
        Checkpoint("probs", 1146, 1255),
        Checkpoint("counts_sum_inv", 1256, 1581),
        Checkpoint("counts_sum", 1677, 1739),
        Checkpoint("counts", 1740, 1946),
        Checkpoint("norm_logits", 1947, 1993),
        Checkpoint("logit_maxes", 1994, 2180),
        Checkpoint("logits", 2307, 2504),
        Checkpoint("h", 2505, 3205),
        Checkpoint("W2", 2505, 3205),
        Checkpoint("b2", 2505, 3205),
        Checkpoint("hpreact", 3217, 3312),
        Checkpoint("bngain", 3313, 3578),
        Checkpoint("bnbias", 3313, 3578),
        Checkpoint("bnraw", 3313, 3578),
        Checkpoint("bnvar_inv", 3580, 3854),
        Checkpoint("bnvar", 3855, 3916),
        Checkpoint("bndiff2", 4142, 4362),
        Checkpoint("bndiff", 4363, 4438),
        Checkpoint("bnmeani", 4439, 4715),
        Checkpoint("hprebn", 4439, 4715),
        Checkpoint("embcat", 4716, 4834),
        Checkpoint("W1", 4716, 4834),
        Checkpoint("b1", 4716, 4834),
        Checkpoint("emb", 4835, 4918),
        Checkpoint("C", 4919),
    ),
    pieces=FORWARD,
    given_from=lambda numbers: numbers,
    numbers=MAKEMORE,
    lecture=LECTURE,
    derivations=derivations.read((HERE / "derivations.md").read_text(encoding="utf-8")),
)
