"""Chosen statements written down as one program, and where each of its lines came from."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dojo.harvest.cells import Cell
from dojo.harvest.dataflow import Function
from dojo.harvest.statements import Statement

# What Jupyter has and the grader has not.
STAND_INS = {"display": "display = print"}
# Annotations name modules that are not there where it is graded, and nobody reads them.
_WITHOUT_ANNOTATIONS = "from __future__ import annotations"


@dataclass(frozen=True)
class Taken:
    """A cell that gave something: ``names`` are the answers and helpers that its statements make."""

    cell: int
    run: int | None
    names: tuple[str, ...]
    whole: bool


@dataclass(frozen=True)
class Transcript:
    """``source`` is what to hand in; ``lines`` gives the cell and the line in it for each of its lines."""

    source: str
    lines: tuple[tuple[int, int] | None, ...]


def write(statements: Sequence[Statement]) -> Transcript:
    source: list[str] = []
    places: list[tuple[int, int] | None] = []
    nodes = [node for each in statements for node in ast.walk(each.node)]
    if any(isinstance(node, ast.AnnAssign | ast.arg | Function) and _is_annotated(node) for node in nodes):
        source.append(_WITHOUT_ANNOTATIONS)
    called = {node.id for node in nodes if isinstance(node, ast.Name)}
    source += [line for name, line in STAND_INS.items() if name in called]
    cell: Cell | None = None
    for each in statements:
        if each.cell is not cell:
            cell = each.cell
            source += ["", f"# --- cell {cell.number} ---"] if source else [f"# --- cell {cell.number} ---"]
            places += [None] * (len(source) - len(places))
        lines = each.text.split("\n")
        first = (each.node.end_lineno or each.node.lineno) - len(lines) + 1
        source += lines
        places += [(cell.number, first + offset) for offset in range(len(lines))]
    return Transcript("\n".join(source) + "\n", tuple(places))


def _is_annotated(node: ast.AnnAssign | ast.arg | Function) -> bool:
    return (node.returns if isinstance(node, Function) else node.annotation) is not None


def taken(statements: Iterable[Statement], answers: Iterable[str]) -> tuple[Taken, ...]:
    """What each cell gave, in the order of the cells; its answers are named first."""
    by_cell: dict[Cell, list[Statement]] = {}
    for each in sorted(statements, key=lambda each: each.position):
        by_cell.setdefault(each.cell, []).append(each)
    found = []
    for cell, own in by_cell.items():
        names: dict[str, None] = {}
        for each in own:
            for name in sorted(each.makes, key=lambda name: name not in answers):
                if name in answers or name in each.flow.binds:
                    names[name] = None
        found.append(Taken(cell.number, cell.run, tuple(names), len(own) == len(cell.statements)))
    return tuple(found)
