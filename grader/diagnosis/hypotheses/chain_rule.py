"""The two factors of the chain rule: the upstream gradient, and the local derivative of the line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grader.diagnosis.case import NEAR, Case, Edge
from grader.diagnosis.codes import Beside, Code, Finding
from grader.diagnosis.factors import described, named, signed
from grader.diagnosis.repair import replaced
from grader.reference.backward import back
from grader.rounding.closeness import broadcasts_to, is_uniform

ADDED_ELEMENTS_MIN = 24  # one number does not fit this many elements by chance
CONSTANT_ELEMENTS_MIN = 8
STACKED_MIN = 3  # to play a line with so many tensors at once costs less than to play it with each
POWERS = (1.0, -1.0, 2.0, -2.0, 0.5, 3.0)
UNIT_ROUNDOFF = 2.0**-24  # of float32
ROUNDINGS = 4  # of the gradient and of the sum with a number
UNIT = 1e-4  # how far from 1 a fitted number may be and still count as 1


def ones_as_upstream(case: Case) -> Iterator[Finding]:
    """Find the local derivative alone: ones went in where the upstream gradient belongs."""
    yield from _without_upstream(case, (1.0,), value=False)


def value_as_upstream(case: Case) -> Iterator[Finding]:
    """Find a forward value where its gradient belongs: ``logits`` for ``dlogits``."""
    yield from _without_upstream(case, (1.0, -1.0), value=True)


def number_as_upstream(case: Case) -> Iterator[Finding]:
    """Find the local derivative times a number."""
    yield from _without_upstream(case, (), value=False)


def constant(case: Case) -> Iterator[Finding]:
    """Find 1 everywhere, or -1, where the derivative of the line is a constant: ones in place of the gradient."""
    if not case.same_shape or not is_uniform(case.answer) or case.answer.numel() < CONSTANT_ELEMENTS_MIN:
        return
    value = float(case.answer.reshape(-1)[0])
    for edge in case.direct:
        alone = case.arrives_alone(edge, False)
        if abs(value) == 1 and alone is not None and is_uniform(alone) and edge.share is case.right:
            repair = replaced(case, torch.full_like(case.answer, value), edge.share)
            yield Finding(Code.MISSING_UPSTREAM, "constant", edge.step.name, repair, value=f"{value:g}")
            return


def _without_upstream(case: Case, weights: tuple[float, ...], value: bool) -> Iterator[Finding]:
    """Try the local derivative times one of ``weights``; without any, times any number that has a name.

    With ``value``, the upstream is the forward value of the step in place of ones.
    """
    for edge in case.edges:
        step = edge.step.name
        alone = case.arrives_alone(edge, value)
        if step == "loss" or alone is None or case.same(edge.share, alone):
            continue
        weight = case.weight(edge.observed, alone)
        if weight is None or (not weights and is_uniform(alone)):  # any constant is a constant times a number
            continue
        if any(abs(weight - each) < UNIT for each in weights) or (not weights and named(weight, case)):
            yield _without(case, edge, weight * alone, _Read(value, bool(weights), weight))
            return


@dataclass(frozen=True)
class _Read:
    """How a line without its upstream gradient is read: with its own ``value`` there, ``plain``, times ``weight``."""

    value: bool
    plain: bool
    weight: float


def _without(case: Case, edge: Edge, stands: Tensor, read: _Read) -> Finding:
    step, repair = edge.step.name, replaced(case, stands, edge.share)
    if read.value:
        besides = _besides(case, read.weight, edge)
        return Finding(Code.MISSING_UPSTREAM, "forward_value", step, repair, besides, other=step)
    if read.plain:
        form = "derivative_alone" if case.is_whole(edge.share) else "derivative_alone_of_a_term"
        return Finding(Code.MISSING_UPSTREAM, form, step, repair, read=edge.read, part=case.called(edge))
    form = "derivative_times_a_number" if case.is_whole(edge.share) else "derivative_of_a_term_times_a_number"
    values: dict[str, Any] = {
        "read": edge.read,
        "factor": signed(read.weight, case, (edge,)),
        "part": case.called(edge),
    }
    return Finding(Code.MISSING_UPSTREAM, form, step, repair, **values)


def _besides(case: Case, weight: float, edge: Edge) -> list[Beside]:
    """Return what is wrong besides, if a part stands in the answer times ``weight``."""
    scaled, turned = abs(abs(weight) - 1) > UNIT, weight < 0
    besides: list[Beside] = [("its_factor", {"factor": described(weight, case, (edge,))})] if scaled else []
    return [*besides, ("its_sign", {})] if turned else besides


def missing_local(case: Case) -> Iterator[Finding]:
    """Find the upstream gradient alone, or times a number, summed or stretched to the tensor's shape."""
    for edge in case.edges:
        upstream = _summed_or_stretched(edge)
        if upstream is None:
            continue
        arrived = case.arrives(edge, upstream)
        if arrived is None or case.weight(edge.share, arrived) is not None:
            continue
        weight = case.weight(edge.observed, arrived)
        if weight is None:
            continue
        at, repair = edge.step.name, replaced(case, weight * arrived, edge.share)
        if abs(weight - 1) <= UNIT:
            yield Finding(Code.MISSING_LOCAL, "unchanged", at, repair, read=edge.read)
        else:
            factor = signed(weight, case, (edge,))
            yield Finding(Code.MISSING_LOCAL, "upstream_times_a_number", at, repair, read=edge.read, factor=factor)
        return


