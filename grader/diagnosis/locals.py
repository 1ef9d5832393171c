"""The chain rule's two factors: the upstream gradient, and the local derivative of the line."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from grader.compare import Diagnosis
from grader.diagnosis.case import Bundle, Case, Edge
from grader.diagnosis.factors import named
from grader.diagnosis.wording import look
from grader.reference import back

FEW = 24  # elements from which on a pattern is no chance
POSITIONS = 16  # looked at to find a power
FACTORS = (1.0, -1.0, 2.0, -2.0, 0.5, 3.0)
POWERS = 8  # a power is sought among the multiples of 1/2 up to this half
GRAIN = 1000  # into so many steps the logarithms of ratios are divided; within a step they are the same


def no_upstream(case: Case) -> Iterator[Diagnosis]:
    """The local derivative alone: ones went in where the upstream gradient belongs."""
    yield from _bare(case, (1.0,), value=False)


def value_upstream(case: Case) -> Iterator[Diagnosis]:
    """The forward value went in where its gradient belongs: ``logits`` for ``dlogits``."""
    yield from _bare(case, (1.0, -1.0), value=True)


def number_upstream(case: Case) -> Iterator[Diagnosis]:
    """The local derivative times a number."""
    yield from _bare(case, (), value=False)


def _bare(case: Case, weights: tuple[float, ...], value: bool) -> Iterator[Diagnosis]:
    """``weights`` are the numbers that may stand before it; none given: any that has a name."""
    for edge in case.edges:
        step = edge.step.name
        bare = case.arrives(edge, case.replays.bare(step, edge.read, value))
        if step == "loss" or bare is None or case.same(edge.share, bare):
            continue
        weight = case.weight(edge.found, bare)
        if weight is None:
            continue
        if any(abs(weight - each) < 1e-4 for each in weights) or (not weights and named(weight, case)):
            yield Diagnosis(
                "missing_upstream",
                (
                    f"Your gradient holds the derivative of the line of {step} alone; d{step} does not come into it.",
                    look(case, step),
                    f"The chain rule multiplies: what {step} does to the loss, times what {edge.read} does to {step}.",
                ),
            )
            return


def missing_local(case: Case) -> Iterator[Diagnosis]:
    """The upstream gradient alone, summed or stretched to the tensor's shape."""
    for edge in case.edges:
        passed_on = _as_it_is(edge)
        if passed_on is None:
            continue
        arrived = case.arrives(edge, passed_on)
        if arrived is None or case.weight(edge.share, arrived) is not None:
            continue
        if case.weight(edge.found, arrived) is not None:
            step = edge.step.name
            yield _local(
                case,
                edge,
                f"d{step} goes through to {edge.read} unchanged; the derivative of the line of {step} is missing.",
            )
            return


def spilled(case: Case) -> Iterator[Diagnosis]:
    """Right wherever the right gradient is not zero, and something where it is."""
    if not case.same_shape:
        return
    for edge in case.direct:
        reached = edge.share != 0
        if bool(reached.all()) or not bool(reached.any()):
            continue
        if case.same(edge.found * reached, edge.share):
            step = edge.step.name
            wrong = int(((edge.found != 0) & ~reached).sum())
            yield _local(
                case,
                edge,
                f"{wrong} elements of your gradient should be zero: {step} does not depend on those elements of "
                f"{edge.read}. The others are right.",
            )
            return


