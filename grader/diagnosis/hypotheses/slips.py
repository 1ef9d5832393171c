"""Slips of the pen: a name without its ``d``, a parenthesis, a line too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from exercises.instance import Instance
from grader.diagnosis.altered_steps import altered_steps
from grader.diagnosis.case import NEAR, Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.repair import replaced
from grader.reference.backward import back
from grader.reference.dissection import kept_with_dissection
from grader.reference.gradients import reference
from grader.rounding.closeness import align, close, is_uniform

# Derivatives that are written as a function of the line's own value, or of what it reads.
DERIVATIVES: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda value: 1 - value**2,
    lambda value: 1 / value,
    lambda value: -(value**-2),
    lambda value: 2 * value,
)
SURPLUS_ELEMENTS_MIN = 8  # no tensor fits this many elements by chance


def itself(case: Case) -> Iterator[Finding]:
    """Find a tensor of the forward pass in place of a gradient: ``dW2 = W2``."""
    if not case.same_shape:
        return
    if any(torch.equal(edge.upstream, case.answer) for edge in case.direct):
        return  # it is the upstream gradient, which a loss such as (out * g).sum() makes of a tensor
    names = [case.name, *(name for name in case.values if name != case.name)]
    for name in names:
        value = case.values[name]
        if value.dim() and value.shape == case.answer.shape and torch.equal(value, case.answer):
            if is_uniform(value):
                continue
            repair = replaced(case, value, case.right)
            if name.startswith("d") and name[1:] in case.values:  # the exercise gives this gradient
                values: dict[str, Any] = {"read": case.name, "other": name, "source": name[1:]}
                yield Finding(Code.MISSING_LOCAL, "given_unchanged", case.uses(case.name), repair, **values)
            else:
                yield Finding(Code.MISSING_UPSTREAM, "value_itself", case.uses(case.name), repair, other=name)
            return


def gone_on(case: Case) -> Iterator[Finding]:
    """Find the right gradient gone one line too far down."""
    flow = case.replay.flows.get(case.name)
    if flow is None or not case.same_shape:
        return
    if all(leaf.shape != case.answer.shape for leaf in flow.step.reads.values()):
        return
    for read, term in case.replay.repaired_terms(flow.step).items():
        if not case.same(case.right, term) and case.same(case.answer, term):
            yield Finding(Code.SWAPPED, "too_far", case.name, replaced(case, term, case.right), other=read)
            return


def parenthesis(case: Case) -> Iterator[Finding]:
    """Find a product that takes in a part of the derivative only, or a factor that takes in two terms."""
    if not case.same_shape:
        return
    for edge in case.direct:
        if edge.upstream.shape != edge.observed.shape:
            continue
        # (c + f) * u became c + f * u: c is 1 or -1. One element rules out most answers.
        largest = int(edge.observed.abs().argmax())
        observed, term, upstream = (
            float(each.reshape(-1)[largest]) for each in (edge.observed, edge.term, edge.upstream)
        )
        for constant in (1, -1):
            if abs(observed - term - constant * (1 - upstream)) > NEAR * abs(observed):
                continue
            stands = edge.term + constant * (1 - edge.upstream)
            if case.same(edge.observed, stands):
                repair = replaced(case, stands, edge.term)
                yield Finding(Code.MISSING_LOCAL, "parenthesis", edge.step.name, repair, constant=constant)
                return
    if len(case.direct) != 2:
        return
    largest = int(case.answer.abs().argmax())
    for edge, other in (case.direct, case.direct[::-1]):
        for factor in _factors_of(case, edge):
            if not _may_be_sum(case, (edge.term, other.term, factor), largest):
                continue
            both = edge.term + other.term * factor
            if both.shape == case.right.shape and case.same(case.answer, both):
                step, repair = edge.step.name, replaced(case, both, edge.term + other.term)
                yield Finding(Code.MISSING_LOCAL, "parenthesis_around_a_term", step, repair, other=other.step.name)
                return


def _may_be_sum(case: Case, tensors: tuple[Tensor, Tensor, Tensor], index: int) -> bool:
    """Whether the answer may be ``term + other * factor``, judged by one element."""
    if any(each.shape != case.answer.shape for each in tensors):
        return True
    term, other, factor = (float(each.reshape(-1)[index]) for each in tensors)
    have = float(case.answer.reshape(-1)[index])
    return abs(term + other * factor - have) <= NEAR * abs(have)


def _factors_of(case: Case, edge: Edge) -> Iterator[Tensor]:
    """Yield the two factors of an edge's term, if the line works entry by entry: upstream and local derivative."""
    if edge.upstream.shape == edge.term.shape:
        yield edge.upstream
        local = case.altered.factor(edge.step.name, edge.read)
        if local is not None:
            yield local


