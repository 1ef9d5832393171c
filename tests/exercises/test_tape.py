"""The tape holds a forward pass played plainly or cut; tests of `grader.reference.backward` compare the gradients."""

from __future__ import annotations

import pytest
import torch

from exercises.language.expression import Call, Name
from exercises.language.forward import Forward, Line
from exercises.tape import CutTape, Tape
from tests.support.forwards import forward

GIVEN = {"x": torch.tensor([1.0, 2.0, 3.0]), "n": torch.tensor(3)}
SQUARES = forward("y = x * x\nz = x + y\nloss = (y * z).sum() / n", GIVEN)
# The mask comes from x, and x itself is read behind a wall.
MASKED = Forward(
    (
        Line("mask", "mask = x > 1", Call("gt", (("input", Name("x")), ("other", 1))), 1, frozen=True),
        Line("y", "y = x * w", Call("mul", (("input", Name("x")), ("other", Name("w")))), 2),
        Line(
            "z",
            "z = y * x.detach()",
            Call("mul", (("input", Name("y")), ("other", Call("detach", (("input", Name("x")),))))),
            3,
        ),
        Line(
            "loss",
            "loss = (z * mask).sum()",
            Call("sum", (("input", Call("mul", (("input", Name("z")), ("other", Name("mask"))))),)),
            4,
        ),
    ),
    "",
)


def test_plain_play_gives_the_gradient_of_every_named_tensor() -> None:
    tape, x = Tape(GIVEN), GIVEN["x"]

    SQUARES.play(tape)
    torch.autograd.backward(tape.loss)

    gradients = tape.gradients()
    assert gradients["z"].allclose(x**2 / 3)
    assert gradients["y"].allclose((x + 2 * x**2) / 3)
    assert gradients["x"].allclose((x**2 + (x + 2 * x**2) * 2 * x) / 3)


def test_values_hold_no_graph() -> None:
    tape = Tape(GIVEN)

    SQUARES.play(tape)

    assert list(tape.values()) == ["x", "n", "y", "z", "loss"]
    assert [name for name, value in tape.values().items() if value.requires_grad] == []


def test_a_constant_is_read_as_a_number() -> None:
    given = {"n": torch.tensor(3), "p": torch.tensor(0.1, dtype=torch.float64), "on": torch.tensor(True)}
    tape = Tape(given)

    assert [tape.read(name) for name in given] == [3, 0.1, True]
    assert [type(tape.read(name)) for name in given] == [int, float, bool]
    assert all(tape.values()[name] is value for name, value in given.items())


def test_a_name_cannot_be_read_before_it_is_set_nor_set_twice() -> None:
    tape = Tape(GIVEN)

    with pytest.raises(LookupError, match="reads 'y' before"):
        tape.read("y")
    with pytest.raises(ValueError, match="sets 'x' twice"):
        tape.write("x", torch.ones(3))
    with pytest.raises(ValueError, match="sets 'x' twice"):
        tape.freeze("x", torch.ones(3))


def test_names_of_the_forward_pass_may_be_those_of_the_tape() -> None:
    """A tape that kept values as attributes would give its own method here."""
    given = {"read": torch.ones(2), "values": torch.ones(2)}
    tape = CutTape(given)

    forward("steps = read * values\nloss = steps.sum()", given).play(tape)

    assert [(step.name, list(step.reads)) for step in tape.steps] == [
        ("steps", ["read", "values"]),
        ("loss", ["steps"]),
    ]


def test_cut_play_names_each_consumer() -> None:
    tape = CutTape(GIVEN)

    SQUARES.play(tape)

    assert [(step.name, list(step.reads)) for step in tape.steps] == [
        ("y", ["x"]),
        ("z", ["x", "y"]),
        ("loss", ["y", "z"]),
    ]


def test_cut_play_reads_a_name_through_one_leaf() -> None:
    tape = CutTape(GIVEN)

    SQUARES.play(tape)

    product = tape.steps[0]
    (gradient,) = torch.autograd.grad(product.output.sum(), product.reads["x"])
    assert gradient.tolist() == [2.0, 4.0, 6.0]


def test_data_is_no_leaf() -> None:
    given = GIVEN | {"w": torch.ones(3)}
    plain, cut = Tape(given, data={"w"}), CutTape(given, data={"w"})

    for tape in (plain, cut):
        MASKED.play(tape)
    torch.autograd.backward(plain.loss)

    assert set(plain.gradients()) == {"x", "y", "z", "loss"}
    assert [list(step.reads) for step in cut.steps] == [["x"], ["y"], ["z"]]


def test_a_frozen_line_is_data_and_no_step() -> None:
    given = GIVEN | {"w": torch.ones(3)}
    plain, cut = Tape(given), CutTape(given)

    for tape in (plain, cut):
        MASKED.play(tape)
    torch.autograd.backward(plain.loss)

    assert plain.values()["mask"].tolist() == [False, True, True]
    assert "mask" not in plain.gradients()
    assert [step.name for step in cut.steps] == ["y", "z", "loss"]
    assert MASKED.frozen == {"mask"}


def test_a_frozen_number_without_a_dimension_stays_a_tensor() -> None:
    count = Line("count", "count = x.sum()", Call("sum", (("input", Name("x")),)), 1, frozen=True)
    tape = Tape({"x": torch.tensor([1, 2])})

    count.play(tape)

    assert torch.equal(tape.read("count"), torch.tensor(3))


@pytest.mark.parametrize(
    "places", ["x.argmax()", "x.max(0).indices", "x.topk(2)[1]", "(x > 1).long()", "x.detach().long()"]
)
def test_an_index_that_is_computed_has_no_term(places: str) -> None:
    given = GIVEN | {"w": torch.ones(4)}
    tape = CutTape(given)

    forward(f"loss = w[{places}].sum()", given).play(tape)

    assert [list(step.reads) for step in tape.steps] == [["w"]]


def test_nothing_goes_back_through_a_wall() -> None:
    given = GIVEN | {"w": torch.ones(3)}
    plain, cut = Tape(given), CutTape(given)

    for tape in (plain, cut):
        MASKED.play(tape)
    torch.autograd.backward(plain.loss)

    assert plain.gradients()["x"].tolist() == [0.0, 2.0, 3.0]
    assert {step.name: list(step.reads) for step in cut.steps}["z"] == ["y"]
