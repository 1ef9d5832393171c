"""What a student reads about what is left out: each reason once, in the order of the notebook."""

from __future__ import annotations

from dataclasses import dataclass, field

from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.kinds import Obstacle
from dojo.notebook_slice.statements import Statement

_NAMES_MAX = 6  # listed in one sentence


@dataclass
class _LeftOut:
    obstacle: Obstacle
    dependent: dict[str, None] = field(default_factory=dict)
    counts_instead: dict[str, None] = field(default_factory=dict)


class Remarks:
    """Sentences about statements that are left out. ``not_there_yet`` says why an exercise has no answer."""

    def __init__(self, goal: Goal) -> None:
        self._goal = goal
        self._left_out: dict[Statement, _LeftOut] = {}
        self.not_there_yet: str | None = None

    def lacking(self, at: Statement, obstacle: Obstacle, root: Statement, variables: tuple[str, ...]) -> None:
        """Note that an answer is not graded, because of a statement with an obstacle."""
        left_out = self._left_out.setdefault(at, _LeftOut(obstacle))
        answers = [name for name in self._goal.checkpoint_by_variable if name in (variables or root.makes)]
        left_out.dependent |= dict.fromkeys(answers)

    def passed_over(self, at: Statement, obstacle: Obstacle, name: str) -> None:
        """Note that a value is passed over, and the one before it counts."""
        self._left_out.setdefault(at, _LeftOut(obstacle)).counts_instead[name] = None

    def sentences(self) -> list[str]:
        """Return the sentences, in the order of the notebook."""
        return [
            f"{place(at)} is left out: {left_out.obstacle.reason}.{self._consequence(left_out)}"
            for at, left_out in sorted(self._left_out.items(), key=lambda item: item[0].position)
            if not at.unfinished
        ]

    def of_gaps(self) -> dict[int, str]:
        """Return what is not graded for the sake of gaps, as a sentence for the number of a cell."""
        by_cell: dict[int, _LeftOut] = {}
        for at, left_out in sorted(self._left_out.items(), key=lambda item: item[0].position):
            if at.unfinished and left_out.dependent:
                of_cell = by_cell.setdefault(at.cell.number, _LeftOut(left_out.obstacle))
                of_cell.dependent |= left_out.dependent
        return {number: self._consequence(left_out) for number, left_out in by_cell.items()}

    def _consequence(self, left_out: _LeftOut) -> str:
        names = list(left_out.dependent)
        instead = sorted(name for name in left_out.counts_instead if name not in left_out.dependent)
        if instead:
            return f" Your own {', '.join(instead)} above it count{'s' if len(instead) == 1 else ''}."
        if not names:
            return ""
        listed = ", ".join(names[:_NAMES_MAX])
        more = f" and {len(names) - _NAMES_MAX} more" if len(names) > _NAMES_MAX else ""
        return f" So {listed}{more} {'is' if len(names) == 1 else 'are'} not graded."


def place(statement: Statement) -> str:
    """Return where a statement is, at the beginning of a sentence: “Cell 3, line 4”, in a script “Line 4”."""
    line = statement.line or statement.node.lineno
    return f"Line {line}" if statement.cell.is_script else f"Cell {statement.cell.number}, line {line}"
