"""The local derivative judged by ratios: what stands in a share's place, divided by the share."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from grader.compare import Diagnosis
from grader.diagnosis.case import Bundle, Case, Edge
from grader.diagnosis.wording import not_the_derivative
from grader.likeness import stretches

FEW = 24  # elements from which on a pattern is no chance
OVERDETERMINED = 3  # elements to each number that is fitted
POSITIONS = 16  # looked at to find a power
POWERS = 8  # a power is sought among the multiples of 1/2 up to this half
SAMPLE = 200  # elements that are looked at before all are
GRAIN = 1000  # into so many steps the logarithms of ratios are divided; within a step they are the same


def other_power(case: Case) -> Iterator[Diagnosis]:
    """A share is off by a power of a recorded tensor: a factor left out, put in twice, or divided by."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        share, found = bundle.share, bundle.found
        for name, power in _powers(case, bundle):
            value = case.values[name].expand(share.shape)
            factor = value.abs() ** power * (value.sign() if power % 2 == 1 else 1)
            if case.weight(found, torch.where(share == 0, share, share * factor)) is not None:
                edge = next((each for each in (*bundle.edges, *case.edges) if _near(name, each)), bundle.edges[0])
                yield not_the_derivative(
                    case,
                    edge,
                    f"The upstream gradient is there, but the derivative is not that of the line of "
                    f"{edge.step.name}: it is off by a power of {name}.",
                )
                return


def function_of_one(case: Case) -> Iterator[Diagnosis]:
    """The answer is the upstream gradient times some other function of what the line computes from."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        for edge in bundle.edges:
            step = edge.step.name
            # Where the upstream gradient is there element by element, what it is multiplied with is plain.
            plain = edge.read == case.name and edge.upstream.shape == bundle.share.shape
            against = edge.upstream if plain else bundle.share
            kept = (against.abs() > 1e-3 * against.abs().max()).reshape(-1).nonzero().flatten()
            if kept.numel() < FEW:
                continue
            seen = {name: case.values[name] for name in (*edge.step.reads, step)}
            for name, value in (*seen.items(), ("d" + step, edge.upstream)):
                if not stretches(value.shape, against.shape):
                    continue
                value = value.expand(against.shape)
                # What is no function shows in a few places.
                if all(
                    _is_function(bundle.found.take(some) / against.take(some), value.take(some))
                    for some in (kept[:: max(1, kept.numel() // SAMPLE)], kept)
                ):
                    yield not_the_derivative(
                        case,
                        edge,
                        f"You multiply d{step} with something that depends on {name}, but it is not the derivative "
                        f"of the line of {step}.",
                    )
                    return


def constant_along_an_axis(case: Case) -> Iterator[Diagnosis]:
    """A share is off by a factor that is the same along each row, or each column."""
    if not case.same_shape or case.right.dim() < 2 or min(case.right.shape) < 2:
        return
    for bundle in case.bundles:
        share, found = bundle.share, bundle.found
        for axis in range(share.dim()):
            square = (share * share).sum(axis, keepdim=True)
            if int((share != 0).sum()) < OVERDETERMINED * square.numel():
                continue
            weights = (found * share).sum(axis, keepdim=True) / torch.where(square == 0, 1.0, square)
            if case.same(found, weights * share):
                along = {1: "row", 2: "column"}.get(share.dim() - axis, "slice")
                yield not_the_derivative(
                    case,
                    bundle.edges[0],
                    f"Your gradient is off by a factor that is the same all along each {along}, and another for "
                    "each: a factor of that shape is missing or wrong in the derivative of "
                    f"{bundle.edges[0].step.name}.",
                )
                return


def _powers(case: Case, bundle: Bundle) -> list[tuple[str, float]]:
    """Tensors of which the ratio of found to share is a power, judged from its largest elements: the likely
    ones first.
    """
    flat = bundle.share.reshape(-1)
    where = flat.abs().topk(min(POSITIONS, flat.numel())).indices
    ratio = (bundle.found.reshape(-1)[where] / flat[where]).abs().double()
    if len(where) < 3 or not bool(((ratio > 0) & ratio.isfinite()).all()):
        return []
    shape = bundle.share.shape
    names = [
        name
        for name, value in case.values.items()
        if value.is_floating_point() and value.dim() and stretches(value.shape, shape)
    ]
    if not names:
        return []
    x = torch.stack([case.values[name].expand(shape).take(where) for name in names]).double().abs().log()
    x, y = x - x.mean(1, keepdim=True), ratio.log() - ratio.log().mean()
    spread = (x * x).sum(1)
    slope = (x * y).sum(1) / spread
    rest = ((y - slope.unsqueeze(1) * x) ** 2).sum(1)
    fits = (spread > 1e-4) & (rest < 1e-6 * y.square().sum()) & (slope.abs() <= POWERS / 2)
    found = [(names[index], round(2 * float(slope[index])) / 2) for index in fits.nonzero().flatten().tolist()]
    near = {name for edge in bundle.edges for name in (edge.step.name, *edge.step.reads)}
    return sorted(
        (each for each in found if each[1]),
        key=lambda each: (each[0] not in near, abs(abs(each[1]) - 1), each[0]),
    )


def _near(name: str, edge: Edge) -> bool:
    return name == edge.step.name or name in edge.step.reads


def _is_function(ratio: Tensor, value: Tensor) -> bool:
    """Whether equal values always have equal ratios and near values near ones.

    In the order of the values, ratios that are a function of them go up and down a few times; others jump at
    random. What is counted is how far they go altogether, in ranks, so that no single large ratio decides.
    """
    logs = ratio.abs().double().clamp(min=1e-12).log()
    spread = float(logs.max() - logs.min())
    if spread < 1e-5:
        return False
    logs = (logs * (GRAIN / spread)).round()
    ranks = torch.unique(logs, return_inverse=True)[1]
    distinct = int(ranks.max()) + 1
    ranks = ranks[value.argsort()]
    if distinct < 8:  # a function with steps, such as that of a ReLU
        often = int(ranks.bincount().sort().values[-2]) >= 8
        return often and int((ranks.diff() != 0).sum()) <= 2 * distinct
    travelled = int(ranks.diff().abs().sum())
    return travelled <= 6 * distinct and travelled <= 0.08 * len(ranks) * distinct
