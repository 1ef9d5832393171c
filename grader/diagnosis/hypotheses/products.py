"""The product of two tensors that should not be in it: a wrong factor, a gradient for a value, a plus for a times.

The two may be any tensors of the forward pass and any gradients that the student handed in, multiplied entry by entry
(and summed like the line's own product) or as matrices. All pairs are compared at a few elements first, in one
operation; a pair that agrees there is compared with every element.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from grader.diagnosis.case import NEAR, Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.factors import named
from grader.diagnosis.repair import replaced
from grader.rounding.closeness import broadcasts_to, is_uniform

_Numbers = npt.NDArray[np.float32]
_Positions = npt.NDArray[np.int64]

SAMPLED = 4  # elements at which all pairs are compared
PAIRS_MAX = 6  # pairs that are compared with every element
PRODUCT_ELEMENTS_MIN = 24  # no product of two fits this many elements by chance
LENGTH_MAX = 4096  # of a sum


@dataclass(frozen=True)
class _Factor:
    """A tensor that may be a factor. ``name`` is the student's name for it: ``h`` or ``dh``."""

    name: str
    value: Tensor
    is_gradient: bool


@dataclass(frozen=True)
class _Pair:
    """Two factors, and how they are multiplied: ``text`` is the product in code."""

    one: _Factor
    other: _Factor
    text: str
    product: Tensor


def of_two(case: Case) -> Iterator[Finding]:
    """Find a term that is the product of two tensors, of which at least one does not belong there."""
    if not case.same_shape or case.right.numel() < PRODUCT_ELEMENTS_MIN or not case.matters(case.answer):
        return
    factors = _factors(case)
    for edge in case.direct:
        if edge.observed.shape != edge.term.shape or edge.term.dim() > 2 or _is_constant(edge.observed):
            continue
        pairs = [*_by_element(edge, factors), *_as_matrices(edge, factors)]
        upstream = "d" + edge.step.name  # another gradient may hold the same numbers: this one explains more
        near = {edge.step.name, *edge.step.reads, *(f"d{name}" for name in edge.step.reads)}

        def strange(pair: _Pair, upstream: str = upstream, near: set[str] = near) -> tuple[bool, int]:
            names = (pair.one.name, pair.other.name)
            return upstream not in names, sum(name not in near for name in names)

        for pair in sorted(pairs, key=strange):
            weight = case.weight(edge.observed, pair.product)
            if weight is not None and named(weight, case, (edge,)) is not None:
                finding = _finding(case, edge, pair, weight)
                if finding is not None:
                    yield finding
                    return


def less_than_one(case: Case) -> Iterator[Finding]:
    """Find the upstream gradient times ``1 - x`` or ``1 - x**2``, of a tensor that is not in that line."""
    if not case.same_shape or case.is_stretched or case.right.numel() < PRODUCT_ELEMENTS_MIN:
        return
    for edge in case.direct:
        upstream, observed = edge.upstream, edge.observed
        if upstream.shape != observed.shape or not case.matters(observed):
            continue
        index = np.unravel_index(int(upstream.abs().argmax()), upstream.shape)
        left = 1 - float(observed[index] / upstream[index])  # one element rules out most tensors
        for name, value in case.values.items():
            if not value.is_floating_point() or not value.dim() or not broadcasts_to(value.shape, upstream.shape):
                continue
            at_largest = float(value.expand(upstream.shape)[index])
            for power, text in ((1, f"1 - {name}"), (2, f"1 - {name}**2")):
                if not abs(at_largest**power - left) <= NEAR * abs(left):
                    continue
                product = (1 - value**power) * upstream
                if case.same(observed, product) and not case.same(edge.term, product) and not is_uniform(value):
                    repair = replaced(case, product, edge.term)
                    of_term = None if edge.share is case.right else edge.step.name
                    values: dict[str, Any] = {"read": edge.read, "summed": False, "of_term": of_term, "other": text}
                    values["product"] = f"({text}) * d{edge.step.name}"
                    yield Finding(Code.MISSING_LOCAL, "other_factor", edge.step.name, repair, **values)
                    return


def _is_constant(tensor: Tensor) -> bool:
    numbers = tensor.numpy()
    return bool((numbers == numbers.flat[0]).all())


