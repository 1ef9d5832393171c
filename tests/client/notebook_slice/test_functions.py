"""What a call of the notebook's own functions changes: for each rule a notebook that is wrong without it."""

from __future__ import annotations

import pytest

from tests.client.notebook_slice.small_notebooks import taken

# Every cell of these belongs to the answer.
WHOLE = {
    "a method changes what it is of": (
        "class Box:\n    def put(self, x):\n        self.x = x",
        "box = Box()",
        "box.put(h)",
        "dh = box.x",
    ),
    "a method changes what it is of, by position alone": (
        "class Box:\n    def put(self, /, x):\n        self.x = x",
        "box = Box()",
        "box.put(h)",
        "dh = box.x",
    ),
    "a method changes its argument": (
        "class Filler:\n    def fill(self, x):\n        x[0] = 1",
        "filler = Filler()",
        "dh = h * 1",
        "filler.fill(dh)",
    ),
    "a function changes its argument": ("def fill(x):\n    x[0] = 1", "dh = h * 1", "fill(dh)"),
    "a function changes its argument by another function": (
        "def fill(x):\n    x[0] = 1",
        "def fill_all(x):\n    fill(x)",
        "dh = h * 1",
        "fill_all(dh)",
    ),
    "a function that calls itself": (
        "def fill(x, i=0):\n    x[i] = 1\n    if i < 3:\n        fill(x, i + 1)",
        "dh = h * 1",
        "fill(dh)",
    ),
    "a function changes the contents of an outer name": ("dh = h * 1", "def fill():\n    dh[0] = 1", "fill()"),
    "a function binds a global name": ("def make():\n    global dh\n    dh = h * 1", "make()"),
    "a function may bind a global name": ("def make():\n    global dh\n    if n > 1:\n        dh = h * 1", "make()"),
    "a function adds to a global name": ("dh = h * 1", "def more():\n    global dh\n    dh += 1", "more()"),
}

# Cells, and what is taken of them.
PARTS = {
    "a method that keeps an argument does not change it": (
        (
            "class Box:\n    def put(self, x):\n        self.x = x",
            "box = Box()",
            "dh = h * 1",
            "box.put(dh)",
        ),
        "dh = h * 1",
    ),
    "a local name of a function is not the one outside": (
        ("def twice(x):\n    dh = x * 1\n    dh[0] = 2\n    return dh", "dh = h * 1", "twice(h)"),
        "dh = h * 1",
    ),
    "a parameter is not the name outside": (
        ("def fill(dh):\n    dh[0] = 1", "dh = h * 1", "fill(torch.ones(3))"),
        "dh = h * 1",
    ),
    "a method of the same name as a function changes nothing of it": (
        ("def fill(x):\n    x[0] = 1", "dh = h * 1", "queue.fill(dh)"),
        "dh = h * 1",
    ),
}


@pytest.mark.parametrize("rule", WHOLE)
def test_a_call_that_changes_an_answer_is_taken(rule: str) -> None:
    cells = WHOLE[rule]
    assert taken(*cells) == "\n".join(cells)


@pytest.mark.parametrize("rule", PARTS)
def test_a_call_that_changes_nothing_stays(rule: str) -> None:
    cells, expected = PARTS[rule]
    assert taken(*cells) == expected


def test_methods_of_one_name_are_all_candidates() -> None:
    classes = (
        "class A:\n    def put(self, x):\n        x[0] = 1",
        "class B:\n    def put(self, x):\n        return x",
    )
    for first, second in (classes, classes[::-1]):
        source = taken(first, second, "a = A()", "dh = h * 1", "a.put(dh)")
        assert source.endswith("dh = h * 1\na.put(dh)")
