"""Lecture notebooks in many styles, sliced and graded in the real sandbox.

Each has the shape of something that public notebooks of this lecture do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dojo.errors import BadFile
from dojo.notebook_slice import SECTIONS, Goal, NotebookSlice, read_cells, read_notebook, slice_notebook
from exercises.instance import Instance
from exercises.registry import find
from grader.grade import Grade, grade_code
from grader.sandbox import RunStatus, Sandbox
from tests.client.notebook_slice.test_notebooks import BEFORE, COMPARE, NAMES, SECOND, indented
from tests.client.notebooks import notebook

FULL = "makemore/full-backward"
# The lecture's own derivation, a step a line; loops are one step.
STEPS = [
    "dlogprobs = torch.zeros_like(logprobs)",
    "dlogprobs[range(n), Yb] = -1.0/n",
    "dprobs = (1.0 / probs) * dlogprobs",
    "dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)",
    "dcounts = counts_sum_inv * dprobs",
    "dcounts_sum = (-counts_sum**-2) * dcounts_sum_inv",
    "dcounts += torch.ones_like(counts) * dcounts_sum",
    "dnorm_logits = counts * dcounts",
    "dlogits = dnorm_logits.clone()",
    "dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)",
    "dlogits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes",
    "dh = dlogits @ W2.T",
    "dW2 = h.T @ dlogits",
    "db2 = dlogits.sum(0)",
    "dhpreact = (1.0 - h**2) * dh",
    "dbngain = (bnraw * dhpreact).sum(0, keepdim=True)",
    "dbnraw = bngain * dhpreact",
    "dbnbias = dhpreact.sum(0, keepdim=True)",
    "dbndiff = bnvar_inv * dbnraw",
    "dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)",
    "dbnvar = (-0.5*(bnvar + 1e-5)**-1.5) * dbnvar_inv",
    "dbndiff2 = (1.0/(n-1))*torch.ones_like(bndiff2) * dbnvar",
    "dbndiff += (2*bndiff) * dbndiff2",
    "dhprebn = dbndiff.clone()",
    "dbnmeani = (-dbndiff).sum(0)",
    "dhprebn += 1.0/n * (torch.ones_like(hprebn) * dbnmeani)",
    "dembcat = dhprebn @ W1.T",
    "dW1 = embcat.T @ dhprebn",
    "db1 = dhprebn.sum(0)",
    "demb = dembcat.view(emb.shape)",
    "dC = torch.zeros_like(C)",
    "for k in range(Xb.shape[0]):\n  for j in range(Xb.shape[1]):\n    ix = Xb[k,j]\n    dC[ix] += demb[k,j]",
]
ANSWER = "\n".join(STEPS)
LOOP = STEPS[-1]
ALL_ANSWERS = ", ".join("d" + name for name in NAMES)
ALL_TENSORS = ", ".join(NAMES)

THIRD = (
    "# Exercise 3: batchnorm, all in one go\n"
    "hpreact_fast = bngain * (hprebn - hprebn.mean(0, keepdim=True)) / torch.sqrt(hprebn.var(0) + 1e-5) + bnbias\n"
    "print('max diff:', (hpreact_fast - hpreact).abs().max())",
    "dhprebn = bngain*bnvar_inv/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))\n"
    "cmp('hprebn', dhprebn, hprebn)",
)
TRAINING = """n_embd, n_hidden = 10, 200
C = torch.randn((vocab_size, n_embd), generator=g)
parameters = [C]
with torch.no_grad():
  for i in range(200000):
    ix = torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)
    Xb, Yb = Xtr[ix], Ytr[ix]
    emb = C[Xb]
    embcat = emb.view(emb.shape[0], -1)
    logits = embcat @ W1
    dlogits = F.softmax(logits, 1)
    dembcat = dlogits @ W1.T
    demb = dembcat.view(emb.shape)
    dC = torch.zeros_like(C)
    grads = [dC]
    for p, grad in zip(parameters, grads):
      p.data += -0.1 * grad"""
CHECK_GRADS = "for p, g in zip(parameters, grads):\n  cmp(str(tuple(p.shape)), g, p)"


def replaced(*pairs: tuple[str, str], text: str = ANSWER) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def compared(template: str = "cmp('{0}', d{0}, {0})") -> str:
    return "\n".join(template.format(name) for name in NAMES)


def compared_in(body: str, call: str, *, name: str = "ninja") -> str:
    return f"def {name}():\n{indented(body)}\n\n{call}"


LECTURES = {
    # -- how cmp is written ---------------------------------------------------------------------------------
    "cmp with keyword arguments": (*BEFORE, ANSWER, compared("cmp(s='{0}', dt=d{0}, t={0})")),
    "cmp with a leading d in the name": (*BEFORE, ANSWER, compared("cmp('d{0}', d{0}, {0})")),
    "cmp under another name, arguments in another order": (
        *BEFORE,
        "def grad_check(t, dt, label, eps=1e-8):\n  ok = torch.allclose(dt, t.grad)\n  print(label, ok)\n  return ok",
        ANSWER,
        compared("grad_check({0}, d{0}, '{0}')"),
    ),
    "cmp that returns, asserted step by step": (
        *BEFORE,
        "def compare(name, dt, t):\n  return torch.allclose(dt, t.grad)",
        replaced((STEPS[2], STEPS[2] + "\nassert compare('dprobs', dprobs, probs), 'probs is wrong'")),
        compared("assert compare('{0}', d{0}, {0})"),
    ),
    "cmp that returns, unpacked and added up": (
        *BEFORE,
        "def cmp(s, dt, t):\n  ex = torch.all(dt == t.grad).item()\n  return ex, torch.allclose(dt, t.grad)",
        ANSWER,
        "ok = True\n" + compared("ex, app = cmp('{0}', d{0}, {0})") + "\nok &= cmp('C', dC, C)",
    ),
    "cmp that adds to its text first": (
        *BEFORE,
        "def cmp(s, dt, t):\n  s += ':'\n  s = s.ljust(16)\n  print(s, torch.all(dt == t.grad).item())",
        ANSWER,
        COMPARE,
    ),
    "cmp as a method of a class": (
        *BEFORE,
        "class Checker:\n  def __init__(self):\n    self.rows = []\n  def check(self, s, dt, t):\n"
        "    self.rows.append((s, torch.allclose(dt, t.grad)))\nchecker = Checker()",
        ANSWER,
        compared("checker.check('{0}', d{0}, {0})"),
    ),
    "cmp as a lambda": (
        *BEFORE,
        "check = lambda s, dt, t: print(s, torch.allclose(dt, t.grad))",
        ANSWER,
        compared("check('{0}', d{0}, {0})"),
    ),
    "cmp defined inside of the function that uses it": (
        *BEFORE,
        "def ninja():\n  def report(s, dt, t):\n    print(s, (dt - t.grad).abs().max())\n"
        + indented(ANSWER, "  ")
        + "\n"
        + indented(compared("report('{0}', d{0}, {0})"), "  ")
        + "\nninja()",
    ),
    "cmp fed with .grad": (*BEFORE, ANSWER, compared("cmp('{0}', d{0}, {0}.grad)")),
    "cmp replaced by allclose on .grad": (
        *BEFORE,
        ANSWER,
        compared("print('{0}', torch.allclose(d{0}, {0}.grad), (d{0} - {0}.grad).abs().max())"),
    ),
    "cmp in a loop over a list of tuples": (
        *BEFORE,
        ANSWER,
        f"for s, dt, t in zip({NAMES!r}, [{ALL_ANSWERS}], [{ALL_TENSORS}]):\n  cmp(s, dt, t)",
    ),
    "cmp in a comprehension with eval": (
        *BEFORE,
        ANSWER,
        f"_ = [cmp(s, eval('d' + s), eval(s)) for s in {' '.join(NAMES)!r}.split()]",
    ),
    "cmp with a whole sentence for a name": (*BEFORE, ANSWER, compared("cmp('{0}, after mending it', d{0}, {0})")),
    "cmp wrapped in a function of the name alone": (
        *BEFORE,
        "def check(s):\n  cmp(s, globals()['d' + s], globals()[s])",
        ANSWER,
        compared("check('{0}')"),
    ),
    "cmp before and after the last term is added": (
        *BEFORE,
        replaced((STEPS[6], "cmp('counts before', dcounts, counts)\n" + STEPS[6] + "\ncmp('counts', dcounts, counts)")),
    ),
    # -- how the answers are written ------------------------------------------------------------------------
    "type hints": (
        *BEFORE,
        "from torch import Tensor\nfrom jaxtyping import Float",
        replaced(
            ("dlogits = ", "dlogits: Float[Tensor, 'n v'] = "),
            (
                "db2 = dlogits.sum(0)",
                "def rows(x: Tensor, dim: int = 0) -> Tensor:\n  return x.sum(dim)\ndb2 = rows(dlogits)",
            ),
        ),
        COMPARE,
    ),
    "walrus": (
        *BEFORE,
        replaced(
            (STEPS[8] + "\n", ""),
            (
                STEPS[10],
                "(dlogits := dnorm_logits.clone()).add_(F.one_hot(logits.argmax(1), vocab_size) * dlogit_maxes)",
            ),
        ),
        compared().replace("cmp('h', dh, h)", "cmp('h', dh := dlogits @ W2.T, h)"),
    ),
    "tuple assignments": (
        *BEFORE,
        replaced(
            ("\n".join(STEPS[11:14]), "dh, dW2, db2 = dlogits @ W2.T, h.T @ dlogits, dlogits.sum(0)"),
            ("\n".join(STEPS[26:29]), "(dembcat, dW1), db1 = (dhprebn @ W1.T, embcat.T @ dhprebn), dhprebn.sum(0)"),
        ),
        COMPARE,
    ),
    "C by index_add_": (*BEFORE, replaced((LOOP, "dC.index_add_(0, Xb.view(-1), demb.view(-1, C.shape[1]))")), COMPARE),
    "C by scatter_add_ on a view": (
        *BEFORE,
        replaced(
            (
                LOOP,
                "flat = dC.view(-1, n_embd)\nflat.scatter_add_(0, Xb.view(-1, 1).expand(-1, 10), demb.view(-1, 10))",
            )
        ),
        COMPARE,
    ),
    "C by one_hot": (
        *BEFORE,
        replaced(
            (
                STEPS[-2] + "\n" + LOOP,
                "hot = F.one_hot(Xb, num_classes=vocab_size).float()\n"
                "dC = hot.view(-1, vocab_size).T @ demb.view(-1, n_embd)",
            )
        ),
        COMPARE,
    ),
    "C by einsum, imported": (
        *BEFORE,
        "from torch import einsum, tensor",
        replaced(
            (STEPS[-2] + "\n" + LOOP, "dC = einsum('bsv,bse->ve', F.one_hot(Xb, vocab_size).float(), demb)"),
        ),
        COMPARE,
    ),
    "C by numpy": (
        *BEFORE,
        "import numpy as np, matplotlib.pyplot as plt",
        replaced((LOOP, "np.add.at(dC.numpy(), Xb.numpy(), demb.numpy())")),
        COMPARE,
    ),
    "C in a function that changes a global": (
        *BEFORE,
        replaced((LOOP, f"def scatter():\n{indented(LOOP, '  ')}\nscatter()")),
        COMPARE,
    ),
    "C in a helper that another helper calls": (
        *BEFORE,
        "def put(out, at, what):\n  out[at] += what\ndef put_all(out):\n  for k in range(n):\n"
        "    for j in range(block_size):\n      put(out, Xb[k, j], demb[k, j])",
        replaced((LOOP, "put_all(dC)")),
        COMPARE,
    ),
    "a lambda for the sum over rows": (
        *BEFORE,
        "over = lambda x, d=0: x.sum(d, keepdim=True)",
        replaced(("dhpreact.sum(0, keepdim=True)", "over(dhpreact)")),
        COMPARE,
    ),
    "other names, assigned at the end": (
        *BEFORE,
        replaced(("dlogits", "dL_dlogits"), ("dh ", "dL_dh "), ("dh\n", "dL_dh\n")),
        "dlogits = dL_dlogits\ndh = dL_dh",
        COMPARE,
    ),
    "other names, handed to cmp": (
        *BEFORE,
        replaced(("dlogits", "grad_logits")),
        COMPARE.replace("dlogits", "grad_logits"),
    ),
    "a second name without clone": (
        *BEFORE,
        replaced((LOOP, "table = dC\n" + LOOP.replace("dC", "table"))),
    ),
    "parts added up at the end": (
        *BEFORE,
        replaced(
            (STEPS[4], "dcounts_1 = counts_sum_inv * dprobs"),
            (STEPS[6], "dcounts_2 = torch.ones_like(counts) * dcounts_sum\ndcounts = dcounts_1 + dcounts_2"),
        ),
        COMPARE,
    ),
    "an upstream gradient of the loss": (
        *BEFORE,
        "dloss = 1.0",
        replaced((STEPS[1], STEPS[1] + "\ndlogprobs *= dloss")),
        COMPARE,
    ),
    "the student's own names for the forward pass": (
        *BEFORE,
        "centred = hprebn - bnmeani\nembedded = C[Xb]",
        replaced(("bndiff) * dbndiff2", "centred) * dbndiff2"), ("view(emb.shape)", "view(embedded.shape)")),
        COMPARE,
    ),
    "on a device": (
        *BEFORE,
        "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        replaced((STEPS[-2], "dC = torch.zeros_like(C, device=device)")),
        COMPARE,
    ),
    "classes with a backward of their own": (
        *BEFORE,
        "class Linear:\n  def __init__(self, W):\n    self.W = W\n  def remember(self, x):\n    self.x = x\n"
        "  def backward(self, dout):\n    return dout @ self.W.T, self.x.T @ dout, dout.sum(0)\n"
        "last = Linear(W2)\nlast.remember(h)",
        replaced(("\n".join(STEPS[11:14]), "dh, dW2, db2 = last.backward(dlogits)")),
        COMPARE,
    ),
    "one function that returns a dict": (
        *BEFORE,
        f"def backward_pass():\n{indented(ANSWER)}\n    return {{k: v for k, v in locals().items() if k[0] == 'd'}}",
        "grads = backward_pass()",
        "\n".join(f"d{name} = grads['d{name}']" for name in NAMES),
    ),
    "one function with everything global": (
        *BEFORE,
        f"def by_hand():\n    global {ALL_ANSWERS}\n{indented(ANSWER)}\nby_hand()",
        COMPARE,
    ),
    "one function that compares": (*BEFORE, compared_in(ANSWER + "\n" + COMPARE, "ninja()")),
    "one function that compares and asserts": (
        *BEFORE,
        "def compare(s, dt, t):\n  return torch.allclose(dt, t.grad)",
        compared_in(ANSWER + "\n" + compared("assert compare(\n    '{0}',\n    d{0},\n    {0},\n)"), "ninja()"),
    ),
    "a step under an if, another under try": (
        *BEFORE,
        replaced(
            (STEPS[13], "if True:\n  db2 = dlogits.sum(0)\nelse:\n  db2 = None"),
            (STEPS[28], "try:\n  db1 = dhprebn.sum(0)\nexcept Exception as e:\n  print(e)"),
        ),
        COMPARE,
    ),
    "everything below no_grad, two cells": (
        *BEFORE,
        f"with torch.no_grad():\n{indented(ANSWER, '  ')}\n  display(dC)",
        f"with torch.no_grad():\n{indented(COMPARE, '  ')}",
    ),
    "checks by .grad inside of what is taken": (
        *BEFORE,
        f"with torch.no_grad():\n{indented(ANSWER, '  ')}\n"
        "  print('max diff', (dC - C.grad).abs().max())\n  assert torch.allclose(dC, C.grad), (\n    'C is wrong'\n  )",
        COMPARE,
    ),
    # -- cells ----------------------------------------------------------------------------------------------
    "a cell a step, compared and looked at in between": (
        *BEFORE,
        *(cell for step in STEPS for cell in (step, "dlogprobs.shape, logprobs.shape", "# why does this work?")),
        *COMPARE.split("\n"),
    ),
    "steps tried one by one, then all of them under the heading": (
        *BEFORE,
        *STEPS[:9],
        "dlogits = dnorm_logits # + ..., it's used elsewhere",
        "# Exercise 1: backprop through the whole thing manually\n" + ANSWER,
        COMPARE,
    ),
    "a wrong attempt, mended in a later cell": (
        *BEFORE,
        replaced((STEPS[-1], "dC[Xb] = demb")),
        "cmp('C', dC, C)",
        "dC = torch.zeros_like(C)\n" + LOOP,
        COMPARE,
    ),
    "cells out of order": (
        *BEFORE,
        *reversed([ANSWER.replace("F.one_hot", "hot"), "hot = lambda i, num_classes: F.one_hot(i, num_classes)"]),
        COMPARE,
    ),
    "a value that a later cell makes": (
        *BEFORE,
        replaced((LOOP, LOOP.replace("Xb.shape[0]", "rows"))),
        "rows = Xb.shape[0]",
        COMPARE,
    ),
    "a half-finished last cell with the beginning of an answer": (
        *BEFORE,
        "# Exercise 1: the whole thing\n" + ANSWER,
        "dC = torch.zeros_like(C)\nfor k in range(Xb.shape[0]):\n  for j in",
    ),
    "a half-finished last line below all answers": (*BEFORE, ANSWER + "\nfor k in range(Xb.shape[0]):\n"),
    "an unclosed bracket below all answers": (*BEFORE, ANSWER + "\n" + COMPARE + "\nplt.imshow(dlogits,\n  cmap="),
    "print as Python 2 had it, in the midst": (
        *BEFORE,
        replaced((STEPS[2], STEPS[2] + '\nprint "probs", dprobs.shape')),
        COMPARE,
    ),
    "prose at the end of a cell": (*BEFORE, ANSWER + "\nSo this is why we sum over the rows here.\n", COMPARE),
    "uniformly indented cells with a comment at the margin": (
        *BEFORE,
        "# my solution\n" + indented(ANSWER, "   "),
        indented(COMPARE, "\t"),
    ),
    "magics all over": (
        "!pip install torch \\\n    matplotlib --quiet\n%load_ext autoreload\n%autoreload 2",
        *BEFORE,
        "%%time\n" + replaced((STEPS[2], "%time " + STEPS[2] + "\ndprobs?\n?torch.log\n!nvidia-smi")),
        "%%html\n<b>cmp('logits', None)</b>",
        "%%capture output\n" + COMPARE,
        "%timeit dlogits.sum(0)",
        "display(dC)\n%matplotlib inline\nplt.imshow(dC)",
    ),
    "a form of Colab": (
        '#@title Setup {{ display-mode: "form" }}\nfrom google.colab import drive',
        *BEFORE,
        ANSWER,
        COMPARE,
    ),
    "a reference by autograd beside it": (
        *BEFORE,
        "ref = [logprobs.grad.clone(), C.grad]\ntrue_dC = C.grad\nassert true_dC is not None",
        ANSWER,
        "print((dC - true_dC).abs().max())",
        COMPARE,
    ),
    "an optimiser's step of one's own": (
        *BEFORE,
        "def step(p, lr):\n  p.data -= lr * p.grad",
        ANSWER,
        COMPARE,
        "step(W1, 0.1)\nstep(C, 0.1)",
    ),
    # -- the other exercises --------------------------------------------------------------------------------
    "all four exercises": (
        *BEFORE,
        "# Exercise 1: backprop through the whole thing manually\n" + ANSWER,
        COMPARE,
        *SECOND,
        *THIRD,
        "# Exercise 4: putting it all together!\n" + TRAINING,
        CHECK_GRADS,
    ),
    "all four exercises, numbered in markdown otherwise": (
        *BEFORE,
        "md:## 1. Backpropagate through the whole thing",
        ANSWER,
        COMPARE,
        "md:## 2. *Backprop through cross_entropy but all in one go*",
        *(each.replace("# Exercise 2", "#") for each in SECOND),
        "md:## 3. Backprop through batchnorm but all in one go",
        *(each.replace("# Exercise 3", "#").replace("_fast", "_now") for each in THIRD),
        "md:## 4. putting it all together!",
        TRAINING,
        CHECK_GRADS,
    ),
    "all four exercises without headings": (
        *BEFORE,
        ANSWER,
        COMPARE,
        *(each.replace("# Exercise 2", "#") for each in SECOND),
        *(each.replace("# Exercise 3", "#") for each in THIRD),
        TRAINING,
        CHECK_GRADS,
    ),
    "exercises 2 and 3 in one cell, without a word": (
        *BEFORE,
        ANSWER,
        COMPARE,
        SECOND[1] + "\n" + THIRD[0].replace("# Exercise 3: batchnorm, all in one go\n", "") + "\n" + THIRD[1],
    ),
    "a wrong exercise 2 without a word": (
        *BEFORE,
        ANSWER,
        "dlogits = F.softmax(logits, 1) # ???\ndlogits[range(n), Yb] -= 1",
    ),
    "a comment that mentions another exercise": (
        *BEFORE,
        "# Exercise 1: the whole thing\n" + "\n".join(STEPS[:11]) + "\n# exercise 2 does all of this in one line\n",
        "\n".join(STEPS[11:]),
        COMPARE,
        *SECOND,
    ),
    "a wrong exercise 2": (
        *BEFORE,
        "# Exercise 1\n" + ANSWER,
        COMPARE,
        SECOND[0],
        "dlogits = F.softmax(logits, 1) # ???\ncmp('logits', dlogits, logits)",
    ),
}


def read(cells: tuple[str, ...], slug: str = FULL) -> NotebookSlice:
    return harvested(notebook(*cells)["cells"], slug)


def harvested(raw: list[Any], slug: str = FULL) -> NotebookSlice:
    exercise = find(slug)
    handed_out = frozenset(Instance.canonical(exercise).tensors())
    names = tuple(each.name for each in exercise.checkpoints)
    return slice_notebook(read_cells(raw), Goal(names, handed_out, SECTIONS.get(slug)))


def graded(found: NotebookSlice, sandbox: Sandbox, slug: str = FULL) -> Grade:
    return grade_code(Instance.canonical(find(slug)), found.source, "lecture.ipynb", sandbox)


@pytest.mark.parametrize("lecture", LECTURES)
def test_all_answers_pass(lecture: str, sandbox: Sandbox) -> None:
    found = read(LECTURES[lecture])
    grade = graded(found, sandbox)
    assert grade.run is not None
    assert (grade.run.status, grade.run.message) == (RunStatus.OK, "")
    missed = [row.line() for row in grade.checkpoints if not row.passed]
    assert not missed, found.source
    # The grader's hint goes by words, and a class of one's own may have a method `backward`.
    assert not grade.flags or ".backward(dlogits)" in found.source


@pytest.mark.parametrize("lecture", LECTURES)
def test_nothing_else_comes_along(lecture: str) -> None:
    source = read(LECTURES[lecture]).source
    for left_out in ("loss.backward", "open(", "plt", "200000", "softmax", "hpreact_", "randint", "!pip", "google"):
        assert left_out not in source


def test_each_exercise_is_taken_from_its_section(sandbox: Sandbox) -> None:
    for lecture in ("all four exercises", "all four exercises, numbered in markdown otherwise"):
        for slug, mark in (("makemore/cross-entropy", "softmax"), ("makemore/batch-norm", "n/(n-1)")):
            found = read(LECTURES[lecture], slug)
            assert mark in found.source
            assert graded(found, sandbox, slug).complete


@pytest.mark.parametrize("lecture", [each for each in LECTURES if "without" in each or "all four" in each])
def test_exercises_2_and_3_never_replace_the_first(lecture: str, sandbox: Sandbox) -> None:
    exact = {row.name for row in graded(read(LECTURES[lecture]), sandbox).checkpoints if row.exact}
    assert {"logits", "hprebn"} <= exact


def test_unfinished_steps_leave_the_others_exact(sandbox: Sandbox) -> None:
    begun = "dhpreact = \ndbngain = \ndbnbias = \ndbnvar\n"
    found = read((*BEFORE, "\n".join(STEPS[:14]) + "\n" + begun + "\n".join(COMPARE.split("\n")[:11])))
    assert [row.exact for row in graded(found, sandbox).checkpoints] == [True] * 11 + [False] * 15
    assert found.remarks[0].startswith(f"Cell {len(BEFORE) + 1} is not finished: lines 15, 16, 17 left out")


def test_a_nearly_right_name_is_pointed_at() -> None:
    renamed = replaced(("dlogit_maxes", "dlogits_maxes"), ("dbnmeani", "dbnmean1"))
    found = read((*BEFORE, renamed))
    assert found.remarks == (
        "There is no dlogit_maxes, but a dlogits_maxes. If that is meant, name it dlogit_maxes.",
        "There is no dbnmeani, but a dbnmean1. If that is meant, name it dbnmeani.",
    )


def test_an_old_notebook_of_format_3(tmp_path: Path, sandbox: Sandbox) -> None:
    cells = [
        {"cell_type": "heading", "level": 1, "source": ["Exercise 1"]},
        *(
            {"cell_type": "code", "input": each.splitlines(keepends=True), "prompt_number": 3}
            for each in (ANSWER, COMPARE)
        ),
    ]
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}))
    found = harvested(read_notebook(path))
    assert graded(found, sandbox).complete
    assert [each.run for each in found.taken] == [3, 3]


def test_a_notebook_of_colab_with_pictures_of_megabytes(tmp_path: Path, sandbox: Sandbox) -> None:
    picture = {"output_type": "display_data", "data": {"image/png": "iVBORw0K" * 500_000}, "metadata": {}}
    cells = [
        {
            "cell_type": "code",
            "source": each,
            "outputs": [picture],
            "execution_count": None,
            "metadata": {"id": "x", "colab": {}},
        }
        for each in (ANSWER, COMPARE)
    ]
    path = tmp_path / "colab.ipynb"
    path.write_text(
        json.dumps({"cells": cells, "metadata": {"colab": {"provenance": []}}, "nbformat": 4, "nbformat_minor": 0})
    )
    assert graded(harvested(read_notebook(path)), sandbox).complete


def test_an_unfinished_line_is_named() -> None:
    found = read((*BEFORE, ANSWER + "\nprint 'probs'\nfor k in range("))
    last = len(ANSWER.split("\n"))
    assert found.remarks == (
        f"Cell {len(BEFORE) + 1} is not finished: lines {last + 1}, {last + 2} left out "
        "(Missing parentheses in call to 'print'. Did you mean print(...)?).",
    )


def test_what_a_broken_line_changes_is_not_graded() -> None:
    found = read((*BEFORE, "dprobs = probs\nfor i in range(3):\n  dprobs += (i\n  dprobs *= 2\ndh = h"))
    assert "dh = h\n" in found.source
    assert "dprobs" not in found.source
    assert found.remarks[0].endswith("line 3 left out ('(' was never closed). So dprobs is not graded.")


def test_a_gradient_of_torch_is_no_answer() -> None:
    found = read((*BEFORE, "dprobs = probs", "dh = h.grad.clone()\ndW2 = h.T @ dlogits"))
    assert "dh" not in found.source
    line = len(BEFORE) + 2
    reason = "it reads .grad, and there is none where it is graded. So dh is not graded."
    assert f"Cell {line}, line 1 is left out: {reason}" in found.remarks


def test_deep_nesting_is_explained() -> None:
    with pytest.raises(BadFile, match="nested too deep"):
        read(("dlogprobs = " + "+".join("1" * 600),))
    with pytest.raises(BadFile, match="Cell 1 is left out: Python cannot read it"):
        read(("dlogprobs = " + "+".join("1" * 5000),))


def test_an_undone_step_in_a_list_has_no_remark(sandbox: Sandbox) -> None:
    cells = (*BEFORE, "\n".join(STEPS[:3]), COMPARE)
    found = read(cells)
    assert not found.remarks
    assert graded(found, sandbox).passed == 2