def unfilled(case: Case) -> Iterator[Diagnosis]:
    """Right wherever it is not zero, and zero where it should not be."""
    if not case.same_shape:
        return
    for edge in case.direct:
        filled = edge.found != 0
        if bool(filled.any()) and case.same(edge.found, edge.share * filled):
            missing = int((~filled & (edge.share != 0)).sum())
            yield Diagnosis(
                "missing_term",
                (
                    f"{missing} elements of your gradient are zero and should not be; the others are right.",
                    look(case, edge.step.name),
                    "Which elements does your line reach? Look at the ends of its ranges and at its indices.",
                ),
            )
            return


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
                yield _local(
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
            kept = against.abs() > 1e-3 * against.abs().max()
            ratio = bundle.found[kept] / against[kept]
            if ratio.numel() < FEW:
                continue
            seen = {name: case.values[name] for name in (*edge.step.reads, step)}
            for name, value in (*seen.items(), ("d" + step, edge.upstream)):
                if not _fits(value.shape, kept.shape) or not _is_function(ratio, value.expand(kept.shape)[kept]):
                    continue
                yield _local(
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
            weights = (found * share).sum(axis, keepdim=True) / torch.where(square == 0, 1.0, square)
            if case.same(found, weights * share):
                along = {1: "row", 2: "column"}.get(share.dim() - axis, "slice")
                yield _local(
                    case,
                    bundle.edges[0],
                    f"Your gradient is off by a factor that is the same all along each {along}, and another for "
                    "each: a factor of that shape is missing or wrong in the derivative of "
                    f"{bundle.edges[0].step.name}.",
                )
                return


def other_operand(case: Case) -> Iterator[Diagnosis]:
    """Another tensor of the forward pass, or a gradient, went into the line's derivative."""
    for edge in case.direct:
        step = edge.step
        for other, recorded in step.reads.items():
            if other == edge.read and len(step.reads) > 1:
                continue
            for name, value in _likenesses(case, other, recorded.shape):
                played = case.replays.substituted(step.name, other, value)
                arrived = None if played is None else back(played, edge.upstream)[edge.read]
                if arrived is None or case.weight(edge.found, arrived) is None:
                    continue
                kind = f"{name} stands in the derivative of the line of {step.name} in place of {other}."
                if name in case.values:
                    yield _local(case, edge, kind)
                else:
                    yield Diagnosis(
                        "swapped",
                        (
                            kind,
                            look(case, step.name),
                            "A derivative of a line is made of "
                            "the line's own tensors; a gradient comes in once, as the upstream.",
                        ),
                    )
                return


def other_factor(case: Case) -> Iterator[Diagnosis]:
    """A broadcast tensor's gradient summed up right, but from the upstream times another tensor."""
    if not case.same_shape:
        return
    for edge in case.direct:
        shape = edge.upstream.shape
        if edge.term.numel() >= edge.upstream.numel() or not _fits(edge.term.shape, shape):
            continue
        near = (*edge.step.reads, edge.step.name)
        for name, value in case.values.items():
            if not value.is_floating_point() or value.numel() < edge.term.numel() or not _fits(value.shape, shape):
                continue
            for power in FACTORS if name in near else (1.0,):
                summed = (edge.upstream * value.expand(shape) ** power).sum_to_size(edge.term.shape)
                if case.weight(edge.found, summed) is not None:
                    step = edge.step.name
                    yield _local(
                        case,
                        edge,
                        f"d{step} is multiplied with {'a power of ' if power != 1 else ''}{name} before the sum, "
                        f"and that is not the derivative of the line of {step}.",
                    )
                    return


def _likenesses(case: Case, name: str, shape: torch.Size) -> Iterator[tuple[str, Tensor]]:
    """Tensors of a shape that may be taken for another: recorded values, then the student's gradients."""
    for other, value in case.values.items():
        if other != name and value.shape == shape and value.is_floating_point():
            yield other, value
    for other, gradient in case.carried.given.items():
        if other != case.name and gradient.shape == shape:
            yield "d" + other, gradient


def _local(case: Case, edge: Edge, kind: str) -> Diagnosis:
    step = edge.step.name
    return Diagnosis(
        "missing_local",
        (
            kind,
            look(case, step),
            f"Move one element of {edge.read} a little: by how much does {step} move? That is the factor to "
            "multiply with.",
        ),
    )


def _as_it_is(edge: Edge) -> Tensor | None:
    upstream, shape = edge.upstream, edge.term.shape
    if upstream.shape == shape:
        return upstream
    try:
        return upstream.sum_to_size(shape)
    except RuntimeError:
        pass
    try:
        return upstream.expand(shape)
    except RuntimeError:
        return None


def _powers(case: Case, bundle: Bundle) -> list[tuple[str, float]]:
    """Tensors of which the ratio of found to share is a power, judged from its largest elements: the likely
    ones first."""
    flat = bundle.share.reshape(-1)
    where = flat.abs().topk(min(POSITIONS, flat.numel())).indices
    ratio = (bundle.found.reshape(-1)[where] / flat[where]).abs().double()
    if len(where) < 3 or not bool(((ratio > 0) & ratio.isfinite()).all()):
        return []
    shape = bundle.share.shape
    names = [
        name
        for name, value in case.values.items()
        if value.is_floating_point() and value.dim() and _fits(value.shape, shape)
    ]
    if not names:
        return []
    x = torch.stack([case.values[name].expand(shape).reshape(-1)[where] for name in names]).double().abs().log()
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


def _fits(shape: torch.Size, into: torch.Size) -> bool:
    return len(shape) <= len(into) and all(a in (1, b) for a, b in zip(reversed(shape), reversed(into), strict=False))
