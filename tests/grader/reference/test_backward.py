"""Going back through a graph, as ``torch.autograd.grad`` does, and without what that imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from grader.reference.backward import go_back

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
from grader.reference.backward import go_back
read = torch.ones(2, 3, requires_grad=True)
go_back([read.tanh()], [read], [torch.ones(2, 3)])
torch.func.vmap(lambda upstream: go_back([read.tanh()], [read], [upstream])[0])(torch.ones(4, 2, 3))
print("sympy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PROJECT)

    assert done.stdout == "False\n"
