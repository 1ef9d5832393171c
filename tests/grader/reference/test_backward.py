"""Going back through a graph and its steps, as ``torch.autograd.grad`` does, and without what that imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from exercises.exercise import Exercise
from exercises.instance import Instance
from exercises.registry import exercises
from exercises.tape import CutTape
from grader.reference.backward import back_all, go_back
from grader.reference.gradients import VANISHING_BELOW
from tests.support.forwards import forward

PROJECT = Path(__file__).resolve().parents[3]


def test_gradients_are_those_of_torch() -> None:
    generator = torch.Generator().manual_seed(1)
    first, second = (torch.randn(4, 4, generator=generator).requires_grad_() for _ in range(2))
    outputs = [(first @ second).tanh(), first.exp()]
    upstream = [torch.randn(4, 4, generator=generator) for _ in outputs]

    gradients = go_back(outputs, [first, second], upstream)

    total = (outputs[0] * upstream[0]).sum() + (outputs[1] * upstream[1]).sum()
    expected = torch.autograd.grad(total, [first, second])
    assert all(torch.equal(*pair) for pair in zip(gradients, expected, strict=True))


def test_the_gradient_of_what_is_not_read_is_zero() -> None:
    read, other = torch.ones(3, requires_grad=True), torch.ones(2, requires_grad=True)

    gradients = go_back([read * 2], [read, other], [torch.ones(3)], create_graph=True)

    assert [gradient.tolist() for gradient in gradients] == [[2, 2, 2], [0, 0]]
    assert gradients[1].requires_grad


def test_an_upstream_gradient_of_another_shape_is_refused() -> None:
    read = torch.ones(2, 3, requires_grad=True)

    with pytest.raises(RuntimeError, match=r"\[1, 3\] for an output of \[2, 3\]"):
        go_back([read * 2], [read], [torch.ones(1, 3)])


def test_a_process_that_grades_does_not_import_sympy() -> None:
    program = """
import sys, torch
from exercises.exercise import Exercise
from exercises.instance import Instance
from exercises.registry import exercises
from exercises.tape import CutTape
from grader.reference.backward import back_all, go_back
from grader.reference.gradients import VANISHING_BELOW
from tests.support.forwards import forward
read = torch.ones(2, 3, requires_grad=True)
go_back([read.tanh()], [read], [torch.ones(2, 3)])
torch.func.vmap(lambda upstream: go_back([read.tanh()], [read], [upstream])[0])(torch.ones(4, 2, 3))
print("sympy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PROJECT)

    assert done.stdout == "False\n"


def test_each_consumer_contributes_a_term_that_follows_from_the_upstream_that_was_fed_in() -> None:
    x = torch.tensor([1.0, 2.0, 3.0])
    tape = CutTape({"x": x})
    forward("y = x * x\nz = x + y", {"x": x}).play(tape)
    ones = torch.ones(3)
    terms = back_all(tape.steps, {"y": 10 * ones, "z": ones})
    assert terms["z"]["x"].equal(ones)
    assert terms["y"]["x"].equal(10 * 2 * x)


@pytest.mark.parametrize("exercise", exercises().values(), ids=lambda exercise: exercise.slug)
def test_with_perfect_upstreams_the_cut_play_equals_the_plain_one_bit_for_bit(exercise: Exercise) -> None:
    state = Instance.canonical(exercise).tensors()
    gradients = exercise.played(state).gradients()
    steps = exercise.cut(state).steps
    found: dict[str, torch.Tensor] = {}
    # The last consumer first: the order in which autograd's engine adds them up.
    terms = back_all(steps, gradients | {"loss": torch.ones(())})
    for step in reversed(steps):
        for name, term in terms[step.name].items():
            found[name] = found[name] + term if name in found else term
    assert found
    for name, total in found.items():
        if name in exercise.vanishing:  # nothing but rounding noise, which the order of sums decides
            assert torch.allclose(total, gradients[name], atol=VANISHING_BELOW), name
        else:
            assert torch.equal(total, gradients[name]), name
