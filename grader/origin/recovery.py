"""An upstream gradient that was not handed in, recovered from what the student made of it.

A student may never assign ``dhpreact``, and write an expression in its place. They still hand in ``dbngain``,
``dbnbias`` and ``dbnraw``. ``dbnraw / bngain`` is the ``dhpreact`` that they used. If ``dbngain`` and ``dbnbias`` agree
with it, that is what they had, and its mistake was made once, not three times.

Only an answer that determines every number of the upstream gradient recovers it:

1. Where a step multiplies element by element, by a division.
2. Where there are at least as many numbers as are looked for, by least squares (conjugate gradients on the normal
   equations, Golub and Van Loan 2013, §11.3). A probe whose answer is known shows whether they are determined.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from exercises.tape import Step
from grader.reference.backward import back, go_back

ITERATIONS_MAX = 80  # a product with a matrix of rank r takes some r
ELEMENTS_MAX = 8192
CONVERGED = 1e-10  # of the first residual
DETERMINED = 1e-6  # relative error of a recovered probe


def recover_upstream(step: Step, read: str, term: Tensor) -> Tensor | None:
    """Return the upstream gradient of a step, in float64, for which the step adds ``term`` to the gradient of ``read``.

    ``step`` is one in float64. ``term`` has the shape of ``read``. None if it is not determined.
    """
    output, leaf = step.output, step.reads[read]
    probe = torch.randn(output.shape, generator=torch.Generator().manual_seed(1), dtype=output.dtype)
    scale = back(step, torch.ones_like(output))[read]
    if scale.shape == output.shape and torch.allclose(back(step, probe)[read], scale * probe, atol=0.0):
        return term.double() / scale if bool((scale != 0).all()) else None
    if leaf.numel() < output.numel() or leaf.numel() > ELEMENTS_MAX:
        return None
    recovered = _least_squares(step, read, back(step, probe)[read])
    if float((recovered - probe).abs().max()) > DETERMINED * float(probe.abs().max()):
        return None
    return _least_squares(step, read, term.double())


def _least_squares(step: Step, read: str, term: Tensor) -> Tensor:
    """Return the upstream gradient whose term comes nearest to ``term``."""
    upstream = torch.zeros_like(step.output)
    residual = term
    gradient = _forward(step, read, residual)
    direction, size = gradient, float(gradient.square().sum())
    enough = CONVERGED**2 * size
    for _ in range(ITERATIONS_MAX):
        if size <= enough:
            break
        moved = back(step, direction)[read]
        length = size / (float(moved.square().sum()) or math.inf)
        upstream, residual = upstream + length * direction, residual - length * moved
        gradient = _forward(step, read, residual)
        size, before = float(gradient.square().sum()), size
        direction = gradient + size / before * direction
    return upstream.detach()


def _forward(step: Step, read: str, change: Tensor) -> Tensor:
    """Return how much the output changes with ``read``: J·change, where going back is Jᵀ·upstream."""
    upstream = torch.zeros_like(step.output).requires_grad_()
    (term,) = go_back([step.output], [step.reads[read]], [upstream], create_graph=True)
    return go_back([term], [upstream], [change])[0]
