"""What is left of a training loop: the backward pass."""

from __future__ import annotations

import ast

import pytest

from grader.sandbox.child.loop_body import body_of_loop

ANSWERS = frozenset({"dW", "dC"})
GIVEN = frozenset({"W", "C", "Xb", "Yb", "logits", "loss", "n"})

LECTURE = """
import math
g = torch.Generator().manual_seed(1)
W = torch.randn(3, 3, generator=g)
parameters = [C, W]
scale = 1.0
for p in parameters:
    p.requires_grad = True
with torch.no_grad():
    for i in range(200000):
        ix = torch.randint(0, Xtr.shape[0], (32,), generator=g)
        Xb, Yb = Xtr[ix], Ytr[ix]
        logits = C[Xb] @ W
        loss = F.cross_entropy(logits, Yb)
        for p in parameters:
            p.grad = None
        dlogits = F.softmax(logits, 1) * scale
        dlogits[range(n), Yb] -= 1
        dlogits /= n
        dW = C[Xb].T @ dlogits
        dC = torch.zeros_like(C)
        for k in range(Xb.shape[0]):
            ix = Xb[k]
            dC[ix] += dlogits[k] @ W.T
        dC.mul_(sum(p for p in [1.0]))
        grads = [dC, dW]
        for p, grad in zip(parameters, grads):
            p.data += -0.1 * grad
        if i % 10000 == 0:
            print(i, loss.item())
"""


def left(source: str) -> list[str] | None:
    tree = body_of_loop(ast.parse(source), ANSWERS, GIVEN)
    return None if tree is None else [ast.unparse(statement) for statement in tree.body]


def test_of_the_lectures_cell_the_backward_pass_is_left() -> None:
    assert left(LECTURE) == [
        "import math",
        "scale = 1.0",
        "dlogits = F.softmax(logits, 1) * scale",
        "dlogits[range(n), Yb] -= 1",
        "dlogits /= n",
        "dW = C[Xb].T @ dlogits",
        "dC = torch.zeros_like(C)",
        "for k in range(Xb.shape[0]):\n    ix = Xb[k]\n    dC[ix] += dlogits[k] @ W.T",
        "dC.mul_(sum((p for p in [1.0])))",
    ]


def test_its_lines_keep_their_numbers() -> None:
    tree = body_of_loop(ast.parse(LECTURE), ANSWERS, GIVEN)

    assert tree is not None
    lines = LECTURE.split("\n")
    assert [lines[statement.lineno - 1].strip() for statement in tree.body][2].startswith("dlogits = ")


@pytest.mark.parametrize(
    "source",
    [
        "dlogits = 1\nfor k in range(3):\n    dC[k] += 1",  # a loop of the backward pass itself
        "for i in range(3):\n    loss = 1",  # no gradient is made in it
        "def backward(state):\n    for k in range(3):\n        logits = 1\n        dC = 1",
        "dW = 1",
    ],
)
def test_other_code_is_left_as_it_is(source: str) -> None:
    assert left(source) is None
