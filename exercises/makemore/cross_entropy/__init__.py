"""Exercise 2: the gradient of the cross-entropy loss at the logits, in one expression."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from exercises import derivations
from exercises.exercise import Checkpoint, Exercise
from exercises.formula import Part, Slip, SlipKind
from exercises.makemore.network import FORWARD, LECTURE, MAKEMORE, cross_entropy
from exercises.tape import Tape

HERE = Path(__file__).parent
KEPT = ("logits", "Yb", "n", "batch_size", "vocab_size")

PARTS = (
    Part(
        "the softmax part",
        "F.softmax(logits, 1) / n",
        "The softmax part comes from the sum of the exponentials: each logit raises its logarithm by p.",
        "The softmax part has the wrong sign.",
        (
            Slip(SlipKind.AXIS, "F.softmax(logits, 0) / n", "its sum runs along the columns"),
            Slip(SlipKind.OTHER, "F.softmax(-logits, 1) / n", "the softmax is taken of -logits"),
            Slip(SlipKind.OTHER, "logits.exp() / n", "the exponentials are not divided by their sum"),
            Slip(SlipKind.OTHER, "counts / n", "the exponentials are not divided by their sum"),
            Slip(SlipKind.OTHER, "logits / n", "logits stands where its softmax belongs"),
            Slip(SlipKind.OTHER, "norm_logits / n", "norm_logits stands where the softmax belongs"),
            Slip(SlipKind.OTHER, "torch.sigmoid(logits) / n", "a sigmoid stands where the softmax belongs"),
            Slip(SlipKind.OTHER, "F.log_softmax(logits, 1) / n", "the logarithm of the softmax stands there"),
            Slip(
                SlipKind.INCOMPLETE,
                "F.softmax(logits, 1) * F.one_hot(Yb, vocab_size) / n",
                "nothing but the right class is left of it",
            ),
            Slip(
                SlipKind.OTHER,
                "F.softmax(logits - F.one_hot(Yb, vocab_size), 1) / n",
                "1 is taken from a logit, before the softmax",
            ),
            Slip(
                SlipKind.OTHER,
                "logits / logits.sum(1, keepdim=True) / n",
                "logits is divided by its sum, without the exponentials",
            ),
            Slip(
                SlipKind.OTHER,
                "F.softmax(F.softmax(logits, 1), 1) / n",
                "the softmax is taken twice",
            ),
            Slip(
                SlipKind.OTHER,
                "F.softmax(logits / n, 1) / n",
                "logits is divided by n before the softmax",
            ),
            Slip(
                SlipKind.OTHER,
                "F.softmax(logits, 1) / F.softmax(logits, 1)[range(n), Yb].view(-1, 1) / n",
                "it is divided by the probability of the right class",
            ),
        ),
    ),
    Part(
        "the part at the right class",
        "-F.one_hot(Yb, vocab_size) / n",
        "The part at the right class comes from the right logit alone, one in each row, where Yb points.",
        "At the right class, p + 1 stands in place of p - 1.",
        (
            Slip(
                SlipKind.OTHER,
                "-(F.one_hot(Yb, vocab_size).sum(0, keepdim=True) > 0).float() / n",
                "1 is taken from every row in the columns of Yb, not from each row at its own",
            ),
            Slip(
                SlipKind.OTHER,
                "-F.one_hot(logits.argmax(1), vocab_size) / n",
                "it stands at the largest logit of a row, not where Yb points",
            ),
            Slip(
                SlipKind.OTHER,
                "-Yb.view(-1, 1) / n",
                "the number of the class is taken away, not 1 at its place",
            ),
            Slip(SlipKind.OTHER, "-torch.ones_like(logits) / n", "1 is taken away at every class"),
            Slip(
                SlipKind.OTHER,
                "-F.one_hot(Yb, vocab_size) * F.softmax(logits, 1) / n",
                "the whole probability is taken away, not 1",
            ),
            Slip(
                SlipKind.OTHER,
                "F.one_hot(Yb, vocab_size) * (1 - 2 * F.softmax(logits, 1)) / n",
                "1 - p stands in place of p - 1",
            ),
            Slip(
                SlipKind.OTHER,
                "-F.softmax(logits, 1)[range(n), Yb].view(-1, 1) / n",
                "the probability of the right class is taken from the whole row",
            ),
            Slip(
                SlipKind.OTHER,
                "-F.one_hot(Yb, vocab_size).sum(0, keepdim=True) / n",
                "1 is taken from every row for each entry of Yb, not from each row at its own",
            ),
            Slip(
                SlipKind.OTHER,
                "-torch.isin(torch.arange(n), Yb).float().view(-1, 1) / n",
                "1 is taken from whole rows, those that Yb has the numbers of",
            ),
        ),
    ),
)


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
    parts={"logits": PARTS},
)
