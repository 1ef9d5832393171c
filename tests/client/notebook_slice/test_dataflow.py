"""What a statement reads, binds and changes: for each rule a notebook whose answer would be wrong without it."""

from __future__ import annotations

import pytest

from tests.client.notebook_slice.small_notebooks import taken

CHANGING = "append extend insert update add setdefault pop remove clear sort reverse".split()
VIEWS = (
    "detach expand expand_as flatten movedim narrow numpy permute ravel reshape select squeeze swapaxes t "
    "transpose unsqueeze view view_as"
).split()

# Every cell of these belongs to the answer.
WHOLE = {
    "an attribute of it is changed": ("dh = h * 1", "dh.data.mul_(2)"),
    "an element of it is changed": ("dh = h * 1", "dh[0].mul_(2)"),
    "an unpacked pair is changed": (
        "pair = (torch.ones_like(h), 0.5)",
        "torch.nn.init.constant_(*pair)",
        "dh = pair[0]",
    ),
    "an index is read where one writes": ("rows = 2", "dh = h * 1", "dh[rows] = 0"),
    "an index is read where one adds": ("rows = 2", "dh = h * 1", "dh[rows] += 1"),
    "a name is read before it is bound": ("dh = h * 1", "dh = dh * 2"),
    "a name is read before it is bound, with a hint": ("dh = h * 1", "dh: torch.Tensor = dh * 2"),
    "a name is read before it is bound by a walrus": ("dh = h * 1", "print(dh := dh * 2)"),
    "a name is added to": ("dh = h * 1", "dh += 1"),
    "a package is imported with its module": ("import numpy.linalg", "dh = h * numpy.linalg.norm(h)"),
    "a module is imported under another name": ("import math as m", "dh = h * m.pi"),
    "a function is imported under another name": ("from math import sqrt as root", "dh = h * root(2)"),
    "a default is read where a function is made": (
        "scale = 2",
        "def twice(x, by=scale):\n    return x * by",
        "dh = twice(h)",
    ),
    "a default of a keyword is read where a function is made": (
        "scale = 2",
        "def twice(x, *, by=scale):\n    return x * by",
        "dh = twice(h)",
    ),
    "a decorator is read where a function is made": (
        "def plain(function):\n    return function",
        "@plain\ndef twice(x):\n    return x * 2",
        "dh = twice(h)",
    ),
    "an inner function reads from outside": (
        "scale = 2",
        "def outer(x):\n    def inner(y):\n        return y * scale\n    return inner(x)",
        "dh = outer(h)",
    ),
    "a coroutine reads from outside": (
        "scale = 2",
        "async def twice(x):\n    return x * scale",
        "dh = await twice(h)",
    ),
    "a default of a lambda": ("scale = 2", "twice = lambda x, by=scale: x * by", "dh = twice(h)"),
    "a default of a lambda's keyword": ("scale = 2", "twice = lambda x, *, by=scale: x * by", "dh = twice(h)"),
    "a lambda in a lambda": ("scale = 2", "twice = lambda x: (lambda y: y * scale)(x)", "dh = twice(h)"),
    "a base class": ("class Base:\n    by = 2", "class Layer(Base):\n    pass", "dh = h * Layer.by"),
    "a decorated class": (
        "from dataclasses import dataclass",
        "@dataclass\nclass Layer:\n    by: int = 2",
        "dh = h * Layer().by",
    ),
    "a metaclass": ("class Meta(type):\n    by = 2", "class Layer(metaclass=Meta):\n    pass", "dh = h * Layer.by"),
    "a class reads where it is made": ("scale = 2", "class Layer:\n    by = scale", "dh = h * Layer.by"),
    "a method reads when it is called": (
        "scale = 2",
        "class Layer:\n    def twice(self, x):\n        return x * scale",
        "dh = Layer().twice(h)",
    ),
    "a class in a loop reads the loop's variable": (
        "for i in range(2):\n    class Layer:\n        by = i\n    dh = h * i",
    ),
    "an argument by keyword is changed": ("def fill(x):\n    x[0] = 1", "dh = h * 1", "fill(x=dh)"),
    "the first argument of torch's in-place function": ("dh = h * 1", "torch.nn.init.zeros_(dh)"),
    "the first argument of numpy's at": ("import numpy", "dh = h * 1", "numpy.add.at(dh, 0, 1)"),
    "the output of a function": ("dh = h * 1", "torch.mul(h, 2, out=dh)"),
    "a condition of a comprehension": ("most = 2", "dh = sum(h * i for i in range(3) if i < most)"),
    "a key of a comprehension": ("key = 'a'", "dh = h * len({key: i for i in range(3)})"),
    "a value of a comprehension": ("value = 2", "dh = h * {i: value for i in range(3)}[0]"),
    "an element of a comprehension": ("value = 2", "dh = h * sum([value for _ in range(3)])"),
    "a comprehension's variable of the same name as what it goes over": ("i = range(3)", "dh = sum(h * i for i in i)"),
    "a comprehension's variable is its own": ("i = 3", "dh = sum(h * i for i in range(2)) * i"),
    "a condition is read": ("flag = n > 1", "if flag:\n    dh = h\nelse:\n    dh = -h"),
    "what one branch binds may have its old value": ("dh = h * 2", "if n > 99:\n    dh = h"),
    "what a loop goes over is read": ("rows = range(2)", "for i in rows:\n    dh = h * i"),
    "what a loop binds may have its old value": ("dh = h * 2", "for i in range(n - 32):\n    dh = h"),
    "a loop's else": ("for i in range(2):\n    pass\nelse:\n    dh = h",),
    "a while's condition is read": ("left = [1]", "while left.pop():\n    dh = h"),
    "a while's else": ("while n < 0:\n    pass\nelse:\n    dh = h",),
    "a loop adds to a name of its own": ("for i in range(2):\n    part = h * i\n    part += 1\n    dh = part",),
    "what is tried may have its old value": ("dh = h * 2", "try:\n    dh = h @ h\nexcept RuntimeError:\n    pass"),
    "the else of a try": ("try:\n    pass\nexcept ValueError:\n    pass\nelse:\n    dh = h",),
    "a handler": ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    dh = h",),
    "a handler's name": ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    dh = h * len(e.args)",),
    "a group of exceptions": ("try:\n    1 / 0\nexcept* ZeroDivisionError as e:\n    dh = h * len(e.exceptions)",),
    "what is done finally": ("try:\n    pass\nfinally:\n    dh = h",),
    "what is matched is read": ("kind = 'a'", "match kind:\n    case _:\n        dh = h"),
    "what a case captures": ("match n:\n    case [count]:\n        dh = h\n    case count:\n        dh = h * count",),
    "what a case binds may have its old value": ("dh = h * 2", "match n:\n    case 7:\n        dh = h"),
}

