"""Writes that reach an answer another way than by its name: each one belongs to it, and the row passes."""

from __future__ import annotations

import pytest

from grader.sandbox import Sandbox
from tests.client.notebook_slice.small_notebooks import taken
from tests.client.notebook_slice.test_lectures import graded, read

ZEROS = "dlogprobs = torch.zeros_like(logprobs)"
WRITES = {
    "a dict with a name of something else": (
        "g = torch.Generator()",
        ZEROS,
        "g = {'logprobs': dlogprobs}",
        "g['logprobs'][range(n), Yb] = -1/n",
    ),
    "iter": (ZEROS, "it = iter(dlogprobs)\nfor i in range(n):\n    next(it)[Yb[i]] = -1.0/n"),
    "unbind": (ZEROS, "for r, y in zip(dlogprobs.unbind(0), Yb.tolist()):\n    r[y] = -1/n"),
    "torch.unbind": (ZEROS, "rows = torch.unbind(dlogprobs)\nfor i, r in enumerate(rows):\n    r[Yb[i]] = -1/n"),
    "split": (ZEROS, "for part, ys in zip(dlogprobs.split(8), Yb.split(8)):\n    part[range(8), ys] = -1.0/n"),
    "chunk name": (
        ZEROS,
        "halves = dlogprobs.chunk(2)\nfor half, ys in zip(halves, Yb.chunk(2)):\n    half[torch.arange(16), ys] = -1/n",
    ),
    "list of rows": (
        ZEROS,
        "rows = [dlogprobs[i] for i in range(n)]",
        "for row, y in zip(rows, Yb):\n    row[y] = -1/n",
    ),
    "list()": (ZEROS, "rows = list(dlogprobs)", "rows2 = rows", "for i in range(n):\n    rows2[i][Yb[i]] = -1/n"),
    "dict": (ZEROS, "box = {'d': dlogprobs}", "box['d'][range(n), Yb] = -1/n"),
    "attr": (ZEROS, "class Box: pass\nbox = Box()\nbox.t = dlogprobs", "box.t[range(n), Yb] = -1/n"),
    "lambda": (ZEROS, "fill = lambda t: t.index_put_((torch.arange(n), Yb), torch.tensor(-1.0/n))", "fill(dlogprobs)"),
    "lambda setitem": (ZEROS, "put = lambda t, i, v: t.__setitem__(i, v)", "put(dlogprobs, (range(n), Yb), -1/n)"),
    "closure": (ZEROS, "put = lambda: dlogprobs.__setitem__((range(n), Yb), -1/n)", "put()"),
    "partial": (
        "from functools import partial",
        ZEROS,
        "def fill(t, v):\n    t[range(n), Yb] = v",
        "f = partial(fill, dlogprobs)",
        "f(-1/n)",
    ),
    "bound method": (ZEROS, "put = dlogprobs.__setitem__", "put((range(n), Yb), -1/n)"),
    "bound method2": (ZEROS, "put = dlogprobs.index_put_", "r = put((torch.arange(n), Yb), torch.tensor(-1/n))"),
    "operator": ("import operator", ZEROS, "operator.setitem(dlogprobs, (range(n), Yb), -1/n)"),
    "map": (ZEROS, "def put(row, y):\n    row[y] = -1/n", "list(map(put, dlogprobs, Yb))"),
    "map lambda": (ZEROS, "_ = list(map(lambda p: p[0].__setitem__(p[1], -1/n), zip(dlogprobs, Yb)))"),
    "comprehension": (ZEROS, "[row.__setitem__(y, -1/n) for row, y in zip(dlogprobs, Yb)]"),
    "any gen": (ZEROS, "any(row.__setitem__(y, -1/n) for row, y in zip(dlogprobs, Yb))"),
    "method expr": (
        "class Filler:\n    def fill(self, t):\n        t[range(n), Yb] = -1/n",
        ZEROS,
        "Filler().fill(dlogprobs)",
    ),
    "callable obj": (
        "class Filler:\n    def __call__(self, t):\n        t[range(n), Yb] = -1/n",
        "fill = Filler()",
        ZEROS,
        "fill(dlogprobs)",
    ),
    "callable expr": (
        "class Filler:\n    def __call__(self, t):\n        t[range(n), Yb] = -1/n",
        ZEROS,
        "Filler()(dlogprobs)",
    ),
    "static": (
        "class Ops:\n    @staticmethod\n    def fill(t):\n        t[range(n), Yb] = -1/n",
        ZEROS,
        "Ops.fill(dlogprobs)",
    ),
    "classmethod": (
        "class Ops:\n    @classmethod\n    def fill(cls, t):\n        t[range(n), Yb] = -1/n",
        ZEROS,
        "Ops.fill(dlogprobs)",
    ),
    "kw": ("def fill(*, out):\n    out[range(n), Yb] = -1/n", ZEROS, "fill(out=dlogprobs)"),
    "kwargs": ("def fill(**kw):\n    kw['out'][range(n), Yb] = -1/n", ZEROS, "fill(out=dlogprobs)"),
    "args": ("def fill(*args):\n    args[0][range(n), Yb] = -1/n", ZEROS, "fill(dlogprobs)"),
    "star": ("def fill(t, v):\n    t[range(n), Yb] = v", ZEROS, "a = (dlogprobs, -1/n)\nfill(*a)"),
    "default": (ZEROS, "def fill(t=dlogprobs):\n    t[range(n), Yb] = -1/n", "fill()"),
    "out": (ZEROS, "hot = F.one_hot(Yb, 27).float()", "torch.mul(hot, -1/n, out=dlogprobs)"),
    "out tuple": (ZEROS, "torch.div(F.one_hot(Yb, 27).float(), -n, out=dlogprobs[:])"),
    "numpy": (ZEROS, "a = dlogprobs.numpy()", "a[range(n), Yb.numpy()] = -1/n"),
    "numpy out": (
        "import numpy as np",
        ZEROS,
        "a = dlogprobs.numpy()",
        "np.multiply(F.one_hot(Yb, 27).numpy(), -1/n, out=a, casting='unsafe')",
    ),
    "np.copyto": (
        "import numpy as np",
        ZEROS,
        "np.copyto(dlogprobs.numpy(), (F.one_hot(Yb, 27).float() / -n).numpy())",
    ),
    "scatter view": (ZEROS, "dlogprobs.view(-1).scatter_(0, torch.arange(n) * 27 + Yb, -1/n)"),
    "flat": (ZEROS, "flat = dlogprobs.flatten()", "flat[torch.arange(n) * 27 + Yb] = -1/n"),
    "diag": (ZEROS, "sel = dlogprobs.T", "sel[Yb, range(n)] = -1/n"),
    "returned view": (
        "def rows(t):\n    return [t[i] for i in range(len(t))]",
        ZEROS,
        "rs = rows(dlogprobs)",
        "for r, y in zip(rs, Yb):\n    r[y] = -1/n",
    ),
    "generator": (
        "def rows(t):\n    for r in t:\n        yield r",
        ZEROS,
        "for r, y in zip(rows(dlogprobs), Yb):\n    r[y] = -1/n",
    ),
    "generator gen": (ZEROS, "gen = (r for r in dlogprobs)", "for y in Yb:\n    next(gen)[y] = -1/n"),
    "while": (ZEROS, "i = 0\nwhile i < n:\n    r = dlogprobs[i]\n    r[Yb[i]] = -1/n\n    i += 1"),
    "walrus": (ZEROS, "for i in range(n):\n    (r := dlogprobs[i])[Yb[i]] = -1/n"),
    "nested fn": (
        ZEROS,
        "def outer():\n    def inner(r, y):\n        r[y] = -1/n\n"
        "    for r, y in zip(dlogprobs, Yb):\n        inner(r, y)",
        "outer()",
    ),
    "recursive": (
        ZEROS,
        "def fill(t, ys):\n    if len(t):\n        t[0][ys[0]] = -1/n\n        fill(t[1:], ys[1:])",
        "fill(dlogprobs, Yb)",
    ),
    "with": (ZEROS, "with torch.no_grad():\n    view = dlogprobs[:]", "view[range(n), Yb] = -1/n"),
    "tuple swap": ("a, b = torch.zeros_like(logprobs), 1", "dlogprobs, b = a, 2", "a[range(n), Yb] = -1/n"),
    "data": (ZEROS, "dlogprobs.data[range(n), Yb] = -1/n"),
    "aug row": (ZEROS, "for r, y in zip(dlogprobs, Yb):\n    r[y] -= 1/n"),
    "sub_": (ZEROS, "for r, y in zip(dlogprobs, Yb):\n    r[y].sub_(1/n)"),
    "deque": (
        "from collections import deque",
        ZEROS,
        "deque((r.__setitem__(y, -1/n) for r, y in zip(dlogprobs, Yb)), maxlen=0)",
    ),
    "setattr": ("class S: pass\ns = S()", ZEROS, "setattr(s, 't', dlogprobs)", "s.t[range(n), Yb] = -1/n"),
    "stack append": (ZEROS, "todo = []\ntodo.append(dlogprobs)", "todo[0][range(n), Yb] = -1/n"),
    "globals": ("globals()['dlogprobs'] = torch.zeros_like(logprobs)", "dlogprobs[range(n), Yb] = -1/n"),
    "exec": ("exec('dlogprobs = torch.zeros_like(logprobs)')", "exec('dlogprobs[range(n), Yb] = -1/n')"),
    "decorated": (
        "import functools\ndef loud(f):\n    @functools.wraps(f)\n    def g(*a, **k):\n"
        "        return f(*a, **k)\n    return g",
        "@loud\ndef fill(t):\n    t[range(n), Yb] = -1/n",
        ZEROS,
        "fill(dlogprobs)",
    ),
    "try": (ZEROS, "try:\n    view = dlogprobs.view(n, -1)\nfinally:\n    pass", "view[range(n), Yb] = -1/n"),
    "cond alias": (ZEROS, "t = dlogprobs if n else None", "t[range(n), Yb] = -1/n"),
    "or alias": (ZEROS, "t = None or dlogprobs[:]", "t[range(n), Yb] = -1/n"),
    "match": (ZEROS, "match dlogprobs:\n    case t:\n        t[range(n), Yb] = -1/n"),
    "enumerate zip": (ZEROS, "for i, (row, y) in enumerate(zip(dlogprobs, Yb)):\n    row[y] = -1/n"),
    "zip star": (ZEROS, "pairs = list(zip(dlogprobs, Yb))", "for row, y in pairs:\n    row[y] = -1/n"),
    "reversed": (ZEROS, "for i, row in reversed(list(enumerate(dlogprobs))):\n    row[Yb[i]] = -1/n"),
    "sorted": (
        ZEROS,
        "rows = {i: r for i, r in enumerate(dlogprobs)}",
        "for i, r in rows.items():\n    r[Yb[i]] = -1/n",
    ),
    "tensor_split": (
        ZEROS,
        "a, b = torch.tensor_split(dlogprobs, 2)",
        "a[range(16), Yb[:16]] = -1/n",
        "b[range(16), Yb[16:]] = -1/n",
    ),
    "index expr": (ZEROS, "(dlogprobs)[range(n), Yb] = -1/n"),
    "addr": (ZEROS, "dlogprobs.index_put_((torch.arange(n), Yb), torch.tensor(-1.0/n))"),
    "vmap": (ZEROS, "import itertools\nfor row, y in itertools.islice(zip(dlogprobs, Yb), n):\n    row[y] = -1/n"),
    "starmap": (
        ZEROS,
        "from itertools import starmap\ndef put(r, y): r[y] = -1/n\nlist(starmap(put, zip(dlogprobs, Yb)))",
    ),
    "class holds": (
        "class Acc:\n    def __init__(self, t):\n        self.t = t\n    def go(self):\n"
        "        self.t[range(n), Yb] = -1/n",
        ZEROS,
        "Acc(dlogprobs).go()",
    ),
    "class holds2": (
        "class Acc:\n    def __init__(self, t):\n        self.t = t\n    def go(self):\n"
        "        self.t[range(n), Yb] = -1/n",
        ZEROS,
        "acc = Acc(dlogprobs)",
        "acc.go()",
    ),
    "class setitem": (
        "class Acc:\n    def __init__(self, t):\n        self.t = t\n"
        "    def __setitem__(self, k, v):\n        self.t[k] = v",
        ZEROS,
        "acc = Acc(dlogprobs)",
        "acc[range(n), Yb] = -1/n",
    ),
    "dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass G:\n    t: torch.Tensor",
        ZEROS,
        "g = G(dlogprobs)",
        "g.t[range(n), Yb] = -1/n",
    ),
    "namespace": ("from types import SimpleNamespace as NS", ZEROS, "g = NS(t=dlogprobs)", "g.t[range(n), Yb] = -1/n"),
    "imported fn": (
        "from torch.nn.init import constant_",
        ZEROS,
        "[constant_(dlogprobs[i, Yb[i]], -1/n) for i in range(n)]",
    ),
    "del": (ZEROS, "t = dlogprobs", "del dlogprobs", "t[range(n), Yb] = -1/n", "dlogprobs = t"),
    "return": (
        "def make():\n    t = torch.zeros_like(logprobs)\n    return t, t[:]",
        "dlogprobs, view = make()",
        "view[range(n), Yb] = -1/n",
    ),
    "global fn": (
        "def start():\n    global dlogprobs\n    dlogprobs = torch.zeros_like(logprobs)",
        "start()",
        "dlogprobs[range(n), Yb] = -1/n",
    ),
    "async-ish ctx": (
        "from contextlib import contextmanager\n@contextmanager\ndef filling(t):\n    yield t",
        ZEROS,
        "with filling(dlogprobs) as t:\n    t[range(n), Yb] = -1/n",
    ),
    "late alias": (ZEROS, "dprobs = dlogprobs / probs", "a = dlogprobs", "a[range(n), Yb] = -1/n"),
}


