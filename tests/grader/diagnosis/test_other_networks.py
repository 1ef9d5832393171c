"""Mistakes in networks that no line of the diagnosis was written for: softmax, windows, shared weights, layer norm."""

from __future__ import annotations

from functools import cache

import pytest

from exercises.exercise import Exercise
from exercises.instance import Instance, Kind
from grader.compare import Comparison, Origin
from tests.mistakes.play import play
from tests.support.networks import network

SOFTMAX = network(
    "x = param(12, 8)\ng = data(12, 8)",
    "z = x * 2.0\ny = torch.softmax(z, dim=1)\nloss = (y * g).sum()",
    "dy = g.clone()\ndz = y * (dy - (y * dy).sum(1, keepdim=True))\ndx = dz * 2.0\n",
)
HEADS = network(
    "s = param(2, 3, 6, 6)\nmask = causal(6)\ng = data(2, 3, 6, 6)",
    "m = s.masked_fill(mask, -1e9)\natt = torch.softmax(m, dim=-1)\nloss = (att * g).sum()",
    "datt = g.clone()\ndm = att * (datt - (att * datt).sum(-1, keepdim=True))\nds = dm.masked_fill(mask, 0.0)\n",
)
LOG_SOFTMAX = network(
    "z = param(12, 8)\ng = data(12, 8)",
    "y = torch.log_softmax(z, dim=1)\nloss = (y * g).sum()",
    "dy = g.clone()\ndz = dy - y.exp() * dy.sum(1, keepdim=True)\n",
)
WINDOWS = network(
    "x = param(20)\nw = param(5)\ng = data(16)",
    "windows = x.unfold(0, 5, 1)\ny = windows @ w\nloss = (y * g).sum()",
    """
dy = g.clone()
dwindows = dy[:, None] * w
dw = windows.T @ dy
dx = torch.zeros_like(x)
for i in range(16):
    dx[i:i + 5] += dwindows[i]
""",
)
CONVOLUTION = network(
    "x = param(2, 3, 20)\nw = param(4, 3, 5)\nb = param(4)\ng = data(2, 4, 16)",
    "y = F.conv1d(x, w, b)\nloss = (y * g).sum()",
    """
dy = g.clone()
dx = F.conv_transpose1d(dy, w)
dw = torch.einsum("bot,bitk->oik", dy, x.unfold(2, 5, 1))
db = dy.sum((0, 2))
""",
)
SHARED = network(
    "x = data(3, 6, 5)\nh0 = data(6, 8)\nW = param(5, 8)\nU = param(8, 8)\nb = param(8)\ng = data(6, 8)",
    """
a1 = x[0] @ W + h0 @ U + b
h1 = torch.tanh(a1)
a2 = x[1] @ W + h1 @ U + b
h2 = torch.tanh(a2)
a3 = x[2] @ W + h2 @ U + b
h3 = torch.tanh(a3)
loss = (h3 * g).sum()
""",
    """
dh3 = g.clone()
da3 = (1 - h3**2) * dh3
dW = x[2].T @ da3
dU = h2.T @ da3
db = da3.sum(0)
dh2 = da3 @ U.T
da2 = (1 - h2**2) * dh2
dW += x[1].T @ da2
dU += h1.T @ da2
db += da2.sum(0)
dh1 = da2 @ U.T
da1 = (1 - h1**2) * dh1
dW += x[0].T @ da1
dU += h0.T @ da1
db += da1.sum(0)
""",
)
PLACES = network(
    "a = param(5, 6)\nb = param(5, 6)\nc = data(5, 6)\ng = data(5, 12)",
    "y = torch.cat((a * c - b, a * b + 3.0 * b * c), dim=1)\nloss = (y * g).sum()",
    """
dy = g.clone()
left, right = dy.chunk(2, dim=1)
da = left * c + right * b
db = -left + right * a + 3.0 * right * c
""",
)
PIECES = network(
    "x = param(4, 6)\nW = param(6, 12)\ng = data(4, 4)",
    "p = x @ W\nq, k, v = p.split(4, dim=1)\ny = torch.tanh(q) * k + v\nloss = (y * g).sum()",
    """
dy = g.clone()
dq = dy * k * (1 - torch.tanh(q)**2)
dk = dy * torch.tanh(q)
dv = dy.clone()
dp = torch.cat((dq, dk, dv), dim=1)
dx = dp @ W.T
dW = x.T @ dp
""",
)


def normed(*shape: int, axis: int) -> Exercise:
    """Return a layer norm whose forward pass drops the axis that it averages."""
    sizes, count = ", ".join(map(str, shape)), shape[axis]
    return network(
        f"x = param({sizes})\ng = data({sizes})",
        f"""
m = x.mean({axis})
c = x - m.unsqueeze({axis})
s = c ** 2
v = s.mean({axis})
i = (v + 1e-5) ** -0.5
y = c * i.unsqueeze({axis})
loss = (y * g).sum()
""",
        f"""
dy = g.clone()
di = (dy * c).sum({axis})
dv = -0.5 * (v + 1e-5) ** -1.5 * di
ds = torch.ones_like(s) * dv.unsqueeze({axis}) / {count}
dc = dy * i.unsqueeze({axis}) + 2 * c * ds
dm = -dc.sum({axis})
dx = dc + dm.unsqueeze({axis}) / {count}
""",
    )


