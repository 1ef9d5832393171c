"""A second wave: modules that are not there, containers, and what stands between answers."""

from __future__ import annotations

from tests.client.notebook_slice.shapes.shape import (
    ALL,
    BATCH,
    CMP,
    COMPARED,
    FORWARD,
    IMPORTS,
    LECTURE,
    LOGPROBS,
    ORDER,
    PARAMETERS,
    READING,
    SETUP,
    TOP,
    Shape,
    indented,
    names,
    replaced,
)

WITHOUT_CMP = SETUP[:-1]
BELOW = LECTURE[len(TOP) :]
PLAIN = "\n".join(SETUP)
ONE = names("logprobs")

SHAPES = (
    Shape(
        "zeros by numpy",
        (
            *SETUP,
            "import numpy as np\ndlogprobs = torch.from_numpy(np.zeros((32, 27), dtype=np.float32))\n"
            "dlogprobs[range(n), Yb] = -1/n",
        ),
        passes=ONE,
    ),
    Shape(
        "a heat map by seaborn",
        (*SETUP, "import seaborn as sns\n" + LECTURE + "\nsns.heatmap(dlogits.detach().numpy())"),
        passes=ALL,
    ),
    Shape("a graph by torchviz", (*SETUP, "from torchviz import make_dot\nmake_dot(loss)", LECTURE), passes=ALL),
    Shape(
        "a list of gradients, changed in it",
        (*SETUP, LECTURE, "grads = [dW1, db1, dC]\nfor g in grads:\n    g *= 1.0"),
        passes=ALL,
    ),
    Shape(
        "a namespace object",
        (
            *SETUP,
            "from types import SimpleNamespace\nG = SimpleNamespace()\n"
            "G.logprobs = torch.zeros_like(logprobs)\nG.logprobs[range(n), Yb] = -1/n\ndlogprobs = G.logprobs",
        ),
        passes=ONE,
    ),
    Shape(
        "a dict of all, taken apart at the end",
        (
            *SETUP,
            "g = {}\n"
            + "\n".join(f"g['{s}'] = None" for s in ORDER[:1])
            + "\ng['logprobs'] = torch.zeros_like(logprobs)\ng['logprobs'][range(n), Yb] = -1/n"
            "\ng['probs'] = g['logprobs'] / probs\ndlogprobs, dprobs = g['logprobs'], g['probs']",
        ),
        passes=names("logprobs probs"),
    ),
    Shape(
        "a value and an effect in one tuple",
        (*SETUP, "dlogprobs = (lambda z: (z.__setitem__((range(n), Yb), -1/n), z)[1])(torch.zeros_like(logprobs))"),
        passes=ONE,
    ),
    Shape("inference mode", (*SETUP, "with torch.inference_mode():\n" + indented(LECTURE)), passes=ALL),
    Shape(
        "a decorated function with globals",
        (
            *SETUP,
            "@torch.no_grad()\ndef backward():\n    global "
            + ", ".join("d" + s for s in ORDER)
            + "\n"
            + indented(LECTURE)
            + "\nbackward()",
        ),
        passes=ALL,
    ),
    Shape(
        "three at once in a tuple",
        (
            *SETUP,
            replaced(
                LECTURE,
                (
                    "dh = dlogits @ W2.T\ndW2 = h.T @ dlogits\ndb2 = dlogits.sum(0)",
                    "dh, dW2, db2 = (dlogits @ W2.T, h.T @ dlogits, dlogits.sum(0))",
                ),
            ),
        ),
        passes=ALL,
    ),
    Shape("n from the batch, right above", (*SETUP, "n = Xb.shape[0]\n" + LECTURE), passes=ALL),
    Shape("another name that becomes dC", (*SETUP, replaced(LECTURE, ("dC", "C_grad")), "dC = C_grad"), passes=ALL),
    Shape("the forward pass once more below", (*SETUP, LECTURE, COMPARED, BATCH + FORWARD), passes=ALL),
    Shape(
        "a first attempt and a second one",
        (*SETUP, LOGPROBS + "\ndprobs = dlogprobs * probs\ndcounts_sum_inv = dprobs.sum(1)", LECTURE, COMPARED),
        passes=ALL,
    ),
    Shape(
        "a stop between answers and training",
        (*SETUP, LECTURE, "assert False, 'stop here'", "for i in range(10**6):\n    pass"),
        passes=ALL,
    ),
    Shape("a question to the reader between steps", (*SETUP, TOP, "input('press enter')", BELOW), passes=ALL),
    Shape(
        "cmp from a module of one's own",
        (*WITHOUT_CMP, "from backprop_utils import cmp", LECTURE, COMPARED),
        passes=ALL,
    ),
    Shape(
        "cmp as a module's function",
        (*WITHOUT_CMP, "import my_cmp", LECTURE, COMPARED.replace("cmp('", "my_cmp.cmp('")),
        passes=ALL,
    ),
    Shape("answers under a condition on the loss", (*SETUP, "if loss.item() > 0:\n" + indented(LECTURE)), passes=ALL),
    Shape(
        "a module that is not there, for one step",
        (
            *SETUP,
            "import opt_einsum as oe",
            replaced(LECTURE, ("dW2 = h.T @ dlogits", "dW2 = oe.contract('bi,bj->ij', h, dlogits)")),
        ),
        passes=ALL - {"W2"},
        says=("opt_einsum",),
    ),
    Shape(
        "a script with a shebang and a docstring",
        script='#!/usr/bin/env python3\n"""My answers."""\nfrom __future__ import annotations\n' + PLAIN + LECTURE,
        passes=ALL,
    ),
    Shape(
        "torch under another name",
        script="import torch as th\n"
        + replaced(
            PLAIN,
            ("import torch\n", ""),
            ("torch.randn", "th.randn"),
            ("torch.Generator", "th.Generator"),
            ("torch.randint", "th.randint"),
            ("torch.tanh", "th.tanh"),
            ("torch.tensor", "th.tensor"),
            ("torch.all", "th.all"),
        )
        + LECTURE.replace("torch.", "th."),
        passes=ALL,
    ),
    Shape(
        "names imported from torch",
        script="from torch import zeros_like, ones_like\n"
        + PLAIN
        + LECTURE.replace("torch.zeros_like", "zeros_like").replace("torch.ones_like", "ones_like"),
        passes=ALL,
    ),
    Shape(
        "a relative import of cmp",
        script="from .utils import cmp\n"
        + IMPORTS
        + READING
        + PARAMETERS
        + BATCH
        + FORWARD
        + LECTURE
        + "\n"
        + COMPARED,
        passes=ALL,
    ),
    Shape(
        "constants in capitals",
        script=replaced(PLAIN, ("batch_size = 32\nn = batch_size", "BATCH_SIZE = 32\nbatch_size = n = BATCH_SIZE"))
        + LECTURE,
        passes=ALL,
    ),
    Shape(
        "the forward pass in a function with globals",
        script=IMPORTS
        + CMP
        + "\ndef forward():\n    global emb, embcat, hprebn, bnmeani, bndiff, bndiff2, bnvar, bnvar_inv, bnraw, hpreact"
        "\n    global h, logits, logit_maxes, norm_logits, counts, counts_sum, counts_sum_inv, probs, logprobs, loss\n"
        + indented(FORWARD)
        + "\n"
        + READING
        + PARAMETERS
        + BATCH
        + "forward()\n"
        + LECTURE,
        passes=ALL,
    ),
)
