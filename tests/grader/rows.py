"""Rows of answers to the first exercise, to test what is said about them."""

from __future__ import annotations

from torch import Tensor

from exercises.instance import Instance
from exercises.registry import find
from grader.answer import normalise
from grader.compare import Comparison, Origin
from grader.grade import compare_all
from grader.reference.gradients import reference
from tests.mistakes.play import play

FULL = find("makemore/full-backward")
INSTANCE = Instance.canonical(FULL)
RIGHT = dict(reference(INSTANCE).gradients)


def judged(changed: dict[str, Tensor | None]) -> dict[str, Comparison]:
    """Return the rows of the right answers with some of them changed, or left out."""
    values = {each.name: changed.get(each.name, RIGHT[each.name]) for each in FULL.checkpoints}
    answers = {name: normalise(value) for name, value in values.items() if value is not None}
    return {row.name: row for row in compare_all(INSTANCE, answers)}


def written(*changes: tuple[str, str]) -> dict[str, Comparison]:
    """Return the rows of the solution with some of its text replaced."""
    code = FULL.solution
    for old, new in changes:
        assert code.count(old) == 1, old
        code = code.replace(old, new)
    return {row.name: row for row in play(INSTANCE, code)}


def own(rows: dict[str, Comparison]) -> set[str]:
    """Return the checkpoints with a mistake of their own."""
    return {row.name for row in rows.values() if row.origin is Origin.OWN}
