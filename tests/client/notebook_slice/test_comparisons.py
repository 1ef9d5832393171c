"""Ways of comparing made the plain `cmp`: for each rule a notebook that is wrong without it."""

from __future__ import annotations

import pytest

from tests.client.notebook_slice.small_notebooks import read, taken

ANSWER = "dh = h * 1"
CHECK = "def check(s, dt, t):\n    return torch.allclose(dt, t.grad)"

# Cells after the answer, and what is taken of them beside it.
RULES = {
    "a function gives way to cmp": ((CHECK, "check('h', dh, h)"), "check = cmp\ncheck('h', dh, h)"),
    "a coroutine gives way too": (
        ("async " + CHECK, "await check('h', dh, h)"),
        "check = cmp\nawait check('h', dh, h)",
    ),
    "a lambda gives way too": (
        ("check = lambda s, dt, t: print(s, dt - t.grad)", "check('h', dh, h)"),
        "check = cmp\ncheck('h', dh, h)",
    ),
    "a decorated function goes with its decorator": (
        ("from torch import no_grad", f"@no_grad()\n{CHECK}", "check('h', dh, h)"),
        "check = cmp\ncheck('h', dh, h)",
    ),
    "cmp itself is not defined anew": (
        (CHECK.replace("check", "cmp"), "cmp('h', dh, h)"),
        "cmp('h', dh, h)",
    ),
    "cmp itself is not defined anew in a function": (
        ("def every():\n    def cmp(s, dt, t):\n        print(s, dt - t.grad)\n    cmp('h', dh)\nevery()",),
        "def every():\n    pass\n    cmp('h', dh)\nevery()",
    ),
    "a method gives way to cmp": (
        ("class Checker:\n    def see(self, s, dt, t):\n        print(s, dt - t.grad)", "Checker().see('h', dh, h)"),
        "cmp('h', dh, h)",
    ),
    "cmp as an attribute": (("tools.cmp('h', dh, h)",), "cmp('h', dh, h)"),
    "an asserted comparison": ((CHECK, "assert check('h', dh, h), 'wrong'"), "check = cmp\ncheck('h', dh, h)"),
    "an asserted comparison by a method": (("assert tools.cmp('h', dh, h)",), "cmp('h', dh, h)"),
    "a comparison whose result is kept": ((CHECK, "ok = check('h', dh, h)"), "check = cmp\ncheck('h', dh, h)"),
    "a comparison whose result is unpacked": (
        (CHECK, "def every():\n    a, b = check('h', dh, h)\nevery()"),
        "check = cmp\ndef every():\n    check('h', dh, h)\nevery()",
    ),
    "a comparison whose result is kept in a function": (
        (CHECK, "def every():\n    ok = check('h', dh, h)\n    return ok\nevery()"),
        "check = cmp\ndef every():\n    ok = check('h', dh, h)\n    return ok\nevery()",
    ),
    "a comparison whose result is added up": (
        (CHECK, "good = 0\ngood += check('h', dh, h)"),
        "check = cmp\ncheck('h', dh, h)",
    ),
    "a line that only asserts something about .grad": (
        ("with torch.no_grad():\n    dW2 = h.T\n    assert torch.allclose(dW2, W2.grad)",),
        "with torch.no_grad():\n    dW2 = h.T\n    pass",
    ),
    "a line that only prints something about .grad": (
        ("with torch.no_grad():\n    dW2 = h.T\n    print(dW2 - W2.grad)",),
        "with torch.no_grad():\n    dW2 = h.T\n    pass",
    ),
    "a line that asserts something else": (
        ("with torch.no_grad():\n    dW2 = h.T\n    assert dW2.shape == W2.shape",),
        "with torch.no_grad():\n    dW2 = h.T\n    assert dW2.shape == W2.shape",
    ),
    "a comparison beside .grad": (
        ("cmp('h', dh, h.grad)",),
        "cmp('h', dh, h.grad)",
    ),
    "an optimiser's step is no comparison": (
        ("def step(p, lr):\n    p.data -= lr * p.grad\n    return p", "dW2 = step(W2, 0.1)"),
        "def step(p, lr):\n    p.data -= lr * p.grad\n    return p\ndW2 = step(W2, 0.1)",
    ),
    "a function of one tensor is no comparison": (
        ("def grad_of(t):\n    return t.grad", "dW2 = grad_of(torch.ones(3))"),
        "def grad_of(t):\n    return t.grad\ndW2 = grad_of(torch.ones(3))",
    ),
    "a function that reads .grad of something else is no comparison": (
        ("keep = h", "def scaled(a, b):\n    return a * b if keep.grad is None else a", "dW2 = scaled(h, 2)"),
        "keep = h\ndef scaled(a, b):\n    return a * b if keep.grad is None else a\ndW2 = scaled(h, 2)",
    ),
    "letters of two bytes before it": (
        (CHECK, "größe = 'µ'; assert check('h', dh, h)"),
        "check = cmp\ncheck('h', dh, h)",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_comparison_becomes_plain(rule: str) -> None:
    cells, expected = RULES[rule]
    lines = taken(ANSWER, *cells).split("\n")
    assert sorted(lines) == sorted([ANSWER, *expected.split("\n")])


def test_a_comparing_method_stays_in_its_class() -> None:
    checker = (
        "class Checker:\n    def see(self, s, dt, t):\n        print(s, dt - t.grad)\n"
        "    def twice(self, x):\n        return x * 2"
    )
    source = taken(checker, "dh = Checker().twice(h)")
    assert source == f"{checker}\ndh = Checker().twice(h)"


def test_lines_keep_their_numbers() -> None:
    found = read(f"dh = h\n{CHECK}\nassert check(\n    'h',\n    dh,\n), 'wrong'\ndW2 = h.T")
    assert found.source.split("\n")[1:] == [
        "dh = h",
        "check = cmp",
        "check(",
        "    'h',",
        "    dh,",
        ")",
        "dW2 = h.T",
        "",
    ]
    assert [found.place(line) for line in (2, 3, 4, 8)] == [(1, 1), (1, 2), (1, 4), (1, 8)]
