"""The reader is closed and bounded: no line makes it work long, take much memory, or run Python."""

from __future__ import annotations

import pytest
import torch

from exercises.language import reader
from exercises.language.errors import Refused
from exercises.language.reading.limits import Limits

SAMPLES = {"x": torch.ones(3, 4).requires_grad_()}

HOSTILE = {
    "parentheses": "h = " + "(" * 5_000 + "x" + ")" * 5_000,
    "signs": "h = " + "-" * 5_000 + "x",
    "a long sum": "h = " + "+".join(["x"] * 3_000),
    "attributes": "h = x" + ".T" * 3_000,
    "indices": "h = x" + "[0]" * 3_000,
    "blocks": "\n".join(" " * depth + "if True:" for depth in range(99)) + "\n" + " " * 99 + "h = x.foo()",
    "lambdas": "h = " + "(lambda: " * 500 + "x" + ")()" * 500,
    "a tower of powers": "h = x * 10**10**10",
    "a large power": "h = x * 2**(2**40)",
    "a shift": "h = x * (1 << 10**9)",
    "a long number": "h = x * " + "9" * 10_000,
    "products": "n = 3\nfor i in range(200):\n    n = n * n\nh = x * n",
    "a long string": "s = 'a' * 10**9",
    "strings that double": "s = 'a'\nfor i in range(60):\n    s = s + s",
    "a wide field": "s = f'{1:1000000000}'\nfor i in range(10**5):\n    s = f'{s}{s}'",
    "a long list": "s = [0] * 10**9",
    "lists that double": "s = [1]\nfor i in range(60):\n    s = s + s",
    "a list that extends itself": "s = [1]\nfor i in range(60):\n    s.extend(s)",
    "a wide list in a list": "h = torch.tensor([[0] * 9999] * 9999)",
    "wide lists": "s = [[0] * 9999 for _ in range(900)]",
    "joined strings": "s = ','.join(['a' * 9999] * 9999)",
    "a property of itself": "class A:\n    @property\n    def a(self):\n        return self.a\nh = A().a",
    "a list in a list": "s = []\nfor i in range(1000):\n    s = [s, s]\nh = torch.stack(s)",
    "a huge range": "h = x\nfor i in range(10**12):\n    h = h + 1",
    "a huge range of nothing": "for i in range(10**18):\n    pass",
    "ranges in ranges": "for i in range(900):\n  for j in range(900):\n    for k in range(900):\n      pass",
    "a list of a range": "s = list(range(10**9))",
    "a comprehension": "s = [i for i in range(1000) for j in range(1000) for k in range(1000)]",
    "a loop without end": "while True:\n    pass",
    "recursion": "def f(v):\n    return f(v)\nh = f(x)",
    "recursion by two": "def f(v, n):\n    return f(v, n - 1) + f(v, n - 1) if n else v\nh = f(x, 25)",
    "recursion of a lambda": "f = lambda v: f(v)\nh = f(x)",
    "a generator of itself": "class A:\n    def __init__(self):\n        self.a = A()\nh = A()",
    "many steps": "h = x\nfor i in range(999):\n    for j in range(9):\n        h = h + 1",
    "large zeros": "h = torch.zeros(10**5, 10**5)",
    "large ones": "h = torch.ones((2**40,))",
    "a negative size": "h = torch.zeros(-1)",
    "many large tensors": "h = x.sum()\nfor i in range(900):\n    h = h + torch.ones(1000, 1000).sum()",
    "repeat": "h = x.repeat(10**6, 10**6)",
    "expand": "h = x[None].expand(10**9, 3, 4).contiguous() + 1",
    "repeat_interleave": "h = x.repeat_interleave(10**9)",
    "an outer product": "h = x.repeat(20000, 1)\nk = h[:, None, :] * h[None, :, :]",
    "a padding": "h = F.pad(x, (10**9, 10**9))",
    "a padding of conv": "h = F.conv1d(x[None], x[:, :3, None].repeat(1, 1, 1), padding=10**9)",
    "one_hot": "h = F.one_hot(torch.tensor([1]), 10**10)",
    "arange": "h = torch.arange(0, 1, 1e-12)",
    "linspace": "h = torch.linspace(0, 1, 10**10)",
    "eye": "h = torch.eye(10**6)",
    "interpolate": "h = F.interpolate(x[None], scale_factor=1e9)",
    "einsum": "h = x.repeat(1000, 1)\nk = torch.einsum('ab,cd,ef->abcdef', h, h, h)",
    "a cat of many": "h = x\nfor i in range(60):\n    h = torch.cat((h, h))",
    "einops": "h = repeat(x, 'a b -> a b c', c=10**10)",
    "an expression that doubles": "s = [x]\nfor i in range(100):\n    s = [s[0] + s[0]]\nh = x.foo()",
    "eval": "h = eval('x')",
    "exec": "exec('import os')",
    "an import hook": "h = __import__('os').system('true')",
    "a module's attribute": "import os\nos.system('true')",
    "builtins": "h = x.__init__.__globals__",
    "a class's dunder": "class A:\n    pass\nh = A().__class__.__mro__",
    "torch's own loader": "h = torch.load('f')",
    "a function's code": "def f():\n    pass\nf.__code__ = 1\nh = f.__globals__['os']",
    "a format of an object": "h = '{0.__class__}'.format(x)",
    "bytes that are formatted": "s = b'%1000000000d' % 1",
    "a rounding": "n = round(1, -10**9)",
    "a long product": "n = math.prod([math.prod([2**127] * 10_000)] * 10_000)",
    "a sum of lists": "s = sum([[0] * 10_000] * 10_000, [])",
    "a long join": "s = ('a' * 10_000).join(['a' * 10_000] * 10_000)",
    "lists of lists in a string": "s = f'{[[[[0] * 999] * 999] * 999] * 999}'\nh = x.foo()",
    "lists of lists in a tensor": "h = torch.tensor([[[[0] * 999] * 999] * 999] * 999)",
    "lists of lists in a stack": "h = torch.stack([[[[x] * 999] * 999] * 999] * 999)",
    "lists of lists that are compared": "[[[[0] * 999] * 999] * 999] == [[[[0] * 999] * 999] * 999]",
    "lists of lists that are looked for": "[[[[0] * 999] * 999] * 999].index([[[0] * 999] * 999])",
    "tuples of tuples as a key": "s = {((((0,) * 999,) * 999,) * 999): 1}",
    "tile": "h = x.tile(10**4, 10**4)",
    "pieces without elements": "h = torch.tensor_split(x, 10**8)",
    "one_hot of a large number": "h = F.one_hot(torch.tensor([10**10]))",
    "bincount of a large number": "h = torch.bincount(torch.tensor([10**10]))",
    "repeats of a tensor": "h = x.repeat_interleave(torch.tensor([10**9, 1, 1]), 0)",
    "a large einsum": "h = x.repeat(1_000, 1)[:, 0]\nk = torch.einsum('a,b->ab', h, h)",
    "rows of a tensor": "h = torch.ones(10**6)\ns = list(h)",
    "rows of a tensor in a loop": "h = torch.ones(10**6)\nfor row in h:\n    pass",
    "sorts without end": "h = torch.ones(2**20)\nfor i in range(999):\n    s = torch.sort(h)",
    "a null byte": "h = x\0",
    "no text": "\x00",
    "a surrogate": "h = '\ud800'\nk = x.foo()",
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_line_is_refused(attack: str) -> None:
    with pytest.raises(Refused):
        reader.read(HOSTILE[attack], SAMPLES)


def test_the_work_of_a_refused_loop_is_bounded() -> None:
    limits = Limits(parts=500)

    with pytest.raises(Refused, match="more than 500 operations"):
        reader.read("h = x\nfor i in range(900):\n    for j in range(900):\n        pass", SAMPLES, limits=limits)


def test_elements_of_all_tensors_are_counted() -> None:
    limits = Limits(elements_total=100)

    with pytest.raises(Refused, match="all tensors together have more than 100 elements"):
        reader.read("h = x * 1\n" * 10, SAMPLES, limits=limits)


@pytest.mark.parametrize(
    "line",
    [
        "assert __import__('os').system('true')",
        "import os",
        "print(__import__('os').system('true'))",
        "torch.nn.init.warnings.sys.modules['os'].system('true')",
        "k = h[torch.nn.init.warnings.sys.modules['os'].system('true') :]",
        "k = h[torch.nn.init.warnings.sys.exit(1) :]",
        "k = h * (1 or 10**10**10)",
        "k = h * (1 + (2 < 1 < 10**10**10))",
    ],
)
def test_what_is_left_out_unread_is_not_in_the_text(line: str) -> None:
    forward = reader.read(f"h = x * 2\n{line}\nloss = h.sum()", SAMPLES)

    assert not any(word in forward.text for word in ("import", "sys", "10 **", "10**"))
    assert [each.name for each in forward.lines][-1] == "loss"
