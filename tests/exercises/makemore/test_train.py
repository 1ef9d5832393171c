"""The last exercise: the lecture's network, and what the server trains it with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from exercises.exercise import Exercise
from exercises.instance import Instance, Kind
from exercises.makemore import names
from exercises.makemore.train.numbers import PARAMETERS, TrainingNumbers
from exercises.registry import find
from exercises.training import Trainable

TRAIN: Exercise = find("makemore/train")


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> TrainingNumbers:
    """A small network, and few names."""
    path: Path = tmp_path_factory.mktemp("names") / "names.txt"
    words = names.load(names.BUNDLED).words
    path.write_text("".join(f"{word}\n" for word in words[:400]))
    return TrainingNumbers(names_file=path, n_hidden=20)


def test_it_is_the_lectures_network() -> None:
    state = Instance.canonical(TRAIN).tensors()

    assert isinstance(TRAIN.numbers, Trainable)
    assert sum(state[name].numel() for name in PARAMETERS) == 12_297
    assert state["h"].shape == (32, 200)
    assert {checkpoint.name for checkpoint in TRAIN.checkpoints} == set(PARAMETERS)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_formulas_give_pytorchs_gradients(seed: int) -> None:
    state = Instance.draw(TRAIN, seed, Kind.HIDDEN).tensors()
    expected = TRAIN.played(state).gradients()

    assert isinstance(TRAIN.numbers, TrainingNumbers)
    found = TRAIN.numbers.gradients(state)

    assert list(found) == list(PARAMETERS)
    for name, gradient in found.items():
        assert gradient.shape == expected[name].shape
        assert torch.allclose(gradient, expected[name], atol=1e-7)


def test_a_start_has_the_parameters_of_a_drawn_instance(numbers: TrainingNumbers) -> None:
    drawn = numbers.draw(5).tensors

    start = numbers.start(5)

    assert all(torch.equal(start[name], drawn[name]) for name in PARAMETERS)
    assert not torch.equal(start["W1"], numbers.start(6)["W1"])


def test_the_minibatch_of_a_step_depends_on_no_other_step(numbers: TrainingNumbers) -> None:
    contexts, targets = numbers.minibatches(9, 1000, 50, 4)  # over the end of a drawing

    one_by_one = [numbers.minibatches(9, step, 1, 4) for step in range(1000, 1050)]

    assert contexts.shape == (50, 4, 3) and targets.shape == (50, 4)
    assert torch.equal(contexts, torch.cat([each for each, _ in one_by_one]))
    assert torch.equal(targets, torch.cat([each for _, each in one_by_one]))
    assert not torch.equal(contexts, numbers.minibatches(10, 1000, 50, 4)[0])


def test_minibatches_are_examples_of_the_training_split(numbers: TrainingNumbers) -> None:
    known = {
        (*context.tolist(), int(target))
        for context, target in zip(*names.load(numbers.names_file).training, strict=True)
    }

    contexts, targets = numbers.minibatches(1, 0, 40, 8)

    drawn = {
        (*context.tolist(), int(target)) for context, target in zip(contexts.view(-1, 3), targets.view(-1), strict=True)
    }
    assert drawn <= known and len(drawn) > 100


def test_the_losses_are_the_lectures_formula(numbers: TrainingNumbers) -> None:
    parameters = numbers.start(3)
    training, dev, _ = (names.examples(part) for part in names.split(names.load(numbers.names_file).words))
    hidden = parameters["C"][training[0]].view(len(training[0]), -1) @ parameters["W1"] + parameters["b1"]
    mean, variance = hidden.mean(0, keepdim=True), hidden.var(0, keepdim=True, unbiased=True)

    def loss(contexts: torch.Tensor, targets: torch.Tensor) -> float:
        before = parameters["C"][contexts].view(len(contexts), -1) @ parameters["W1"] + parameters["b1"]
        normal = (before - mean) * (variance + 1e-5) ** -0.5
        h = torch.tanh(parameters["bngain"] * normal + parameters["bnbias"])
        return float(torch.nn.functional.cross_entropy(h @ parameters["W2"] + parameters["b2"], targets))

    losses = numbers.measured(parameters, 1, 0).losses

    assert losses.train == pytest.approx(loss(*training), abs=1e-5)
    assert losses.dev == pytest.approx(loss(*dev), abs=1e-5)
    assert numbers.probe(parameters) == pytest.approx(losses.dev, abs=0.2)


def test_sampled_names_are_the_same_for_a_seed(numbers: TrainingNumbers) -> None:
    sampled = numbers.measured(numbers.start(3), 1, 5).names

    assert sampled == numbers.measured(numbers.start(3), 1, 5).names
    assert len(sampled) == 5 and all(word.isalpha() for word in sampled)
