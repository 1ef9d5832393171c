"""One run of one file: what it finds, and what of it is an answer."""

from __future__ import annotations

import pytest
import torch

from grader.answer import CHANGED_AFTER_CMP
from grader.sandbox import RunStatus
from tests.grader.sandbox.conftest import STATE, Runner, holds


def test_an_answer_is_the_variable_or_cmps_last(run: Runner) -> None:
    got = run("dx = x * 2\ndw = w + 1\ncmp('w', w * 5, w)\ndw = w * 3\ncmp('w', dw, w)\ndw = w + 1")
    assert got.status is RunStatus.OK and got.message == "" and got.flags == ()
    assert holds(got, "x", STATE["x"] * 2)
    assert holds(got, "w", STATE["w"] * 3)
    assert got.answers["w"].notes == (CHANGED_AFTER_CMP,)
    assert got.answers["y"].tensor is None and "dy was never assigned" in str(got.answers["y"].misfit)


def test_function_style(run: Runner) -> None:
    got = run("def backward(state):\n    return {'dx': state['x'] * state['n'], 'w': state['w'] + 1}")
    assert got.status is RunStatus.OK
    assert holds(got, "x", STATE["x"] * 4)
    assert holds(got, "w", STATE["w"] + 1)


def test_a_helper_named_backward_is_not_called(run: Runner) -> None:
    got = run("def backward(gradient):\n    return gradient * 2\ndx = backward(x)")
    assert got.status is RunStatus.OK, got.message
    assert holds(got, "x", STATE["x"] * 2)


def test_function_style_must_return_a_dict(run: Runner) -> None:
    got = run("def backward(state):\n    return 5")
    assert got.status is RunStatus.ERROR and "returned int; return a dict" in got.message


def test_code_as_students_write_it(run: Runner) -> None:
    source = """
import math, random, time, itertools, functools, collections, typing, json, re, copy, string
import numpy as np
import torch.nn as nn
from dataclasses import dataclass
torch.set_printoptions(precision=3, linewidth=120)
start = time.time()
time.sleep(0.001)
g = torch.Generator().manual_seed(2147483647)
torch.manual_seed(42)
random.seed(42); random.random(); np.random.rand(2); np.random.default_rng().normal()
a = torch.randn(64, 200, generator=g); b = torch.rand(200, 300); c = a @ b
print(c[:2, :4], f"{c[0, 0]:.4f}", c.shape, c.dtype)
print(torch.tensor([1 + 2j]), torch.tensor(True), torch.arange(3))
print(np.array([1.0, 2.0]), {"k": torch.ones(2)}, torch.full((2000,), 3.0))
table = torch.zeros(4, 3)
for k in range(Xb.shape[0]):
    for j in range(Xb.shape[1]):
        ix = Xb[k, j]
        table[ix] += x[k]
hot = F.one_hot(Xb, num_classes=n).float()
table.index_add_(0, Xb.view(-1), torch.ones(6, 3)); table.scatter_add(0, Xb[:, :1], torch.ones(3, 1))
torch.einsum("ij,jk->ik", x, w); torch.allclose(x, x); torch.zeros_like(x); x.view(-1); x.T.contiguous()
F.softmax(x, 1); F.cross_entropy(x, torch.tensor([0, 1, 2, 0])); F.log_softmax(x, dim=1); x.sort(); x.topk(2)
spd = x.T @ x + torch.eye(3)
torch.linalg.inv(spd); torch.linalg.svd(spd); torch.linalg.eigh(spd); torch.linalg.solve(spd, torch.ones(3))
torch.tensor(x.numpy().tolist()); torch.from_numpy(x.numpy() * 2); nn.Linear(3, 2)(x).detach()
torch.autograd  # named, not used
conv = F.conv1d(x[None], torch.ones(2, 4, 2)); drop = F.dropout(x, 0.5); norm = F.layer_norm(x, (3,))
@dataclass
class Step:
    name: str
    weight: float = 1.0
print(Step("x"), [t for t in map(lambda v: v * 2, range(3))], collections.Counter("abca"), math.sqrt(2))
big = [list(range(1000)) for _ in range(1000)]
m = torch.randn(512, 512) @ torch.randn(512, 512)
with torch.no_grad():
    dx = torch.where(x > 0, x, x)
print("done", time.time() > start)
"""
    got = run(source)
    assert got.status is RunStatus.OK, got.message
    assert got.stdout.endswith("done True\n") and "Step(name='x', weight=1.0)" in got.stdout


