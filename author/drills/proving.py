"""Proving drills: the right answer passes, and the trap is caught at its step and named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from author.drills.making import Drill
from exercises.instance import Instance, Kind
from exercises.tape import variables
from grader.answer import normalise
from grader.compare import Comparison, Origin
from grader.grade import compare_all


@dataclass(frozen=True)
class Outcome:
    """What the grader says of a drill on one instance.

    ``named`` maps the steps with a mistake to the kinds that it may be, the likeliest first: a term that is counted
    twice has the factor 2 as well.
    """

    drill: Drill
    right_passes: bool
    named: dict[str, tuple[str, ...]]

    @property
    def is_sound(self) -> bool:
        """Whether the trap is the one mistake, at its step and of its kind, and the right answer passes."""
        kinds = self.named.get(self.drill.template.step, ())
        return self.right_passes and len(self.named) == 1 and kinds[:1] == (self.drill.kind.value,)


def proved(drill: Drill, seed: int) -> Outcome:
    """Grade the right answer and the trap of a drill. Seed 0 is the canonical instance."""
    exercise = drill.exercise
    instance = Instance.canonical(exercise) if seed == 0 else Instance.draw(exercise, seed, Kind.STUDENT)
    right = _graded(instance, drill.right)
    wrong = _graded(instance, drill.wrong)
    named = {row.name: tuple(each.code for each in row.diagnosis) for row in wrong if row.origin is Origin.OWN}
    return Outcome(drill, all(row.passed for row in right), named)


def _graded(instance: Instance, code: str) -> list[Comparison]:
    state = {name: value.clone() for name, value in instance.tensors().items()}
    namespace: dict[str, Any] = {"torch": torch, "F": functional, **variables(state)}
    exec(code, namespace)  # lines of our own rules and templates
    answers = {each.name: namespace.get(each.answer) for each in instance.exercise.checkpoints}
    return list(
        compare_all(instance, {name: normalise(value) for name, value in answers.items() if isinstance(value, Tensor)})
    )
