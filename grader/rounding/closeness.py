"""Whether two gradients differ by rounding only, whatever their size and shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from grader.compare import BROADCAST_ELEMENTS_MAX, RTOL

RELATIVE = 1e-5  # the relative tolerance of torch.allclose
# Rounding error of a sum, as a share of the sum of the sizes of its terms: some 17 units in the last place of float32.
NOISE = 2e-6
SAMPLE = 3  # elements that are compared before all are
SAMPLE_RELATIVE = 1e-3  # the relative tolerance for those


class Target:
    """A tensor that candidates are compared with.

    Three of its largest elements rule out most candidates, for a small part of the cost of a full comparison.
    """

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        flat = tensor.reshape(-1).numpy()  # small operations cost a third of what they cost in torch
        length = max(len(flat) // SAMPLE, 1)
        parts = np.abs(flat[: length * SAMPLE]).reshape(-1, length)
        positions = parts.argmax(1) + np.arange(0, parts.size, length)
        self.positions = torch.from_numpy(positions)
        self.values: list[float] = flat[positions].tolist()
        self.largest = max(map(abs, self.values))

    def sample(self, candidate: Tensor) -> list[float]:
        """Return the candidate's values at the sampled positions."""
        values: list[float] = candidate.take(self.positions).tolist()
        return values

    def may_equal(self, sample: Sequence[float], noise: float = 0.0) -> bool:
        """Whether a candidate with these sampled values may be the same but for rounding."""
        slack = 2 * RELATIVE * self.largest + noise
        return all(
            abs(have - want) <= SAMPLE_RELATIVE * abs(have) + slack
            for have, want in zip(self.values, sample, strict=True)
        )

    def may_equal_sum(self, terms: Sequence[Tensor]) -> bool:
        """Whether the sum of ``terms`` may be the same but for rounding. True if a shape differs."""
        if any(term.shape != self.tensor.shape for term in terms):
            return True
        return self.may_equal([sum(values) for values in zip(*map(self.sample, terms), strict=True)])


def sum_of(tensors: Sequence[Tensor]) -> Tensor:
    """Return the sum of one tensor or more."""
    return sum(tensors[1:], tensors[0])


def close(answer: Tensor, right: Tensor, noise: float = 0.0) -> bool:
    """Whether an answer differs from the right gradient by rounding only.

    ``noise`` is an absolute tolerance, raised to ``NOISE`` of the largest element. The absolute tolerance of
    ``cmp``, 1e-8, is large for a gradient that shrank on its way and small for one that a mistake enlarged.
    """
    aligned = align(answer, right.shape)
    if aligned is None:
        return False
    if torch.equal(aligned, right):
        return True
    size, difference = right.abs(), (aligned - right).abs()
    largest = float(size.max())
    noise = max(NOISE * largest, noise)
    if not float(difference.max()) <= RELATIVE * largest + noise:
        return False
    return bool((difference <= RELATIVE * size + noise).all())


def align(answer: Tensor, shape: torch.Size) -> Tensor | None:
    """Return an answer broadcast to ``shape``, as ``cmp`` reads it.

    Leading axes of length 1 beyond those of ``shape`` are dropped. None if the answer does not broadcast to ``shape``.
    """
    if answer.shape == shape:
        return answer
    while answer.dim() > len(shape) and answer.shape[0] == 1:
        answer = answer[0]
    return answer.expand(shape) if broadcast_shape(answer.shape, shape) == shape else None


def fit(gradient: Tensor, shape: torch.Size) -> Tensor | None:
    """Return a gradient broadcast, summed, reshaped or transposed to ``shape``; None if none of these fits."""
    if gradient.shape == shape:
        return gradient
    common = broadcast_shape(gradient.shape, shape)
    if common == shape:
        return gradient.expand(shape)
    if common is not None:
        if gradient.numel() == shape.numel():  # keepdim is missing: the right numbers along another axis
            return gradient.reshape(shape)
        return gradient.expand(common).sum_to_size(shape) if math.prod(common) <= BROADCAST_ELEMENTS_MAX else None
    if gradient.dim() > 1 and gradient.mT.shape == shape:
        return gradient.mT
    return gradient.reshape(shape) if gradient.numel() == shape.numel() else None


def broadcast_shape(one: Sequence[int], other: Sequence[int]) -> torch.Size | None:
    """Return the shape that two shapes broadcast to; None if they do not."""
    return _broadcast_shape(tuple(one), tuple(other))


@lru_cache(maxsize=4096)  # an answer asks a hundred times, about few shapes
def _broadcast_shape(one: tuple[int, ...], other: tuple[int, ...]) -> torch.Size | None:
    length = max(len(one), len(other))
    pairs = zip((1,) * (length - len(one)) + one, (1,) * (length - len(other)) + other, strict=True)
    common = [max(a, b) if a == b or 1 in (a, b) else -1 for a, b in pairs]
    return None if -1 in common else torch.Size(common)


def broadcasts_to(shape: torch.Size, target: torch.Size) -> bool:
    """Whether ``shape`` broadcasts to ``target``."""
    return len(shape) <= len(target) and all(
        a in (1, b) for a, b in zip(reversed(shape), reversed(target), strict=False)
    )


def is_degenerate(gradient: Tensor) -> bool:
    """Whether a gradient is zero everywhere or not finite, so that everything below agrees with it."""
    largest = float(gradient.abs().max()) if gradient.numel() else 0.0
    return largest == 0.0 or not largest < float("inf")


def is_nearly_uniform(tensor: Tensor) -> bool:
    """Whether all elements are equal but for 1e-5 of the largest. NaN and infinities are equal to nothing."""
    return bool(tensor.max() - tensor.min() <= RTOL * tensor.abs().max())


def is_uniform(tensor: Tensor) -> bool:
    """Whether all elements are equal, so that a factor takes the tensor to any other such tensor."""
    return bool(tensor.max() == tensor.min())
