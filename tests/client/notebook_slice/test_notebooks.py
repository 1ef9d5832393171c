"""Notebooks in many styles: all answers are taken and exact, and nothing else is taken."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from dojo.errors import BadFile
from dojo.notebook_slice import SECTIONS, Goal, NotebookSlice, slice_notebook
from dojo.notebook_slice.cells import read_cells, read_notebook
from exercises.instance import Instance
from exercises.registry import find
from tests.client.notebooks import notebook
from tests.lecture import lecture_notebook

EXERCISE = find("makemore/full-backward")
NAMES = tuple(each.name for each in EXERCISE.checkpoints)
ANSWER = EXERCISE.solution
COMPARE = "\n".join(f"cmp('{name}', d{name}, {name})" for name in NAMES)

IMPORTS = "import torch\nimport torch.nn.functional as F\nimport matplotlib.pyplot as plt\n%matplotlib inline"
DATASET = "words = open('names.txt').read().splitlines()\nXtr = torch.tensor([len(w) for w in words])"
CMP = "def cmp(s, dt, t):\n    print(s, torch.all(dt == t.grad).item())"
PARAMETERS = "g = torch.Generator().manual_seed(1)\nC = torch.randn((27, 10), generator=g)\nparameters = [C]"
BATCH = "n = 32\nix = torch.randint(0, Xtr.shape[0], (n,), generator=g)\nXb, Yb = Xtr[ix], Xtr[ix]"
BACKWARD = "for t in [logprobs, probs]:\n    t.retain_grad()\nloss.backward()"
BEFORE = (IMPORTS, DATASET, CMP, PARAMETERS, BATCH, EXERCISE.forward.text + "\n" + BACKWARD)

SECOND = (
    "# Exercise 2: all in one go\nloss_fast = F.cross_entropy(logits, Yb)",
    "dlogits = F.softmax(logits, 1)\ndlogits[range(n), Yb] -= 1\ndlogits /= n\ncmp('logits', dlogits)",
)
FOURTH = """# Exercise 4: putting it all together
with torch.no_grad():
    for i in range(200000):
        Xb, Yb = Xtr[ix], Xtr[ix]
        emb = C[Xb]
        logits = emb.sum(1)
        dlogits = F.softmax(logits, 1)
        dC = torch.zeros_like(C)
        C.data += -0.1 * dC"""


def indented(text: str, by: str = "    ") -> str:
    return "\n".join(by + line if line else line for line in text.split("\n"))


def one_cell_a_line(text: str) -> tuple[str, ...]:
    """Each statement in a cell of its own, loops whole."""
    blocks = text.split("\n\n")
    return tuple(line for block in blocks for line in ([block] if "for " in block else block.split("\n")) if line)


def read(*cells: str, slug: str = EXERCISE.slug) -> NotebookSlice:
    exercise = find(slug)
    wanted = Goal(tuple(each.name for each in exercise.checkpoints), frozenset(state(slug)), SECTIONS.get(slug))
    return slice_notebook(read_cells(notebook(*cells)["cells"]), wanted)


@functools.cache
def state(slug: str) -> dict[str, Any]:
    tensors = Instance.canonical(find(slug)).tensors()
    return {
        name: int(each) if each.dim() == 0 and each.dtype == torch.int64 else each for name, each in tensors.items()
    }


@functools.cache
def right(slug: str) -> dict[str, torch.Tensor]:
    return find(slug).played(Instance.canonical(find(slug)).tensors()).gradients()


def answers(source: str, slug: str = EXERCISE.slug) -> dict[str, Any]:
    """Run a source as the grader does: with the handed-out names, torch, F and a cmp that stores its arguments."""
    compared: dict[str, torch.Tensor] = {}

    def cmp(s: str, dt: torch.Tensor, t: Any = None) -> None:
        compared[s] = dt.clone()

    namespace = {**state(slug), "torch": torch, "F": F, "cmp": cmp}
    exec(source, namespace)
    checkpoints = [each.name for each in find(slug).checkpoints]
    return {name: compared.get(name, namespace.get(f"d{name}")) for name in checkpoints}


def exact(source: str) -> int:
    found = answers(source)
    return sum(
        torch.equal(found[name].expand_as(right(EXERCISE.slug)[name]), right(EXERCISE.slug)[name]) for name in NAMES
    )


VARIANTS = {
    "one cell for the answers": (*BEFORE, ANSWER, COMPARE),
    "everything in one cell": ("\n".join((*BEFORE, ANSWER, COMPARE)),),
    "without cmp": (*BEFORE, ANSWER),
    "a cell a line": (*BEFORE, *one_cell_a_line(ANSWER), *COMPARE.split("\n")),
    "uniformly indented cells": (*BEFORE, indented(ANSWER), indented(COMPARE, "\t")),
    "half-finished last cell": (*BEFORE, ANSWER, COMPARE, "dC = torch.zeros_like(C)\nfor k in range("),
    "magics": (
        *BEFORE,
        "%%time\n" + ANSWER,
        "%timeit dlogits.sum()\n!ls\ndlogits?\n" + COMPARE,
        "%%bash\nls",
    ),
    "plots and prints": (*BEFORE, ANSWER, "print(dC)\nplt.imshow(dlogits.detach())\ndlogits.shape", COMPARE),
    "semicolons": (*BEFORE, ANSWER, "; ".join(COMPARE.split("\n"))),
    "a helper": (
        *BEFORE,
        "def over_rows(x):\n    return total(x, 0)\ndef total(x, dim):\n    return x.sum(dim, keepdim=True)",
        ANSWER.replace("dhpreact.sum(0, keepdim=True)", "over_rows(dhpreact)"),
        COMPARE,
    ),
    "a helper in a later cell": (
        *BEFORE,
        ANSWER.replace("torch.zeros_like(C)", "empty(C)"),
        COMPARE,
        "from math import prod\ndef empty(x):\n    return torch.zeros(prod(x.shape)).view(x.shape)",
    ),
    "a helper that hides a builtin": (
        *BEFORE,
        "sum = lambda x: x.sum(1, keepdim=True)",
        ANSWER.replace("(dprobs * counts).sum(1, keepdim=True)", "sum(dprobs * counts)"),
    ),
    "a helper that changes its argument": (
        *BEFORE,
        "def fill(x):\n    x[range(n), Yb] = -1.0 / n",
        ANSWER.replace("dlogprobs[range(n), Yb] = -1.0 / n", "fill(dlogprobs)"),
    ),
    "a name of the student's own for cmp's arguments": (
        *BEFORE,
        ANSWER,
        "check = cmp\n" + COMPARE.replace("cmp", "check"),
    ),
    "cmp in a loop": (*BEFORE, ANSWER, f"for s in {NAMES!r}:\n    cmp(s, globals()['d' + s], globals()[s])"),
    "cmp in a function": (*BEFORE, ANSWER, f"def all_of_them():\n{indented(COMPARE)}", "all_of_them()"),
    "gradients in a dict": (
        *BEFORE,
        "grads = {}\n" + ANSWER,
        "\n".join(f"grads['{name}'] = d{name}" for name in NAMES),
        "for name, grad in grads.items():\n    cmp(name, grad)",
    ),
    "a function for all of them": (
        *BEFORE,
        f"def by_hand():\n{indented(ANSWER)}\n    return {', '.join('d' + name for name in NAMES)}",
        f"{', '.join('d' + name for name in NAMES)} = by_hand()",
    ),
    "no_grad around it": (*BEFORE, f"with torch.no_grad():\n{indented(ANSWER + chr(10) + COMPARE)}"),
    "a failed attempt before": (*BEFORE, "dC = demb[Xb]\ndlogits = undefined", ANSWER, COMPARE),
    "placeholders after it": (*BEFORE, ANSWER, COMPARE, "dlogits = None # TODO"),
    "the other exercises after it": (
        *BEFORE,
        "# Exercise 1: the whole thing\n" + ANSWER,
        COMPARE,
        *SECOND,
        FOURTH,
    ),
    "our own notebook": (
        "import dojo\nex = dojo.pull('makemore/full-backward')\nex.into(globals())\ncmp = ex.cmp",
        ANSWER,
        COMPARE.replace("cmp", "ex.cmp"),
        "ex.check()",
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_answers_come_out_exact(variant: str) -> None:
    assert exact(read(*VARIANTS[variant]).source) == 26


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_else_comes_along(variant: str) -> None:
    source = read(*VARIANTS[variant]).source
    for left_out in (
        "backward()",
        "retain_grad",
        "open(",
        "plt.",
        "import dojo",
        "200000",
        "manual_seed",
        "print(dC)",
    ):
        assert left_out not in source


def test_another_exercise_takes_its_own_section() -> None:
    cells = (*BEFORE, "# Exercise 1\n" + ANSWER, COMPARE, *SECOND, FOURTH)
    found = read(*cells, slug="makemore/cross-entropy")
    assert "F.softmax(logits, 1)" in found.source
    assert "dnorm_logits" not in found.source
    logits = answers(found.source, "makemore/cross-entropy")["logits"]
    assert torch.allclose(logits, right("makemore/cross-entropy")["logits"])


def test_a_renamed_cmp_becomes_the_graders() -> None:
    cells = (*BEFORE, "def verify(dt, t, s):\n    print(s, (dt - t.grad).abs().max())", ANSWER)
    found = read(*cells, "verify(dlogits, logits, 'logits')\nverify(dh, h, 'unheard of')\nverify(1, 2, 'neither')")
    assert "verify = __cmp__" in found.source
    assert "t.grad" not in found.source
    assert "verify(dlogits, logits, 'logits')\nverify(dh, h, 'unheard of')\n" in found.source
    assert "neither" not in found.source


def test_each_cells_contribution_is_listed() -> None:
    found = read(
        *BEFORE,
        "dlogprobs = torch.zeros_like(logprobs)\nhelper = 3",
        "dlogprobs[range(n), Yb] = -1/n\nprint(1)",
    )
    assert [(each.cell, each.names, each.whole) for each in found.taken] == [
        (7, ("dlogprobs",), False),
        (8, ("dlogprobs",), False),
    ]
    assert found.cells == 8


def test_a_line_is_found_in_its_cell() -> None:
    found = read(*BEFORE, "# why\n\ndlogprobs = torch.zeros_like(logprobs)\nprint(1)\ndprobs = dlogprobs")
    lines = found.source.split("\n")
    assert found.place(lines.index("dprobs = dlogprobs") + 1) == (7, 5)
    assert found.place(1) is None
    assert found.place(99) is None


def test_an_undone_step_has_no_remark() -> None:
    found = read(*BEFORE, "dlogprobs = torch.zeros_like(logprobs)", "dprobs = None\ncmp('probs', dprobs, probs)")
    assert "dprobs" not in found.source
    assert not found.remarks


def test_what_reads_a_file_is_left_out() -> None:
    found = read(*BEFORE, "dlogprobs = torch.zeros_like(logprobs)", "dprobs = probs * len(words)")
    assert "dprobs" not in found.source
    assert found.remarks == ("Cell 2, line 1 is left out: it reads a file or the keyboard. So dprobs is not graded.",)


def test_a_value_that_nothing_makes_is_named() -> None:
    found = read(*BEFORE, "dlogprobs = torch.zeros_like(logprobs)", "dprobs = probs * mystery")
    assert found.remarks == ("Cell 8, line 1 is left out: mystery has no value before it. So dprobs is not graded.",)


def test_a_notebook_without_answers_says_what_to_do() -> None:
    with pytest.raises(BadFile, match="--exercise"):
        read(*BEFORE)


def test_the_lectures_own_notebook_is_26_exact() -> None:
    found = slice_notebook(
        read_cells(read_notebook(lecture_notebook())), Goal(NAMES, frozenset(state(EXERCISE.slug)), 1)
    )
    assert exact(found.source) == 26
    assert [remark for remark in found.remarks if "Cell 61" in remark and "indentation" in remark]
