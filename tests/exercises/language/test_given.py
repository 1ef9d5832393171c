"""What is given is drawn from a seed, and read without running Python."""

from __future__ import annotations

import pytest
import torch

from exercises.language import given
from exercises.language.errors import Refused
from exercises.language.given import ELEMENTS_MAX

LINES = """
n = 4
half = n / 8  # arithmetic of numbers
training = True
mode = 'tanh'
nothing = None
x = data(n, 3, scale=2.0, mean=1.0)
W = param(3, 100)
g = param((3,), mean=1.0, scale=0.1)
u = uniform(100, low=-1.0, high=1.0)
p = param(positive(100))
d = distinct(2, 3)
e = ones(2)
z = zeros(2)
y = labels(3, 100)
o = permutation(5)
c = causal(3)
m = mask(100, share=0.9)
s = data()
"""


def test_each_kind_is_drawn() -> None:
    tensors = given.read(LINES).tensors(1)

    assert tensors["x"].shape == (4, 3)
    assert 0.4 < tensors["W"].std() < 0.7  # 3**-0.5 by its fan-in
    assert (tensors["g"] - 1).abs().max() < 0.5
    assert tensors["u"].min() < -0.5 and tensors["u"].max() > 0.5
    assert tensors["p"].min() >= 0.5 and tensors["p"].max() <= 2
    assert len(tensors["d"].unique()) == 6
    assert tensors["e"].tolist() == [1.0, 1.0] and tensors["z"].tolist() == [0.0, 0.0]
    assert set(tensors["y"].tolist()) == {0, 1, 2}
    assert sorted(tensors["o"].tolist()) == [0, 1, 2, 3, 4]
    assert tensors["c"].tolist() == [[False, True, True], [False, False, True], [False, False, False]]
    assert 70 < int(tensors["m"].sum()) < 100
    assert tensors["s"].shape == ()


def test_each_name_has_numbers_of_its_own_whatever_else_is_given() -> None:
    both = given.read("x = data(3)\ny = data(3)").tensors(1)
    alone = given.read("y = data(3)").tensors(1)

    assert both["x"].tolist() != both["y"].tolist()
    assert both["y"].tolist() == alone["y"].tolist()


def test_marks_say_what_has_a_gradient() -> None:
    read = given.read(LINES)

    assert read.params == ("W", "g", "p")
    assert set(read.data) == {"x", "u", "d", "e", "z", "y", "o", "c", "m", "s"}
    assert [name for name, value in read.samples().items() if getattr(value, "requires_grad", False)] == ["W", "g", "p"]


def test_numbers_among_the_constants_are_tensors_of_the_state() -> None:
    tensors = given.read(LINES).tensors(1)

    constants = {name: (tensors[name].item(), tensors[name].dtype) for name in ("n", "half", "training")}
    assert constants == {"n": (4, torch.int64), "half": (0.5, torch.float64), "training": (True, torch.bool)}
    assert not {"mode", "nothing"} & set(tensors)


def test_several_numbers_are_given_in_one_line() -> None:
    read = given.read("B, T = 2, 5\nsizes = [T, 3]\nx, W = data(B, T), param(T, 3)")

    assert read.constants == {"B": 2, "T": 5, "sizes": (5, 3)}
    assert {name: tuple(value.shape) for name, value in read.draw(0).items()} == {"x": (2, 5), "W": (5, 3)}
    assert read.params == ("W",)


def test_a_seed_decides_the_numbers() -> None:
    read = given.read(LINES)
    one, again, other = read.draw(1), read.draw(1), read.draw(2)

    assert [name for name in one if not torch.equal(one[name], again[name])] == []
    assert not torch.equal(one["x"], other["x"])


def test_another_line_changes_no_other_tensor() -> None:
    alone = given.read("W = param(3, 4)").draw(1)["W"]

    assert torch.equal(given.read("x = data(2)\nW = param(3, 4)").draw(1)["W"], alone)


@pytest.mark.parametrize(
    ("lines", "line", "says"),
    [
        ("x = data(3)\nx = data(4)", 2, "x is given twice"),
        ("loss = param(3)", 1, "loss is what the lines compute"),
        ("x = torch.randn(3)", 1, "is no kind of given. Write one of: param(…), data(…)"),
        ("x = normal(3)", 1, "is no kind of given"),
        ("y = param(labels(3, 4))", 1, "holds no floats, so it has no gradient"),
        ("x = param(0, 3)", 1, "has no shape that can be drawn"),
        ("x = param(2.5)", 1, "has no shape that can be drawn"),
        ("x = param(True)", 1, "has no shape that can be drawn"),
        (f"x = param({ELEMENTS_MAX + 1})", 1, "at most 4,194,304 elements"),
        ("x = param(10**10**10)", 1, "is no number that fits"),
        ("x = param(1 / 0)", 1, "is no number that fits"),
        ("x = 9007199254740993", 1, "is no constant"),
        ("x = data(3, colour=1)", 1, "takes no colour=1. Its options are: scale, mean"),
        ("x = data(3, scale='a')", 1, "takes no scale='a'"),
        ("y = labels()", 1, "lacks a size. Write for example labels(3, 12)"),
        ("x = data(k)", 1, "'k' is no constant"),
        ("x = data(-'a')", 1, "is no number"),
        ("import os", 1, "'import os' is not given"),
        ("a, b = 1", 1, "is not given"),
        ("x = data(3)\nx = (", 2, "this is no line of Python"),
        ("x = " + "-" * 5000 + "1", 1, "this is no line of Python"),
        ("x = " + "1 + " * 20000 + "1", 1, "this is no line of Python"),
        ("x = 1\x00", 1, "this is no line of Python"),
    ],
)
def test_what_is_refused(lines: str, line: int, says: str) -> None:
    with pytest.raises(Refused) as refused:
        given.read(lines)

    assert refused.value.line == line
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mask = causal(4_000_000)", "has no shape that can be drawn"),
        ("\n".join(f"x{n} = data(4_000_000)" for n in range(9)), "all tensors together"),
    ],
)
def test_what_is_drawn_is_bounded_before_it_is_drawn(text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        given.read(text)
