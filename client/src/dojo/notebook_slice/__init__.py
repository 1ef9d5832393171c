"""The slice of a notebook that makes the answers, and nothing else.

cells         what Python can read of a notebook, and the headings in it
comparisons   every way of comparing replaced by the plain ``cmp``
statements    the statements with what each reads and makes (dataflow, functions)
choice        the statements that the answers need (kinds)
transcript    the chosen statements as one program
"""

from __future__ import annotations

from dojo.notebook_slice.cells import read_cells, read_notebook
from dojo.notebook_slice.goal import SECTIONS, Goal
from dojo.notebook_slice.slice import NotebookSlice, slice_notebook

__all__ = ["SECTIONS", "Goal", "NotebookSlice", "read_cells", "read_notebook", "slice_notebook"]
