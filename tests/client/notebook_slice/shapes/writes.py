"""Writes through rows, views, iterators, methods and functions belong to the answer."""

from __future__ import annotations

from tests.client.notebook_slice.shapes.shape import (
    ALL,
    BEFORE_LOOP,
    CROSS_ENTROPY,
    LECTURE,
    LOGPROBS,
    SETUP,
    Shape,
    names,
    replaced,
)

ZEROS = "dlogprobs = torch.zeros_like(logprobs)\n"
FLAT = "places, vectors = Xb.view(-1), demb.reshape(-1, n_embd)\n"
LOGITS = "dlogits = F.softmax(logits, 1)\n"


def first(name: str, source: str) -> Shape:
    return Shape(name, (*SETUP, ZEROS + source), passes=names("logprobs"))


SHAPES = (
    first("rows by unbind, with zip", "for y, row in zip(Yb.tolist(), dlogprobs.unbind(0)):\n    row[y] = -1/n"),
    first("a flat view with a name", "flat = dlogprobs.view(-1)\nflat[torch.arange(n) * vocab_size + Yb] = -1/n"),
    first("a list of the rows", "rows = list(dlogprobs)\nfor i, r in enumerate(rows):\n    r[Yb[i]] = -1/n"),
    first("an iterator by hand", "it = iter(dlogprobs)\nfor i in range(n):\n    next(it)[Yb[i]] = -1/n"),
    first("a comprehension for its effect", "[row.__setitem__(y, -1/n) for row, y in zip(dlogprobs, Yb)]"),
    first(
        "a lambda that fills",
        "put = lambda t, v: t.index_put_((torch.arange(n), Yb), torch.tensor(v))\nput(dlogprobs, -1/n)",
    ),
    first(
        "a function that fills",
        "def fill(t, rows, columns, value):\n    t[rows, columns] = value\nfill(dlogprobs, range(n), Yb, -1/n)",
    ),
    first("a transposed view", "columns = dlogprobs.T\ncolumns[Yb, range(n)] = -1/n"),
    first("a row of a dict", "g = {'logprobs': dlogprobs}\ng['logprobs'][range(n), Yb] = -1/n"),
    first("two names in one assignment", "a = b = dlogprobs\nb[range(n), Yb] = -1/n"),
    first("a while loop over rows", "i = 0\nwhile i < n:\n    r = dlogprobs[i]\n    r[Yb[i]] -= 1/n\n    i += 1"),
    Shape(
        "out=",
        (*SETUP, LOGPROBS, "dprobs = torch.empty_like(probs)\ntorch.div(dlogprobs, probs, out=dprobs)"),
        passes=names("logprobs probs"),
    ),
    Shape(
        "a method called by its class",
        (
            *SETUP,
            replaced(
                LECTURE, ("dcounts += torch.ones_like(counts) * dcounts_sum", "torch.Tensor.add_(dcounts, dcounts_sum)")
            ),
        ),
        passes=ALL,
    ),
    Shape(
        "a function without arguments that accumulates",
        (
            *SETUP,
            BEFORE_LOOP,
            "def accumulate():\n    dC.index_add_(0, Xb.view(-1), demb.reshape(-1, n_embd))",
            "accumulate()",
        ),
        passes=ALL,
    ),
    Shape(
        "places and vectors by zip, rows by a name",
        (
            *SETUP,
            BEFORE_LOOP
            + "\n"
            + FLAT
            + "for place, vector in zip(places, vectors):\n    row = dC[place]\n    row += vector",
        ),
        passes=ALL,
    ),
    Shape(
        "exercise 2 through a second name",
        (*SETUP, LOGITS + "g = dlogits\ng[range(n), Yb] -= 1\ng /= n"),
        exercise=CROSS_ENTROPY,
        passes=names("logits"),
    ),
    Shape(
        "exercise 2 row by row with map",
        (*SETUP, LOGITS + "for row, y in zip(dlogits, Yb):\n    row[y].sub_(1)\ndlogits.div_(n)"),
        exercise=CROSS_ENTROPY,
        passes=names("logits"),
    ),
)
