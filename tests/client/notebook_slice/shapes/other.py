"""What else Python and notebooks allow."""

from __future__ import annotations

from tests.client.notebook_slice.shapes.shape import ALL, COMPARED, LECTURE, SETUP, TOP, Shape, names, replaced

SHAPES = (
    Shape(
        "a compiled function",
        (
            *SETUP,
            "@torch.compile\ndef tanh_back(g, y):\n    return (1 - y**2) * g",
            replaced(LECTURE, ("(1.0 - h**2) * dh", "tanh_back(dh, h)")),
        ),
        passes=ALL,
        says=("compile",),
    ),
    Shape(
        "Greek letters", (*SETUP, replaced(LECTURE, ("dh = dlogits @ W2.T", "δ = dlogits\ndh = δ @ W2.T"))), passes=ALL
    ),
    Shape(
        "a walrus",
        (*SETUP, replaced(LECTURE, ("dh = dlogits @ W2.T", "dh = (upstream := dlogits) @ W2.T"))),
        passes=ALL,
    ),
    Shape(
        "a name in globals()",
        (*SETUP, replaced(LECTURE, ("db2 = dlogits.sum(0)", "globals()['db2'] = dlogits.sum(0)"))),
        passes=ALL - {"b2"},
        either=names("b2"),
    ),
    Shape(
        "exec",
        (*SETUP, replaced(LECTURE, ("db2 = dlogits.sum(0)", "exec('db2 = dlogits.sum(0)')"))),
        passes=ALL - {"b2"},
        either=names("b2"),
    ),
    Shape("deleted names", (*SETUP, LECTURE, COMPARED, "del dlogprobs, dprobs"), passes=ALL),
    Shape("semicolons", (*SETUP, "; ".join(TOP.split("\n")), LECTURE[len(TOP) :]), passes=ALL),
    Shape(
        "answers in a try",
        (
            *SETUP,
            TOP,
            "try:\n"
            + "\n".join("    " + line for line in LECTURE[len(TOP) :].strip("\n").split("\n"))
            + "\nexcept Exception as error:\n    print(error)",
        ),
        passes=ALL,
    ),
    Shape(
        "timing around steps",
        (
            *SETUP,
            "import time\nstart = time.time()\n" + LECTURE + "\nprint(time.time() - start)",
            "%timeit dlogits.sum(0)",
        ),
        passes=ALL,
    ),
    Shape(
        "a with block and a line of IPython in it",
        (*SETUP, "with torch.no_grad():\n    " + LECTURE.replace("\n", "\n    ") + "\n    !nvidia-smi"),
        passes=ALL,
    ),
)
