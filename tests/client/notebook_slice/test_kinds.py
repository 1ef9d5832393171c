"""Answers, comparisons, and what stays behind: for each rule a notebook that is wrong without it."""

from __future__ import annotations

import pytest

from tests.client.notebook_slice.small_notebooks import read, taken

BACKWARD_OF_ONES_OWN = "class Layer:\n    def backward(self, d):\n        return d * 2"

# Every cell of these belongs to the answer.
WHOLE = {
    "a loop that makes two handed-out names anew": (
        "for i in range(2):\n    emb = C[Xb]\n    embcat = emb\n    dh = h",
    ),
    "a number is no placeholder": ("dh = 0.0", "dh += h"),
    "None for something that is no answer": ("best = None", "dh = h if best is None else best"),
    "a function that may go backward": (
        "def twice(x, check=False):\n    if check:\n        x.backward()\n    return x * 2",
        "dh = twice(h)",
    ),
    "a class that may go backward": (
        "class Layer:\n    def twice(self, x):\n        return x * 2\n    def check(self, x):\n        x.backward()",
        "dh = Layer().twice(h)",
    ),
    "a function that may draw": (
        "def twice(x, noise=False):\n    return x * torch.rand(1) if noise else x * 2",
        "dh = twice(h)",
    ),
    "a backward of the student's own": (BACKWARD_OF_ONES_OWN, "layer = Layer()", "dh = layer.backward(h)"),
    "grad of something that is not handed out": (
        "import types",
        "box = types.SimpleNamespace(grad=2)",
        "dh = h * box.grad",
    ),
    "a comparison in a statement that makes nothing": ("dh = h * 1", "cmp('h', dh, h)"),
    "a comparison by keywords": ("grad = h * 1", "cmp(s='h', dt=grad, t=h)"),
    "a comparison with blanks in the name": ("grad = h * 1", "cmp(' h ', grad)"),
    "a comparison with a d in the name": ("grad = h * 1", "cmp('dh', grad)"),
    "a comparison by the tensor": ("grad = h * 1", "cmp('the hidden layer', grad, h)"),
    "a comparison by the answer": ("dh = h * 1", "cmp('the hidden layer', dh, grad)".replace("grad", "3")),
    "a comparison under a second name": ("check = cmp", "grad = h * 1", "check('h', grad)"),
    "a comparison under a third name": ("check = cmp", "look = check", "grad = h * 1", "look('h', grad)"),
    "a comparison by a function": ("def look(s, d):\n    cmp(s, d)", "grad = h * 1", "look('h', grad)"),
    "a comparison by a coroutine": ("async def look(s, d):\n    cmp(s, d)", "grad = h * 1", "await look('h', grad)"),
    "a comparison by a function that calls the function": (
        "def look(s, d):\n    cmp(s, d)",
        "def see(s, d):\n    look(s, d)",
        "grad = h * 1",
        "see('h', grad)",
    ),
}