SQUARE, BOX = normed(8, 8, axis=1), normed(6, 6, 5, axis=1)
NETWORKS = (SOFTMAX, HEADS, LOG_SOFTMAX, WINDOWS, CONVOLUTION, SHARED, PLACES, PIECES, SQUARE, BOX)


@cache
def instance(exercise: int) -> Instance:
    return Instance.canonical(NETWORKS[exercise])


def rows(exercise: Exercise, *changes: tuple[str, str]) -> dict[str, Comparison]:
    """Return the rows of the right answer with some of its text replaced."""
    source = exercise.solution
    for old, new in changes:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return {row.name: row for row in play(instance(NETWORKS.index(exercise)), source)}


def own(table: dict[str, Comparison]) -> list[str]:
    return [name for name, row in table.items() if row.origin is Origin.OWN]


@pytest.mark.parametrize("number", range(len(NETWORKS)))
def test_the_networks_are_right_to_begin_with(number: int) -> None:
    assert all(row.passed for row in rows(NETWORKS[number]).values())


IN_THE_DERIVATIVE = "In the derivative of the line of y, "
NAMED = [
    (SOFTMAX, ".sum(1,", ".sum(0,", "z", "wrong_axis", "a sum goes along axis 0; it belongs along axis 1."),
    (SOFTMAX, ".sum(1, keepdim=True)", ".sum()", "z", "wrong_axis", "a sum goes over everything; it belongs along"),
    (SOFTMAX, ".sum(1, keepdim=True)", "", "z", "not_reduced", "line of y, the sum along axis 1 is left out."),
    (SOFTMAX, "(dy - (y", "(dy + (y", "z", "term_sign", "the part with the sum along axis 1 has the wrong sign."),
    (HEADS, ".sum(-1,", ".sum(-2,", "m", "wrong_axis", "a sum goes along axis 2; it belongs along axis 3."),
    (HEADS, "(att * datt).sum(-1, keepdim=True)", "0", "m", "missing_term", "sum along axis 3 is missing."),
    (SOFTMAX, "(dy - (y", "(-(y", "z", "missing_term", "the part without a sum is missing."),
    (SOFTMAX, "(dy - (y", "(-dy - (y", "z", "term_sign", "the part without a sum has the wrong sign."),
    (SOFTMAX, "(dy - (y", "(2 * dy - (y", "z", "double_counted", "the part without a sum is there twice."),
    (SOFTMAX, "(dy - (y", "(dy - 2 * (y", "z", "double_counted", "with the sum along axis 1 is there twice."),
    (SOFTMAX, "(dy - (y", "(y - (y", "z", "missing_upstream", "without a sum has a value in place of a gradient."),
    (SOFTMAX, "(y * dy).sum", "(y * dy).mean", "z", "term_scale", "a mean along axis 1 stands where a sum belongs."),
    (SOFTMAX, "(y * dy).sum", "(y * y).sum", "z", "missing_upstream", "axis 1 has a value in place of a gradient."),
    (SOFTMAX, "(y * dy).sum", "y.sum", "z", "missing_upstream", "no gradient shows in the part with the sum"),
    (SOFTMAX, "(y * dy).sum", "dy.sum", "z", "missing_local", "the part with the sum along axis 1 lacks a factor."),
    (SOFTMAX, "(y * dy).sum", "(dy / y).sum", "z", "missing_local", "along axis 1 divides where it must multiply."),
    (SOFTMAX, "(y * dy).sum", "(z * dy).sum", "z", "missing_local", "the sum along axis 1 has another factor."),
    (HEADS, "att * (datt - (att", "(datt - (att", "m", "missing_local", "the factor in front of the parenthesis is"),
    (LOG_SOFTMAX, "= dy - ", "= -", "z", "missing_term", "the part without a sum is missing."),
    (LOG_SOFTMAX, "= dy - ", "= y - ", "z", "missing_upstream", "without a sum has a value in place of a gradient."),
    (LOG_SOFTMAX, " * dy.sum(1, keepdim=True)", "", "z", "missing_upstream", "no gradient shows in the part with"),
    (LOG_SOFTMAX, "y.exp()", "y", "z", "missing_local", "the part with the sum along axis 1 has another factor."),
    (LOG_SOFTMAX, "y.exp()", "z.exp()", "z", "missing_local", "part with the sum along axis 1 has another factor."),
    (LOG_SOFTMAX, "y.exp() * ", "", "z", "missing_local", "the part with the sum along axis 1 lacks a factor."),
    (LOG_SOFTMAX, ".sum(1,", ".sum(0,", "z", "wrong_axis", IN_THE_DERIVATIVE + "a sum goes along axis 0;"),
    (WINDOWS, "* w", "* w.flip(0)", "windows", "transposed", "but back to front along axis 1."),
    (WINDOWS, "dwindows[i]", "dwindows[i].flip(0)", "x", "transposed", "dwindows goes into your gradient back to"),
    (
        CONVOLUTION,
        "(dy, w)",
        "(dy, w.flip(2))",
        "x",
        "transposed",
        "w goes into your gradient back to front along axis",
    ),
    (CONVOLUTION, "x.unfold", "x.flip(2).unfold", "w", "transposed", "x goes into your gradient back to front along"),
    (SHARED, "dW += x[0]", "dW = x[0]", "W", "overwritten", "holds only what comes through a1. Look at the line a1"),
    (SHARED, "db += da1", "db = da1", "b", "overwritten", "Your gradient holds only what comes through a1."),
    (SHARED, "dU += h1", "dU = h1", "U", "missing_term", "holds only the path through a1 and a2."),
    (PLACES, "left * c + right", "left * c - right", "a", "term_sign", "a stands twice in the line of y. What comes"),
    (PLACES, "-left + right", "right", "b", "missing_term", "through the first place is missing."),
    (
        PLACES,
        "left * c + right",
        "left / c + right",
        "a",
        "missing_local",
        "place is divided by the derivative there",
    ),
    (
        PLACES,
        "left * c + right * b",
        "left * c + b",
        "a",
        "missing_upstream",
        "is the derivative alone, without dy",
    ),
    (PLACES, "3.0 * right", "right", "b", "term_scale", "the third place is off by a factor of 1/3; the rest is"),
    (PIECES, "(dq, dk, dv)", "(dv, dq, dk)", "p", "swapped", "holds dv, dq and dk, in this order; dq, dk and dv"),
    (SQUARE, "dm.unsqueeze(1)", "dm", "x", "wrong_axis", "dm is stretched to [8, 8] along another axis than the one"),
    (SQUARE, "i.unsqueeze(1)", "i", "c", "wrong_axis", "i is stretched to [8, 8] along another axis than in the"),
    (BOX, "dv.unsqueeze(1)", "dv", "s", "wrong_axis", "dv is stretched to [6, 6, 5] along another axis than"),
]


