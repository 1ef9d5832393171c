"""Answers of which a part cannot be taken: they are not graded, and the reason is said."""

from __future__ import annotations

from tests.client.notebook_slice.shapes.shape import ALL, BEFORE_LOOP, LECTURE, SETUP, TOP_NAMES, Shape, names, replaced

BELOW_COUNTS = ALL - names("logprobs probs counts_sum_inv counts_sum")

SHAPES = (
    Shape(
        "the targets come from a file",
        (
            *SETUP,
            "labels = torch.load('labels.pt')",
            "dlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), labels] = -1/n",
        ),
        says=("labels|reads a file",),
    ),
    Shape(
        "half of a sum comes from a module of one's own",
        (
            *SETUP,
            "from my_helpers import spread",
            replaced(LECTURE, ("torch.ones_like(counts) * dcounts_sum", "spread(dcounts_sum)")),
        ),
        passes=ALL - BELOW_COUNTS,
        says=("my_helpers|spread",),
    ),
    Shape(
        "half of a sum comes from .grad",
        (*SETUP, replaced(LECTURE, ("dbndiff += (2*bndiff) * dbndiff2", "dbndiff += (2*bndiff) * bndiff2.grad"))),
        passes=ALL - names("bndiff bnmeani hprebn embcat W1 b1 emb C"),
        says=(".grad",),
    ),
    Shape(
        "a loop over something that nobody made",
        (*SETUP, BEFORE_LOOP + "\nfor k, x in enumerate(minibatch):\n  for j in range(3):\n    dC[x[j]] += demb[k,j]"),
        passes=ALL - {"C"},
        says=("minibatch",),
    ),
    Shape(
        "a gradient from a saved file, and what is made of it",
        (*SETUP, replaced(LECTURE, ("dlogits = dnorm_logits.clone()", "dlogits = torch.load('dlogits.pt')"))),
        passes=TOP_NAMES - {"logits"},
        says=("dlogits",),
    ),
    Shape(
        "einops is not there",
        (
            *SETUP,
            "from einops import rearrange",
            replaced(LECTURE, ("dembcat.view(emb.shape)", "rearrange(dembcat, 'b (t e) -> b t e', t=3)")),
        ),
        passes=ALL - names("emb C"),
        says=("einops",),
    ),
)
