"""One tensor taken for another: swapped gradients, two names for one tensor, places written over."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from grader.compare import Diagnosis
from grader.diagnosis.case import Case, Edge
from grader.diagnosis.wording import look
from grader.likeness import close, is_constant, together
from grader.reference import back

_WRITTEN_OVER = (
    "Some elements of {} are used several times; where that is, your gradient keeps one contribution, and others are "
    "written over."
)


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
            if case.same(case.answer, passed_on) and close(other, _right_below(case, read)):
                yield _aliased(case, f"d{case.name} and d{read} hold the very same numbers.", read)


def swapped(case: Case) -> Iterator[Diagnosis]:
    """The right gradient of another checkpoint."""
    above = {edge.step.name for edge in case.direct}
    for name in case.carried.given:
        if name == case.name or (name in above and len(case.direct) == 1):
            continue
        right = _right_below(case, name) if name in case.below else case.carried.gradients[name]
        if case.same(case.answer, right):
            yield Diagnosis(
                "swapped",
                (
                    f"This is the gradient of {name}, not of {case.name}.",
                    look(case, *case.uses(case.name)),
                    f"Which of the two does your line assign, d{case.name} or d{name}?",
                ),
            )
            if name in case.below and torch.equal(case.carried.given[name], case.answer):
                yield _aliased(case, f"d{case.name} and d{name} hold the very same numbers.")
            return


def swapped_upstream(case: Case) -> Iterator[Diagnosis]:
    """The line is right, but the gradient that went into it is another step's."""
    for edge in case.edges:
        step = edge.step
        for name, given in case.carried.given.items():
            may_be_alias = name in step.reads and _passes_on(case, step.name, name)
            if name in (step.name, case.name) or (name in case.below and not may_be_alias):
                continue
            gradient = _as_upstream(given, step.output.shape)
            if gradient is None or not edge.may_come_from(gradient) or is_constant(gradient):
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


def value_of_another(case: Case) -> Iterator[Diagnosis]:
    """Another tensor's forward value went in where the upstream gradient belongs."""
    for edge in case.edges:
        step = edge.step
        for name, value in case.values.items():
            if name == step.name or value.shape != step.output.shape or not value.dim():
                continue
            if not edge.may_come_from(value):
                continue
            if any(torch.equal(value, each) for each in case.known.gradients.values()):
                continue  # a gradient that was handed out
            if case.same(edge.found, case.arrives(edge, back(step, value)[edge.read])):
                yield Diagnosis(
                    "missing_upstream",
                    (
                        f"{name}, a tensor of the forward pass, stands where d{step.name} belongs.",
                        look(case, step.name),
                        f"The chain rule multiplies with what the loss does when {step.name} changes: a gradient.",
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
        if any(case.same(edge.found, kept) for kept in _kept(edge, places)):
            yield _places_wrong(case, edge, "overwritten", _WRITTEN_OVER.format(edge.read))
            return
        contributions = edge.upstream.reshape(-1)
        held = edge.found.reshape(-1)
        noise = 1e-5 * contributions.abs() + 2e-6 * case.size
        hits = ((held[places] - contributions).abs() <= noise).to(torch.int64)
        hit = torch.zeros(held.numel(), dtype=torch.int64).index_add_(0, places, hits)
        if bool(((hit > 0) | ((times.reshape(-1) == 0) & (held == 0))).all()):
            yield _places_wrong(case, edge, "overwritten", _WRITTEN_OVER.format(edge.read))
            return


def _kept(edge: Edge, places: Tensor) -> Iterator[Tensor]:
    """What a loop over an axis adds up if each turn of it keeps, of several contributions to a place, the last."""
    upstream, size = edge.upstream, edge.found.numel()
    order = torch.arange(places.numel())
    for axis, length in enumerate(upstream.shape):
        turn = torch.arange(length).reshape([-1] + [1] * (upstream.dim() - axis - 1)).expand(upstream.shape)
        slot = turn.reshape(-1) * size + places
        last = torch.zeros(length * size, dtype=torch.int64).scatter_reduce_(0, slot, order, "amax")
        kept = upstream.reshape(-1) * (last[slot] == order)
        yield torch.zeros(size).index_add_(0, places, kept).reshape(edge.found.shape)


def _right_below(case: Case, name: str) -> Tensor:
    """The gradient of a tensor below the answer, had the answer been right: the student's wrong one spoils it."""
    flow = case.carried.flows.get(case.name)
    if flow is None or name not in flow.terms:
        return case.known.gradients[name]
    return case.carried.gradients[name] - flow.terms[name] + case.carried.mended(flow.step)[name]


def _as_upstream(gradient: Tensor, shape: torch.Size) -> Tensor | None:
    """A gradient in the shape of a step, stretched or summed where that takes it there."""
    if gradient.shape == shape:
        return gradient
    both = together(gradient.shape, shape)
    if both == shape:
        return gradient.expand(shape)
    return gradient.sum_to_size(shape) if both == gradient.shape else None


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
