"""The local derivative, judged by ratios: what the student has in place of a share, divided by the share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from grader.diagnosis.case import OVERDETERMINED, Bundle, Case
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.factors import described
from grader.diagnosis.repair import replaced
from grader.rounding.closeness import broadcasts_to

FUNCTION_ELEMENTS_MIN = 24  # this many elements do not look like a function by chance
FAMILIAR_ELEMENTS_MIN = 3
# What stands in the derivatives of tanh, sigmoid, exp, log, powers and roots, or is mistaken for it.
FAMILIAR: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda y: 1 - y,
    lambda y: 1 + y,
    lambda y: 1 - y**2,
    lambda y: 1 + y**2,
    lambda y: y * (1 - y),
    lambda y: y * (1 + y),
    lambda y: 1 - y**3,
    torch.exp,
    torch.tanh,
    torch.sigmoid,
    torch.cos,
    torch.sin,
)
FACTOR_MIN = 1e-3  # how far from 1 a factor is along an axis; the rounding of a sum is the same along one as well
LARGEST = 16  # elements that a power is fitted to
POWER_MAX = 4  # powers are multiples of 1/2
TRIED_FIRST = 200  # elements that are tried before all are
REMAINDER = 1e-2  # of the largest element, that may stand where no ratio can be taken
TINY = 1e-30  # stands for 0 where a logarithm is taken
LEVELS = 1000  # that the logarithms of the ratios are rounded to
SIGN_CHANGES_MAX = 4  # of a function of one tensor, in the order of that tensor
# How far a ratio is from the line between its neighbours, relative, for half of n ratios: rounding and curvature / n².
# Functions that students write have 2e-6 at 2,000 elements and 7e-5 at 32; one of a second tensor, too, ten times that.
UNEVEN, CURVATURE = 5e-6, 0.15


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


def one_factor_too_many(case: Case) -> Iterator[Finding]:
    """Find a share that is multiplied with a recorded tensor, and with nothing else."""
    yield from (finding for finding in other_power(case) if finding.values["factor"] == finding.values["other"])


def _off_by(case: Case, bundle: Bundle, times: tuple[str, float, float], repair: Tensor | None) -> Finding:
    """Return the finding of a part that is off by a tensor, to a power, times a number.

    Only a line that all of this part comes through may be the wrong one. If it is the whole gradient and none of its
    lines reads the tensor, all lines are meant.
    """
    name, power, weight = times
    near = next((edge for edge in bundle.edges if name in edge.step.reads), None)
    near = near or next((edge for edge in bundle.edges if name == edge.step.name), None)
    edge = near if near is not None else bundle.edges[0]
    sign = "-" if weight < 0 else ""
    number = described(weight, case, bundle.edges)
    factor = sign if number == "1" else f"{sign}{number} * "
    factor += f"{name}" if power == 1 else f"{name}**{power:g}"
    whole = case.is_whole(bundle.share)
    values: dict[str, Any] = {"read": edge.read, "other": name, "factor": factor, "part": case.called(edge)}
    if whole and len(case.edges) > len(case.direct):  # any line from the answer on may have the factor
        return Finding(Code.MISSING_LOCAL, "whole_off_by_a_power", (), repair, **values)
    form = "off_by_a_power" if whole else "term_off_by_a_power"
    return Finding(Code.MISSING_LOCAL, form, edge.step.name, repair, **values)


def familiar_function(case: Case) -> Iterator[Finding]:
    """Find the upstream gradient times a function that stands in the derivative of some other line: ``o`` for o(1-o).

    Unlike ``function_of_one`` it needs no more than a few elements, because the function is known.
    """
    if not case.same_shape or case.answer.numel() < FAMILIAR_ELEMENTS_MIN:
        return
    for bundle in case.bundles:
        for edge in bundle.edges:
            if edge.read != case.name or edge.upstream.shape != bundle.share.shape:
                continue
            for name in dict.fromkeys((edge.step.name, *edge.step.reads)):
                value = case.values[name]
                if not value.is_floating_point() or not broadcasts_to(value.shape, edge.upstream.shape):
                    continue
                for function in FAMILIAR:
                    stands = edge.upstream * function(value)
                    if case.same(bundle.observed, stands):
                        values: dict[str, Any] = {"read": edge.read, "other": name, "part": case.called(edge)}
                        form = "other_function" if case.is_whole(bundle.share) else "other_function_of_a_term"
                        repair = replaced(case, stands, bundle.share)
                        yield Finding(Code.MISSING_LOCAL, form, edge.step.name, repair, **values)
                        return


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
            if kept.numel() < FUNCTION_ELEMENTS_MIN or _reaches_beyond(bundle, counted, plain):
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
                ) and _is_smooth(bundle.observed.take(kept) / against.take(kept), value.take(kept)):
                    form = "other_function" if plain else "other_function_of_a_term"
                    if not plain and case.is_whole(bundle.share):
                        yield Finding(Code.MISSING_LOCAL, "other_function_of_all", other=name)
                    else:
                        values: dict[str, Any] = {"read": edge.read, "other": name, "part": case.called(edge)}
                        yield Finding(Code.MISSING_LOCAL, form, at=step, **values)
                    return


def _reaches_beyond(bundle: Bundle, counted: Tensor, plain: bool) -> bool:
    """Whether something is wrong where the upstream gradient is next to nothing, and no ratio tells of it."""
    beyond = float((bundle.observed * ~counted).abs().max())
    size = float(bundle.observed.abs().max())
    if not plain:  # a huge part hides nothing of the others
        size = min(size, float(bundle.share.abs().max()))
    return beyond > REMAINDER * size


def constant_along_an_axis(case: Case) -> Iterator[Finding]:
    """Find a share off by a factor that is the same along each row, or each column.

    An answer that was stretched along an axis, and a share that is the same along it, have such a factor in any case.
    """
    if not case.same_shape or case.is_stretched or case.right.dim() < 2 or min(case.right.shape) < 2:
        return
    for bundle in case.bundles:
        share, observed = bundle.share, bundle.observed
        for axis in range(share.dim()):
            square = (share * share).sum(axis, keepdim=True)
            if int((share != 0).sum()) < OVERDETERMINED * square.numel() or is_even(share, axis):
                continue
            weights = (observed * share).sum(axis, keepdim=True) / torch.where(square == 0, 1.0, square)
            if case.same(observed, weights * share) and bool(((weights - 1).abs() > FACTOR_MIN).any()):
                yield _along(case, bundle, axis, weights)
                return


def off_like_a_part(case: Case) -> Iterator[Finding]:
    """Find an error that is the same all along each column, or each row, where a part of the gradient is, too.

    Whatever has one number for each column fits such a part, so no more is said than that.
    """
    if not case.same_shape or case.is_stretched or case.right.dim() < 2 or min(case.right.shape) < 2:
        return
    error = case.answer - case.right
    for bundle in case.bundles:
        for axis in range(error.dim()):
            if case.is_whole(bundle.share) or not is_even(bundle.share, axis) or is_even(case.right, axis):
                continue
            if case.matters(error) and case.same(error, error.mean(axis, keepdim=True).expand(error.shape)):
                edge = bundle.edges[0]
                values: dict[str, Any] = {"part": case.called(edge), "axis_from_end": error.dim() - axis}
                yield Finding(Code.MISSING_LOCAL, "off_like_a_part", edge.step.name, **values)
                return


def _along(case: Case, bundle: Bundle, axis: int, weights: Tensor) -> Finding:
    """Return the finding of a part that is off by factors along an axis."""
    edge, whole = bundle.edges[0], case.is_whole(bundle.share)
    repair = replaced(case, weights * bundle.share, bundle.share)
    values: dict[str, Any] = {"part": case.called(edge), "axis_from_end": bundle.share.dim() - axis}
    # Where steps lie in between, any of their lines may have the factor.
    at = () if whole and len(case.edges) > len(case.direct) else edge.step.name
    form = "factor_along_an_axis" if whole else "factor_along_an_axis_of_a_term"
    return Finding(Code.MISSING_LOCAL, form, at, repair, **values)


def is_even(share: Tensor, axis: int) -> bool:
    """Whether a share is the same along most slices of an axis."""
    first = share.narrow(axis, 0, 1)
    even = ((share - first).abs() <= FACTOR_MIN * first.abs()).all(axis)
    return 2 * int(even.sum()) > even.numel()


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
    if int((ratio[value.argsort()].sign().diff() != 0).sum()) > SIGN_CHANGES_MAX:
        return False
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


def _is_smooth(ratio: Tensor, value: Tensor) -> bool:
    """Whether the ratio at a value lies between the ratios at the next smaller and the next larger value.

    This tells a function of one tensor from one that depends a little on others as well, such as on the sum of a row.
    """
    order = value.argsort()
    ratios, values = ratio.double()[order], value.double()[order]
    scales = [(ratios, ratios.abs().clamp(min=TINY)), (ratios.abs().clamp(min=TINY).log(), torch.ones(1))]
    uneven = min(
        float(((each - _between(each, along))[1:-1].abs() / size.expand(each.shape)[1:-1]).median())
        for each, size in scales
        for along in (values, values.abs().clamp(min=TINY).log())
    )
    return uneven <= UNEVEN + CURVATURE / len(values) ** 2


def _between(ratios: Tensor, along: Tensor) -> Tensor:
    """Return what each ratio would be on the line between its neighbours; the first and the last are kept."""
    gap = along[2:] - along[:-2]
    share = torch.where(gap != 0, (along[1:-1] - along[:-2]) / torch.where(gap != 0, gap, 1.0), 0.0)
    middle = ratios[:-2] + (ratios[2:] - ratios[:-2]) * share
    return torch.cat([ratios[:1], middle, ratios[-1:]])