# Cells, and what is taken of them.
PARTS = {
    "a loop that makes three handed-out names anew": (
        ("dh = h", "for i in range(9):\n    emb = C[Xb]\n    embcat = emb\n    hprebn = emb\n    dh = h * 2"),
        "dh = h",
    ),
    "a loop that may make three handed-out names anew": (
        ("dh = h", "for i in range(9):\n    if i:\n        emb, embcat, hprebn = C, C, C\n        dh = h * 2"),
        "dh = h",
    ),
    "a while that trains": (
        ("dh = h", "i = 0\nwhile i < 9:\n    emb, embcat, hprebn = C, C, C\n    dh = h * 2"),
        "dh = h",
    ),
    "an asynchronous loop that trains": (
        ("dh = h", "async for i in h:\n    emb, embcat, hprebn = C, C, C\n    dh = h * 2"),
        "dh = h",
    ),
    "a placeholder after an answer": (("dh = h", "dh = None"), "dh = h"),
    "a placeholder with a hint after an answer": (("dh = h", "dh: torch.Tensor = None"), "dh = h"),
    "a look at an answer": (("dh = h", "print(dh)"), "dh = h"),
    "a loop that goes backward": (("dh = h", "for t in [h]:\n    loss.backward()\n    dh = t"), "dh = h"),
    "torch's backward of a loss under another name": (
        ("dh = h", "for t in [h]:\n    (loss + 1).backward()\n    dh = t"),
        "dh = h",
    ),
    "torch's backward beside one of the student's own": (
        (BACKWARD_OF_ONES_OWN, "dh = h", "for t in [h]:\n    loss.backward()\n    dh = t"),
        "dh = h",
    ),
    "a class with another method is no backward of one's own": (
        (
            BACKWARD_OF_ONES_OWN.replace("backward", "forward"),
            "dh = h",
            "for t in [h]:\n    (loss + 1).backward()\n    dh = t",
        ),
        "dh = h",
    ),
    "a comparison in a function that nobody calls": (("dW2 = h", "def later():\n    cmp('h', dh, h)"), "dW2 = h"),
    "a comparison for something else": (("dh = h", "cmp('neither', 1, 2)"), "dh = h"),
    "the last of two comparisons by keywords": (
        ("grad = h * 1", "cmp(s='h', dt=grad)", "grad2 = h", "cmp(s='h', dt=grad2)"),
        "grad2 = h\ncmp(s='h', dt=grad2)",
    ),
    "a comparison whose name is only known at run time": (
        ("dh = h", "for s in ['h']:\n    cmp(s, eval('d' + s))"),
        "dh = h\nfor s in ['h']:\n    cmp(s, eval('d' + s))",
    ),
}


@pytest.mark.parametrize("rule", WHOLE)
def test_an_answers_statements_are_taken(rule: str) -> None:
    cells = WHOLE[rule]
    assert taken(*cells) == "\n".join(cells)


@pytest.mark.parametrize("rule", PARTS)
def test_other_statements_are_not_taken(rule: str) -> None:
    cells, expected = PARTS[rule]
    assert taken(*cells) == expected


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("dh = h * len(open('names.txt').read())", "it reads a file or the keyboard"),
        ("dh = h * float(input())", "it reads a file or the keyboard"),
        ("dh = h.grad", "it reads .grad, and there is none where it is graded"),
        ("dh: torch.Tensor = h.grad.clone()", "it reads .grad, and there is none where it is graded"),
        ("dh = h * 1\ndh += h.grad", "it reads .grad, and there is none where it is graded"),
        ("while True:\n    loss.backward()\n    scale = 2\ndh = h * scale", "scale has no value"),
        ("dh = torch.load('dh.pt')", "it reads a file or the keyboard"),
        ("from tools import box\ndh = h * box", "it imports tools"),
        ("from .tools import box\ndh = h * box", "it imports .tools"),
        ("from .math import pi\ndh = h * pi", "it imports .math"),
        ("import argparse\nargs = argparse.ArgumentParser().parse_args()\ndh = h * args.by", "the command line"),
        ("dh = h * torch.rand(1)", "it draws random numbers, and the exercise hands out its own"),
        ("dh = W1.grad * 2", "it reads W1.grad, and there is none where it is graded; write dW1"),
        ("g = W1.grad\ndh = g * 2", "write dW1"),
    ],
)
def test_what_the_grader_cannot_run_is_left_out(cell: str, reason: str) -> None:
    found = read("dW2 = h.T", cell)
    assert any(reason in remark for remark in found.remarks)
    assert cell.split("\n")[-1] not in found.source


def test_the_tensor_goes_before_a_name_in_words() -> None:
    cells = ("grad = h * 1", "cmp('h', grad, counts)", "cmp('counts', grad, counts)")
    assert taken(*cells) == "\n".join((cells[0], cells[2]))
    assert taken(cells[0], "cmp('h', grad, counts)") == "\n".join(cells[:2])


def test_an_own_line_counts_before_torchs_gradient() -> None:
    for after in (
        "dh = h.grad.clone()",
        "dh, dW2 = h.grad, W2.grad",
        "if n:\n    dh = h.grad",
        "for t in [h]:\n    dh = t.grad",
    ):
        found = read("dh = h * 2", after, "dC = dh @ C")
        assert found.source == "# --- cell 1 ---\ndh = h * 2\n\n# --- cell 3 ---\ndC = dh @ C\n"
        assert any("Your own dh above it counts." in remark for remark in found.remarks)
