"""Runs are equal, whichever zygote they come from."""

from __future__ import annotations

import random

import numpy
import torch

from tests.grader.sandbox.conftest import Runner


def test_every_zygote_draws_the_same_numbers(run: Runner) -> None:
    code = "import random, numpy\nprint(torch.rand(1).item(), random.random(), numpy.random.rand())"

    said = [float(number) for number in run(code).stdout.split()]

    torchs = torch.rand(1, generator=torch.Generator().manual_seed(0)).item()
    assert said == [torchs, random.Random(0).random(), numpy.random.RandomState(0).rand()]
