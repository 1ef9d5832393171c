"""The tape plays a forward pass plainly or cut, and both tell the same gradients."""

from __future__ import annotations

import pytest
import torch

from exercises.catalog import CATALOG
from exercises.exercise import Exercise
from exercises.tape import CutTape, Tape


def squares(t: Tape) -> None:
    t.y = t.x * t.x
    t.z = t.x + t.y
    t.loss = (t.y * t.z).sum() / t.n


GIVEN = {"x": torch.tensor([1.0, 2.0, 3.0]), "n": torch.tensor(3)}


def test_plain_play_gives_the_gradient_of_every_named_tensor() -> None:
    tape = Tape(GIVEN)
    squares(tape)
    torch.autograd.backward(tape.loss)
    x = GIVEN["x"]
    gradients = tape.gradients()
    assert gradients["z"].allclose(x**2 / 3)
    assert gradients["y"].allclose((x + 2 * x**2) / 3)
    assert gradients["x"].allclose((x**2 + (x + 2 * x**2) * 2 * x) / 3)


def test_a_constant_is_read_as_a_number() -> None:
    assert Tape(GIVEN).n == 3
    assert isinstance(Tape(GIVEN).n, int)


def test_a_name_cannot_be_read_before_it_is_set_nor_set_twice() -> None:
    tape = Tape(GIVEN)
    with pytest.raises(AttributeError, match="reads 'y' before"):
        _ = tape.y
    with pytest.raises(AttributeError, match="sets 'x' twice"):
        tape.x = torch.ones(3)


def test_cut_play_names_each_consumer_and_its_term() -> None:
    tape = CutTape(GIVEN)
    squares(tape)
    x = GIVEN["x"]
    assert [(step.name, list(step.reads)) for step in tape.steps] == [
        ("y", ["x"]),
        ("z", ["x", "y"]),
        ("loss", ["y", "z"]),
    ]
    ones = torch.ones(3)
    terms = tape.terms({"y": 10 * ones, "z": ones})
    assert list(terms["x"]) == ["z", "y"]
    assert terms["x"]["z"].equal(ones)
    assert terms["x"]["y"].equal(10 * 2 * x)  # what follows from the upstream that was fed in, right or wrong


@pytest.mark.parametrize("exercise", CATALOG.values(), ids=lambda exercise: exercise.slug)
def test_with_perfect_upstreams_the_cut_play_equals_the_plain_one_bit_for_bit(exercise: Exercise) -> None:
    state = exercise.canonical().tensors()
    gradients = exercise.played(state).gradients()
    cut = exercise.cut(state)
    for name, terms in cut.terms(gradients).items():
        total = torch.stack(list(terms.values())).sum(0) if len(terms) > 1 else next(iter(terms.values()))
        assert torch.equal(total, gradients[name]), name
