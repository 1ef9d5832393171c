"""More shapes of notebooks and scripts: layers, dicts of gradients, command lines, classes, loops.

Each holds the lecture's derivation in another form, and all rows that it derives pass in the real sandbox.
"""

from __future__ import annotations

import re

import pytest

from dojo.notebook_slice import NotebookCells, read_cells, read_script, slice_notebook
from grader.sandbox import RunStatus, Sandbox
from tests.client.notebook_slice import scripts as S
from tests.client.notebook_slice.scripts import function, renamed
from tests.client.notebook_slice.small_notebooks import FULL, wanted
from tests.client.notebook_slice.test_lectures import ANSWER, LOOP, STEPS, graded
from tests.client.notebook_slice.test_notebooks import BEFORE, COMPARE, NAMES, SECOND
from tests.client.notebooks import notebook


def made(step: str) -> list[str]:
    return sorted(set(re.findall(r"^(d[A-Za-z0-9_]+)", step, re.MULTILINE)) or {"dC"})


def indented(text: str, depth: int = 1) -> str:
    return S.indented(text, depth)


def nb(*cells: str) -> NotebookCells:
    return read_cells(notebook(*cells)["cells"])


def py(source: str) -> NotebookCells:
    return read_script(source)


ALLN = ", ".join("d" + x for x in NAMES)
LAYERS = """class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(0)
        return dout @ self.W.T
class Tanh:
    def forward(self, x):
        self.out = torch.tanh(x)
        return self.out
    def backward(self, dout):
        return (1 - self.out**2) * dout
"""
SHAPES = {
    "function returning tuple": nb(
        *BEFORE, f"def backward():\n{indented(ANSWER)}\n    return {ALLN}", f"{ALLN} = backward()", COMPARE
    ),
    "layers": nb(
        *BEFORE,
        LAYERS,
        "\n".join(STEPS[:11]),
        "lin2 = Linear(W2, b2)\ntanh = Tanh()\ntanh.forward(hpreact)\nlin2.forward(h)",
        "dh = lin2.backward(dlogits)\ndW2, db2 = lin2.dW, lin2.db",
        "dhpreact = tanh.backward(dh)",
        "\n".join(STEPS[15:]),
    ),
    "layers loop": nb(
        *BEFORE,
        LAYERS,
        "\n".join(STEPS[:11]),
        "lin2 = Linear(W2, b2)\ntanh = Tanh()\nlayers = [tanh, lin2]\nx = hpreact\n"
        "for l in layers:\n    x = l.forward(x)",
        "outs = []\ndout = dlogits\nfor l in reversed(layers):\n    dout = l.backward(dout)\n    outs.append(dout)\n"
        "dh, dhpreact = outs\ndW2, db2 = lin2.dW, lin2.db",
        "\n".join(STEPS[15:]),
    ),
    "list of triples": nb(
        *BEFORE,
        ANSWER,
        "for name, d, t in [" + ", ".join(f"('{x}', d{x}, {x})" for x in NAMES) + "]:\n    cmp(name, d, t)",
    ),
    "fstring": nb(*BEFORE, ANSWER, "\n".join(f"cmp(f'{{\"{x}\"}}', d{x}, {x})" for x in NAMES)),
    "windows": nb(*[c.replace("\n", "\r\n") for c in (*BEFORE, ANSWER, COMPARE)]),
    "run magic": nb("%run setup.ipynb\n%load_ext x", *BEFORE, ANSWER),
    "writefile": nb(*BEFORE, "%%writefile a.py\ndC = 0", ANSWER),
    "star own": nb("from mysolution import *", *BEFORE, ANSWER),
    "globals by name": nb(
        *BEFORE,
        f"def back():\n{indented(ANSWER)}\n    return {{k: v for k, v in locals().items() if k.startswith('d')}}",
        "for k, v in back().items():\n    globals()[k] = v",
    ),
    "globals update": nb(
        *BEFORE,
        f"def back():\n{indented(ANSWER)}\n    return {{k: v for k, v in locals().items() if k.startswith('d')}}",
        "globals().update(back())",
    ),
    "dict then globals": nb(
        *BEFORE,
        "grads = {}\n" + renamed(ANSWER, **{"d" + x: f"grads['{x}']" for x in NAMES}),
        "for k in grads:\n    globals()['d' + k] = grads[k]",
    ),
    "dict d keys": nb(*BEFORE, "G = dict()\n" + renamed(ANSWER, **{"d" + x: f"G['d{x}']" for x in NAMES})),
    "dict plain keys odd name": nb(
        *BEFORE,
        "out = {}\n" + renamed(ANSWER, **{"d" + x: f"out['{x}']" for x in NAMES}),
        "for k, v in out.items():\n    cmp(k, v, eval(k))",
    ),
    "namespace grads": nb(
        *BEFORE,
        "from types import SimpleNamespace\ng = SimpleNamespace()\n"
        + renamed(ANSWER, **{"d" + x: f"g.d{x}" for x in NAMES}),
        "\n".join(f"d{x} = g.d{x}" for x in NAMES),
    ),
    "namespace only": nb(
        *BEFORE,
        "from types import SimpleNamespace\ng = SimpleNamespace()\n"
        + renamed(ANSWER, **{"d" + x: f"g.d{x}" for x in NAMES}),
        "\n".join(f"cmp('{x}', g.d{x}, {x})" for x in NAMES),
    ),
    "namespace bare": nb(
        *BEFORE,
        "from types import SimpleNamespace\ng = SimpleNamespace()\n"
        + renamed(ANSWER, **{"d" + x: f"g.d{x}" for x in NAMES}),
    ),
    "grad attr": nb(*BEFORE, ANSWER, "C.grad = dC\nW1.grad = dW1\nlogits.grad = dlogits"),
    "step list": py(
        "\n\n".join(
            [
                S.BEFORE,
                *[function(f"def step{i}():", f"global {', '.join(made(s))}", s) for i, s in enumerate(STEPS)],
                "for step in [" + ", ".join(f"step{i}" for i in range(len(STEPS))) + "]:\n    step()",
            ]
        )
    ),
    "async main": py(
        "import asyncio\n"
        + S.IMPORTS
        + "\n"
        + S.CMP
        + function(
            "async def main():",
            S.WORDS,
            S.VOCABULARY,
            S.BUILD,
            S.SPLIT,
            S.PARAMETERS,
            S.BATCH,
            S.FORWARD,
            S.BACKWARD,
            ANSWER,
            S.COMPARE,
        )
        + "\nasyncio.run(main())"
    ),
    "nested calls": py(
        S.IMPORTS
        + "\n"
        + S.CMP
        + "\n".join(
            [
                function("def backward_pass():", ANSWER, "return dC"),
                function(
                    "def train_step():",
                    S.WORDS,
                    S.VOCABULARY,
                    S.PARAMETERS,
                    S.FORWARD,
                    "dC = backward_pass()",
                    "return dC",
                ),
                function("def run():", "for _ in range(1):\n    train_step()"),
                function("def main():", "run()"),
                "if __name__ == '__main__':\n    main()",
            ]
        )
    ),
    "click": py(
        "import click\n"
        + S.IMPORTS
        + "\n"
        + "@click.command()\n@click.option('--names')\n"
        + function(
            "def main(names):",
            "words = open(names).read().split()",
            S.VOCABULARY,
            S.BUILD,
            S.SPLIT,
            S.PARAMETERS,
            S.BATCH,
            S.FORWARD,
            ANSWER,
        )
        + "\nif __name__ == '__main__':\n    main()"
    ),
    "windows script": py(S.FLAT.replace("\n", "\r\n")),
    "if debug": py(S.BEFORE + "\nDEBUG = True\nif DEBUG:\n" + indented(ANSWER) + "\n"),
    "while true": py(
        S.IMPORTS
        + "\n"
        + S.WORDS
        + "\n"
        + S.VOCABULARY
        + "\n"
        + S.BUILD
        + S.SPLIT
        + "\n"
        + S.PARAMETERS
        + "\ni = 0\nwhile True:\n"
        + indented("\n".join([S.BATCH, S.FORWARD, ANSWER, "i += 1\nif i > 10:\n    break"]))
    ),
    "epoch loader": py(
        S.IMPORTS
        + "\nfrom data import loader, vocab_size, block_size\n"
        + S.PARAMETERS
        + "\nfor epoch in range(3):\n    for step, (xb, yb) in enumerate(loader):\n"
        + indented(
            "\n".join(
                [
                    "n = xb.shape[0]",
                    renamed(S.FORWARD, Xb="xb", Yb="yb"),
                    renamed(ANSWER, Xb="xb", Yb="yb"),
                    "for p, g_ in zip(parameters, [dC, dW1]):\n    p.data -= 0.1 * g_",
                ]
            ),
            2,
        )
    ),
    "class module": py(
        S.IMPORTS
        + "\nimport torch.nn as nn\nclass MLP(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        + "        self.C = nn.Parameter(torch.randn(27, 10))\n        self.W1 = nn.Parameter(torch.randn(30, 64))\n"
        + "    def forward(self, Xb):\n        self.emb = self.C[Xb]\n        return self.emb\n"
        + "    def manual_backward(self, Yb):\n"
        + indented("n = Yb.shape[0]\n" + renamed(ANSWER, **{x: f"self.{x}" for x in NAMES}), 2)
        + "\n        return dC\nmodel = MLP()\n"
    ),
    "cache ns": py(
        S.IMPORTS
        + "\n"
        + function(
            "def backward(c, Xb, Yb):", "n = len(Yb)", renamed(ANSWER, **{x: f"c.{x}" for x in NAMES}), "return dC"
        )
    ),
    "short unpack": py(
        S.IMPORTS
        + "\n"
        + function(
            "def backward(cache):",
            "(" + ", ".join(NAMES) + ", Xb, Yb, n) = cache",
            ANSWER,
            "grads = dict(" + ", ".join(f"{x}=d{x}" for x in NAMES) + ")",
            "return grads",
        )
    ),
    "returns inline dict": py(
        S.IMPORTS
        + "\n"
        + function(
            "def backward(s):",
            "\n".join(f"{x} = s['{x}']" for x in (*NAMES, "Xb", "Yb", "n")),
            ANSWER.replace("db1 = dhprebn.sum(0)\n", ""),
            "return {" + ", ".join(f"'{x}': " + (f"d{x}" if x != "b1" else "dhprebn.sum(0)") for x in NAMES) + "}",
        )
    ),
    "typed results": py(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        + S.BEFORE
        + "\n@dataclass\nclass Grads:\n"
        + "\n".join(f"    {x}: torch.Tensor" for x in NAMES)
        + "\n"
        + function("def compute() -> Grads:", ANSWER, "return Grads(" + ", ".join(f"{x}=d{x}" for x in NAMES) + ")")
        + "\ng = compute()\nprint(g.C.shape)"
    ),
    "deutsch": nb(
        *BEFORE, "# Aufgabe 1: alles von Hand\n" + ANSWER, COMPARE, "# Aufgabe 2: cross entropy in one go\n" + SECOND[1]
    ),
    "attempts": nb(
        *BEFORE,
        "# attempt 1\n"
        + ANSWER.replace("-1.0/n", "1.0/n").replace("dlogits = dnorm_logits.clone()", "dlogits = dnorm_logits"),
        "# attempt 2\n" + ANSWER,
        COMPARE,
    ),
    "softmax own names": nb(
        *BEFORE, "p = F.softmax(logits, 1)\ndlogits = p.clone()\ndlogits[range(n), Yb] -= 1\ndlogits /= n"
    ),
    "asserts": nb(
        *BEFORE,
        "def cmp(s, dt, t):\n    ok = torch.allclose(dt, t.grad)\n    results.append((s, ok))\n    assert ok",
        "results = []",
        ANSWER,
        COMPARE,
        "assert all(ok for _, ok in results)",
    ),
    "logging": py(
        "import logging\nlogging.basicConfig(level=logging.INFO)\nlog = logging.getLogger(__name__)\n"
        + S.FLAT.replace("\ncmp('C'", "\nlog.info('dC %s', dC.shape)\nlog.debug(dC)\ncmp('C'")
    ),
    "timeit": py(
        "import time\nstart = time.time()\n" + S.FLAT + "\nprint(time.time() - start)\nassert dC.shape == C.shape"
    ),
    "sys path": py(
        "import sys, os\nsys.path.append(os.path.dirname(__file__))\nfrom utils import cmp, build_dataset\n"
        + S.FLAT.replace(S.CMP, "").replace(S.BUILD, "")
    ),
    "own cmp module": nb(
        "from helper import cmp, plot_grads",
        *[c for c in BEFORE if "def cmp" not in c],
        ANSWER,
        COMPARE,
        "plot_grads(dC, dW1)",
    ),
    "embedding": nb(
        *BEFORE,
        ANSWER.replace(
            STEPS[-2] + "\n" + LOOP, "dC = torch.zeros_like(C).index_add_(0, Xb.view(-1), demb.view(-1, 10))"
        ),
    ),
    "parallel chain": nb(
        *BEFORE, "(dlogprobs := torch.zeros_like(logprobs))[range(n), Yb] = -1/n; dprobs = dlogprobs / probs"
    ),
    "test class": py(
        "import unittest\n"
        + S.IMPORTS
        + "\nclass TestBackward(unittest.TestCase):\n    def setUp(self):\n"
        + "        self.words = open('names.txt').read()\n    def test_all(self):\n"
        + indented(ANSWER, 2)
        + "\n        self.assertTrue(torch.allclose(dC, C.grad))\nif __name__ == '__main__':\n    unittest.main()"
    ),
    "main returns": py(
        S.IMPORTS
        + "\n"
        + function(
            "def main():",
            S.WORDS,
            S.VOCABULARY,
            S.PARAMETERS,
            S.FORWARD,
            "if len(words) == 0:\n    return None",
            ANSWER,
            "return dC",
        )
        + "\nif __name__ == '__main__':\n    out = main()\n    print(out)"
    ),
    "global keyword": py(
        S.BEFORE + "\ndef backward():\n    global " + ALLN + "\n" + indented(ANSWER) + "\n\nbackward()\n" + COMPARE
    ),
    "nested def": py(
        S.IMPORTS
        + "\n"
        + function(
            "def main():",
            S.WORDS,
            S.VOCABULARY,
            S.PARAMETERS,
            S.FORWARD,
            "def over(x, d=0):\n    return x.sum(d, keepdim=True)",
            ANSWER.replace("dhpreact.sum(0, keepdim=True)", "over(dhpreact)"),
        )
        + "\nmain()"
    ),
    "lambda main": py(
        S.IMPORTS
        + "\n"
        + function(
            "def go(words, seed=1, *, verbose=False):",
            S.VOCABULARY,
            S.PARAMETERS,
            S.FORWARD,
            ANSWER,
            "if verbose:\n    print(dC)",
        )
        + "\ngo(open('names.txt').read().split(), verbose=True)"
    ),
    "device": py(
        "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n".join(
            [
                S.IMPORTS + "\n",
                S.FLAT.replace("Xb, Yb = Xtr[ix], Ytr[ix]", "Xb, Yb = Xtr[ix].to(device), Ytr[ix].to(device)").replace(
                    "torch.zeros_like(C)", "torch.zeros_like(C, device=device)"
                ),
            ]
        )
    ),
    "renamed dev": py(
        "dev = 'cpu'\n"
        + S.FLAT.replace("Xb, Yb = Xtr[ix], Ytr[ix]", "X, Y = Xtr[ix].to(dev), Ytr[ix].to(dev)")
        .replace("Xb", "X")
        .replace("Yb", "Y")
    ),
    "np batch": py(
        "import numpy as np\n"
        + renamed(S.FLAT, Xb="xbatch", Yb="ybatch").replace(
            "torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)", "np.random.randint(0, len(Xtr), size=32)"
        )
    ),
}

FEWER = {"softmax own names": 1, "parallel chain": 2}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_answer_passes(shape: str, sandbox: Sandbox) -> None:
    found = slice_notebook(SHAPES[shape], wanted(FULL))

    grade = graded(found, sandbox)

    assert grade.run is not None and grade.run.status is RunStatus.OK, (grade.run, found.source)
    assert grade.passed == FEWER.get(shape, len(NAMES)), (found.remarks, found.source)
