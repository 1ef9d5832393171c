"""What lines may say: each statement form is read into the steps that a person would write."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from exercises.language import given, reader
from exercises.language.errors import Refused
from exercises.language.forward import Forward

GIVEN = given.read(
    """
x = data(4, 3)
W = param(3, 3)
b = param(3)
y = labels(3, 4)
scale = 0.5
training = True
mode = 'relu'
n = 4
"""
)


def read(lines: str) -> Forward:
    return reader.read(lines, GIVEN.samples())


def texts(lines: str) -> list[str]:
    return [line.text for line in read(lines).lines]


def value(forward: Forward) -> Tensor:
    """Return what the last step computes."""
    values = GIVEN.samples() | {each.name: each.draw(0) for each in forward.drawn}
    for line in forward.lines:
        values[line.name] = line.compute(values.__getitem__)
    result = values[forward.lines[-1].name]
    assert isinstance(result, Tensor)
    return result


FORMS = {
    "a name set twice": ("h = x @ W\nh = h + b", ["h = x @ W", "h_2 = h + b"]),
    "a chained assignment is one step": ("h = k = x @ W\nloss = (h * k).sum()", ["h = x @ W", "loss = (h * h).sum()"]),
    "a tuple": ("h, k = x @ W, x @ W + b", ["h = x @ W", "k = x @ W + b"]),
    "a star": ("h, *rest = (x @ W, b * 2, b * 3)\nz = rest[1] + h", ["h = x @ W", "rest_1 = b * 2", "rest_2 = b * 3",
                                                                     "z = rest_2 + h"]),
    "an augmented assignment": ("h = x @ W\nh += b\nh *= 2", ["h = x @ W", "h_2 = h + b", "h_3 = h_2 * 2"]),
    "a statement over several lines": ("h = (x @ W\n     + b)", ["h = x @ W + b"]),
    "several statements on a line": ("h = x @ W; k = h + b", ["h = x @ W", "k = h + b"]),
    "self and args": ("h = x @ self.W * args.scale", ["h = x @ W * scale"]),
    "a constant if": ("if training and mode == 'relu':\n    h = torch.relu(W)\nelse:\n    h = W",
                      ["h = torch.relu(W)"]),
    "a ternary": ("h = W if scale is None else W * scale", ["h = W * scale"]),
    "devices and casts": ("h = (x.to('cuda').float() @ W.cuda()).to(torch.float32)", ["h = x @ W"]),
    "numbers of shapes": ("B, T = x.shape\nh = W * T**-0.5 / x.size(0) + len(x) - x.numel()",
                          ["h = W * 3**-0.5 / 4 + 4 - 12"]),
    "mathematics of numbers": ("h = W * math.sqrt(2) * math.pi", ["h = W * math.sqrt(2) * math.pi"]),
    "a comprehension": ("h = torch.stack([W[i] * i for i in range(3) if i != 1])",
                        ["h = torch.stack((W[0] * 0, W[2] * 2))"]),
    "zip and enumerate": ("h = 0\nfor i, (w, c) in enumerate(zip([W, b], (2, 3))):\n    h = h + w * c + i",
                          ["h_1 = 0 + W * 2 + 0", "h_2 = h_1 + b * 3 + 1"]),
    "a loop over rows": ("h = b\nfor row in W:\n    h = h * row",
                         ["h_1 = b * W[0]", "h_2 = h_1 * W[1]", "h_3 = h_2 * W[2]"]),
    "loops inside each other": ("h = b\nfor i in range(2):\n    for j in range(1):\n        h = h * (i + j + 1)",
                                ["h_1_1 = b * 1", "h_2_1 = h_1_1 * 2"]),
    "break and continue": ("h = b\nfor i in range(9):\n    if i == 0:\n        continue\n    if i == 2:\n"
                           "        break\n"
                           "    h = h * 2", ["h_2 = b * 2"]),
    "while on numbers": ("h, i = b, 0\nwhile i < 2:\n    h = h * 2\n    i += 1", ["h_1 = b * 2", "h_2 = h_1 * 2"]),
    "a dict": ("parts = {'a': W * 2}\nparts['b'] = W * 3\nh = sum(parts.values())",
               ["parts_a = W * 2", "parts_b = W * 3", "h = parts_a + parts_b"]),
    "an f-string as a key": ("p = {f'w{i}': W for i in range(2)}\nh = p['w1'] * 2", ["h = W * 2"]),
    "a lambda": ("sq = lambda v: v * v\nh = sq(W) + sq(b)", ["sq_1 = W * W", "sq_2 = b * b", "h = sq_1 + sq_2"]),
    "a function with a name inside": ("def f(v, k=2):\n    t = v * k\n    return t + 1\nh = f(W)\nz = f(b, k=3)",
                                      ["t_1 = W * 2", "h = t_1 + 1", "t_2 = b * 3", "z = t_2 + 1"]),
    "map with a lambda": ("u, v = map(lambda t: t * 2, (W, b))", ["u = W * 2", "v = b * 2"]),
    "a class": ("class P:\n    def __init__(self, k):\n        self.k = k\n    @property\n    def double(self):\n"
                "        return self.k * 2\nh = W * P(3).double", ["h = W * 6"]),
    "a list that is appended to": ("hs = []\nfor i in range(2):\n    hs.append(b * (i + 1))\nh = torch.stack(hs)",
                                   ["hs_1 = b * 1", "hs_2 = b * 2", "h = torch.stack((hs_1, hs_2))"]),
    "a write into fresh zeros": ("h = torch.zeros(2, 3)\nfor i in range(2):\n    h[i] = b * (i + 1)\nz = h * 2",
                                 ["h_1 = b * 1", "h_2 = b * 2", "h = torch.stack((h_1, h_2))", "z = h * 2"]),
    "a write into a part": ("h = W * 2\nh[:, 0] = 0.0\nz = h * 2",
                            ["h = W * 2", "h_0 = torch.full((3,), 0.0)", "h_2 = torch.select_scatter(h, h_0, 1, 0)",
                             "z = h_2 * 2"]),
    "a recurrence through written rows": ("h = torch.zeros(3, 3)\nh[0] = b\nfor t in range(1, 3):\n"
                                          "    h[t] = torch.tanh(h[t - 1] @ W)\nz = h.sum()",
                                          ["h_1 = torch.tanh(b @ W)", "h_2 = torch.tanh(h_1 @ W)",
                                           "h = torch.stack((b, h_1, h_2))", "z = h.sum()"]),
    "a method in place": ("h = W * 2\nh.mul_(3).add_(1)\nz = h", ["h = W * 2", "h_2 = h * 3", "h_3 = h_2 + 1"]),
    "a tensor as a list": ("total = 0\nfor v in b.tolist():\n    total = total + v\nh = W * total",
                           ["total_1 = 0 + b.detach()[0]", "total_2 = total_1 + b.detach()[1]",
                            "total_3 = total_2 + b.detach()[2]", "h = W * total_3"]),
    "lambdas that see the last turn": ("fs = [lambda v: v * i for i in range(3)]\nh = fs[0](b)", ["h = b * 2"]),
    "einops": ("h = rearrange(W, '(a c) d -> a d c', a=1)", ["h = W.reshape(1, 3, 3).permute(0, 2, 1)"]),
    "a view of what was made contiguous": ("h = W.T.contiguous()\nz = h.view(-1)", ["h = W.T", "z = h.reshape(-1)"]),
    "imports and docstrings": ("'''Text.'''\nimport torch.nn.functional as Fn\nfrom math import sqrt\n"
                               "h = Fn.relu(W) * sqrt(4)",
                               ["h = torch.relu(W) * 2.0"]),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_read(form: str) -> None:
    lines, expected = FORMS[form]

    assert texts(lines) == expected


def test_the_text_of_a_step_reads_back_to_it() -> None:
    for lines, _ in FORMS.values():
        forward = read(lines)

        again = read("\n".join(line.text for line in forward.lines))

        assert [(line.name, line.expression) for line in again.lines] == [
            (line.name, line.expression) for line in forward.lines
        ]


@pytest.mark.parametrize("wall", ["with torch.no_grad():\n    t = x @ W", "t = (x @ W).detach()", "t = (x @ W).data",
                                  "@torch.no_grad()\ndef f():\n    return x @ W\nt = f()",
                                  "def f():\n    with torch.no_grad():\n        return x @ W, 1\n"
                                  "t, one = f()"])  # fmt: skip
def test_what_is_behind_a_wall_is_frozen(wall: str) -> None:
    forward = read(f"{wall}\nloss = (t * (x @ W)).sum()")

    assert [(line.name, line.frozen) for line in forward.lines] == [("t", True), ("loss", False)]
    assert forward.lines[0].text == "t = (x @ W).detach()"


def test_a_mask_that_nothing_reads_is_no_line() -> None:
    assert texts("unused = torch.ones(2)\nh = W * 2") == ["h = W * 2"]


def test_the_source_is_shown_where_it_reads_back() -> None:
    source = "h = x @ W  # a product\nz = h.relu( )"

    assert read(source).text == source


def test_a_comment_stays_with_its_last_step() -> None:
    assert read("h = x @ W\nh = h + b  # biased").text == "h = x @ W\nh_2 = h + b  # biased"


@pytest.mark.parametrize(
    ("line", "drawn", "text"),
    [
        ("z = W + torch.randn_like(W)", ("eps", "data", (3, 3)), "z = W + eps"),
        ("z = W * torch.rand(3, 3)", ("u", "uniform", (3, 3)), "z = W * u"),
        ("z = F.dropout(W, 0.5)", ("keep", "mask", (3, 3)), "z = W * keep / 0.5"),
        ("z = W * torch.bernoulli(torch.sigmoid(b))", ("u", "uniform", (3,)), "z = W * (u < torch.sigmoid(b)).float()"),
        ("z = W[torch.randint(0, 3, (5,))]", ("chosen", "labels", (3, 5)), "z = W[chosen]"),
        ("z = W + torch.zeros(3).normal_(0, 0.1)", ("eps", "data", (3,)), "z = W + eps"),
    ],
)
def test_noise_is_given(line: str, drawn: tuple[str, str, tuple[int, ...]], text: str) -> None:
    forward = read(line)

    assert [(each.name, each.kind, each.shape) for each in forward.drawn] == [drawn]
    assert [each.text for each in forward.lines] == [text]
    assert "drawn from the instance's seed" in forward.notes[0].text


def test_each_turn_of_a_loop_has_noise_of_its_own() -> None:
    forward = read("h = W\nfor i in range(2):\n    h = h + torch.randn(3)")

    assert [each.name for each in forward.drawn] == ["eps", "eps_2"]


def test_dropout_that_is_off_is_left_out() -> None:
    assert texts("h = F.dropout(W, 0.5, training=False) * 2\nk = F.dropout(W, p=0.0) * 2") == ["h = W * 2", "k = W * 2"]


def test_what_is_left_out_is_noted() -> None:
    notes = read("assert x.dim() == 2\nprint(x.mean().item())\nh = W * 2\nh.backward()").notes

    assert [(note.line, note.text) for note in notes] == [
        (1, "assert is left out"), (2, "print is left out"), (4, "h.backward is left out"),
    ]  # fmt: skip


def test_writes_give_the_values_of_torch() -> None:
    lines = """
