"""A grade: what an answer is worth on an instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from exercises.instance import Instance
from grader import numerics
from grader.answer import Answer
from grader.compare import Comparison, compare
from grader.reference import reference
from grader.sandbox import Job, Limits, Run, RunStatus, Sandbox, Slot
from grader.tensors import read_answers

VANISHING = "the true gradient is zero: what is compared is rounding noise"


@dataclass(frozen=True)
class Grade:
    """The rows in the exercise's order. ``run`` says what became of the code, and is None for tensors."""

    checkpoints: tuple[Comparison, ...]
    environment: str
    run: Run | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """What an instructor should look at, such as ``autograd``."""
        return self.run.flags if self.run else ()

    @property
    def total(self) -> int:
        """How many checkpoints were asked for."""
        return len(self.checkpoints)

    @property
    def passed(self) -> int:
        """How many are right."""
        return sum(row.passed for row in self.checkpoints)

    @property
    def exact(self) -> int:
        """How many are right to the last bit."""
        return sum(row.exact for row in self.checkpoints)

    @property
    def complete(self) -> bool:
        """Whether everything is right, and the code ran to its end."""
        return self.passed == self.total and (self.run is None or self.run.status is RunStatus.OK)

    def as_json(self) -> dict[str, Any]:
        """The grade as REST and ``--json`` show it."""
        run = self.run and {
            "status": self.run.status.value,
            "message": self.run.message,
            "stdout": self.run.stdout,
        }
        return {
            "run": run,
            "flags": list(self.flags),
            "passed": self.passed,
            "exact": self.exact,
            "total": self.total,
            "environment": self.environment,
            "checkpoints": [row.as_json() for row in self.checkpoints],
        }


def grade_tensors(instance: Instance, content: bytes) -> Grade:
    """Grade a safetensors file with the gradients under ``dlogits`` or ``logits``.

    :raises BadAnswer: the bytes are no safetensors file
    """
    return Grade(
        _compare_all(instance, read_answers(instance.exercise.checkpoints, content)), numerics.environment()
    )


def grade_code(
    instance: Instance, source: str, filename: str, sandbox: Sandbox, limits: Limits | None = None
) -> Grade:
    """Run a student's code on an instance in the sandbox, and grade the gradients that it leaves.

    Code that stops half-way keeps the rows that it had got to.

    :raises SandboxFault: the sandbox failed, not the student; try again
    """
    job = Job(source, filename, instance.state, _slots(instance), limits or Limits())
    run = sandbox.run(job)
    return Grade(_compare_all(instance, run.answers), numerics.environment(), run)


def _slots(instance: Instance) -> tuple[Slot, ...]:
    """Room for each answer: as large as the largest tensor of the forward state would be in float64."""
    largest = max(tensor.numel() for tensor in instance.tensors().values())
    return tuple(
        Slot(checkpoint.name, largest * torch.float64.itemsize)
        for checkpoint in instance.exercise.checkpoints
    )


def _compare_all(instance: Instance, answers: Mapping[str, Answer]) -> tuple[Comparison, ...]:
    known = reference(instance)
    rows = []
    for checkpoint in instance.exercise.checkpoints:
        name = checkpoint.name
        answer = answers.get(name) or Answer(None, misfit=f"{checkpoint.answer} was not handed in")
        row = compare(name, answer, known.gradients[name])
        if name in known.vanishing and row.passed:
            row = replace(row, notes=(*row.notes, VANISHING))
        rows.append(row)
    return tuple(rows)