def test_code_that_stops_half_way_keeps_what_it_had(run: Runner) -> None:
    got = run("dx = x * 2\ndw = nowhere")
    assert got.status is RunStatus.ERROR and "NameError" in got.message
    assert holds(got, "x", STATE["x"] * 2)


def test_shadowed_builtins_do_not_spoil_an_answer(run: Runner) -> None:
    got = run(
        "dx = x * 2\nimport builtins, sys\ntorch_, torch = torch, None\nprint = str = list = dict = None\n"
        "builtins.len = None\nsys.setrecursionlimit(60)\nsys.stdout = None\nsys.modules.clear()\n"
    )
    assert got.status is RunStatus.OK, got.message
    assert holds(got, "x", STATE["x"] * 2)


def test_answers_of_every_make(run: Runner) -> None:
    got = run("import numpy\ndx = numpy.float64(2) * x.numpy()\ndw = torch.nn.Parameter(w.double())\ndy = [1, 2]")
    assert got.status is RunStatus.OK, got.message
    assert got.answers["x"].notes == ("a numpy array, read as a tensor",)
    assert got.answers["w"].dtype == "float64" and got.answers["w"].notes == ("requires_grad, detached",)
    assert got.answers["y"].misfit == "a list is not a tensor; hand in a tensor (torch.tensor makes one)"


def test_an_answer_over_its_slot_keeps_its_shape(run: Runner) -> None:
    got = run("dx = torch.zeros(100, 100)\ndy = torch.zeros(1).expand(10**12)")
    assert got.answers["x"].tensor is None and got.answers["x"].shape == (100, 100)
    assert got.answers["y"].shape == (10**12,)


def test_what_backward_returns_comes_first(run: Runner) -> None:
    both = run("def backward(state): return {'x': state['x'], 'dx': state['x'] * 2, 'dw': state['w']}")
    neither = run("def backward(state): return {'other': 1}")

    assert holds(both, "x", STATE["x"] * 2) and holds(both, "w", STATE["w"])
    assert neither.status is RunStatus.OK and neither.answers["x"].tensor is None


@pytest.mark.parametrize(
    "source",
    [
        "def backward(state): return {'x': state['x']}\ncmp('w', w, w)",
        "def backward(state): return {'x': state['x']}\ndw = w",
        "def backward(state, more): return {'x': state['x']}",
        "def backward(): return {'x': x}",
        "class Backward:\n    def __call__(self, state): return {'x': state['x']}\nbackward = Backward()",
    ],
)
def test_another_backward_is_not_called(run: Runner, source: str) -> None:
    got = run(source)

    assert got.status is RunStatus.OK and got.answers["x"].tensor is None


def test_a_constant_is_a_python_int(run: Runner) -> None:
    source = "print(type(n), n, type(Xb))\ndef backward(state):\n    print(type(state['n']))\n    return {}"

    assert run(source).stdout == "<class 'int'> 4 <class 'torch.Tensor'>\n<class 'int'>\n"


def test_the_state_is_the_students_to_change(run: Runner) -> None:
    got = run("x.resize_(5, 5)\nx += 1\nx.zero_()\ndef backward(state): return {'x': state['x']}")

    assert got.status is RunStatus.OK and got.answers["x"].shape == (5, 5)


def test_main_is_the_students_file(run: Runner) -> None:
    got = run("import __main__\nprint(__name__, __main__.x is x)\nif __name__ == '__main__': dx = x")

    assert got.stdout == "__main__ True\n" and holds(got, "x", STATE["x"])


def test_an_answer_may_fill_its_slot(run: Runner) -> None:
    got = run("dx = torch.ones(16, 16)\ndw = torch.ones(257)")  # 1024 bytes fit

    assert holds(got, "x", torch.ones(16, 16)) and got.answers["w"].tensor is None