@pytest.mark.parametrize(("exercise", "old", "new", "name", "code", "said"), NAMED)
def test_a_mistake_is_named_at_its_step(
    exercise: Exercise, old: str, new: str, name: str, code: str, said: str
) -> None:
    table = rows(exercise, (old, new))

    assert own(table) == [name]
    assert table[name].diagnosis[0].code == code
    assert said in table[name].diagnosis[0].message


def test_both_are_said_of_a_second_use_that_was_overwritten() -> None:
    table = rows(SHARED, ("dU += h1", "dU = h1"))

    assert [each.code for each in table["U"].diagnosis] == ["missing_term", "overwritten"]


@pytest.mark.parametrize("exercise", [SQUARE, BOX], ids=["square", "box"])
@pytest.mark.parametrize(("old", "name"), [("di = (dy * c).sum(1", "i"), ("dm = -dc.sum(1", "m")])
def test_below_an_axis_too_many_nothing_is_called_own(exercise: Exercise, old: str, name: str) -> None:
    table = rows(exercise, (old, old + ", keepdim=True"))

    assert own(table) == [name]
    assert table[name].diagnosis[0].code == "wrong_axis"
    below = [row for row in table.values() if row.origin is Origin.UNKNOWN]
    assert below and all("has another shape; mend that first" in row.notes[-1] for row in below)


def test_an_own_mistake_of_the_right_shape_below_an_axis_too_many_is_still_found() -> None:
    table = rows(BOX, ("dm = -dc.sum(1)", "dm = -dc.sum(1, keepdim=True)"), ("dc + dm.unsqueeze(1) / 6", "dc + dm / 3"))

    assert sorted(own(table)) == ["m", "x"]
    assert table["x"].diagnosis[0].code == "double_counted"


def test_a_tensor_that_the_lines_make_does_not_stop_the_evidence() -> None:
    identity = network(
        "x = param(3, 3)\ng = data(3, 3)",
        "one = torch.eye(3)\ny = x @ one\nloss = (y * g).sum()",
        "dy = g.clone()\ndx = dy @ one.T\n",
    )

    rows = play(Instance.draw(identity, 1, Kind.HIDDEN), "dy = g.clone()\ndx = 2 * dy @ one.T\n")

    assert [row.diagnosis[0].counterexample is not None for row in rows if row.origin is Origin.OWN] == [True]


def test_a_single_number_that_is_wrong_gets_figures() -> None:
    total = network(
        "x = param(3)", "s = x.sum()\nt = s * s\nloss = t.exp()", "dt = t.exp()\nds = 2 * s * dt\ndx = ds.expand(3)\n"
    )

    rows = play(Instance.draw(total, 1, Kind.HIDDEN), "dt = t.exp() + 0.37\nds = 2 * s * dt\ndx = ds.expand(3)\n")

    assert [row.diagnosis[0].pattern for row in rows if row.name == "t"] == ["unknown.one_use loss loss elements"]
