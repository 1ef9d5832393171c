"""Whether two gradients are the same but for rounding, whatever their size and shape."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from grader.compare import LARGEST_BROADCAST

RELATIVE = 1e-5  # allclose's
# Rounding noise of a sum, as a share of the sum of its terms' sizes; some units in the last place of float32.
NOISE = 2e-6
LOOKS = 3  # elements that are looked at before all are
QUICK = 1e-3  # how far apart those may be


class Sought:
    """A tensor that is looked for among candidates. A look at its largest elements tells most of them apart, for
    a small part of what comparing everything costs.
    """

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        flat = tensor.reshape(-1).numpy()  # numpy's small operations cost a third of torch's
        each = max(len(flat) // LOOKS, 1)
        parts = np.abs(flat[: each * LOOKS]).reshape(-1, each)
        places = parts.argmax(1) + np.arange(0, parts.size, each)
        self.places = torch.from_numpy(places)
        self.values: list[float] = flat[places].tolist()
        self.largest = max(map(abs, self.values))

    def look(self, candidate: Tensor) -> list[float]:
        """A candidate's values where this tensor is largest."""
        values: list[float] = candidate.take(self.places).tolist()
        return values

    def may_be(self, values: Sequence[float], noise: float = 0.0) -> bool:
        """Whether a candidate that has these values there may be the same but for rounding."""
        slack = 2 * RELATIVE * self.largest + noise
        return all(
            abs(have - want) <= QUICK * abs(have) + slack for have, want in zip(self.values, values, strict=True)
        )

    def may_be_sum(self, terms: Sequence[Tensor]) -> bool:
        """Whether the sum of some tensors may be the same; where shapes differ, it may."""
        if any(term.shape != self.tensor.shape for term in terms):
            return True
        return self.may_be([sum(values) for values in zip(*map(self.look, terms), strict=True)])


def sum_of(tensors: Sequence[Tensor]) -> Tensor:
    """The sum of one tensor or more."""
    return sum(tensors[1:], tensors[0])


def close(answer: Tensor, right: Tensor, noise: float = 0.0) -> bool:
    """Whether an answer is right but for rounding, whatever the size of the gradients.

    ``cmp`` forgives a difference of 1e-8, which is much for a gradient that shrank on its way and little for
    one that a mistake blew up. So here what is forgiven goes with the gradient's own size.
    """
    aligned = align(answer, right.shape)
    if aligned is None:
        return False
    if torch.equal(aligned, right):
        return True
    size, off = right.abs(), (aligned - right).abs()
    largest = float(size.max())
    noise = max(NOISE * largest, noise)
    if not float(off.max()) <= RELATIVE * largest + noise:
        return False
    return bool((off <= RELATIVE * size + noise).all())


def align(answer: Tensor, shape: torch.Size) -> Tensor | None:
    """An answer as ``cmp`` reads it: with axes of length 1 before the others left out, and broadcast to the
    shape; None where it has another shape.
    """
    if answer.shape == shape:
        return answer
    while answer.dim() > len(shape) and answer.shape[0] == 1:
        answer = answer[0]
    return answer.expand(shape) if together(answer.shape, shape) == shape else None


def fit(gradient: Tensor, shape: torch.Size) -> Tensor | None:
    """What a gradient of another shape broadcasts or reduces to; None where it does neither."""
    if gradient.shape == shape:
        return gradient
    both = together(gradient.shape, shape)
    if both == shape:
        return gradient.expand(shape)
    if both is not None:
        if gradient.numel() == shape.numel():  # keepdim lost: the right numbers along another axis
            return gradient.reshape(shape)
        return gradient.expand(both).sum_to_size(shape) if math.prod(both) <= LARGEST_BROADCAST else None
    if gradient.dim() > 1 and gradient.mT.shape == shape:
        return gradient.mT
    return gradient.reshape(shape) if gradient.numel() == shape.numel() else None


def together(one: Sequence[int], other: Sequence[int]) -> torch.Size | None:
    """The shape to which two shapes broadcast; None where they do not."""
    length = max(len(one), len(other))
    pairs = zip([1] * (length - len(one)) + list(one), [1] * (length - len(other)) + list(other), strict=True)
    found = [max(a, b) if a == b or 1 in (a, b) else -1 for a, b in pairs]
    return None if -1 in found else torch.Size(found)


def proves_nothing(gradient: Tensor) -> bool:
    """Zero everywhere, or not finite: everything below it would agree with it."""
    largest = float(gradient.abs().max()) if gradient.numel() else 0.0
    return largest == 0.0 or not largest < float("inf")


def is_constant(tensor: Tensor) -> bool:
    """Whether all elements are the same, so that some number makes it like any other constant."""
    return bool(tensor.max() == tensor.min())


def stretches(shape: torch.Size, into: torch.Size) -> bool:
    """Whether a shape broadcasts to another."""
    return len(shape) <= len(into) and all(a in (1, b) for a, b in zip(reversed(shape), reversed(into), strict=False))
