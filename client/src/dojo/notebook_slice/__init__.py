"""The slice of a notebook or a script that makes the answers, and nothing else.

cells          what Python can read of a file, the headings in it, and the gaps
training_loop  exercise 4 without its loop
functions      a function with its helpers, of a notebook that runs
comparisons    every way of comparing replaced by the plain ``cmp``
unfold         blocks and functions that hold answers, a statement each
handouts       the exercise's names for what it hands out (forward)
statements     the statements with what each reads and makes (dataflow, aliases, callables)
choice         the statements that the answers need (kinds, remarks)
transcript     the chosen statements as one program, and advice about them
"""

from __future__ import annotations

from dojo.notebook_slice.cells import NotebookCells, raw_cells, read_cells, read_notebook, read_script
from dojo.notebook_slice.functions import slice_function
from dojo.notebook_slice.goal import SECTIONS, Goal
from dojo.notebook_slice.slice import NotebookSlice, runs_as_it_is, slice_notebook, slice_script

__all__ = [
    "SECTIONS",
    "Goal",
    "NotebookCells",
    "NotebookSlice",
    "raw_cells",
    "read_cells",
    "read_notebook",
    "read_script",
    "runs_as_it_is",
    "slice_function",
    "slice_notebook",
    "slice_script",
]
