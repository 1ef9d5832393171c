"""From the cells of a notebook to the source to submit."""

from __future__ import annotations

from dataclasses import dataclass

from dojo.errors import BadFile
from dojo.notebook_slice.cells import NotebookCells
from dojo.notebook_slice.choice import choose
from dojo.notebook_slice.comparisons import with_plain_cmp
from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.statements import read_statements
from dojo.notebook_slice.transcript import Taken, summarise, write

REASONS_MAX = 3  # in the error for a notebook without answers


@dataclass(frozen=True)
class NotebookSlice:
    """The source to submit, and what to tell the student about it.

    ``taken`` says what each cell contributed, ``cells`` is the number of code cells, and ``remarks`` are sentences
    about what is left out. ``lines`` holds the cell and the line in it for each line of the source, or None.
    """

    source: str
    taken: tuple[Taken, ...]
    cells: int
    remarks: tuple[str, ...]
    lines: tuple[tuple[int, int] | None, ...]

    def place(self, line: int) -> tuple[int, int] | None:
        """Return the cell and the line in it that a line of the source (from 1) comes from, or None."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else None


def slice_notebook(notebook: NotebookCells, goal: Goal) -> NotebookSlice:
    """Choose the statements that the answers need.

    :raises BadFile: the notebook makes no answer
    """
    try:
        choice = choose(read_statements(with_plain_cmp(notebook)), goal)
    except RecursionError as error:
        raise BadFile("This notebook holds an expression that is nested too deep.", "Write it in parts.") from error
    unfinished = tuple(notebook.unfinished.values())
    if not choice.statements:
        examples = ", ".join(list(goal.checkpoint_by_variable)[:3])
        reasons = "".join(f" {reason}" for reason in (*unfinished, *choice.remarks)[:REASONS_MAX])
        raise BadFile(
            f"No cell of this notebook makes an answer of this exercise ({examples}, …).{reasons}",
            "Assign one, save the notebook, submit it again; another exercise is named with --exercise.",
        )
    transcript = write(choice.statements)
    numbers = {statement.cell.number for statement in choice.statements}
    repaired = tuple(remark for number, remark in notebook.repaired.items() if number in numbers)
    return NotebookSlice(
        transcript.source,
        summarise(choice.statements, goal.variables),
        len(notebook.cells),
        (*unfinished, *repaired, *choice.remarks),
        transcript.lines,
    )
