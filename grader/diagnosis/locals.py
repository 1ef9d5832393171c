"""The chain rule's two factors: the upstream gradient, and the local derivative of the line."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from grader.compare import Diagnosis
from grader.diagnosis.case import Case, Edge
from grader.diagnosis.factors import named
from grader.diagnosis.wording import look, not_the_derivative
from grader.likeness import is_constant, stretches
from grader.reference import back

FEW = 24  # elements from which on a pattern is no chance
FACTORS = (1.0, -1.0, 2.0, -2.0, 0.5, 3.0)


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
        if weight is None or (not weights and edge.share is not case.right and is_constant(bare)):
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
            yield not_the_derivative(
                case,
                edge,
                f"d{step} goes through to {edge.read} unchanged; the derivative of the line of {step} is missing.",
            )
            return


def added(case: Case) -> Iterator[Diagnosis]:
    """The right gradient, and a tensor of the line or a number added to it."""
    if not case.same_shape or case.right.numel() < FEW or not case.matters(case.right):
        return
    surplus = case.answer - case.right
    for edge in case.direct:
        for name, value in {**edge.step.reads, edge.step.name: edge.step.output, "a number": torch.ones(())}.items():
            if not stretches(value.shape, surplus.shape):
                continue
            weight = case.weight(surplus, value.detach().expand(surplus.shape))
            if weight is not None and (value.dim() == 0 or named(weight, case, case.edges)):
                yield not_the_derivative(
                    case, edge, f"Your gradient is right, but {name} is added to it or taken from it."
                )
                return


def other_operand(case: Case) -> Iterator[Diagnosis]:
    """Another tensor of the forward pass, or a gradient, went into the line's derivative."""
    for edge in case.direct:
        step = edge.step
        for other, recorded in step.reads.items():
            if other == edge.read and len(step.reads) > 1:
                continue
            likenesses = _likenesses(case, other, recorded)
            name, ones = next(likenesses)
            value: Tensor | None = ones
            arrived = _with(case, edge, other, ones)
            if arrived is None or case.same(edge.share, arrived):
                continue  # a derivative that does not depend on it
            while case.weight(edge.found, arrived) is None:
                name, value = next(likenesses, ("", None))
                if value is None:
                    break
                arrived = _with(case, edge, other, value)
            else:
                kind = f"{name} stands in the derivative of the line of {step.name} in place of {other}."
                if value is ones:
                    kind = f"{other} is left out of the derivative of the line of {step.name}."
                if name.startswith("d") and name[1:] in case.carried.given:
                    yield Diagnosis(
                        "swapped",
                        (
                            kind,
                            look(case, step.name),
                            "A derivative of a line is made of "
                            "the line's own tensors; a gradient comes in once, as the upstream.",
                        ),
                    )
                else:
                    yield not_the_derivative(case, edge, kind)
                return


def _with(case: Case, edge: Edge, other: str, value: Tensor) -> Tensor | None:
    """The edge's term with another tensor in place of one that its line reads."""
    played = case.replays.substituted(edge.step.name, other, value)
    return None if played is None else back(played, edge.upstream)[edge.read]


def other_factor(case: Case) -> Iterator[Diagnosis]:
    """A broadcast tensor's gradient summed up right, but from the upstream times another tensor."""
    if not case.same_shape:
        return
    for edge in case.direct:
        shape = edge.upstream.shape
        if edge.term.numel() >= edge.upstream.numel() or not stretches(edge.term.shape, shape):
            continue
        near = (*edge.step.reads, edge.step.name)
        for name, value in case.values.items():
            if not value.is_floating_point() or value.numel() < edge.term.numel() or not stretches(value.shape, shape):
                continue
            for power in FACTORS if name in near else (1.0,):
                summed = (edge.upstream * value.expand(shape) ** power).sum_to_size(edge.term.shape)
                if case.weight(edge.found, summed) is not None:
                    step = edge.step.name
                    yield not_the_derivative(
                        case,
                        edge,
                        f"d{step} is multiplied with {'a power of ' if power != 1 else ''}{name} before the sum, "
                        f"and that is not the derivative of the line of {step}.",
                    )
                    return


def _likenesses(case: Case, name: str, recorded: Tensor) -> Iterator[tuple[str, Tensor]]:
    """What may be taken for a tensor: ones, others of its shape that are recorded, the student's gradients, and
    simple functions of it.
    """
    yield "1", torch.ones_like(recorded)
    for other, value in case.values.items():
        if other != name and value.shape == recorded.shape and value.is_floating_point():
            yield other, value
    for other, gradient in case.carried.given.items():
        if other != case.name and gradient.shape == recorded.shape:
            yield "d" + other, gradient
    yield f"1 - {name}**2", 1 - recorded**2
    yield f"1 - {name}", 1 - recorded
    yield f"{name}**2", recorded**2


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
