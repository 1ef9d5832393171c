"""Steps handed in one after another, each with the rest of the namespace as context: each mistake is told once."""

from __future__ import annotations

import safetensors.torch
import torch
import torch.nn.functional as functional
from torch import Tensor

from exercises.instance import Instance, Kind
from exercises.registry import find
from exercises.tape import variables
from grader.compare import Comparison
from grader.grade import grade_tensors
from tests.mistakes.three_mistakes import CELLS

FULL = find("makemore/full-backward")


def played(instance: Instance) -> list[dict[str, Comparison]]:
    """Run the cells, and hand in what each compares, as a notebook's client does. Return the rows of each cell."""
    compared: dict[str, Tensor] = {}

    def cmp(name: str, gradient: Tensor, tensor: Tensor) -> None:
        compared[name] = gradient.clone()

    names: dict[str, object] = variables(instance.tensors()) | {"torch": torch, "F": functional, "cmp": cmp}
    rows = []
    for cell in CELLS:
        compared.clear()
        exec(cell.source, names)
        context = {
            f"context.{variable}": value.contiguous().clone()
            for variable, value in names.items()
            if variable[0] == "d" and isinstance(value, Tensor) and variable[1:] not in compared
        }
        body = context | {f"d{name}": gradient.contiguous() for name, gradient in compared.items()}
        grade = grade_tensors(instance, safetensors.torch.save(body))
        rows.append({row.name: row for row in grade.checkpoints if row.name in cell.outcomes})
    return rows


def outcome(row: Comparison) -> str:
    return "passed" if row.passed else str(row.origin)


def test_three_mistakes_are_told_once_each() -> None:
    rows = played(Instance.canonical(FULL))

    found = [{name: outcome(row) for name, row in cell.items()} for cell in rows]
    assert found == [cell.outcomes for cell in CELLS]


def test_their_kinds_are_named() -> None:
    rows = played(Instance.canonical(FULL))

    for cell, found in zip(CELLS, rows, strict=True):
        for name, expected in cell.outcomes.items():
            codes = {diagnosis.code for diagnosis in found[name].diagnosis}
            assert bool(codes) == (expected == "own") and bool(codes & cell.codes) == bool(cell.codes)


def test_on_drawn_numbers_too() -> None:
    rows = played(Instance.draw(FULL, 5, Kind.HIDDEN))

    assert [{name: outcome(row) for name, row in cell.items()} for cell in rows] == [cell.outcomes for cell in CELLS]