# Cells, and what is taken of them.
PARTS = {
    "requires_grad_ changes no number": (("dh = h * 1", "dh.requires_grad_()"), "dh = h * 1"),
    "a method of Python changes no number": (("dh = h * 1", "dh.__len__()"), "dh = h * 1"),
    "a copy is another tensor": (("dh = h * 1", "dh.clone().add_(1)"), "dh = h * 1"),
    "a hint without a value is no value": (("dh = h * 1", "dh: torch.Tensor"), "dh = h * 1"),
    "both branches bind it": (
        ("dh = h * 9", "if n > 1:\n    dh = h\nelse:\n    dh = -h"),
        "if n > 1:\n    dh = h\nelse:\n    dh = -h",
    ),
    "finally binds it": (
        ("dh = h * 9", "try:\n    pass\nfinally:\n    dh = h"),
        "try:\n    pass\nfinally:\n    dh = h",
    ),
    "a lambda's parameter is not the name outside": (
        ("x = 3", "twice = lambda x: x * 2", "dh = twice(h)"),
        "twice = lambda x: x * 2\ndh = twice(h)",
    ),
    "a local name in a lambda is not the one outside": (
        ("y = 3", "def twice(x):\n    y = x\n    return (lambda: y * 2)()", "dh = twice(h)"),
        "def twice(x):\n    y = x\n    return (lambda: y * 2)()\ndh = twice(h)",
    ),
}


@pytest.mark.parametrize("rule", WHOLE)
def test_needed_statements_are_taken(rule: str) -> None:
    cells = WHOLE[rule]
    assert taken(*cells) == "\n".join(cells)


@pytest.mark.parametrize("rule", PARTS)
def test_unneeded_statements_are_not_taken(rule: str) -> None:
    cells, expected = PARTS[rule]
    assert taken(*cells) == expected


@pytest.mark.parametrize("method", CHANGING)
def test_a_method_that_changes_a_container_is_taken(method: str) -> None:
    cells = ("parts = [h, h]", f"parts.{method}(h)", "dh = parts[0]")
    assert taken(*cells) == "\n".join(cells)


@pytest.mark.parametrize("view", VIEWS)
def test_a_change_through_a_view_is_taken(view: str) -> None:
    cells = ("dh = h * 1", f"dh.{view}(0).add_(1)")
    assert taken(*cells) == "\n".join(cells)
