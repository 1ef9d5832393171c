"""The two factors of the chain rule: the upstream gradient, and the local derivative of the line."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from grader.diagnosis.case import Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.factors import named
from grader.reference import back
from grader.rounding import broadcasts_to, is_uniform

ADDED_ELEMENTS_MIN = 24  # one number does not fit this many elements by chance
POWERS = (1.0, -1.0, 2.0, -2.0, 0.5, 3.0)


def ones_as_upstream(case: Case) -> Iterator[Finding]:
    """Find the local derivative alone: ones went in where the upstream gradient belongs."""
    yield from _without_upstream(case, (1.0,), value=False)


def value_as_upstream(case: Case) -> Iterator[Finding]:
    """Find a forward value where its gradient belongs: ``logits`` for ``dlogits``."""
    yield from _without_upstream(case, (1.0, -1.0), value=True)


def number_as_upstream(case: Case) -> Iterator[Finding]:
    """Find the local derivative times a number."""
    yield from _without_upstream(case, (), value=False)


def _without_upstream(case: Case, weights: tuple[float, ...], value: bool) -> Iterator[Finding]:
    """Try the local derivative times one of ``weights``; without any, times any number that has a name."""
    for edge in case.edges:
        step = edge.step.name
        alone = case.arrives(edge, case.altered.term_without_upstream(step, edge.read, value))
        if step == "loss" or alone is None or case.same(edge.share, alone):
            continue
        weight = case.weight(edge.observed, alone)
        if weight is None or (not weights and edge.share is not case.right and is_uniform(alone)):
            continue
        if any(abs(weight - each) < 1e-4 for each in weights) or (not weights and named(weight, case)):
            yield Finding(Code.MISSING_UPSTREAM, "derivative_alone", at=step, read=edge.read)
            return


def missing_local(case: Case) -> Iterator[Finding]:
    """Find the upstream gradient alone, summed or stretched to the tensor's shape."""
    for edge in case.edges:
        upstream = _summed_or_stretched(edge)
        if upstream is None:
            continue
        arrived = case.arrives(edge, upstream)
        if arrived is None or case.weight(edge.share, arrived) is not None:
            continue
        if case.weight(edge.observed, arrived) is not None:
            yield Finding(Code.MISSING_LOCAL, "unchanged", at=edge.step.name, read=edge.read)
            return


def added(case: Case) -> Iterator[Finding]:
    """Find the right gradient with a tensor of the line, or a number, added to it."""
    if not case.same_shape or case.right.numel() < ADDED_ELEMENTS_MIN or not case.matters(case.right):
        return
    surplus = case.answer - case.right
    for edge in case.direct:
        step = edge.step
        tensors: list[tuple[str | None, Tensor]] = [
            *step.reads.items(),
            (step.name, step.output),
            (None, torch.ones(())),
        ]
        for name, value in tensors:
            if not broadcasts_to(value.shape, surplus.shape):
                continue
            weight = case.weight(surplus, value.detach().expand(surplus.shape))
            if weight is not None and (value.dim() == 0 or named(weight, case, case.edges)):
                form = "number_added" if name is None else "tensor_added"
                yield Finding(Code.MISSING_LOCAL, form, at=step.name, read=edge.read, other=name)
                return


def other_operand(case: Case) -> Iterator[Finding]:
    """Find another tensor of the forward pass, or a gradient, in the line's derivative."""
    for edge in case.direct:
        for operand, recorded in edge.step.reads.items():
            if operand == edge.read and len(edge.step.reads) > 1:
                continue
            substitute = _substitute(case, edge, operand, recorded)
            if substitute is None:
                continue
            values = {"at": edge.step.name, "read": edge.read, "other": substitute, "operand": operand}
            if substitute == "1":
                yield Finding(Code.MISSING_LOCAL, "operand_left_out", **values)
            elif substitute.startswith("d") and substitute[1:] in case.replay.handed_in:
                yield Finding(Code.SWAPPED, "operand", **values)
            else:
                yield Finding(Code.MISSING_LOCAL, "other_operand", **values)
            return


def _substitute(case: Case, edge: Edge, operand: str, recorded: Tensor) -> str | None:
    """Return the name of the tensor that went in for ``operand``; "1" for ones. None if none explains the answer."""
    substitutes = _substitutes(case, operand, recorded)
    name, ones = next(substitutes)
    arrived = _term_with(case, edge, operand, ones)
    if arrived is None or case.same(edge.share, arrived):
        return None  # the derivative does not depend on it
    if case.weight(edge.observed, arrived) is not None:
        return name
    for name, value in substitutes:
        if case.weight(edge.observed, _term_with(case, edge, operand, value)) is not None:
            return name
    return None


def _term_with(case: Case, edge: Edge, operand: str, substitute: Tensor) -> Tensor | None:
    """Return the edge's term with another tensor in place of one that its line reads."""
    played = case.altered.substituted(edge.step.name, operand, substitute)
    return None if played is None else back(played, edge.upstream)[edge.read]


def other_factor(case: Case) -> Iterator[Finding]:
    """Find a broadcast tensor's gradient summed right, but from the upstream times another tensor."""
    if not case.same_shape:
        return
    for edge in case.direct:
        shape = edge.upstream.shape
        if edge.term.numel() >= edge.upstream.numel() or not broadcasts_to(edge.term.shape, shape):
            continue
        near = (*edge.step.reads, edge.step.name)
        for name, value in case.values.items():
            if (
                not value.is_floating_point()
                or value.numel() < edge.term.numel()
                or not broadcasts_to(value.shape, shape)
            ):
                continue
            for power in POWERS if name in near else (1.0,):
                summed = (edge.upstream * value.expand(shape) ** power).sum_to_size(edge.term.shape)
                if case.weight(edge.observed, summed) is not None:
                    form = "times_a_tensor" if power == 1 else "times_a_power"
                    yield Finding(Code.MISSING_LOCAL, form, at=edge.step.name, read=edge.read, other=name)
                    return


def _substitutes(case: Case, name: str, recorded: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors that may stand in place of another, each with its name.

    Ones come first, then other tensors of its shape that are recorded, the student's gradients, and simple functions.
    """
    yield "1", torch.ones_like(recorded)
    for other, value in case.values.items():
        if other != name and value.shape == recorded.shape and value.is_floating_point():
            yield other, value
    for other, gradient in case.replay.handed_in.items():
        if other != case.name and gradient.shape == recorded.shape:
            yield "d" + other, gradient
    yield f"1 - {name}**2", 1 - recorded**2
    yield f"1 - {name}", 1 - recorded
    yield f"{name}**2", recorded**2


def _summed_or_stretched(edge: Edge) -> Tensor | None:
    """Return the upstream gradient in the shape of the term; None if it neither reduces nor broadcasts to it."""
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
