"""A notebook's answers: which statements of its cells make the `d…` variables, and nothing else.

cells         what Python can read of a notebook, and the headings in it
comparisons   every way of comparing made the plain `cmp`
statements    the statements with what each reads and makes (dataflow, functions)
choice        those that are needed for the answers (kinds)
transcript    those written down as one program
"""

from __future__ import annotations

from dataclasses import dataclass

from dojo.errors import BadFile
from dojo.harvest.cells import Cells, read_cells, read_notebook
from dojo.harvest.choice import choose
from dojo.harvest.comparisons import with_plain_cmp
from dojo.harvest.statements import read_statements
from dojo.harvest.transcript import Taken, taken, write
from dojo.harvest.wanted import Wanted

__all__ = ["SECTIONS", "Harvest", "Wanted", "harvest", "read_cells", "read_notebook"]

# The exercise numbers of the lecture: a notebook with all of them makes dlogits twice.
SECTIONS = {
    "makemore/full-backward": 1,
    "makemore/cross-entropy": 2,
    "makemore/batch-norm": 3,
    "makemore/train": 4,
}


@dataclass(frozen=True)
class Harvest:
    """``source`` is what to hand in; ``lines`` gives the cell and the line in it for each of its lines."""

    source: str
    taken: tuple[Taken, ...]
    cells: int
    remarks: tuple[str, ...]
    lines: tuple[tuple[int, int] | None, ...]

    def place(self, line: int) -> tuple[int, int] | None:
        """The cell and the line in it that a line of the source (from 1) came from."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else None


def harvest(cells: Cells, wanted: Wanted) -> Harvest:
    """Choose the statements. Raises BadFile where the notebook makes no answer at all."""
    try:
        choice = choose(read_statements(with_plain_cmp(cells)), wanted)
    except RecursionError as error:
        raise BadFile("This notebook holds an expression that is nested too deep.", "Write it in parts.") from error
    if not choice.statements:
        answers = ", ".join(list(wanted.answers)[:3])
        reasons = [f" {each}" for each in (*cells.unfinished.values(), *choice.remarks)]
        raise BadFile(
            f"No cell of this notebook makes an answer of this exercise ({answers}, …).{''.join(reasons[:3])}",
            "Assign one, save the notebook, submit it again; another exercise is named with --exercise.",
        )
    transcript = write(choice.statements)
    numbers = {each.cell.number for each in choice.statements}
    repaired = [text for number, text in cells.repaired.items() if number in numbers]
    return Harvest(
        transcript.source,
        taken(choice.statements, wanted.answers),
        len(cells.cells),
        (*cells.unfinished.values(), *repaired, *choice.remarks),
        transcript.lines,
    )
