"""Scripts in the shapes that public repositories have. None of them runs where it is graded."""

from __future__ import annotations

import textwrap

from tests.client.notebook_slice.test_lectures import ANSWER, STEPS, THIRD, TRAINING
from tests.client.notebook_slice.test_notebooks import EXERCISE, NAMES, SECOND

FORWARD = EXERCISE.forward.text
IMPORTS = "import random\nimport torch\nimport torch.nn.functional as F\nimport matplotlib.pyplot as plt"
WORDS = 'words = open("names.txt", "r").read().splitlines()'
VOCABULARY = """chars = sorted(set("".join(words)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
vocab_size = len(stoi)
block_size = 3"""
BUILD = """def build_dataset(words):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            ix = stoi[ch]
            X.append(context)
            Y.append(ix)
            context = context[1:] + [ix]
    return torch.tensor(X), torch.tensor(Y)
"""
SPLIT = """random.seed(42)
random.shuffle(words)
n1 = int(0.8 * len(words))
Xtr, Ytr = build_dataset(words[:n1])
Xdev, Ydev = build_dataset(words[n1:])"""
CMP = """def cmp(s, dt, t):
    ex = torch.all(dt == t.grad).item()
    app = torch.allclose(dt, t.grad)
    print(f"{s:15s} | exact: {ex} | approximate: {app} | maxdiff: {(dt - t.grad).abs().max().item()}")
"""
PARAMETERS = """n_embd, n_hidden = 10, 64
g = torch.Generator().manual_seed(2147483647)
C = torch.randn((vocab_size, n_embd), generator=g)
W1 = torch.randn((n_embd * block_size, n_hidden), generator=g) * (5 / 3) / ((n_embd * block_size) ** 0.5)
b1 = torch.randn(n_hidden, generator=g) * 0.1
W2 = torch.randn((n_hidden, vocab_size), generator=g) * 0.1
b2 = torch.randn(vocab_size, generator=g) * 0.1
bngain = torch.randn((1, n_hidden)) * 0.1 + 1.0
bnbias = torch.randn((1, n_hidden)) * 0.1
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
for p in parameters:
    p.requires_grad = True"""
BATCH = """batch_size = 32
n = batch_size
ix = torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)
Xb, Yb = Xtr[ix], Ytr[ix]"""
BACKWARD = """for p in parameters:
    p.grad = None
for t in [logprobs, probs, counts, logits, h, hprebn, emb]:
    t.retain_grad()
loss.backward()"""
COMPARE = "\n".join(f"cmp('{name}', d{name}, {name})" for name in NAMES)
BEFORE = "\n\n".join((IMPORTS, WORDS, VOCABULARY, BUILD, SPLIT, CMP, PARAMETERS, BATCH, FORWARD, BACKWARD))
FLAT = f"{BEFORE}\n\n{ANSWER}\n\n{COMPARE}\n"
ALL = ", ".join(f"'{name}': d{name}" for name in NAMES)
CACHE = ", ".join(f"'{name}': {name}" for name in NAMES)


def indented(text: str, depth: int = 1) -> str:
    return textwrap.indent(text, "    " * depth)


def function(header: str, *body: str) -> str:
    return f"{header}\n" + "\n".join(indented(part) for part in body) + "\n"


def renamed(text: str, **names: str) -> str:
    """The text with other names, by whole words."""
    import re

    for old, new in names.items():
        text = re.sub(rf"(?<![\w.]){old}\b", new, text)
    return text


UNPACK = "\n".join(f"{name} = cache['{name}']" for name in NAMES if name not in ("C", "W1", "b1", "W2", "b2"))
IN_A_CLASS = renamed(ANSWER, **{name: f"self.{name}" for name in ("W1", "W2", "C", "bngain", "Xb", "Yb", "n")})

