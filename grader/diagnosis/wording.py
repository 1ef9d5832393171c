"""Turns of phrase that several hypotheses share."""

from __future__ import annotations

from grader.compare import Diagnosis
from grader.diagnosis.case import Case, Edge


def look(case: Case, *steps: str) -> str:
    """The hint that names the line of the forward pass."""
    if len(steps) == 1:
        return f"Look at the line {case.line(steps[0])}."
    return f"Look at the lines of {listed(list(steps))}."


def listed(names: list[str]) -> str:
    """a; a and b; a, b and c."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def times(count: int) -> str:
    """Twice, three times, 4 times."""
    return {2: "twice", 3: "three times"}.get(count, f"{count} times")


def not_the_derivative(case: Case, edge: Edge, kind: str) -> Diagnosis:
    """The kind ``missing_local``: the upstream gradient is multiplied with something else."""
    step = edge.step.name
    return Diagnosis(
        "missing_local",
        (
            kind,
            look(case, step),
            f"Move one element of {edge.read} a little: by how much does {step} move? That is the factor to "
            "multiply with.",
        ),
    )
