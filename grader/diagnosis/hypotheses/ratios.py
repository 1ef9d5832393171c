"""The local derivative, judged by ratios: what the student has in place of a share, divided by the share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from grader.diagnosis.case import OVERDETERMINED, Bundle, Case
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.factors import described
from grader.diagnosis.repair import replaced
from grader.rounding import broadcasts_to

FUNCTION_ELEMENTS_MIN = 24  # this many elements do not look like a function by chance
FACTOR_MIN = 1e-3  # how far from 1 a factor is along an axis; the rounding of a sum is the same along one as well
LARGEST = 16  # elements that a power is fitted to
POWER_MAX = 4  # powers are multiples of 1/2
TRIED_FIRST = 200  # elements that are tried before all are
REMAINDER = 1e-2  # of the largest element, that may stand where no ratio can be taken
LEVELS = 1000  # that the logarithms of the ratios are rounded to


def other_power(case: Case) -> Iterator[Finding]:
    """Find a share off by a power of a recorded tensor: a factor left out, put in twice, or divided by."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        share, observed = bundle.share, bundle.observed
        for name, power in _powers(case, bundle):
            value = case.values[name].expand(share.shape)
            factor = value.abs() ** power * (value.sign() if power % 2 == 1 else 1)
            scaled = torch.where(share == 0, share, share * factor)
            weight = case.weight(observed, scaled)
            if weight is not None:
                yield _off_by(case, bundle, (name, power, weight), replaced(case, weight * scaled, share))
                return


def _off_by(case: Case, bundle: Bundle, times: tuple[str, float, float], repair: Tensor | None) -> Finding:
    """Return the finding of a part that is off by a tensor, to a power, times a number.

    Only a line that all of this part comes through may be the wrong one. If it is the whole gradient and none of its
    lines reads the tensor, all lines are meant.
    """
    name, power, weight = times
    near = next((edge for edge in bundle.edges if name in edge.step.reads), None)
    near = near or next((edge for edge in bundle.edges if name == edge.step.name), None)
    sign = "-" if weight < 0 else ""
    number = described(weight, case, bundle.edges)
    factor = sign if number == "1" else f"{sign}{number} * "
    factor += f"{name}" if power == 1 else f"{name}**{power:g}"
    whole = case.is_whole(bundle.share)
    edge = near if near is not None else bundle.edges[0]
    values: dict[str, Any] = {"read": edge.read, "other": name, "factor": factor}
    if near is None and whole and len(case.edges) > len(case.direct):
        return Finding(Code.MISSING_LOCAL, "whole_off_by_a_power", (), repair, **values)
    form = "off_by_a_power" if whole else "term_off_by_a_power"
    return Finding(Code.MISSING_LOCAL, form, edge.step.name, repair, **values)