h = x @ W
h[:, 1:3] = h[:, 0:2] * 2
h[1] = b
h[..., 0] += 1
h[2, 1:] = 7.0
h[[0, 3], 0] = 5.0
h[h > 4] = 4.0
"""
    names = {"torch": torch, **{name: each.detach().clone() if isinstance(each, Tensor) else each
                                for name, each in GIVEN.samples().items()}}  # fmt: skip
    exec(lines, names)

    forward = read(lines + "z = h * 1")

    assert torch.equal(value(forward), names["h"])  # type: ignore[arg-type]


REFUSALS = [
    ("h = W * 2\nif h.mean() > 0:\n    h = h * 2", 2, "this branch depends on a tensor's", "torch.where(h.mean() > 0"),
    ("h = W\nwhile h.norm() > 1:\n    h = h / 2", 2, "the number of turns depends", "for i in range(3)"),
    ("for i in range(int(y.max())):\n    pass", 1, "the number of turns depends", "for i in range(3)"),
    ("h = W.view(y.max(), 3)", 1, "torch refuses view", "Check the shapes"),
    ("h = torch.zeros(y.max())", 1, "a shape depends on a tensor's values", "as numbers"),
    ("h = W[W > 0]", 1, "a boolean mask gives a number of rows that depends on the values", "torch.where(W > 0, W, 0)"),
    ("h = 2 * torch.autograd.grad(W.sum(), W)[0]", 1, "second derivatives", "formula as lines"),
    ("h = torch.view_as_complex(W)", 1, "complex numbers", "two tensors"),
    ("h = W * 1j", 1, "complex numbers", "two tensors"),
    ("h = np.exp(W)", 1, "numpy has no gradient", "with torch"),
    ("h = W.detach().numpy()", 1, "numpy has no gradient", "with torch"),
    ("h = W.to_sparse()", 1, "sparse tensors", "dense"),
    ("h = nn.Linear(3, 4)(x)", 1, "nn.Linear makes a layer whose parameters are hidden", "W = param(4, 16)"),
    ("h = x @ nn.Parameter(torch.randn(3, 3))", 1, "nn.Parameter makes a parameter", "W = param(4, 16)"),
    ("h = self.fc(x)", 1, "self.fc hides its parameters", "fc_weight = param("),
    ("h = model(x)", 1, "'model' is not given, and no line defines it", "move its parameters to given"),
    ("h = x @ V", 1, "'V' is not given and no line above sets it", "V = param(4, 16)"),
    ("h = W * 2\nk = h.T\nh.add_(1)\nz = k * 2", 4, "line 3 changed k in place", "k.clone()"),
    ("h = W * 2\nk = F.relu(h, inplace=True)\nz = h + k", 3, "line 2 changed h in place", "h.clone()"),
    ("h = W * 2\nk = nn.ReLU(True)(h)\nz = h + k", 3, "line 2 changed h in place", "h.clone()"),
    ("h = W * 2\nparts = {'a': h}\nparts['a'] += 1\nz = h * 2", 4, "line 3 changed h in place", "h.clone()"),
    ("class A:\n    pass\na = A()\nh = W * 2\na.h = h\nh += 1\nz = a.h * 2", 7, "line 6 changed", ".clone()"),
    ("h = W * 2\nhs = [h]\nh += 1\nz = hs[0] * 2", 4, "line 3 changed", ".clone()"),
    ("n = 1\ndef f():\n    global n\n    n = 2\nf()\nh = W * n", 3, "'global n' is not read", "name = expression"),
    ("W += 1", 1, "changes a parameter in place", "new name"),
    ("h = W * 2\nh.foo()", 2, ".foo is not in the language", "operations of the language"),
    ("h = torch.foo(W)", 1, "torch.foo is not in the language", "operations of the language"),
    ("h = x @ x", 1, "torch refuses matmul", "Check the shapes"),
    ("h = max(W, b)", 1, "depends on their values", "torch.maximum"),
    ("h = math.exp(W.sum())", 1, "so no gradient goes through it", "torch.exp"),
    ("h = torch.multinomial(W.abs(), 1)", 1, "a drawn choice depends", "labels("),
    ("async def f():\n    pass", 1, "is not read", "name = expression"),
    ("h = open('/etc/passwd')", 1, "'open' is not given", "Define it in the lines"),
    ("h = W.__class__", 1, ".__class__ is not read", "operations"),
    ("h = (1).__class__.__bases__", 1, "is not read", "operations"),
    ("h = ''.join.__globals__", 1, "is not read", "operations"),
    ("class M(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.d = nn.Dropout(0.5)\n"
     "    def forward(self, v):\n        return self.d(v)\nh = M()(W)", 6, "training mode", "Set p = 0"),
    ("h = W *", 1, "this is no Python", "as Python has it"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "number", "reason", "advice"), REFUSALS, ids=[each[0][:30] for each in REFUSALS])
def test_a_refusal_names_the_line_and_says_what_to_write(lines: str, number: int, reason: str, advice: str) -> None:
    with pytest.raises(Refused) as refusal:
        read(lines)

    assert refusal.value.line == number
    assert reason in refusal.value.reason
    assert advice in refusal.value.advice
