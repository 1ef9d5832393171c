"""A part of an answer, without the step that holds the mistake: no step that was handed in is blamed for it."""

from __future__ import annotations

import contextlib
import random

import pytest
import torch
import torch.nn.functional as functional

from exercises.instance import Instance
from exercises.registry import find
from exercises.tape import variables
from grader.answer import Answer
from grader.compare import Origin
from grader.grade import compare_all
from tests.mistakes.catalogue import HERE, Mistake, load, source
from tests.mistakes.play import answers

FULL = find("makemore/full-backward")
CANONICAL = Instance.canonical(FULL)
ORDER = [checkpoint.name for checkpoint in FULL.checkpoints]
MISTAKES = [
    mistake
    for folder in (HERE, HERE / "held_out_3", HERE / "held_out_4")
    for mistake in load(folder)
    if mistake.exercise == FULL.slug and mistake.first != ORDER[-1]
]


def answers_below(mistake: Mistake) -> dict[str, Answer]:
    """Return what a solution with the mistake leaves, without the step that holds it and those above."""
    names: dict[str, object] = variables(CANONICAL.tensors()) | {"torch": torch, "F": functional}
    with contextlib.suppress(Exception):  # a shape that fits nowhere further down; what is there by then is handed in
        exec(source(FULL.slug, [mistake]), names)
    below = ORDER[ORDER.index(mistake.first) + 1 :]
    return {name: answer for name, answer in answers(CANONICAL, names).items() if name in below}


@pytest.mark.parametrize("handed_in", [1, 3, 8, 25])
def test_no_step_is_blamed_for_one_that_was_not_handed_in(handed_in: int) -> None:
    chosen = random.Random(handed_in)
    wrong = 0
    blamed = []
    for mistake in chosen.sample(MISTAKES, 40):
        there = answers_below(mistake)
        kept = chosen.sample(sorted(there), min(handed_in, len(there)))
        rows = compare_all(CANONICAL, {name: there[name] for name in kept})
        wrong += sum(row.name in kept and not row.passed for row in rows)
        blamed += [f"{mistake}; handed in {sorted(kept)}: {row}" for row in rows if row.origin is Origin.OWN]

    assert wrong >= 20
    assert blamed == []
