"""Rare cases of the replay, each asked for directly: small exercises and steps that show one rule alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from exercises.exercise import Checkpoint, Exercise
from exercises.instance import Instance
from grader.answer import normalise
from grader.compare import Comparison, Origin, Verdict, compare
from grader.origin.backward_replay import BackwardReplay, replay_backward
from grader.reference.gradients import reference
from grader.rounding.closeness import Target, close
from tests.grader.rows import FULL, INSTANCE, RIGHT
from tests.support.forwards import SameNumbers, forward

STATE = reference(INSTANCE).state


def replayed(handed_in: Mapping[str, Tensor], instance: Instance = INSTANCE) -> BackwardReplay:
    """Replay with these answers alone; the other checkpoints were not handed in."""
    known = reference(instance)
    names = [each.name for each in instance.exercise.checkpoints]
    rows = [
        compare(name, normalise(handed_in[name]), known.gradients[name])
        if name in handed_in
        else Comparison(name, Verdict.MISSING)
        for name in names
    ]
    return replay_backward(known, handed_in, rows)


def instance_of(lines: str, checkpoints: str, **given: Tensor) -> Instance:
    """Return the one instance of an exercise with these lines."""
    exercise = Exercise(
        slug="tests/case",
        revision=1,
        title="",
        summary="",
        statement="",
        solution="",
        checkpoints=tuple(map(Checkpoint, checkpoints.split())),
        forward=forward(lines, given),
        numbers=SameNumbers(given),
    )
    return Instance.canonical(exercise)


def test_a_constant_is_seen_through_a_step_that_was_not_handed_in() -> None:
    bnbias = (1 - STATE["h"] ** 2).sum(0, keepdim=True)

    judgement = replayed({"h": torch.ones(32, 64), "bnbias": bnbias}).judgements["bnbias"]

    assert (judgement.origin, judgement.constant) == (Origin.INHERITED, "h")


def test_two_equal_numbers_are_a_constant() -> None:
    instance = instance_of("y = x * x\nloss = (y * y).sum()", "y x", x=torch.tensor([1.0, 3.0]))

    judgement = replayed({"y": torch.ones(2), "x": torch.tensor([2.0, 6.0])}, instance).judgements["x"]

    assert (judgement.origin, judgement.constant) == (Origin.INHERITED, "y")


def test_what_is_missing_in_each_path_is_blamed() -> None:
    """Dcounts comes from dprobs and, through dcounts_sum, which is no checkpoint here, from dcounts_sum_inv."""
    asked = tuple(each for each in FULL.checkpoints if each.name != "counts_sum")
    instance = Instance.canonical(dataclasses.replace(FULL, checkpoints=asked))

    judgement = replayed({"counts": -RIGHT["counts"]}, instance).judgements["counts"]

    assert judgement.blames == ("probs", "counts_sum_inv")


@pytest.mark.parametrize(("uses", "origin"), [(6, Origin.INHERITED), (7, Origin.OWN)])
def test_64_readings_are_tried_and_no_more(uses: int, origin: Origin) -> None:
    """Each use of x has two readings: its wrong gradient and the right one. All but the last are read as right."""
    names = [f"y{number}" for number in range(uses)]
    lines = [f"{name} = x * {number + 2}" for number, name in enumerate(names)]
    instance = instance_of(
        "\n".join([*lines, f"loss = ({' + '.join(names)}).sum()"]), " ".join([*names, "x"]), x=torch.arange(1.0, 4.0)
    )
    wrong = {name: torch.tensor([1.0, 5.0, 2.0]) + number for number, name in enumerate(names)}
    x = sum(range(2, uses + 1)) * torch.ones(3) + (uses + 1) * wrong[names[-1]]

    assert replayed({**wrong, "x": x}, instance).judgements["x"].origin is origin


def with_one_small_element_off(answer: Tensor) -> Tensor:
    """Return an answer with a wrong number that a sample of its largest elements does not show."""
    spoiled = answer.clone().reshape(-1)
    spoiled[spoiled.abs().argmin()] = min(map(abs, Target(answer).values)) / 2
    return spoiled.reshape(answer.shape)


@pytest.mark.parametrize("times", [1, 2])
def test_a_sample_alone_is_no_proof(times: int) -> None:
    """Dh is doubled; dhpreact follows from it, or from the right one, but for a number that is not sampled."""
    hpreact = times * RIGHT["hpreact"]
    spoiled = with_one_small_element_off(hpreact)

    judgements = replayed({"logits": RIGHT["logits"], "h": 2 * RIGHT["h"], "hpreact": spoiled}).judgements

    assert judgements["h"].origin is judgements["hpreact"].origin is Origin.OWN


def test_an_answer_of_no_shape_inherits_nothing() -> None:
    judgement = replayed({"h": 2 * RIGHT["h"], "hpreact": torch.ones(7, 5)}).judgements["hpreact"]

    assert judgement.origin is Origin.OWN


def test_an_answer_without_an_axis_of_one_inherits() -> None:
    """Dbnbias is [1, 64]; [64] broadcasts to it."""
    handed_in = {"hpreact": 2 * RIGHT["hpreact"], "bnbias": 2 * RIGHT["bnbias"][0]}

    assert replayed(handed_in).judgements["bnbias"].origin is Origin.INHERITED


def test_noise_of_large_terms_is_measured_by_them() -> None:
    """The terms of dx are some thousands and cancel; what another order of the sum leaves is rounding."""
    drawn = torch.Generator().manual_seed(1)
    order = torch.randperm(64, generator=drawn)
    c = (1000 + torch.arange(32.0)).repeat(2)[order]
    half = torch.randn(32, generator=drawn)
    y = torch.cat([half, -half])[order]
    instance = instance_of("y = x * c\nloss = (y * y).sum()", "y x", x=torch.ones(1), c=c)

    replay = replayed({"y": y, "x": (y * c).flip(0).sum(0, keepdim=True)}, instance)

    assert not close(replay.handed_in["x"], replay.gradients["x"])
    assert replay.judgements["x"].origin is Origin.INHERITED


def test_a_flow_holds_what_went_into_its_step() -> None:
    flows = replayed({"h": 2 * RIGHT["h"]}).flows

    assert flows["h"].upstream.equal(2 * RIGHT["h"])
    assert flows["logits"].upstream.equal(RIGHT["logits"])
    assert flows["loss"].upstream.equal(torch.ones(()))


def test_a_step_that_nothing_reads_adds_nothing() -> None:
    x = torch.arange(3.0)
    instance = instance_of("y = x * x\nside = x * x\nloss = y.sum()", "y x", x=x)

    replay = replayed({"y": torch.ones(3)}, instance)

    assert replay.flows["side"].upstream.equal(torch.zeros(3))
    assert replay.gradients["x"].equal(2 * x)


def test_only_answers_that_agree_on_a_gradient_are_named() -> None:
    wrong = 2 * RIGHT["hpreact"] * STATE["h"]
    made = {
        "bnraw": wrong * STATE["bngain"],
        "bnbias": wrong.sum(0, keepdim=True),
        "bngain": -(wrong * STATE["bnraw"]).sum(0, keepdim=True),
    }

    assert set(replayed(made).recovered["hpreact"]) == {"bnraw", "bnbias"}


def test_another_reading_of_a_shape_is_tried() -> None:
    """Dh came as [64, 32]: the replay transposes it, the student's line read the same numbers as [32, 64]."""
    h = 2 * RIGHT["h"]
    hpreact = (1 - STATE["h"] ** 2) * h

    judgement = replayed({"h": h.reshape(64, 32), "hpreact": hpreact}).judgements["hpreact"]

    assert judgement.origin is Origin.INHERITED