def added(case: Case) -> Iterator[Finding]:
    """Find a sum where a product belongs: the upstream gradient, and something else added to it."""
    if not case.same_shape or case.right.numel() < PRODUCT_ELEMENTS_MIN:
        return
    for edge in case.direct:
        upstream, step = edge.upstream, edge.step
        if upstream.shape != edge.observed.shape or not case.matters(upstream):
            continue
        surplus = edge.observed - upstream
        if not case.matters(surplus):
            continue
        largest = int(surplus.abs().argmax())  # one element rules out most candidates
        at_largest = abs(float(surplus.reshape(-1)[largest]))
        alone = case.altered.term_without_upstream(step.name, edge.read, False)
        if is_uniform(alone):  # the line multiplies with a number at most: no product with a tensor is missing
            continue
        candidates = [("its factor", alone), *((name, value.detach()) for name, value in step.reads.items())]
        candidates.append((f"{step.name}**2", step.output.detach() ** 2))
        for name, value in candidates:
            if not broadcasts_to(value.shape, surplus.shape):
                continue
            value = value.expand(surplus.shape)
            if abs(abs(float(value.reshape(-1)[largest])) - at_largest) > NEAR * at_largest:
                continue
            sign = next((sign for sign in (1, -1) if case.same(surplus, sign * value)), None)
            if sign is not None and not is_uniform(value):
                repair = replaced(case, upstream + sign * value, edge.term)
                yield Finding(Code.MISSING_LOCAL, "plus" if sign > 0 else "minus", step.name, repair, other=name)
                return


def _factors(case: Case) -> list[_Factor]:
    """Return what a student may multiply: the tensors of the forward pass, and the gradients that were handed in.

    Those below the answer are made from it, so they explain nothing.
    """
    factors = [
        _Factor(name, value, name.startswith("d") and name[1:] in case.values)
        for name, value in case.values.items()
        if value.is_floating_point() and value.dim()
    ]
    below = case.below | {case.name}
    for name, gradient in case.replay.handed_in.items():
        if name not in below and broadcasts_to(gradient.shape, case.values[name].shape):
            factors.append(_Factor("d" + name, gradient, True))
    return factors


def _finding(case: Case, edge: Edge, pair: _Pair, weight: float) -> Finding | None:
    """Return what is wrong with a pair; None if nothing is."""
    if is_uniform(pair.one.value) or is_uniform(pair.other.value):
        return None  # a number is no factor that a student writes
    step, upstream = edge.step.name, "d" + edge.step.name
    names = {pair.one.name, pair.other.name}
    summed = pair.product.numel() < max(pair.one.value.numel(), pair.other.value.numel()) and "@" not in pair.text
    sign = "-" if weight < 0 else ""
    product = f"{sign}({pair.text})" if sign else pair.text
    repair = replaced(case, pair.product if weight > 0 else -pair.product, edge.term)
    # Where the tensor is used elsewhere too, it is one term that has these numbers, and not the whole gradient.
    of_term = None if edge.share is case.right else step
    values: dict[str, Any] = {"read": edge.read, "product": product, "summed": summed, "of_term": of_term}
    if abs(abs(weight) - 1) > 1e-4:
        return None  # the sentence would have to name the factor, too
    if upstream in names:
        other = pair.other if pair.one.name == upstream else pair.one
        if other.is_gradient:
            return Finding(Code.SWAPPED, "gradient_as_factor", step, repair, **values)
        return Finding(Code.MISSING_LOCAL, "other_factor", step, repair, other=other.name, **values)
    gradients = [factor for factor in (pair.one, pair.other) if factor.is_gradient]
    if not gradients:
        return Finding(Code.MISSING_UPSTREAM, "product_of_values", step, repair, **values)
    if len(gradients) == 1 and step in names and gradients[0].name[1:] in edge.step.reads:
        return Finding(Code.SWAPPED, "exchanged", step, repair, **values)
    return Finding(Code.SWAPPED, "product", step, repair, **values)


def _by_element(edge: Edge, factors: Sequence[_Factor]) -> Iterator[_Pair]:
    """Yield the products, entry by entry, that may be the term; summed along the axes of which the term has one."""
    wide, narrow = edge.step.output.shape, edge.observed.shape
    if not broadcasts_to(narrow, wide) or len(wide) > 2:
        return
    usable = [factor for factor in factors if broadcasts_to(factor.value.shape, wide)]
    want, rows = _sampled(edge.observed, wide)
    if not usable or rows[0].size > LENGTH_MAX:
        return
    taken = np.stack([_taken(factor.value.numpy(), rows) for factor in usable])
    with np.errstate(all="ignore"):  # a student's gradient may hold anything
        sums = np.matmul(taken.transpose(2, 0, 1), taken.transpose(2, 1, 0)).transpose(1, 2, 0)
    for i, j in _near(sums, want):
        one, other = usable[i], usable[j]
        product = (one.value * other.value).expand(wide).sum_to_size(narrow)
        yield _Pair(one, other, f"{one.name} * {other.name}", product)


