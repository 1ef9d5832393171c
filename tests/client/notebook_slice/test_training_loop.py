"""Exercise 4: of a training loop, the backward pass is taken and the rest stays behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from dojo.notebook_slice import Goal, NotebookSlice, raw_cells, read_cells, slice_notebook, slice_script
from tests.client.fake_training import HANDED_OUT, PARAMETERS
from tests.client.notebook_slice.test_lectures import ANSWER
from tests.client.notebooks import notebook

GOAL = Goal(PARAMETERS, frozenset(HANDED_OUT), 4)
HEADING = "# Exercise 4: putting it all together!\n"
SETUP = """n_embd = 10
g = torch.Generator().manual_seed(2147483647)
C = torch.randn((vocab_size, n_embd), generator=g)
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
for p in parameters:
  p.requires_grad = True
max_steps = 200000
batch_size = 32
n = batch_size
lossi = []
"""
FORWARD = """ix = torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)
Xb, Yb = Xtr[ix], Ytr[ix]
emb = C[Xb]
embcat = emb.view(emb.shape[0], -1)
hprebn = embcat @ W1 + b1
bnmean = hprebn.mean(0, keepdim=True)
bnvar = hprebn.var(0, keepdim=True, unbiased=True)
bnvar_inv = (bnvar + 1e-5)**-0.5
bnraw = (hprebn - bnmean) * bnvar_inv
hpreact = bngain * bnraw + bnbias
h = torch.tanh(hpreact)
logits = h @ W2 + b2
loss = F.cross_entropy(logits, Yb)
for p in parameters:
  p.grad = None
"""
BACKWARD = """dlogits = F.softmax(logits, 1)
dlogits[range(n), Yb] -= 1
dlogits /= n
dh = dlogits @ W2.T
dW2 = h.T @ dlogits
db2 = dlogits.sum(0)
dhpreact = (1.0 - h**2) * dh
dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
dbnbias = dhpreact.sum(0, keepdim=True)
dhprebn = bngain*bnvar_inv/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))
dembcat = dhprebn @ W1.T
dW1 = embcat.T @ dhprebn
db1 = dhprebn.sum(0)
demb = dembcat.view(emb.shape)
dC = torch.zeros_like(C)
for k in range(Xb.shape[0]):
  for j in range(Xb.shape[1]):
    ix = Xb[k,j]
    dC[ix] += demb[k,j]
"""
UPDATE = """grads = [dC, dW1, db1, dW2, db2, dbngain, dbnbias]
lr = 0.1 if i < 100000 else 0.01
for p, grad in zip(parameters, grads):
  p.data += -lr * grad
lossi.append(loss.log10().item())
"""
AFTER = "for p,g in zip(parameters, grads):\n  cmp(str(tuple(p.shape)), g, p)"


def indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


LOOP = f"with torch.no_grad():\n  for i in range(max_steps):\n{indented(FORWARD + BACKWARD + UPDATE, 4)}"
INNER = f"for i in range(max_steps):\n{indented(FORWARD, 2)}  with torch.no_grad():\n{indented(BACKWARD + UPDATE, 4)}"
OTHERS = (ANSWER, "cmp('C', dC, C)\ncmp('logits', dlogits, logits)", "dlogits = None\ncmp('logits', dlogits, logits)")
NOTEBOOKS = {
    "the lecture's cell": (HEADING + SETUP + LOOP, AFTER),
    "without its heading": (SETUP, LOOP, AFTER),
    "below the other exercises": (*OTHERS, HEADING + SETUP + LOOP, AFTER),
    "below the other exercises, without headings": (*OTHERS, SETUP + LOOP),
    "a context inside of the loop": (SETUP + INNER,),
    "a while": (SETUP + LOOP.replace("for i in range(max_steps):", "while True:"),),
    "in a function": (f"def train():\n{indented(SETUP + LOOP, 2)}\ntrain()",),
}


def sliced(*sources: str) -> NotebookSlice:
    content = json.dumps(notebook(*sources)).encode()
    return slice_notebook(read_cells(raw_cells(content, Path("mine.ipynb"))), GOAL)


@pytest.fixture(scope="module")
def state() -> dict[str, Any]:
    """A small forward pass."""
    torch.manual_seed(1)
    shapes = {"C": (5, 2), "W1": (6, 4), "b1": (4,), "W2": (4, 5), "b2": (5,), "bngain": (1, 4), "bnbias": (1, 4)}
    names: dict[str, Any] = {"n": 8, "vocab_size": 5, "torch": torch, "F": F, "g": None}
    names |= {name: torch.randn(shape, requires_grad=True) for name, shape in shapes.items()}
    names |= {"Xb": torch.randint(0, 5, (8, 3)), "Yb": torch.randint(0, 5, (8,))}
    exec(FORWARD.split("Ytr[ix]\n")[1].split("for p in")[0], names)
    return names


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_taken_gives_the_gradients(state: dict[str, Any], name: str) -> None:
    taken = sliced(*NOTEBOOKS[name])
    right = torch.autograd.grad(state["loss"], [state[each] for each in PARAMETERS], retain_graph=True)

    names = {key: each.detach() if isinstance(each, torch.Tensor) else each for key, each in state.items()}
    exec(taken.source, names)

    assert taken.answers == 7
    for parameter, gradient in zip(PARAMETERS, right, strict=True):
        assert torch.allclose(names[f"d{parameter}"], gradient, atol=1e-6), parameter


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_loop_and_the_forward_pass_stay_behind(name: str) -> None:
    source = sliced(*NOTEBOOKS[name]).source

    assert not any(word in source for word in ("max_steps", "Xtr", "randint", "cross_entropy", "p.data", "cmp"))


def test_a_function_of_the_state_is_taken_with_its_helpers() -> None:
    function = "def backward(state):\n    return {'C': scaled(state['C'])}"
    taken = sliced("import math\ndef scaled(x):\n    return math.pi * x", "plt.plot(lossi)", function)

    assert taken.source.count("def ") == 2 and "import math" in taken.source and "plot" not in taken.source


def test_a_script_with_a_loop_is_no_answer_as_it_is() -> None:
    taken = slice_script(SETUP + LOOP, GOAL)

    assert taken is not None and "for i in" not in taken.source


def test_a_loop_of_another_exercise_is_not_taken_apart() -> None:
    goal = Goal(("logits",), frozenset({"h", "W2", "n", "Yb", "logits"}), 2)
    content = json.dumps(notebook("dlogits = F.softmax(logits, 1)", SETUP + LOOP)).encode()

    taken = slice_notebook(read_cells(raw_cells(content, Path("mine.ipynb"))), goal)

    assert taken.source.count("softmax") == 1
