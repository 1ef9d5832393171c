"""Exercise 2: the gradient of the cross-entropy loss at the logits, in one expression."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from exercises import derivations
from exercises.exercise import Checkpoint, Exercise
from exercises.makemore.network import FORWARD, LECTURE, MAKEMORE, cross_entropy
from exercises.tape import Tape

HERE = Path(__file__).parent
KEPT = ("logits", "Yb", "n", "batch_size", "vocab_size")


def _given(numbers: dict[str, Tensor]) -> dict[str, Tensor]:
    tape = Tape(numbers)
    for piece in FORWARD:
        piece(tape)
    values = tape.values()
    return {name: values[name] for name in KEPT}


EXERCISE = Exercise(
    slug="makemore/cross-entropy",
    revision=1,
    title="Cross-entropy in one expression",
    summary="Derive dlogits on paper, the whole loss at once, and simplify until little is left.",
    statement=(HERE / "statement.md").read_text(encoding="utf-8"),
    solution=(HERE / "solution.py").read_text(encoding="utf-8"),
    checkpoints=(Checkpoint("logits", 5191, 5797),),
    pieces=(cross_entropy,),
    given_from=_given,
    numbers=MAKEMORE,
    lecture=LECTURE,
    derivations=derivations.read((HERE / "derivations.md").read_text(encoding="utf-8")),
)