def function_of_one(case: Case) -> Iterator[Finding]:
    """Find the upstream gradient times some other function of a tensor of the line."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        for edge in bundle.edges:
            step = edge.step.name
            # Where the upstream gradient is there element by element, the ratio to it is the factor itself.
            plain = edge.read == case.name and edge.upstream.shape == bundle.share.shape
            against = edge.upstream if plain else bundle.share
            counted = against.abs() > 1e-3 * against.abs().max()
            kept = counted.reshape(-1).nonzero().flatten()
            if kept.numel() < FUNCTION_ELEMENTS_MIN or _reaches_beyond(bundle.observed, counted):
                continue
            # Not the upstream gradient itself: whatever is computed from it alone looks like a function of it.
            for name in (*edge.step.reads, step):
                value = case.values[name]
                if not broadcasts_to(value.shape, against.shape):
                    continue
                value = value.expand(against.shape)
                # A sample rules out most tensors.
                if all(
                    _is_function(bundle.observed.take(some) / against.take(some), value.take(some))
                    for some in (kept[:: max(1, kept.numel() // TRIED_FIRST)], kept)
                ):
                    form = "other_function" if plain else "other_function_of_a_term"
                    yield Finding(Code.MISSING_LOCAL, form, at=step, read=edge.read, other=name)
                    return


def _reaches_beyond(observed: Tensor, counted: Tensor) -> bool:
    """Whether a part of the answer stands where the upstream gradient is next to nothing, and no ratio tells of it."""
    return float((observed * ~counted).abs().max()) > REMAINDER * float(observed.abs().max())


def constant_along_an_axis(case: Case) -> Iterator[Finding]:
    """Find a share off by a factor that is the same along each row, or each column."""
    if not case.same_shape or case.right.dim() < 2 or min(case.right.shape) < 2:
        return
    for bundle in case.bundles:
        share, observed = bundle.share, bundle.observed
        for axis in range(share.dim()):
            square = (share * share).sum(axis, keepdim=True)
            if int((share != 0).sum()) < OVERDETERMINED * square.numel():
                continue
            weights = (observed * share).sum(axis, keepdim=True) / torch.where(square == 0, 1.0, square)
            if case.same(observed, weights * share) and bool(((weights - 1).abs() > FACTOR_MIN).any()):
                edge, form = bundle.edges[0], "factor_along_an_axis"
                form = form if case.is_whole(share) else "factor_along_an_axis_of_a_term"
                values: dict[str, Any] = {"read": edge.read, "axis_from_end": share.dim() - axis}
                repair = replaced(case, weights * share, share)
                yield Finding(Code.MISSING_LOCAL, form, edge.step.name, repair, **values)
                return


def _powers(case: Case, bundle: Bundle) -> list[tuple[str, float]]:
    """Return the tensors that the ratio of observed to share may be a power of, with the power, likely ones first.

    The largest elements of the share decide.
    """
    flat = bundle.share.reshape(-1)
    where = flat.abs().topk(min(LARGEST, flat.numel())).indices
    ratio = (bundle.observed.reshape(-1)[where] / flat[where]).abs().double()
    if len(where) < 3 or not bool(((ratio > 0) & ratio.isfinite()).all()):
        return []
    shape = bundle.share.shape
    names = [
        name
        for name, value in case.values.items()
        if value.is_floating_point() and value.dim() and broadcasts_to(value.shape, shape)
    ]
    if not names:
        return []
    x = torch.stack([case.values[name].expand(shape).take(where) for name in names]).double().abs().log()
    x, y = x - x.mean(1, keepdim=True), ratio.log() - ratio.log().mean()
    spread = (x * x).sum(1)
    slope = (x * y).sum(1) / spread
    residual = ((y - slope.unsqueeze(1) * x) ** 2).sum(1)
    fits = (spread > 1e-4) & (residual < 1e-6 * y.square().sum()) & (slope.abs() <= POWER_MAX)
    powers = [(names[index], round(2 * float(slope[index])) / 2) for index in fits.nonzero().flatten().tolist()]
    near = {name for edge in bundle.edges for name in (edge.step.name, *edge.step.reads)}
    return sorted(
        (each for each in powers if each[1]),
        key=lambda each: (each[0] not in near, abs(abs(each[1]) - 1), each[0]),
    )


def _is_function(ratio: Tensor, value: Tensor) -> bool:
    """Whether the ratio is a function of the value: equal values have equal ratios, near values near ones.

    In the order of the values, the ratios of a function go up and down a few times; others jump at random. The sum of
    their steps is taken in ranks, so that no single large ratio decides.
    """
    logs = ratio.abs().double().clamp(min=1e-12).log()
    spread = float(logs.max() - logs.min())
    if spread < 1e-5:
        return False
    logs = (logs * (LEVELS / spread)).round()
    ranks = torch.unique(logs, return_inverse=True)[1]
    distinct = int(ranks.max()) + 1
    ranks = ranks[value.argsort()]
    if distinct < 8:  # a function with steps, such as that of a ReLU
        often = int(ranks.bincount().sort().values[-2]) >= 8
        return often and int((ranks.diff() != 0).sum()) <= 2 * distinct
    travelled = int(ranks.diff().abs().sum())
    return travelled <= 6 * distinct and travelled <= 0.08 * len(ranks) * distinct
