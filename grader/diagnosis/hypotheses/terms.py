"""Terms of the sum: one left out, counted twice, with the wrong sign, or with a wrong factor.

Each of these multiplies a share of the gradient by a number. So one least-squares fit for each share finds them all,
and the number says which it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grader.diagnosis.case import Case, Edge
from grader.diagnosis.codes import Beside, Code, Finding
from grader.diagnosis.factors import described, named
from grader.rounding.closeness import close, sum_of

SHARES_MAX = 6
ELEMENTS_A_SHARE_MIN = 4  # so many for each fitted number do not fit by chance
REMAINDER = 0.05  # of a missing share, next to the share itself
UNIT = 1e-4  # how far from 1 a fitted number may be and still count as 1
NEARLY = 1e-3  # relative, how far an element may be off that is nearly right
TINY = 1e-4  # relative, of the elements of an answer that is next to nothing
CANCELLED = 1e-5  # of the sum of absolute values
LEFT_MAX = 1e-2  # of a part, that may stand in the place of one that is called missing
MANY_USES = 3  # of a tensor that a step sets
COLLINEAR = 1e-6  # determinant of the normalised shares' products; the numbers are not determined below it


@dataclass(frozen=True)
class Part:
    """A part of the gradient that one mistake may have changed: what comes through one edge, or down one path.

    ``at`` are the steps to look at, ``values`` what a message calls it by: ``step`` and ``read``, or ``read`` and
    ``route``.
    """

    share: Tensor
    paths: frozenset[int]
    at: tuple[str, ...]
    values: Mapping[str, Any]
    edge: Edge | None = None


@dataclass(frozen=True)
class Weighted:
    """A part that stands in the answer times a number."""

    part: Part
    weight: float


def zero(case: Case) -> Iterator[Finding]:
    """Find an answer that is zero everywhere, or only rounding noise, where the right gradient is not."""
    if not case.same_shape or case.matters(case.answer):
        return
    uses = case.uses(case.name)
    if not case.answer.any():
        first = next((edge.step.name for edge in case.direct if case.matters(edge.share)), uses[0])
        form = "nothing_of_the_loss" if first == "loss" else "nothing"
        yield Finding(Code.MISSING_TERM, form, at=first, uses=uses)
        return
    through = [edge.step.name for edge in case.direct if close(case.answer, edge.share)]
    others = [use for use in uses if use not in through]
    if through and others:
        yield Finding(Code.MISSING_TERM, "next_to_nothing", at=others, through=through)
    elif _tiny_weight(case) is None:
        yield _cancelled(case) or Finding(Code.UNKNOWN, "next_to_nothing", at=uses, largest=_largest(case))


def _cancelled(case: Case) -> Finding | None:
    """Find an answer that is summed along an axis, where a gradient cancels in such a sum. None if none does."""
    handed_in = case.replay.handed_in[case.name]
    if handed_in.numel() >= case.right.numel():
        return None
    gradients = [(case.name, case.right), *((edge.step.name, edge.upstream) for edge in case.direct)]
    for name, gradient in gradients:
        for axis, length in enumerate(gradient.shape):
            if length > 1 and _cancels(gradient, axis):
                return Finding(Code.WRONG_AXIS, "cancels", at=case.uses(case.name), axis=axis, of=name)
    return None


def _largest(case: Case) -> float:
    """Return the largest element of the answer, as a share of that of the right gradient."""
    return float(case.answer.abs().max()) / float(case.right.abs().max())


def _cancels(gradient: Tensor, axis: int) -> bool:
    return bool((gradient.sum(axis).abs() <= CANCELLED * gradient.abs().sum(axis)).all())


def _tiny_weight(case: Case) -> float | None:
    """Return the factor of an answer that is the right gradient times a very small number; None if it is not."""
    answer, right = case.answer.double(), case.right.double()
    square = float((right * right).sum())
    if not square:
        return None
    weight = float((answer * right).sum()) / square
    wrong = (answer - weight * right).abs() > TINY * abs(weight) * right.abs() + 1e-6 * float(answer.abs().max())
    return None if weight == 0 or bool(wrong.any()) else weight


def is_nearly_right(case: Case) -> bool:
    """Whether an answer is the right gradient but for rounding, or times a factor that is next to 1."""
    if not case.same_shape:
        return False
    largest = int(case.right.abs().argmax())  # one element rules out most answers
    want, have = (float(each.reshape(-1)[largest]) for each in (case.right, case.answer))
    if not abs(have - want) <= NEARLY * abs(want) or not bool(case.answer.isfinite().all()):
        return False
    if close(case.answer, case.right):
        return True
    weight = case.weight(case.answer, case.right, 1)
    return weight is not None and abs(weight - 1) <= UNIT


def whole_scaled(case: Case) -> Iterator[Finding]:
    """Find the right gradient times a number."""
    if not case.same_shape:
        return
    weight = case.weight(case.answer, case.right, 1) if case.matters(case.answer) else _tiny_weight(case)
    if not weight or (int(case.right.count_nonzero()) == 1 and named(weight, case, case.edges) is None):
        return
    at, repair = _lines(case), (case.answer.double() / weight).float()
    if weight < 0:
        yield Finding(Code.SIGN, "numbers" if abs(weight + 1) <= UNIT else "form", at, repair)
    if abs(abs(weight) - 1) > UNIT:
        form = "whole_and_sign" if weight < 0 else "whole"
        yield Finding(Code.SCALE, form, at, repair, factor=described(weight, case, case.edges))
    if abs(weight - 2) < UNIT:
        yield Finding(Code.DOUBLE_COUNTED, "whole", at, repair)


def one_share(case: Case) -> Iterator[Finding]:
    """Find one share times a number, 0 if it is missing; all others are right."""
    if not case.same_shape:
        return
    fits = [Weighted(part, weight) for part in parts(case) if (weight := _weight_of(case, part)) is not None]
    natural = [fit for fit in fits if is_natural(case, fit)]  # where several fit, one with a name is meant
    for fit in natural or [fit for fit in fits if not _is_one_number(fit.part)]:
        yield from _findings(case, [fit])


def overwritten_uses(case: Case) -> Iterator[Finding]:
    """Find a shared tensor's gradient that holds only its first uses: on the way back, an = lost the later ones.

    A tensor that a step sets is left out if it is used twice: a missing path says as much there.
    """
    edges = {edge.step.name: edge for edge in case.direct}
    uses = [use for use in case.uses(case.name) if use in edges]
    is_set = any(step.name == case.name for step in case.reference.cut.steps)
    if not case.same_shape or case.is_stretched or len(uses) < (MANY_USES if is_set else 2):
        return
    held = torch.zeros_like(case.right)
    for number, use in enumerate(uses[:-1], 1):
        held = held + edges[use].share
        lost = [edges[other].share for other in uses[number:]]
        if case.same(case.answer, held) and all(case.matters(share) for share in lost):
            values: dict[str, Any] = {"count": len(uses), "uses": uses, "held": uses[:number], "last": uses[number - 1]}
            repair = case.answer + sum_of(lost)
            yield Finding(Code.OVERWRITTEN, "later_uses", uses[number - 1], repair, read=case.name, **values)
            return


def _is_one_number(part: Part) -> bool:
    """Whether a part is the same number everywhere: any other number in its place is a multiple of it."""
    return float(part.share.max() - part.share.min()) <= UNIT * float(part.share.abs().max())


def _weight_of(case: Case, part: Part) -> float | None:
    """Return the number that one part stands in the answer with; None if the rest is wrong, or the number is 1."""
    observed = part.edge.observed if part.edge is not None else case.answer - (case.right - part.share)
    weight = case.weight(observed, part.share)
    if weight is None and not case.matters(observed) and case.matters(REMAINDER * part.share):
        return 0.0
    return None if weight is None or abs(weight - 1) <= UNIT else weight


def is_natural(case: Case, fit: Weighted) -> bool:
    """Whether the number is 0 or has a name."""
    edges = () if fit.part.edge is None else (fit.part.edge,)
    return fit.weight == 0 or named(fit.weight, case, edges) is not None


def nearly_missing(case: Case) -> Iterator[Finding]:
    """Find a part in whose place stands next to nothing, such as a sum of something else that cancels."""
    if not case.same_shape or case.is_stretched:
        return
    for edge in distinct_shares(case):
        left = float(edge.observed.abs().max()) / float(edge.share.abs().max())
        if left < LEFT_MAX:
            values: dict[str, Any] = {"part": case.called(edge), "left": left}
            yield Finding(Code.MISSING_TERM, "part_but_for_little", edge.step.name, **values)
            return


def several_shares(case: Case) -> Iterator[Finding]:
    """Find several paths times a number each."""
    weights = _weights_of_routes(case)
    if weights is None:
        return
    common = _common_factor(case, weights)
    relative = {number: weight / common for number, weight in weights.items()}
    off = _grouped(case, {number: weight for number, weight in relative.items() if abs(weight - 1) > UNIT})
    if off and all(not _is_one_number(each.part) or is_natural(case, each) for each in off):
        yield from _findings(case, off, common)


def _weights_of_routes(case: Case) -> dict[int, float] | None:
    """Return number of a path → the number that it stands in the answer with; None if none fit."""
    routes = case.routes
    if not case.same_shape or not 2 <= len(routes) <= SHARES_MAX:
        return None
    shares = [route.share for route in routes]
    if any(share.shape != case.right.shape for share in shares):
        return None
    if case.right.numel() < ELEMENTS_A_SHARE_MIN * len(routes):
        return None
    rest = case.right - sum(shares[1:], shares[0])
    basis = torch.stack([share.reshape(-1) for share in shares]).double()
    norms = basis.norm(dim=1)
    if not bool((norms > 0).all()):
        return None
    unit = basis / norms.unsqueeze(1)
    products = unit @ unit.T
    if float(torch.linalg.det(products)) < COLLINEAR:
        return None
    observed = (case.answer - rest).reshape(-1).double()
    weights = torch.linalg.solve(products, unit @ observed) / norms
    fitted = (weights @ basis).float().reshape(rest.shape) + rest
    if not case.same(case.answer, fitted):
        return None
    return {route.number: _rounded(weight) for route, weight in zip(routes, weights.tolist(), strict=True)}


def _rounded(weight: float) -> float:
    return 0.0 if abs(weight) < UNIT else weight


def _common_factor(case: Case, weights: Mapping[int, float]) -> float:
    """Return the factor that leaves fewest paths off, and of those with as few the one that leaves plain signs."""
    total = sum((route.share for route in case.routes[1:]), case.routes[0].share)
    if not case.same(case.right, total):
        return 1.0  # what comes down no path has no factor

    def cost(factor: float) -> tuple[int, int]:
        left = [weight / factor for weight in weights.values() if abs(weight / factor - 1) > UNIT]
        return len(left) + (factor != 1), sum(abs(abs(weight) - 1) > UNIT for weight in left) + (factor != 1)

    return min((1.0, *(abs(weight) for weight in weights.values() if weight)), key=cost)


def _grouped(case: Case, weights: Mapping[int, float]) -> list[Weighted]:
    """Return the parts that these paths are: all paths through one edge if they are off alike, else each path."""
    known = {part.paths: part for part in parts(case)}
    groups: dict[float, set[int]] = {}
    for number, weight in weights.items():
        like = next((other for other in groups if abs(other - weight) <= UNIT), weight)
        groups.setdefault(like, set()).add(number)
    found = []
    for weight, numbers in groups.items():
        together = known.get(frozenset(numbers))
        alone = [known.get(frozenset({number})) for number in sorted(numbers)]
        for part in [together] if together is not None else alone:
            if part is None:  # there is no name for it
                return []
            found.append(Weighted(part, weight))
    return found


def multiplied(case: Case) -> Iterator[Finding]:
    """Find the product of the terms in place of their sum."""
    edges = distinct_shares(case)
    if case.same_shape and len(edges) == 2 and case.same(case.answer, edges[0].share * edges[1].share):
        uses = case.uses(edges[0].read)
        yield Finding(Code.MISSING_LOCAL, "product_of_paths", at=uses, uses=uses)


def parts(case: Case) -> list[Part]:
    """Return the parts of the gradient that are less than the whole: through each edge, then down each path."""
    found = [
        Part(edge.share, edge.paths, (edge.step.name,), {"step": edge.step.name, "read": edge.read}, edge)
        for edge in distinct_shares(case)
    ]
    known = {part.paths for part in found}
    for route in case.routes if 1 < len(case.routes) <= SHARES_MAX else ():
        paths = frozenset({route.number})
        if paths not in known and route.share.shape == case.right.shape and case.matters(route.share):
            steps = tuple(step for step in route.steps if step != "loss")
            found.append(Part(route.share, paths, steps, {"read": case.name, "route": steps}))
    return found


def distinct_shares(case: Case) -> list[Edge]:
    """Return one edge for each share of the gradient that is less than the whole.

    Along a chain of steps the same share goes through every edge; the edge at a fork stands for them, since a term is
    forgotten there.
    """
    bundles = [bundle for bundle in case.bundles if not case.same(bundle.share, case.right)]
    return [
        next((edge for edge in bundle.edges if len(case.uses(edge.read)) > 1), bundle.edges[0])
        for bundle in bundles[:SHARES_MAX]
    ]


def _findings(case: Case, off: Sequence[Weighted], common: float = 1.0) -> Iterator[Finding]:
    """Yield the findings of parts that stand in the answer times a number, and all times ``common``."""
    repaired = case.answer / common if common != 1 else case.answer
    for each in off:
        repaired = repaired + (1 - each.weight) * each.part.share
    whole: list[Beside] = [] if common == 1 else [("factor", {"factor": described(common, case, case.edges)})]
    codes: set[Code] = set()
    for each in off:
        besides = [*(_beside(case, other) for other in off if other is not each), *whole]
        named_so = [finding for finding in named_findings(case, each, repaired, besides) if finding.code not in codes]
        codes |= {finding.code for finding in named_so}
        yield from named_so
    if whole:
        besides = [_beside(case, each) for each in off]
        factor = described(common, case, case.edges)
        yield Finding(Code.SCALE, "common", _lines(case), repaired, besides, factor=factor)


def named_findings(case: Case, off: Weighted, repaired: Tensor, besides: Sequence[Beside]) -> Iterator[Finding]:
    """Yield what a part may be that stands in the answer times a number."""
    part, weight = off.part, off.weight
    form = "path" if part.edge is not None else "route"
    if weight == 0:
        yield _missing(case, part, repaired, besides)
        return
    factor = _factor(case, off)
    scaled, turned = abs(abs(weight) - 1) > UNIT, weight < 0
    if abs(weight - 2) < UNIT:
        yield Finding(Code.DOUBLE_COUNTED, form, part.at, repaired, besides, **part.values)
    if turned:
        also: list[Beside] = [("its_factor", {"factor": factor})] if scaled else []
        yield Finding(Code.TERM_SIGN, form, part.at, repaired, [*also, *besides], **part.values)
    if scaled:
        also = [("its_sign", {})] if turned else []
        yield Finding(Code.TERM_SCALE, form, part.at, repaired, [*also, *besides], **part.values, factor=factor)


def _missing(case: Case, part: Part, repaired: Tensor, besides: Sequence[Beside]) -> Finding:
    if part.edge is None:
        return Finding(Code.MISSING_TERM, "route", part.at, repaired, besides, **part.values)
    step, read = part.edge.step.name, part.edge.read
    uses = case.uses(read)
    if len(uses) == 1 or besides:
        return Finding(Code.MISSING_TERM, "path", part.at, repaired, besides, read=read)
    return Finding(
        Code.MISSING_TERM,
        "path_of_several",
        part.at,
        repaired,
        read=read,
        count=len(uses),
        uses=uses,
        others=[use for use in uses if use != step],
    )


def _beside(case: Case, off: Weighted) -> Beside:
    """Return what is said of a part next to another finding."""
    kind = "missing" if off.weight == 0 else "sign" if abs(off.weight + 1) <= UNIT else "factor"
    kind = "sign_and_factor" if kind == "factor" and off.weight < 0 else kind
    prefix = "term" if off.part.edge is not None else "route"
    values = dict(off.part.values) | ({"factor": _factor(case, off)} if "factor" in kind else {})
    return f"{prefix}_{kind}", values


def _factor(case: Case, off: Weighted) -> str:
    return described(off.weight, case, () if off.part.edge is None else (off.part.edge,))


def _lines(case: Case) -> list[str]:
    """Return the steps right after the answer; none if steps lie in between, which means all lines."""
    return [] if len(case.edges) > len(case.direct) else case.uses(case.name)