@pytest.mark.parametrize("way", WRITES)
def test_a_write_belongs_to_the_answer(way: str, sandbox: Sandbox) -> None:
    found = read(WRITES[way])

    row = graded(found, sandbox).checkpoints[0]

    assert row.passed, (row.line(), found.source, found.remarks)


# Cells after an answer that change nothing of it, though they get it.
HARMLESS = {
    "a plot": "import seaborn as sns\nsns.heatmap(dh)",
    "a tracker": "import wandb\nwandb.log({'dh': dh})",
    "a figure": "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.imshow(dh)",
    "a table": "import pandas as pd\nframe = pd.DataFrame(dh)\nframe.plot()",
    "a function of another module that shows": "from helpers import plot_gradients\nplot_gradients(dh)",
    "a list that grows": "found = [dh]\nfound.append(open('x'))",
    "a dict that grows": "found = {'h': dh}\nfound['x'] = open('x')",
    "an object that gets an attribute": "class Box: ...\nbox = Box()\nbox.h = dh\nbox.x = open('x')",
    "a step of training": "lr = float(input())\nfor p, g in zip([C, W1], [dh, dh]):\n    p.data += -lr * g",
    "a copy": "copy = dh.clone()\ncopy[0] = float(input())",
    "a sum": "total = dh + 1\ntotal[0] = float(input())",
}


@pytest.mark.parametrize("way", HARMLESS)
def test_what_only_looks_at_an_answer_stays(way: str) -> None:
    assert taken("dh = h * 2", HARMLESS[way]) == "dh = h * 2"


def test_an_unknown_function_may_change_what_it_gets() -> None:
    found = read(("dW2 = W2", "dh = h * 2", "from helpers import fill\nfill(dh)"))
    assert "dh" not in found.source
    assert len(found.remarks) == 1
    assert "it imports helpers" in found.remarks[0] and found.remarks[0].endswith("So dh is not graded.")
