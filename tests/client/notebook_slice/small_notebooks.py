"""What is taken of a small notebook: for tests that show what each rule is for."""

from __future__ import annotations

import functools
from typing import Any

from dojo.notebook_slice import SECTIONS, Goal, NotebookSlice, read_cells, slice_notebook
from exercises.instance import Instance
from exercises.registry import find
from tests.client.notebooks import notebook

FULL = "makemore/full-backward"
CROSS_ENTROPY = "makemore/cross-entropy"
BATCH_NORM = "makemore/batch-norm"


@functools.cache
def wanted(slug: str) -> Goal:
    """What an exercise asks for and hands out, as the client learns it from the server."""
    exercise = find(slug)
    names = tuple(each.name for each in exercise.checkpoints)
    return Goal(names, frozenset(Instance.canonical(exercise).tensors()), SECTIONS.get(slug))


def read(*cells: str, slug: str = FULL) -> NotebookSlice:
    raw: list[Any] = notebook(*cells)["cells"]
    return slice_notebook(read_cells(raw), wanted(slug))


def taken(*cells: str, slug: str = FULL) -> str:
    """The source that is taken, without the lines that the transcript adds."""
    lines = read(*cells, slug=slug).source.splitlines()
    return "\n".join(line for line in lines if line and not line.startswith(("# --- cell", "from __future__")))
