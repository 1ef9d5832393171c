"""Lines that are not finished, and placeholders."""

from __future__ import annotations

from tests.client.notebook_slice.shapes.shape import (
    ALL,
    BEFORE_DC,
    BEFORE_LOOP,
    COMPARED,
    LECTURE,
    LOOP,
    ORDER,
    SETUP,
    TOP,
    TOP_NAMES,
    Shape,
    names,
    replaced,
)

HOT = "dlogits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes"
INVERSE = "dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)"
BELOW_INVERSE = names("bnvar_inv bnvar bndiff2 bndiff bnmeani hprebn embcat W1 b1 emb C")

SHAPES = (
    Shape(
        "an unfinished assignment in the midst costs what it makes and what needs it",
        (*SETUP, replaced(LECTURE, (INVERSE, "dbnvar_inv ="))),
        passes=ALL - BELOW_INVERSE,
        says=("dbnvar_inv",),
    ),
    Shape(
        "an unclosed bracket in the midst",
        (*SETUP, replaced(LECTURE, ("db2 = dlogits.sum(0)", "db2 = dlogits.sum("))),
        passes=ALL - {"b2"},
        says=("db2|dlogits.sum(",),
    ),
    Shape(
        "a loop without a body: the zeros above it are half an answer",
        (*SETUP, BEFORE_LOOP + "\nfor k in range(Xb.shape[0]):"),
        passes=ALL - {"C"},
    ),
    Shape(
        "a loop whose last line is cut off",
        (*SETUP, BEFORE_LOOP + "\nfor k in range(Xb.shape[0]):\n  for j in range(Xb.shape[1]):\n    dC[Xb[k,j]] +="),
        passes=ALL - {"C"},
    ),
    Shape(
        "an ellipsis and a text as placeholders of exercises 2 and 3",
        (
            *SETUP,
            "# Exercise 1\n" + LECTURE,
            "# Exercise 2: backprop through cross_entropy, all in one go\nloss_fast = F.cross_entropy(logits, Yb)",
            "dlogits = ...  # your code here",
            "# Exercise 3: backprop through batchnorm, all in one go",
            "dhprebn = 'todo'",
        ),
        passes=ALL,
    ),
    Shape(
        "placeholders below, without a heading anywhere",
        (*SETUP, LECTURE, COMPARED, "dlogits = None # TODO. my solution is 3 lines", "dhprebn = None"),
        passes=ALL,
    ),
    Shape(
        "26 placeholders first, then eight answers",
        (*SETUP, "\n".join(f"d{name} = None" for name in ORDER), TOP),
        passes=TOP_NAMES,
    ),
    Shape(
        "26 placeholders and eight answers in one cell, each answer below its placeholder",
        (*SETUP, "\n".join(f"d{name} = None  # TODO" for name in ORDER) + "\n" + TOP + "\ndh = None\n"),
        passes=TOP_NAMES,
    ),
    Shape(
        "a text that is not closed",
        (*SETUP, replaced(LECTURE, (HOT, HOT + "\nprint('dlogits is done)"))),
        passes=ALL,
    ),
    Shape(
        "an operator that waits for its right side, at the very end",
        (*SETUP, LECTURE + "\ndlogits +"),
        passes=ALL,
    ),
    Shape(
        "a question written as prose between two steps",
        (*SETUP, TOP + "\nwhy is dlogit_maxes so small??\n", LECTURE[len(TOP) :]),
        passes=ALL,
    ),
    Shape(
        "two unfinished lines in two cells",
        (
            *SETUP,
            TOP,
            replaced(LECTURE[len(TOP) :], ("db1 = dhprebn.sum(0)", "db1 = dhprebn."), ("\n" + LOOP, "\nfor k in")),
        ),
        passes=ALL - {"b1", "C"},
    ),
    Shape(
        "a deleted cell that made dlogits: nothing below it is called a mistake",
        (*SETUP, replaced(BEFORE_DC, ("dlogits = dnorm_logits.clone()\n", ""), (HOT + "\n", ""))),
        passes=TOP_NAMES - {"logits"},
        says=("dlogits",),
    ),
)
