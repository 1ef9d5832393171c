"""The tape plays a forward pass plainly or cut; tests/grader/test_reference.py compares their gradients."""

from __future__ import annotations

import pytest
import torch

from exercises.tape import CutTape, Tape


def squares(t: Tape) -> None:
    t.y = t.x * t.x
    t.z = t.x + t.y
    t.loss = (t.y * t.z).sum() / t.n


GIVEN = {"x": torch.tensor([1.0, 2.0, 3.0]), "n": torch.tensor(3)}


def test_plain_play_gives_the_gradient_of_every_named_tensor() -> None:
    tape, x = Tape(GIVEN), GIVEN["x"]

    squares(tape)
    torch.autograd.backward(tape.loss)

    gradients = tape.gradients()
    assert gradients["z"].allclose(x**2 / 3)
    assert gradients["y"].allclose((x + 2 * x**2) / 3)
    assert gradients["x"].allclose((x**2 + (x + 2 * x**2) * 2 * x) / 3)


def test_values_hold_no_graph() -> None:
    tape = Tape(GIVEN)

    squares(tape)

    assert list(tape.values()) == ["x", "n", "y", "z", "loss"]
    assert [name for name, value in tape.values().items() if value.requires_grad] == []


def test_a_constant_is_read_as_a_number() -> None:
    assert Tape(GIVEN).n == 3
    assert isinstance(Tape(GIVEN).n, int)


def test_a_name_cannot_be_read_before_it_is_set_nor_set_twice() -> None:
    tape = Tape(GIVEN)

    with pytest.raises(AttributeError, match="reads 'y' before"):
        _ = tape.y
    with pytest.raises(AttributeError, match="sets 'x' twice"):
        tape.x = torch.ones(3)


def test_cut_play_names_each_consumer() -> None:
    tape = CutTape(GIVEN)

    squares(tape)

    assert [(step.name, list(step.reads)) for step in tape.steps] == [
        ("y", ["x"]),
        ("z", ["x", "y"]),
        ("loss", ["y", "z"]),
    ]


def test_a_cut_step_reads_a_name_through_one_leaf() -> None:
    tape = CutTape(GIVEN)

    squares(tape)

    product = tape.steps[0]
    (gradient,) = torch.autograd.grad(product.output.sum(), product.reads["x"])
    assert gradient.tolist() == [2.0, 4.0, 6.0]
