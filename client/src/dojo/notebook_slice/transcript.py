"""The chosen statements as one program, with the place that each of its lines comes from."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dojo.notebook_slice.cells import Cell
from dojo.notebook_slice.dataflow import Function
from dojo.notebook_slice.statements import Statement

# Names that Jupyter defines and the grader does not.
STAND_INS = {"display": "display = print"}
# Annotations name modules that the grader does not have, and nothing evaluates them.
_UNEVALUATED_ANNOTATIONS = "from __future__ import annotations"


@dataclass(frozen=True)
class Taken:
    """What a cell contributed. ``names`` are the answers and helpers that its chosen statements make.

    ``whole`` says whether every statement of the cell was chosen.
    """

    cell: int
    run: int | None
    names: tuple[str, ...]
    whole: bool


@dataclass(frozen=True)
class Transcript:
    """A program. ``lines`` holds the cell and the line in it for each line of the source, or None."""

    source: str
    lines: tuple[tuple[int, int] | None, ...]


def write(statements: Sequence[Statement]) -> Transcript:
    """Write statements as one program, in this order."""
    source: list[str] = []
    places: list[tuple[int, int] | None] = []
    nodes = [node for statement in statements for node in ast.walk(statement.node)]
    if any(isinstance(node, ast.AnnAssign | ast.arg | Function) and _is_annotated(node) for node in nodes):
        source.append(_UNEVALUATED_ANNOTATIONS)
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    source += [line for name, line in STAND_INS.items() if name in names]
    cell: Cell | None = None
    for statement in statements:
        if statement.cell is not cell:
            cell = statement.cell
            heading = [] if cell.is_script else [f"# --- cell {cell.number} ---"]
            source += ["", *heading] if source else heading
            places += [None] * (len(source) - len(places))
        lines = statement.text.split("\n")
        source += lines
        if statement.as_written:
            first = (statement.node.end_lineno or statement.node.lineno) - len(lines) + 1
            places += [(cell.number, first + offset) for offset in range(len(lines))]
        else:  # written anew, so its lines are not those of the cell
            places += [(cell.number, statement.line)] * len(lines)
    return Transcript("\n".join(source) + "\n", tuple(places))


def _is_annotated(node: ast.AnnAssign | ast.arg | Function) -> bool:
    return (node.returns if isinstance(node, Function) else node.annotation) is not None


def summarise(statements: Iterable[Statement], answers: Iterable[str]) -> tuple[Taken, ...]:
    """Return what each cell contributed, in the order of the cells. Answers are named before helpers."""
    by_cell: dict[Cell, list[Statement]] = {}
    for statement in sorted(statements, key=lambda statement: statement.position):
        by_cell.setdefault(statement.cell, []).append(statement)
    summary = []
    for cell, chosen in by_cell.items():
        names: dict[str, None] = {}
        for statement in chosen:
            for name in sorted(statement.makes, key=lambda name: name not in answers):
                if name in answers or name in statement.flow.binds:
                    names[name] = None
        is_whole = len(chosen) == len(cell.statements) and not cell.broken
        summary.append(Taken(cell.number, cell.run, tuple(names), is_whole))
    return tuple(summary)
