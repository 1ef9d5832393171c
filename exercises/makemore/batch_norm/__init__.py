"""Exercise 3: the gradient of batch normalisation at its input, in one expression."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from exercises import derivations
from exercises.exercise import Checkpoint, Exercise
from exercises.formula import Part, Slip, SlipKind
from exercises.makemore.network import FORWARD, LECTURE, MAKEMORE, batch_norm
from exercises.tape import Tape

HERE = Path(__file__).parent
KEPT = ("hprebn", "bngain", "bnbias", "n", "batch_size", "n_hidden")

PARTS = (
    Part(
        "the direct part",
        "bngain * bnvar_inv * dhpreact",
        "The direct part is what an entry does to its own output, with mean and variance held still.",
        "The direct part has the wrong sign.",
        (
            Slip(
                SlipKind.OTHER,
                "bnvar_inv * dhpreact",
                "bngain is left out",
            ),
            Slip(
                SlipKind.OTHER,
                "bngain * dhpreact",
                "bnvar_inv is left out",
            ),
            Slip(
                SlipKind.OTHER,
                "bngain / bnvar * dhpreact",
                "dhpreact is divided by the variance, not by its root",
            ),
            Slip(
                SlipKind.OTHER,
                "bngain * bnvar_inv * dhpreact + bngain * dhpreact",
                "bngain * dhpreact is added to it",
            ),
            Slip(
                SlipKind.OTHER,
                "bngain * bnvar_inv * dhpreact * bnraw",
                "bnraw is multiplied into dhpreact",
            ),
            Slip(
                SlipKind.AXIS,
                "bngain * bnvar_inv * dhpreact.sum(0)",
                "dhpreact is summed over its column",
            ),
            Slip(
                SlipKind.OTHER,
                "bngain * bnvar_inv * hprebn",
                "hprebn stands where dhpreact belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "bngain * bnvar_inv * bndiff",
                "bndiff stands where dhpreact belongs",
            ),
        ),
    ),
    Part(
        "the mean part",
        "-bngain * bnvar_inv / n * dhpreact.sum(0)",
        "The mean part is what an entry does to its whole column through the mean.",
        "The mean part is added, and it belongs subtracted: the mean is taken away from every entry.",
        (
            Slip(SlipKind.UNSUMMED, "-bngain * bnvar_inv / n * dhpreact", "it holds dhpreact, not its sum"),
            Slip(
                SlipKind.UNSUMMED,
                "-bngain * bnvar_inv / n * (dhpreact - bnraw * (dhpreact * bnraw).sum(0) / (n - 1))",
                "it holds the other parts, not their sum",
            ),
            Slip(
                SlipKind.AXIS,
                "-bnvar_inv / n * (bngain * dhpreact).sum(1, keepdim=True)",
                "its sum runs along the rows",
            ),
            Slip(
                SlipKind.AXIS,
                "-bngain * bnvar_inv / n * dhpreact.sum(1, keepdim=True)",
                "its sum runs along the rows",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / n * (dhpreact * bnraw).sum(0)",
                "bnraw is multiplied into dhpreact",
            ),
            Slip(
                SlipKind.OTHER,
                "-bnvar_inv / n * dhpreact.sum(0)",
                "bngain is left out",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain / n * dhpreact.sum(0)",
                "bnvar_inv is left out",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * dhpreact.sum(0)",
                "the factor bnvar_inv / n is left out",
            ),
        ),
    ),
    Part(
        "the variance part",
        "-bngain * bnvar_inv / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)",
        "The variance part is what an entry does to its whole column through the variance.",
        "The variance part is added, and it belongs subtracted: a larger variance shrinks every entry.",
        (
            Slip(
                SlipKind.UNSUMMED,
                "-bngain * bnvar_inv / (n - 1) * bnraw * dhpreact * bnraw",
                "it holds dhpreact * bnraw, not its sum",
            ),
            Slip(
                SlipKind.AXIS,
                "-bnvar_inv / (n - 1) * bnraw * (bngain * dhpreact * bnraw).sum(1, keepdim=True)",
                "its sum runs along the rows",
            ),
            Slip(
                SlipKind.AXIS,
                "-bngain * bnvar_inv / (n - 1) * bnraw * (dhpreact * bnraw).sum(1, keepdim=True)",
                "its sum runs along the rows",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * bnraw * dhpreact.sum(0)",
                "bnraw is left out of its sum",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * bnraw * bnraw * dhpreact.sum(0)",
                "the sum is taken before the product with bnraw",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * bnraw * (dhpreact * bnraw**2).sum(0)",
                "bnraw is multiplied into dhpreact",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * bnraw * (hpreact * bnraw).sum(0)",
                "hpreact went into its sum where dhpreact belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * bnraw * (bnraw * bnraw).sum(0)",
                "bnraw went into its sum where dhpreact belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * (dhpreact * bnraw).sum(0)",
                "the bnraw in front of its sum is left out",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * bndiff * (dhpreact * bnraw).sum(0)",
                "bnvar_inv is left out, or bndiff stands where bnraw belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * bndiff * (dhpreact * bndiff).sum(0)",
                "bnvar_inv is left out twice, or bndiff stands where bnraw belongs, twice",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * hprebn * (dhpreact * bnraw).sum(0)",
                "hprebn stands in front of its sum where bnraw belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * bnraw * (dhpreact * hprebn).sum(0)",
                "hprebn stands in its sum where bnraw belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * hprebn * (dhpreact * hprebn).sum(0)",
                "hprebn stands where bnraw belongs, twice",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * hpreact * (dhpreact * bnraw).sum(0)",
                "hpreact stands in front of its sum where bnraw belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * bnraw * (dhpreact * hpreact).sum(0)",
                "hpreact stands in its sum where bnraw belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * hpreact * (dhpreact * hpreact).sum(0)",
                "hpreact stands where bnraw belongs, twice",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * dhpreact * (dhpreact * bnraw).sum(0)",
                "dhpreact stands in front of its sum where bnraw belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "-(bngain**2) * bnvar_inv / (n - 1) * dhpreact * (dhpreact * bnraw).sum(0)",
                "bngain * dhpreact stands in front of its sum where bnraw belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "-(bngain**2) * bnvar_inv / (n - 1) * dhpreact * (dhpreact * bndiff).sum(0)",
                "bngain * dhpreact and bndiff stand where bnraw belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "-(bngain**2) * bnvar_inv / (n - 1) * dhpreact * (dhpreact * hpreact).sum(0)",
                "bngain * dhpreact and hpreact stand where bnraw belongs",
            ),
            Slip(
                SlipKind.OTHER,
                "-bnvar_inv / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)",
                "bngain is left out",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)",
                "the factor bnvar_inv / n is left out",
            ),
            Slip(
                SlipKind.OTHER,
                "-bngain * bnvar_inv / (n - 1) * bnraw",
                "its sum is left out",
            ),
            Slip(
                SlipKind.AXIS,
                "-bnvar_inv / (n - 1) * (bnraw @ (bnraw.T @ (bngain * dhpreact)))",
                "a product of matrices stands where the sum of products belongs",
            ),
        ),
    ),
)


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
    parts={"hprebn": PARTS},
)
