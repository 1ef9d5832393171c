"""Whether zeros fail everywhere: each checkpoint, and each part of one, has a gradient that tells right from zero.

A part is a slice along one axis: a row, a column, a head, a third of a fused parameter. A row of an embedding may have
no gradient on one seed, because its token does not occur; some seed must give it one. What is zero in mathematics is
declared: ``vanishing = ["bk", "bqkv[8:16]"]``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import torch
from torch import Tensor

from author.precise import PrecisePass
from author.prove.findings import Fault, FaultAt, Finding, finding
from author.prove.subject import Subject
from author.slices import silent
from exercises.exercise import Exercise
from exercises.tape import is_constant
from grader.reference.gradients import VANISHING_BELOW

CHECK: Final = "parts"
ZERO: Final = 1e-12  # of the largest gradient of the exercise, in float64

BEHIND_WALL: Final = "{name} is not asked for: {line} reads it behind a wall, so no gradient comes back to it."
FROZEN: Final = "{name} is not asked for: no_grad or detach stands around its line, so it has no gradient."

Index = tuple[slice, ...]


def parts(subject: Subject) -> Finding:
    """Check that zeros pass nowhere but where the author declared it."""
    seen = [name for name in subject.asked if name in subject.reference(0).gradients]
    faults = [FaultAt(Fault.UNSEEN, name) for name in subject.asked if name not in seen]
    found = finding(CHECK, [*faults, *_faults(subject, seen)], parts=_count(subject, seen))
    return replace(found, notes=tuple(_notes(subject.exercise)))


def _notes(exercise: Exercise) -> Iterator[str]:
    """Yield a sentence for each parameter, and each value computed from one, that a wall keeps from a gradient."""
    given = exercise.numbers.canonical().tensors.items()
    params = {name for name, value in given if value.is_floating_point() and not is_constant(value)} - exercise.data
    moving, forward = set(params), exercise.forward
    for line in forward.lines:
        behind = sorted(params.intersection(line.reads) - forward.with_gradient)
        yield from (BEHIND_WALL.format(name=name, line=line.text) for name in behind)
        params -= set(behind)  # the first line that reads it is enough
        if moving.intersection(line.reads):
            moving.add(line.name)
            if line.frozen:
                yield FROZEN.format(name=line.name)


def _faults(subject: Subject, names: Sequence[str]) -> Iterator[FaultAt]:
    declared, unknown = _declared(subject)
    yield from (FaultAt(Fault.NO_SUCH_PART, text) for text in unknown)
    found = _over_seeds(subject, names, declared)
    scale = max((float(size.max()) for size in found.largest.values()), default=0.0)
    for name in names:
        largest = found.largest[name]
        zero, hidden = largest <= ZERO * scale, torch.zeros_like(largest, dtype=torch.bool)
        for text, index in declared.get(name, ()):
            if not bool(zero[index].all()):
                yield FaultAt(Fault.NOT_VANISHING, text)
            hidden[index] = True
        if bool(hidden.all()):
            continue
        for part in [""] if bool((largest < VANISHING_BELOW).all()) else silent(largest.masked_fill(hidden, torch.inf)):
            size = largest[_index(part)]
            if bool((size <= ZERO * scale).all()) and bool((size > 0).any()):
                yield FaultAt(Fault.VANISHING, f"{name}{part}")
            else:
                yield FaultAt(Fault.NO_GRADIENT, f"{name}{part}", {"seeds": found.seeds})
    for name, seed in found.dead.items():
        if not bool((found.largest[name] < VANISHING_BELOW).all()):
            yield FaultAt(Fault.DEAD, name, {"seed": seed})


@dataclass
class _Sizes:
    """The largest gradient of each element over some seeds, and the checkpoints without any gradient on one of them."""

    largest: dict[str, Tensor] = field(default_factory=dict)
    dead: dict[str, int] = field(default_factory=dict)
    seeds: int = 0


def _over_seeds(subject: Subject, names: Sequence[str], declared: Container[str]) -> _Sizes:
    """Return the sizes of gradients in float64, over so many seeds that no part is silent, or all are used."""
    found = _Sizes()
    waiting = list(names)
    while found.seeds < subject.effort.seeds or (waiting and found.seeds < subject.effort.part_seeds):
        seed = found.seeds
        subject.progress(f"looks for parts without a gradient on seed {seed}")
        exercise = subject.exercise
        given = exercise.given(subject.instance(seed).tensors())
        gradients = PrecisePass(exercise.forward, given, exercise.data).gradients()
        for name in names:
            size = gradients[name].abs()
            if seed < subject.effort.seeds and float(size.max()) < VANISHING_BELOW and name not in declared:
                found.dead.setdefault(name, seed)
            found.largest[name] = torch.maximum(found.largest[name], size) if name in found.largest else size
        waiting = [name for name in waiting if name not in declared and silent(found.largest[name])]
        found.seeds += 1
    return found


def _declared(subject: Subject) -> tuple[dict[str, list[tuple[str, Index]]], list[str]]:
    """Return name → what is declared as vanishing, as written and as an index; and what names no part."""
    declared: dict[str, list[tuple[str, Index]]] = {}
    unknown = []
    for text in sorted(subject.exercise.vanishing):
        found = re.fullmatch(r"(\w+)\s*(\[[\d:, -]+\])?", text)
        if found is None or found[1] not in subject.asked:
            unknown.append(text)
            continue
        index = _index(found[2] or "")
        declared.setdefault(found[1], []).append((text, index))
    return declared, unknown


def _index(text: str) -> Index:
    """Read ``[:, 8:16]``; a number is a slice of one, and nothing is everything."""
    if not text:
        return ()
    node = ast.parse(f"x{text}", mode="eval").body
    assert isinstance(node, ast.Subscript)
    elements = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return tuple(_slice(each) for each in elements)


def _slice(node: ast.expr) -> slice:
    if isinstance(node, ast.Slice):
        return slice(*(None if each is None else ast.literal_eval(each) for each in (node.lower, node.upper)))
    number = ast.literal_eval(node)
    return slice(number, number + 1 or None)


def _count(subject: Subject, names: Sequence[str]) -> int:
    """Return the number of parts."""
    return sum(sum(subject.reference(0).gradients[name].shape) for name in names)
