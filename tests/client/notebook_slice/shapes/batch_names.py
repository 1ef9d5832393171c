"""Other names for what is handed out, and a forward pass of one's own."""

from __future__ import annotations

from tests.client.notebook_slice.shapes.shape import (
    ALL,
    BATCH,
    CMP,
    COMPARED,
    FORWARD,
    IMPORTS,
    LECTURE,
    PARAMETERS,
    READING,
    SETUP,
    Shape,
    replaced,
)

PAIR = "Xb, Yb = Xtr[ix], Ytr[ix]"


def renamed(batch: tuple[tuple[str, str], ...], used: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return the lecture's notebook with another batch and the names that it has, everywhere."""
    forward = FORWARD
    answer = LECTURE
    for old, new in used:
        forward, answer = forward.replace(old, new), answer.replace(old, new)
    return (IMPORTS, READING, PARAMETERS + replaced(BATCH, *batch), forward, CMP, answer, COMPARED)


SHAPES = (
    Shape(
        "X_batch and Y_batch",
        renamed(((PAIR, "X_batch, Y_batch = Xtr[ix], Ytr[ix]"),), (("Xb", "X_batch"), ("Yb", "Y_batch"))),
        passes=ALL,
        says=("y_batch", "yb"),
    ),
    Shape(
        "inputs and targets in two lines",
        renamed(((PAIR, "inputs = Xtr[ix]\ntargets = Ytr[ix]"),), (("Xb", "inputs"), ("Yb", "targets"))),
        passes=ALL,
        says=("targets", "yb"),
    ),
    Shape(
        "bs for n",
        renamed(
            (("batch_size = 32\nn = batch_size\n", "bs = 32\n"), ("(batch_size,)", "(bs,)")),
            (("range(n)", "range(bs)"), ("/n", "/bs"), ("(n-1)", "(bs-1)")),
        ),
        passes=ALL,
        says=("bs",),
    ),
    Shape(
        "N is the length of the targets",
        renamed(
            (("n = batch_size", "N = batch_size"),), (("range(n)", "range(len(Yb))"), ("/n", "/N"), ("(n-1)", "(N-1)"))
        ),
        passes=ALL,
    ),
    Shape(
        "B and T from a shape",
        (*SETUP, "B, T = Xb.shape\n" + replaced(LECTURE, ("-1.0/n", "-1.0/B"), ("range(Xb.shape[1])", "range(T)"))),
        passes=ALL,
    ),
    Shape(
        "an alias of the targets", (*SETUP, "y = Yb\n" + replaced(LECTURE, ("range(n), Yb", "range(n), y"))), passes=ALL
    ),
    Shape(
        "another name for hprebn, made as the lecture makes it",
        (
            *(each.replace("hprebn", "hpre") for each in SETUP),
            replaced(LECTURE, ("torch.ones_like(hprebn)", "torch.ones_like(hpre)")),
        ),
        passes=ALL,
    ),
    Shape(
        "p for probs, made as the lecture makes it",
        (*SETUP, "p = counts * counts_sum_inv # the probabilities", replaced(LECTURE, ("(1.0 / probs)", "(1.0 / p)"))),
        passes=ALL,
    ),
    Shape(
        "the biased variance in a forward pass of one's own, and its backward",
        (
            *(each.replace("bnvar = 1/(n-1)*", "bnvar = 1/n*") for each in SETUP),
            replaced(LECTURE, ("(1.0/(n-1))*torch", "(1.0/n)*torch")),
        ),
        passes=ALL - frozenset("bndiff2 bndiff bnmeani hprebn embcat W1 b1 emb C".split()),
        wrong=frozenset("bndiff2 bndiff hprebn embcat W1 emb C".split()),
        either=frozenset("bnmeani b1".split()),
        says=("bnvar",),
    ),
    Shape(
        "the lecture's own forward pass is not pointed at",
        (*SETUP, LECTURE, COMPARED),
        passes=ALL,
        silent=("differs", "biased"),
    ),
)
