"""The lecture's exercise 4 without its loop: the statements of one round, up to the last gradient.

The Dojo draws the minibatch, runs the forward pass and updates the parameters. So of a training loop only the backward
pass is taken. Answers and comparisons outside of the loop belong to other exercises.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dojo.notebook_slice.dataflow import Function, flow_of
from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.statements import Part
from dojo.notebook_slice.unfold import answer_of

SECTION = 4
OTHER_SECTION = 0  # of what stands outside of the loop: no exercise has this number
_ANSWERS_MIN = 3  # a loop with so many gradients in it is a training loop

_Loop = ast.For | ast.While | ast.AsyncFor


def without_loop(parts: Sequence[Part], goal: Goal) -> list[Part]:
    """Return the parts with one round of the training loop in the place of the loop; as they are if there is none."""
    if goal.section != SECTION:
        return list(parts)
    rounds = {part.node: list(_rounds(part.node, goal)) for part in parts}
    last = next((part.node for part in reversed(parts) if rounds[part.node]), None)
    if last is None:
        return list(parts)
    result = []
    for part in parts:
        if part.node is last:
            body = rounds[last][-1]
            result += [replace(part, node=each, section=SECTION, as_written=False) for each in body]
        elif not rounds[part.node]:
            is_definition = isinstance(part.node, Function | ast.ClassDef)
            result.append(part if is_definition else replace(part, section=OTHER_SECTION))
    return result


def _rounds(node: ast.stmt, goal: Goal) -> Iterator[list[ast.stmt]]:
    """Yield the backward pass of each training loop in a statement, at whatever depth."""
    if isinstance(node, _Loop) and len(_answers_in(node, goal)) >= _ANSWERS_MIN:
        inner = [each for statement in node.body for each in _rounds(statement, goal)]
        yield from inner or [_up_to_last_answer(node.body, goal)]
        return
    for child in _bodies(node):
        for statement in child:
            yield from _rounds(statement, goal)


def _up_to_last_answer(body: Sequence[ast.stmt], goal: Goal) -> list[ast.stmt]:
    """Return the statements of a round up to its last gradient, blocks with a context taken apart."""
    flat = list(_without_contexts(body))
    last = max(place for place, statement in enumerate(flat) if _changes_answers(statement, goal))
    return flat[: last + 1]


def _without_contexts(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.With | ast.AsyncWith):
            yield from _without_contexts(statement.body)
        else:
            yield statement


def _bodies(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(node, name, None)
        if isinstance(statements, list) and not isinstance(node, ast.ClassDef):
            yield statements


def _changes_answers(node: ast.stmt, goal: Goal) -> bool:
    """Return whether a statement gives a value to a gradient, or changes one in place, as the loop over C does."""
    flow = flow_of(node)
    return bool(_answers_in(node, goal) or (flow.binds | flow.changes) & goal.variables)


def _answers_in(node: ast.AST, goal: Goal) -> set[str]:
    return {answer for part in ast.walk(node) if (answer := answer_of(part, goal)) is not None}