def line_of_the_upstream(case: Case) -> Iterator[Finding]:
    """Find the line itself, applied to the upstream gradient: ``tanh(dh)``."""
    for edge in case.direct:
        step = edge.step
        if len(step.reads) != 1 or step.output.shape != edge.term.shape or is_uniform(edge.upstream):
            continue
        played = case.altered.substituted(step.name, edge.read, edge.upstream)
        applied = None if played is None else played.output.detach()
        if applied is not None and case.weight(edge.upstream, applied) is None and case.same(edge.observed, applied):
            repair = replaced(case, applied, edge.share)
            yield Finding(Code.MISSING_LOCAL, "line_of_the_upstream", step.name, repair, read=edge.read)
            return


def part_of_the_derivative(case: Case) -> Iterator[Finding]:
    """Find ``1 - h**2 * dh`` for ``(1 - h**2) * dh``: a number that the upstream gradient does not multiply."""
    if not case.same_shape:
        return
    for edge in case.direct:
        if edge.upstream.shape != edge.observed.shape or is_uniform(edge.upstream):
            continue
        part = 1 - edge.upstream
        weight = case.weight(edge.observed - edge.share, part)
        if weight is None or named(weight, case) is None:
            continue
        factor = signed(weight, case, (edge,))
        repair = replaced(case, weight * part, torch.zeros_like(part))
        yield Finding(Code.MISSING_UPSTREAM, "part_of_the_derivative", edge.step.name, repair, factor=factor)
        return


def added(case: Case) -> Iterator[Finding]:
    """Find the right gradient with a tensor of the line, or a number, added to it."""
    if not case.same_shape or case.right.numel() < ADDED_ELEMENTS_MIN or not case.matters(case.right):
        return
    surplus = case.answer - case.right
    seen: set[str | None] = set()
    for edge in case.edges:
        step = edge.step
        tensors: list[tuple[str | None, Tensor]] = [
            *step.reads.items(),
            (step.name, step.output),
            (None, torch.ones(())),
        ]
        for name, value in tensors:
            if name in seen or not broadcasts_to(value.shape, surplus.shape):
                continue
            seen.add(name)
            wide = value.detach().expand(surplus.shape)
            weight = case.weight(surplus, wide)
            if weight is None or not (value.dim() == 0 or named(weight, case, case.edges)):
                continue
            factor = f"{weight:.6g}" if value.dim() == 0 else signed(weight, case, (edge,))
            form = "number_added" if name is None else "tensor_added" if factor == "1" else "multiple_added"
            repair = replaced(case, weight * wide, torch.zeros(()))
            values: dict[str, Any] = {"read": edge.read, "other": name, "factor": factor}
            yield Finding(Code.MISSING_LOCAL, form, step.name, repair, **values)
            return


def tensor_added(case: Case) -> Iterator[Finding]:
    """Find the right gradient with a tensor added to it, once."""
    if not case.same_shape:
        return
    surplus = case.answer - case.right
    index = np.unravel_index(int(surplus.abs().argmax()), surplus.shape)  # one element rules out most tensors
    number = float(surplus[index])
    values = {name: value for edge in case.edges for name, value in edge.step.reads.items()}
    values |= {edge.step.name: edge.step.output for edge in case.edges}
    wide = [value.detach() for value in values.values() if broadcasts_to(value.shape, surplus.shape)]
    if any(abs(float(value.expand(surplus.shape)[index]) - number) <= NEAR * abs(number) for value in wide):
        yield from (finding for finding in added(case) if finding.form == "tensor_added")