SCRIPTS = {
    "a flat script": FLAT,
    "cells of an editor": "\n\n".join(
        f"# %%\n{cell}"
        for cell in (
            IMPORTS,
            WORDS,
            VOCABULARY,
            BUILD,
            SPLIT,
            CMP,
            PARAMETERS,
            BATCH,
            FORWARD,
            BACKWARD,
            ANSWER,
            COMPARE,
        )
    ),
    "cells of jupytext with all exercises": "\n\n".join(
        (
            "# ---\n# jupyter:\n#   jupytext:\n#     format_name: percent\n# ---",
            f"# %%\n{BEFORE}",
            "# %% [markdown]\n# ## Exercise 1: backprop through the whole thing",
            f"# %%\n{ANSWER}\n{COMPARE}",
            "# %% [markdown]\n# ## Exercise 2",
            f"# %%\n{SECOND[1]}",
            "# %% [markdown]\n# ## Exercise 3",
            f"# %%\n{THIRD[1]}",
            "# %% [markdown]\n# ## Exercise 4",
            f"# %%\n{TRAINING}",
        )
    ),
    "an exported notebook": "#!/usr/bin/env python\n# coding: utf-8\n\n"
    + "\n\n".join(
        f"# In[{number}]:\n\n\n{cell}"
        for number, cell in enumerate(
            (
                IMPORTS + "\nget_ipython().run_line_magic('matplotlib', 'inline')",
                BEFORE,
                "# Exercise 1: backprop through the whole thing manually,\n# one by one\n\n" + ANSWER,
                COMPARE,
                *SECOND,
                *THIRD,
            ),
            1,
        )
    ),
    "everything in main": "\n\n".join(
        (
            IMPORTS,
            CMP,
            function(
                "def main():", WORDS, VOCABULARY, BUILD, SPLIT, PARAMETERS, BATCH, FORWARD, BACKWARD, ANSWER, COMPARE
            ),
            'if __name__ == "__main__":\n    main()',
        )
    ),
    "main with a command line": "\n\n".join(
        (
            "import argparse\nimport sys",
            IMPORTS,
            CMP,
            VOCABULARY.replace("words", "'abc'"),
            BUILD,
            function(
                "def main(argv=None) -> int:",
                "parser = argparse.ArgumentParser()\nparser.add_argument('--names', default='names.txt')\n"
                "args = parser.parse_args(argv)",
                "words = open(args.names).read().split()",
                SPLIT,
                PARAMETERS,
                BATCH,
                FORWARD,
                BACKWARD,
                ANSWER,
                COMPARE,
                "return 0",
            ),
            "if __name__ == '__main__':\n    sys.exit(main())",
        )
    ),
    "a dataset beside the script": "\n\n".join(
        (
            IMPORTS,
            "import os\nfrom pathlib import Path",
            "HERE = Path(os.path.dirname(os.path.abspath(__file__)))",
            "words = (HERE / 'data' / 'names.txt').read_text().splitlines()",
            VOCABULARY,
            BUILD,
            SPLIT,
            CMP,
            PARAMETERS,
            BATCH,
            FORWARD,
            BACKWARD,
            ANSWER,
            COMPARE,
        )
    ),
    "progress bars": "\n\n".join(
        (
            "from tqdm import tqdm",
            BEFORE.replace("for w in words:", "for w in tqdm(words):"),
            ANSWER.replace("for k in range(Xb.shape[0]):", "for k in tqdm(range(Xb.shape[0]), desc='dC'):"),
            COMPARE,
        )
    ),
    "a backward pass in a function": "\n\n".join(
        (
            IMPORTS,
            "from common import forward_in_steps, prepare_batch, run_autograd",
            CMP,
            function(
                "def manual_backward(xb: torch.Tensor, yb: torch.Tensor, parameters: dict, cache: dict) -> dict:",
                '"""Differentiate every step in reverse."""',
                "\n".join(f"{name} = parameters['{name}']" for name in ("C", "W1", "b1", "W2", "b2")),
                UNPACK,
                "n = xb.shape[0]",
                renamed(ANSWER, Xb="xb", Yb="yb"),
                f"return {{{ALL}}}",
            ),
            function(
                "def main() -> None:",
                "xb, yb, parameters = prepare_batch()",
                "cache = forward_in_steps(xb, yb, parameters)",
                "run_autograd(cache, parameters)",
                "manual = manual_backward(xb, yb, parameters, cache)",
                "targets = {**cache, **parameters}",
                "for name, gradient in manual.items():\n    cmp(name, gradient, targets[name])",
            ),
            'if __name__ == "__main__":\n    main()',
        )
    ),
    "a module that nobody calls": "\n\n".join(
        (
            "import torch\nimport torch.nn.functional as F",
            function(
                "def forward(xb, yb, params):",
                "C, W1, b1, W2, b2, bngain, bnbias = params",
                "n = len(xb)",
                renamed(FORWARD, Xb="xb", Yb="yb"),
                f"return loss, {{{CACHE}}}",
            ),
            function(
                "def backward(xb, yb, params, cache):",
                "C, W1, b1, W2, b2, bngain, bnbias = params",
                "n = len(xb)",
                UNPACK,
                renamed(ANSWER, Xb="xb", Yb="yb"),
                f"return {{{ALL}}}",
            ),
        )
    ),
    "a function for each step": "\n\n".join(
        (
            "import torch\nimport torch.nn.functional as F",
            function(
                "def backward_logprobs(n, Yb, logprobs):",
                "dlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1.0/n\nreturn dlogprobs",
            ),
            function("def backward_probs(probs, dlogprobs):", STEPS[2], "return dprobs"),
            function(
                "def backward_softmax(counts, counts_sum, counts_sum_inv, logits, dprobs):",
                "\n".join(STEPS[3:11]),
                "return dlogits",
            ),
            function("def backward_linear(dlogits, h, W2):", "\n".join(STEPS[11:14]), "return dh, dW2, db2"),
            function("def backward_norm(dh):", "\n".join(STEPS[14:26]), "return dhprebn"),
            function("def backward_embedding(dhprebn):", "\n".join(STEPS[26:]), "return dC"),
        )
    ),
    "a class": "\n\n".join(
        (
            IMPORTS,
            "class Ninja:\n    def __init__(self, words):\n"
            + indented("\n".join((VOCABULARY, "self.n = 32", "self.g = torch.Generator()")), 2)
            + "\n        self.C = torch.randn((27, 10))\n        self.W1 = torch.randn((30, 64))\n"
            + "        self.W2 = torch.randn((64, 27))\n\n    def backward(self):\n"
            + indented(IN_A_CLASS, 2)
            + "\n        return dC",
            "if __name__ == '__main__':\n    ninja = Ninja(open('names.txt').read().split())\n    ninja.backward()",
        )
    ),
    "a training loop with the whole backward pass": "\n\n".join(
        (
            IMPORTS,
            WORDS,
            VOCABULARY,
            BUILD,
            SPLIT,
            PARAMETERS,
            "batch_size = 32\nn = batch_size\nmax_steps = 1000\nlossi = []",
            "with torch.no_grad():\n    for i in range(max_steps):\n"
            + indented(
                "\n".join(
                    (
                        "ix = torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)\nXb, Yb = Xtr[ix], Ytr[ix]",
                        FORWARD,
                        ANSWER.replace("ix", "at"),
                        "grads = [dC, dW1, db1, dW2, db2, dbngain, dbnbias]",
                        "lr = 0.1 if i < 500 else 0.01",
                        "for p, grad in zip(parameters, grads):\n    p.data += -lr * grad",
                        "lossi.append(loss.log10().item())",
                        "if i >= 100:\n    break",
                    )
                ),
                2,
            ),
        )
    ),
    "everything without gradients": "\n\n".join(
        (BEFORE, f"with torch.no_grad():\n{indented(ANSWER)}\n\n{indented(COMPARE)}", "plt.imshow(dlogits.detach())")
    ),
    "a batch of a loader": "\n\n".join(
        (
            IMPORTS,
            "from torch.utils.data import DataLoader\nfrom lm.datasets import NamesDataset",
            "def compare(name: str, dt: torch.Tensor, t: torch.Tensor):\n"
            "    return torch.all(dt == t.grad).item() or torch.allclose(dt, t.grad, atol=1e-7)",
            function(
                "def test_manual_backward():",
                "words = ['emma', 'olivia']",
                "dataset = NamesDataset(words, block_size=3)\nvocab_size = dataset.get_vocab_size()\nblock_size = 3",
                PARAMETERS,
                "B = 32\nx_batch, y_batch = next(iter(DataLoader(dataset, batch_size=32)))",
                renamed(FORWARD, Xb="x_batch", Yb="y_batch", n="B"),
                BACKWARD,
                "\n".join(
                    renamed(step, Xb="x_batch", Yb="y_batch", n="B")
                    + (f"\nassert compare('{step.split()[0]}', {step.split()[0]}, {step.split()[0][1:]})")
                    * (step.split()[0] in ("dprobs", "dh", "dW2", "db2", "dhpreact"))
                    for step in STEPS
                ),
                "loss_fast = F.cross_entropy(logits, y_batch)",
                "dlogits = F.softmax(logits, dim=1)\ndlogits[range(B), y_batch] -= 1\ndlogits /= B",
                "assert compare('dlogits', dlogits, logits)",
            ),
        )
    ),
    "a state from another script": "\n\n".join(
        (
            "import torch\nimport torch.nn.functional as F",
            "state = torch.load('state.pt', weights_only=False)",
            "N, V = state['N'], state['V']\nn = N\nYb = state['Yb']\nXb = state['Xb']",
            "\n".join(f"{name} = state['{name}']" for name in NAMES),
            ANSWER,
            "state['dlogits'] = dlogits\ntorch.save(state, 'state.pt')",
        )
    ),
    "gradients in a dict": "\n\n".join(
        (
            BEFORE,
            "grads = {}",
            renamed(ANSWER, **{f"d{name}": f"grads['{name}']" for name in NAMES}),
            "for name, tensor in {'C': C, 'W1': W1}.items():\n"
            "    print(name, torch.allclose(grads[name], tensor.grad))",
        )
    ),
    "other names for the parameters": renamed(
        "\n\n".join((BEFORE, ANSWER)), C="table", W1="w_in", b1="bias_in", W2="w_out", bngain="gamma", Xb="xs", Yb="ys"
    ),
    "tests of a framework": "\n\n".join(
        (
            IMPORTS,
            "import pytest\nfrom makemore.data import load_batch",
            CMP,
            function(
                "def test_every_step():",
                "Xb, Yb = load_batch('train')",
                "C, W1, b1, W2, b2, bngain, bnbias = torch.load('parameters.pt')",
                "n = Xb.shape[0]",
                FORWARD,
                BACKWARD,
                ANSWER,
                COMPARE,
            ),
        )
    ),
    "an unfinished line in main": "\n\n".join(
        (
            IMPORTS,
            CMP,
            function("def main():", WORDS, VOCABULARY, BUILD, SPLIT, PARAMETERS, BATCH, FORWARD, ANSWER, "dlater ="),
            'if __name__ == "__main__":\n    main()',
        )
    ),
    "a device and a try": "\n\n".join(
        (
            IMPORTS,
            "device = 'cuda' if torch.cuda.is_available() else 'cpu'",
            CMP,
            function(
                "def run(words, steps=1):",
                VOCABULARY,
                BUILD,
                SPLIT,
                PARAMETERS,
                BATCH,
                FORWARD,
                BACKWARD,
                ANSWER.replace("torch.zeros_like(C)", "torch.zeros(C.shape, device=device)"),
                COMPARE,
                "return dC",
            ),
            "try:\n    result = run(open('names.txt').read().split())\nexcept KeyboardInterrupt:\n    print('stopped')",
        )
    ),
    "a download and a configuration": "\n\n".join(
        (
            "from dataclasses import dataclass\nimport requests",
            IMPORTS,
            "@dataclass\nclass Config:\n    n_embd: int = 10\n    n_hidden: int = 64\n    batch: int = 32",
            "cfg = Config()",
            "words = requests.get('https://example.org/names.txt').text.split()",
            VOCABULARY,
            BUILD,
            SPLIT,
            PARAMETERS,
            "n = cfg.batch\nix = torch.randint(0, Xtr.shape[0], (n,))\nxb, yb = Xtr[ix], Ytr[ix]",
            renamed(FORWARD, Xb="xb", Yb="yb"),
            BACKWARD,
            renamed(ANSWER, Xb="xb", Yb="yb"),
        )
    ),
    "cells that are functions of one name": "import marimo\napp = marimo.App()\n\n\n"
    + "\n\n".join(
        "@app.cell\n" + function("def _(torch, F, plt):", cell, "return")
        for cell in (WORDS, VOCABULARY, BUILD, SPLIT, CMP, PARAMETERS, BATCH, FORWARD, BACKWARD, ANSWER, COMPARE)
    )
    + "\n\nif __name__ == '__main__':\n    app.run()",
    "other names for the whole forward pass": renamed(
        f"{FLAT}\nfor step in range(9):\n"
        + indented("\n".join((BATCH, FORWARD, STEPS[8].replace("dnorm_logits", "probs"), "W1.data -= 0.1 * W1"))),
        **{
            prefix + name: prefix + own
            for prefix in ("", "d")
            for name, own in {"h": "hidden", "hpreact": "scaled", "hprebn": "linear", "bnraw": "unit"}.items()
        },
    ),
}
