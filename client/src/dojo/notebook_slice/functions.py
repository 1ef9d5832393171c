"""A function ``backward(state)`` with the helpers, constants and imports that it needs, from cells that were run."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence

from dojo.errors import BadFile
from dojo.notebook_slice.cells import read_cells
from dojo.notebook_slice.dataflow import Function, flow_of
from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.slice import NotebookSlice, slice_notebook

BACKWARD = "backward"
_GIVEN = frozenset({"torch", "F", "display", *dir(builtins), "__name__", "__file__"})


def slice_function(sources: Sequence[str], name: str) -> NotebookSlice:
    """Return the function of this name as ``backward(state)``, with what it needs.

    ``sources`` are the cells in the order in which they were run; of several functions of the name the last counts.

    :raises BadFile: it is not among them, or needs what cannot go along
    """
    cells = [*sources]
    if name != BACKWARD:
        cells.append(f"def {BACKWARD}(state):\n    return {name}(state)")
    raw = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in cells]
    taken = slice_notebook(read_cells(raw), Goal((), frozenset()))
    missing = _missing(taken.source)
    if missing:
        first = missing[0]
        raise BadFile(
            f"{name} reads {', '.join(missing)}, and nothing that goes along makes that.",
            f'Take it from the argument: {first} = state["{first}"]',
        )
    return taken


def _missing(source: str) -> list[str]:
    """Return the names that a program reads and nothing in it makes."""
    made: set[str] = set()
    read: set[str] = set()
    for statement in ast.parse(source).body:
        flow = flow_of(statement)
        made |= flow.binds
        read |= flow.reads
        if isinstance(statement, Function):
            read |= flow.later
    return sorted(read - made - _GIVEN)