def _sampled(observed: Tensor, wide: torch.Size) -> tuple[_Numbers, tuple[_Positions, ...]]:
    """Return the largest elements of a tensor, and for each of them the indices in ``wide`` of what sums up to it.

    The indices have the shape (terms of the sum, elements).
    """
    flat = observed.reshape(-1)
    chosen = flat.abs().topk(min(SAMPLED, flat.numel())).indices.numpy()
    padded = (1,) * (len(wide) - observed.dim()) + tuple(observed.shape)
    at = np.unravel_index(chosen, padded)
    summed = [axis for axis, length in enumerate(wide) if padded[axis] != length]
    count = math.prod(wide[axis] for axis in summed)
    along = np.unravel_index(np.arange(count), [wide[axis] for axis in summed]) if summed else ()
    rows = [along[summed.index(axis)][:, None] if axis in summed else at[axis][None] for axis in range(len(wide))]
    rows = [np.broadcast_to(row, (count, len(chosen))) for row in rows]
    return flat.numpy()[chosen], tuple(rows)


def _taken(values: _Numbers, rows: tuple[_Positions, ...]) -> _Numbers:
    """Return the elements of a tensor at some positions of a shape that it broadcasts to."""
    axes = rows[len(rows) - values.ndim :]
    indices = tuple(0 if length == 1 else index for index, length in zip(axes, values.shape, strict=True))
    return np.broadcast_to(values[indices], rows[0].shape)


def _as_matrices(edge: Edge, factors: Sequence[_Factor]) -> Iterator[_Pair]:
    """Yield the products of two matrices that may be the term: A.T @ B, A @ B.T and A @ B."""
    wide, narrow = edge.step.output.shape, edge.term.shape
    if edge.observed.dim() != 2 or broadcasts_to(narrow, wide) or broadcasts_to(wide, narrow):
        return  # the line works entry by entry
    rows, columns = edge.observed.shape
    flat = edge.observed.reshape(-1)
    chosen = flat.abs().topk(min(SAMPLED, flat.numel())).indices.numpy()
    i, j = np.unravel_index(chosen, (rows, columns))
    matrices = [factor for factor in factors if factor.value.dim() == 2]
    left = [(each, False) for each in matrices if each.value.shape[0] == rows]
    left += [(each, True) for each in matrices if each.value.shape[1] == rows]
    right = [(each, False) for each in matrices if each.value.shape[1] == columns]
    right += [(each, True) for each in matrices if each.value.shape[0] == columns]
    for length in {_turned(*each).shape[1] for each in left} - {1}:
        ones = [each for each in left if _turned(*each).shape[1] == length]
        others = [each for each in right if _turned(*each).shape[0] == length]
        if not others:
            continue
        a = np.stack([_turned(*each).numpy()[i] for each in ones])
        b = np.stack([_turned(*each).numpy()[:, j] for each in others])
        with np.errstate(all="ignore"):
            sums = np.matmul(a.transpose(1, 0, 2), b.transpose(2, 1, 0)).transpose(1, 2, 0)
        for first, second in _near(sums, flat.numpy()[chosen]):
            (one, one_turned), (other, other_turned) = ones[first], others[second]
            text = f"{one.name}{'.T' * one_turned} @ {other.name}{'.T' * other_turned}"
            yield _Pair(one, other, text, _turned(one, one_turned) @ _turned(other, other_turned))


def _turned(factor: _Factor, is_turned: bool) -> Tensor:
    return factor.value.T if is_turned else factor.value


def _near(sums: _Numbers, want: _Numbers) -> list[tuple[int, int]]:
    """Return the pairs whose product agrees with the sampled elements, but perhaps for the sign."""
    scale = NEAR * np.abs(want).max()
    with np.errstate(all="ignore"):
        agree = np.abs(sums - want).max(-1) <= scale
        agree |= np.abs(sums + want).max(-1) <= scale
    return [(int(i), int(j)) for i, j in np.argwhere(agree)][:PAIRS_MAX]