def added_to_the_upstream(case: Case) -> Iterator[Finding]:
    """Find a right line into which the upstream gradient went with another tensor added to it."""
    if not case.same_shape or case.is_stretched or case.right.numel() < ADDED_ELEMENTS_MIN:
        return
    for edge in case.direct:
        step, shape = edge.step, edge.upstream.shape
        surplus = edge.observed - edge.term
        if step.name == "loss" or shape != step.output.shape or not case.matters(surplus):
            continue
        adjoint, square = edge.adjoint_of(surplus).numpy(), float((surplus * surplus).sum())
        for name, value in _may_be_added(case, edge):
            wide = value.expand(shape)
            with np.errstate(all="ignore"):  # a student's gradient may hold anything
                product = float((adjoint * wide.numpy()).sum())
            if not abs(product - square) <= NEAR * square or is_uniform(value):
                continue
            term = back(step, wide.contiguous())[edge.read]
            if not case.same(surplus, term):
                continue
            repair = replaced(case, term, torch.zeros_like(term))
            values: dict[str, Any] = {"read": edge.read, "other": name}
            yield Finding(Code.MISSING_LOCAL, "added_to_the_upstream", step.name, repair, **values)
            return


def _may_be_added(case: Case, edge: Edge) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of an edge's line that broadcast to its output, and the student's gradients of its shape."""
    shape, step = edge.step.output.shape, edge.step
    for name, value in (*step.reads.items(), (step.name, step.output)):
        if broadcasts_to(value.shape, shape):
            yield name, value.detach()
    for name, gradient in case.replay.handed_in.items():
        if gradient.shape == shape and name not in case.below and name not in (step.name, case.name):
            yield f"d{name}", gradient


def small_number_added(case: Case) -> Iterator[Finding]:
    """Find a number added to the right gradient that is smaller than the rounding that other hypotheses allow.

    It is seen where the gradient is so small that the number is more than its rounding in float32.
    """
    if not case.same_shape or case.is_stretched or is_uniform(case.right):
        return
    right, answer = case.right.double(), case.answer.double()
    rounding = ROUNDINGS * UNIT_ROUNDOFF * right.abs().maximum(answer.abs())
    number = float((answer - right).median())
    if int((abs(number) > ROUNDINGS * rounding).sum()) < ADDED_ELEMENTS_MIN:
        return
    if bool(((answer - right - number).abs() <= rounding).all()):
        at, repair = case.direct[0].step.name, case.answer - number
        yield Finding(Code.MISSING_LOCAL, "number_added", at, repair, read=case.name, factor=f"{number:.3g}")


def scaled_and_number_added(case: Case) -> Iterator[Finding]:
    """Find the right gradient times a number that has a name, and another number added: ``1 / n - 1 * dy``."""
    if not case.same_shape or case.is_stretched or not case.matters(case.right):
        return
    right, answer = case.right.double().reshape(-1), case.answer.double().reshape(-1)
    centred = right - right.mean()
    square = float(centred @ centred)
    product, spread = float(centred @ answer), float((answer - answer.mean()).square().sum())
    if not square or not abs(spread - product**2 / square) <= NEAR * spread:
        return
    weight = product / square
    number = float(answer.mean()) - weight * float(right.mean())
    name = named(weight, case, case.edges)
    scaled = (weight * case.right.double()).float()
    if name is None or abs(weight - 1) <= UNIT or not case.matters(torch.tensor(number)):
        return
    if int(right.unique().numel()) < ADDED_ELEMENTS_MIN:
        return  # few numbers are any others times a factor and a number added
    if case.same(case.answer - number, scaled):
        repair, at = (case.answer.double() - number).float() / weight, case.uses(case.name)
        besides: list[Beside] = [("number_added", {"number": f"{number:.4g}"}), *([("sign", {})] if weight < 0 else [])]
        if name == "1":
            yield Finding(Code.SIGN, "formula_of_one_line", at, repair, besides[:1])
        else:
            yield Finding(Code.SCALE, "common", at, repair, besides, factor=name)
        others: list[Beside] = [("sign", {})] if weight < 0 else []
        others += [] if name == "1" else [("factor", {"factor": name})]
        yield Finding(Code.MISSING_LOCAL, "number_beside", at, repair, others, number=f"{number:.4g}")


def other_operand(case: Case) -> Iterator[Finding]:
    """Find another tensor of the forward pass, or a gradient, in the line's derivative."""
    for edge in case.direct:
        for operand, recorded in _operands(case, edge).items():
            if operand == edge.read and len(edge.step.reads) > 1:
                continue
            substituted = _substituted(case, edge, operand, recorded)
            if substituted is None:
                continue
            substitute, arrived, weight = substituted
            at, repair, besides = (
                edge.step.name,
                replaced(case, weight * arrived, edge.share),
                _besides(case, weight, edge),
            )
            values: dict[str, Any] = {"read": edge.read, "other": substitute, "operand": operand}
            if substitute == "1":
                yield Finding(Code.MISSING_LOCAL, "operand_left_out", at, repair, besides, **values)
            elif substitute.startswith("d") and substitute[1:] in case.replay.handed_in:
                yield Finding(Code.SWAPPED, "operand", at, repair, besides, **values)
            else:
                yield Finding(Code.MISSING_LOCAL, "other_operand", at, repair, besides, **values)
            return


