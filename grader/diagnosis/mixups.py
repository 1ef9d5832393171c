"""One tensor taken for another: swapped gradients, two names for one tensor, places written over."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from grader.compare import Diagnosis
from grader.diagnosis.case import Case, Edge
from grader.diagnosis.wording import look
from grader.reference import back

MOST_PARTS = 8  # of an axis that is gone through part by part


def aliased(case: Case) -> Iterator[Diagnosis]:
    """``dhprebn = dbndiff`` makes no copy: a += on the one changes the other."""
    if case.changed:
        yield _aliased(case, f"d{case.name} changed after you had handed it to cmp.")
        return
    # The step reads y and passes its gradient on unchanged, which tempts to write dy = dx, and dy += …
    for step in case.known.cut.steps:
        if step.name != case.name:
            continue
        for read in step.reads:
            other = case.carried.given.get(read)
            if other is None or not torch.equal(other, case.answer):
                continue
            passed_on = case.carried.flows[step.name].terms[read]
            if case.carried.given.keys() >= {read} and case.same(case.answer, passed_on):
                yield _aliased(case, f"d{case.name} and d{read} hold the very same numbers.", read)


def swapped(case: Case) -> Iterator[Diagnosis]:
    """The right gradient of another checkpoint."""
    above = {edge.step.name for edge in case.direct}
    for name in case.carried.given:
        if name == case.name or (name in above and len(case.direct) == 1):
            continue
        # Below the answer the student's own (wrong) numbers go on; there the true gradient is compared with.
        gradients = case.known.gradients if name in case.below else case.carried.gradients
        if case.same(case.answer, gradients[name]):
            yield Diagnosis(
                "swapped",
                (
                    f"This is the gradient of {name}, not of {case.name}.",
                    look(case, *case.uses(case.name)),
                    f"Which of the two does your line assign, d{case.name} or d{name}?",
                ),
            )
            return


def swapped_upstream(case: Case) -> Iterator[Diagnosis]:
    """The line is right, but the gradient that went into it is another step's."""
    for edge in case.edges:
        step = edge.step
        for name, gradient in case.carried.given.items():
            if name in (step.name, case.name) or gradient.shape != step.output.shape:
                continue
            may_be_alias = name in step.reads and _passes_on(case, step.name, name)
            if name in case.below and not may_be_alias:
                continue
            arrived = case.arrives(edge, back(step, gradient)[edge.read])
            if arrived is None or case.same(edge.share, arrived) or not case.same(edge.found, arrived):
                continue
            if may_be_alias:
                yield _aliased(case, f"d{step.name} had changed when it was used for d{case.name}.", step.name)
            yield Diagnosis(
                "swapped",
                (
                    f"The form of your gradient is right, but d{name} went into it where d{step.name} belongs.",
                    look(case, step.name),
                    f"{edge.read} acts on the loss through {step.name}: its gradient starts from there.",
                ),
            )
            return


def overwritten(case: Case) -> Iterator[Diagnosis]:
    """Places that are read several times were assigned, not added up: each holds one of its contributions."""
    if not case.same_shape:
        return
    for edge in case.direct:
        places = case.replays.places(edge.step.name, edge.read)
        if places is None or edge.upstream.shape != edge.step.output.shape:
            continue
        times = torch.bincount(places, minlength=edge.found.numel()).reshape(edge.found.shape)
        if int(times.max()) < 2:
            continue
        if case.same(edge.found, edge.share / times.clamp(min=1)):
            yield _places_wrong(case, edge, "scale", "The contributions to one element are averaged, not summed.")
            return
        contributions = edge.upstream.reshape(-1)
        held = edge.found.reshape(-1)
        noise = 1e-5 * contributions.abs() + 2e-6 * case.size
        hits = ((held[places] - contributions).abs() <= noise).to(torch.int64)
        hit = torch.zeros(held.numel(), dtype=torch.int64).index_add_(0, places, hits)
        if bool(((hit > 0) | ((times.reshape(-1) == 0) & (held == 0))).all()):
            yield _places_wrong(
                case,
                edge,
                "overwritten",
                f"Some elements of {edge.read} are used several times; your gradient keeps one contribution of "
                "each, and the others are written over.",
            )
            return


def left_out(case: Case) -> Iterator[Diagnosis]:
    """A part of the upstream gradient, such as one place of the context, was never gone through."""
    if not case.same_shape:
        return
    for edge in case.direct:
        for axis, length in enumerate(edge.upstream.shape):
            if not 1 < length <= MOST_PARTS or edge.share.numel() < 4 * length:
                continue
            parts = []
            for index in range(length):
                masked = torch.zeros_like(edge.upstream)
                masked.select(axis, index).copy_(edge.upstream.select(axis, index))
                parts.append(back(edge.step, masked)[edge.read])
            basis = torch.stack([part.reshape(-1) for part in parts], 1).double()
            solution = torch.linalg.lstsq(basis, edge.found.reshape(-1, 1).double()).solution
            weights = [round(weight, 3) for weight in solution.flatten().tolist()]
            missing = [index for index, weight in enumerate(weights) if weight == 0]
            if not missing or not set(weights) <= {0.0, 1.0}:
                continue
            kept = sum(part for part, weight in zip(parts, weights, strict=True) if weight)
            if isinstance(kept, Tensor) and case.same(edge.found, kept):
                step = edge.step.name
                yield Diagnosis(
                    "missing_term",
                    (
                        f"a part of d{step} never comes into your gradient; the rest is right.",
                        look(case, step),
                        "Each element of the upstream gradient goes somewhere. Look at the ends of your ranges.",
                    ),
                )
                return


def _passes_on(case: Case, step: str, read: str) -> bool:
    """Whether the step passes its gradient on unchanged to what it reads, so that one variable may hold both."""
    flow = case.carried.flows[step]
    return case.same(flow.upstream, flow.terms[read])


def _aliased(case: Case, kind: str, *steps: str) -> Diagnosis:
    return Diagnosis(
        "aliased",
        (
            kind + " Two names for one tensor: what is added to one is added to the other.",
            look(case, *(steps or case.uses(case.name))),
            "An assignment makes no copy; += changes the tensor itself. Use clone(), or a new tensor for the sum.",
        ),
    )


def _places_wrong(case: Case, edge: Edge, code: str, kind: str) -> Diagnosis:
    return Diagnosis(
        code,
        (
            kind,
            look(case, edge.step.name),
            "Indexing on the left of = or += handles a repeated index once; index_add_ or a loop adds up.",
        ),
    )