def too_many(case: Case) -> Iterator[Finding]:
    """Find the right gradient with another one added to it, that is no term of it."""
    if not case.same_shape or case.right.numel() < SURPLUS_ELEMENTS_MIN or not case.matters(case.right):
        return
    surplus = case.answer - case.right
    if not case.matters(surplus):
        return
    for name in _near(case):
        stretched = align(case.replay.handed_in[name], surplus.shape)
        weight = None if stretched is None else case.weight(surplus, stretched)
        if stretched is None or weight is None or is_uniform(stretched):
            continue
        if abs(abs(weight) - 1) < 1e-4:
            edge = next((edge for edge in case.direct if edge.step.name == name), None)
            if edge is not None and case.altered.factor(name, edge.read) is not None:
                repair = replaced(case, stretched * weight, torch.zeros_like(stretched))
                large = "large" if weight > 0 else "small"
                yield Finding(Code.MISSING_LOCAL, "factor_off_by_one", name, repair, read=edge.read, large=large)
            yield Finding(
                Code.DOUBLE_COUNTED,
                "path_too_many" if weight > 0 else "path_taken_away",
                case.uses(case.name),
                replaced(case, stretched * weight, torch.zeros_like(stretched)),
                other="d" + name,
                uses=case.uses(case.name),
            )
            return


def _near(case: Case) -> list[str]:
    """Return the checkpoints a line or two away from the answer: a gradient from afar fits by chance."""
    steps = [edge.step for edge in case.direct]
    around = {name for step in steps for name in (step.name, *step.reads, *case.uses(step.name))}
    flow = case.replay.flows.get(case.name)
    around |= set(flow.step.reads) if flow is not None else set()
    return [name for name in case.replay.handed_in if name in around - {case.name}]


def exchanged(case: Case) -> Iterator[Finding]:
    """Find the gradient in the derivative of a line: ``(1 - dh**2) * h``, or ``(1 - dh**2) * dh``."""
    if not case.same_shape:
        return
    for edge in case.direct:
        step, upstream = edge.step, edge.upstream
        if not upstream.shape == edge.term.shape == edge.observed.shape or is_uniform(edge.observed):
            continue
        for name, number in _written_as(case.instance, step.name, edge.read):
            stands = DERIVATIVES[number](upstream) * case.values[name]
            if case.same(edge.observed, stands) and not case.same(edge.term, stands):
                repair = replaced(case, stands, edge.term)
                yield Finding(Code.SWAPPED, "exchanged_in_the_derivative", step.name, repair, other=name)
                return
            stands = DERIVATIVES[number](upstream) * upstream
            if case.same(edge.observed, stands) and not case.same(edge.term, stands):
                repair = replaced(case, stands, edge.term)
                values: dict[str, Any] = {"read": edge.read, "other": f"d{step.name}", "operand": name}
                yield Finding(Code.SWAPPED, "operand", step.name, repair, **values)
                return


@kept_with_dissection
def _written_as(instance: Instance, step: str, read: str) -> tuple[tuple[str, int], ...]:
    """Return the tensors of a line of which its derivative is one of ``DERIVATIVES``: name and number."""
    state = reference(instance).state
    local = altered_steps(instance).term_without_upstream(step, read, False)
    return tuple(
        (name, number)
        for name in (step, read)
        for number, function in enumerate(DERIVATIVES)
        if state[name].shape == local.shape and close(function(state[name]), local)
    )


def overwritten_value(case: Case) -> Iterator[Finding]:
    """Find the gradient of a tensor where its value belongs: a line assigned ``h`` that should assign ``dh``."""
    if not case.same_shape:
        return
    for edge in case.direct:
        step = edge.step
        for operand in step.reads:
            gradient = case.replay.gradients.get(operand)
            if operand == edge.read or operand in case.replay.handed_in or gradient is None:
                continue
            played = case.altered.substituted(step.name, operand, gradient)
            if played is None or played.output.shape != edge.upstream.shape:
                continue
            term = back(played, edge.upstream)[edge.read]
            if not case.same(edge.term, term) and case.same(edge.observed, term):
                yield Finding(
                    Code.SWAPPED, "operand_overwritten", step.name, replaced(case, term, edge.term), operand=operand
                )
                return