def _operands(case: Case, edge: Edge) -> dict[str, Tensor]:
    """Return what a line reads, each with its value: what has a gradient first, then given data of real numbers."""
    operands = dict(edge.step.reads)
    for name in case.altered.read_by(edge.step.name):
        if name not in operands and case.values[name].is_floating_point():
            operands[name] = case.values[name]
    return operands


def _substituted(case: Case, edge: Edge, operand: str, recorded: Tensor) -> tuple[str, Tensor, float] | None:
    """Return what went in for ``operand`` ("1" for ones), the term with it, and a factor; None if nothing explains."""
    substitutes = _substitutes(case, operand, recorded)
    name, ones = next(substitutes)
    arrived = _term_with(case, edge, operand, ones)
    if arrived is None or case.same(edge.share, arrived):
        return None  # the derivative does not depend on it
    weight = case.weight(edge.observed, arrived)
    if weight is not None:
        return name, arrived, weight
    first = None
    for name, value in _likely(case, edge, operand, list(substitutes)):
        arrived = _term_with(case, edge, operand, value)
        weight = case.weight(edge.observed, arrived)
        if arrived is None or weight is None:
            continue
        if abs(weight - 1) <= UNIT:  # rather than one that fits with a factor
            return name, arrived, weight
        first = first or (name, arrived, weight)
    return first


def _likely(case: Case, edge: Edge, operand: str, substitutes: list[tuple[str, Tensor]]) -> list[tuple[str, Tensor]]:
    """Return the substitutes whose terms may be what was observed, times a number.

    The line is played once with all of them, along a new first axis, and its terms are compared at a few elements. All
    are returned if the line does not carry that axis through to its output.
    """
    if len(substitutes) < STACKED_MIN or edge.observed.shape != edge.term.shape:
        return substitutes
    count, recorded = len(substitutes), edge.step.reads
    stacked = torch.stack([_operands(case, edge)[operand].detach(), *(value for _, value in substitutes)])
    read = recorded[edge.read].detach().expand(count + 1, *edge.term.shape)
    altered = {edge.read: read, operand: stacked}  # in this order: the operand may be what is read
    played = case.altered.played(edge.step.name, lambda name, value: altered.get(name, value))
    if played is None or played.output.shape != (count + 1, *edge.upstream.shape):
        return substitutes
    terms = back(played, edge.upstream.expand(played.output.shape))[edge.read].reshape(count + 1, -1)
    if not case.same(edge.term.reshape(-1), terms[0]):
        return substitutes
    return [
        each for each, term in zip(substitutes, terms[1:], strict=True) if case.may_be_multiple(edge.observed, term)
    ]


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
                weight = case.weight(edge.observed, summed)
                if weight is not None:
                    form = "times_a_tensor" if power == 1 else "times_a_power"
                    repair, besides = replaced(case, weight * summed, edge.share), _besides(case, weight, edge)
                    values: dict[str, Any] = {"read": edge.read, "other": name, "power": power}
                    yield Finding(Code.MISSING_LOCAL, form, edge.step.name, repair, besides, **values)
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
