"""How cmp is called, and .grad beside own lines."""

from __future__ import annotations

from tests.client.notebook_slice.shapes.shape import ALL, LECTURE, LOGPROBS, ORDER, SETUP, Shape, names, replaced

SHAPES = (
    Shape(
        "the gradient and its tensor are exchanged",
        (*SETUP, LOGPROBS, "cmp('logprobs', logprobs, dlogprobs)"),
        either=names("logprobs"),
        says=("swap|exchang|order|turned around|other way",),
    ),
    Shape(
        "one label for three",
        (*SETUP, LECTURE, "cmp('h', dh, h)\ncmp('h', dW2, W2)\ncmp('h', db2, b2)"),
        passes=ALL,
    ),
    Shape("a label with a slip", (*SETUP, LECTURE, "cmp('logit_max', dlogit_maxes, logit_maxes)"), passes=ALL),
    Shape(
        "a wrapper with another order",
        (
            *SETUP,
            "def check(t, dt, name):\n    cmp(name, dt, t)",
            LECTURE,
            "\n".join(f"check({n}, d{n}, '{n}')" for n in ORDER),
        ),
        passes=ALL,
    ),
    Shape(
        "a list of triples",
        (
            *SETUP,
            LECTURE,
            "for s, dt, t in [\n" + "".join(f"    ('{n}', d{n}, {n}),\n" for n in ORDER) + "]:\n    cmp(s, dt, t)",
        ),
        passes=ALL,
    ),
    Shape(
        "a label copied from the line above while the next step is still wrong",
        (
            *SETUP,
            LOGPROBS,
            "cmp('logprobs', dlogprobs, logprobs)\ndprobs = dlogprobs * probs\ncmp('logprobs', dprobs, probs)",
        ),
        passes=names("logprobs"),
        wrong=names("probs"),
    ),
    Shape(
        "the right gradient by .grad below the own line",
        (
            *SETUP,
            replaced(
                LECTURE,
                ("dh = dlogits @ W2.T", "dh = dlogits @ W2.T\ndh = h.grad if not torch.allclose(dh, h.grad) else dh"),
            ),
        ),
        passes=ALL,
        says=(".grad",),
    ),
    Shape(
        "a gradient by .grad above the own line",
        (*SETUP, "dW2 = W2.grad # the answer, for now", LECTURE),
        passes=ALL,
    ),
    Shape(
        "autograd's gradient as the upstream one",
        (*SETUP, LOGPROBS, "dprobs = logprobs.grad / probs"),
        passes=names("logprobs"),
        says=("dlogprobs",),
    ),
)
