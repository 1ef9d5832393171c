"""From the cells of a notebook, or from a script, to the source to submit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dojo.errors import BadFile
from dojo.notebook_slice.advice import advice
from dojo.notebook_slice.cells import NotebookCells, read_script
from dojo.notebook_slice.choice import Choice, choose
from dojo.notebook_slice.comparisons import with_plain_cmp
from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.handouts import Renamed, with_exercise_names
from dojo.notebook_slice.kinds import Kind, Kinds
from dojo.notebook_slice.remarks import place
from dojo.notebook_slice.statements import Statement, read_parts, read_statements
from dojo.notebook_slice.training_loop import without_loop
from dojo.notebook_slice.transcript import Taken, summarise, write
from dojo.notebook_slice.unfold import Unfolding, unfold

REASONS_MAX = 3  # in the error for a notebook without answers


@dataclass(frozen=True)
class NotebookSlice:
    """The source to submit, and what to tell the student about it.

    ``taken`` says what each cell contributed, ``cells`` is the number of code cells, and ``remarks`` are sentences
    about what is left out. ``lines`` holds the cell and the line in it for each line of the source, or None.
    ``answers`` counts the answers, and is 0 if only a run shows them.
    """

    source: str
    taken: tuple[Taken, ...]
    cells: int
    remarks: tuple[str, ...]
    lines: tuple[tuple[int, int] | None, ...]
    is_script: bool = False
    answers: int = 0

    def summary(self) -> str:
        """Return one line about what is taken."""
        answers = f"{self.answers} answer{'' if self.answers == 1 else 's'}" if self.answers else "Answers"
        if self.is_script:
            lines = [place[1] for place in self.lines if place]
            where = f"lines {min(lines)} to {max(lines)}" if len(set(lines)) > 1 else f"line {lines[0]}"
            return f"{answers} taken from {where} of the script."
        return f"{answers} taken from {len(self.taken)} of {self.cells} code cells."

    def contributions(self) -> list[str]:
        """Return a line for each cell that something is taken from."""
        if self.is_script:
            return [f"Taken: {', '.join(taken.names)}." for taken in self.taken if taken.names]
        return [
            f"Cell {taken.cell}: {', '.join(taken.names) or 'comparisons'}{'' if taken.whole else ' (in part)'}."
            for taken in self.taken
        ]

    def place(self, line: int) -> tuple[int, int] | None:
        """Return the cell and the line in it that a line of the source (from 1) comes from, or None."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else None


@dataclass(frozen=True)
class _Reading:
    """The statements of a notebook, read in one way, and the choice among them."""

    statements: list[Statement]
    choice: Choice
    remarks: tuple[str, ...]


def slice_notebook(notebook: NotebookCells, goal: Goal) -> NotebookSlice:
    """Choose the statements that the answers need.

    :raises BadFile: the notebook makes no answer
    """
    try:
        reading = _best_reading(with_plain_cmp(notebook), goal)
    except RecursionError as error:
        raise BadFile("This notebook holds an expression that is nested too deep.", "Write it in parts.") from error
    choice = reading.choice
    unfinished = _unfinished(notebook, choice)
    if not choice.statements:
        raise _no_answer(notebook, reading, goal)
    transcript = write(choice.statements)
    numbers = {statement.cell.number for statement in choice.statements}
    repaired = tuple(remark for number, remark in notebook.repaired.items() if number in numbers)
    return NotebookSlice(
        transcript.source,
        summarise(choice.statements, goal.variables),
        len(notebook.cells),
        (*unfinished, *repaired, *reading.remarks, *choice.remarks, *advice(choice.statements)),
        transcript.lines,
        notebook.is_script,
        len(choice.answered - {None}),
    )


def slice_script(source: str, goal: Goal) -> NotebookSlice | None:
    """Choose the lines of a script that the answers need; None if it is sent unchanged.

    It is if it can run where it is graded, or if nothing can be made of it but Python's own words about a line.

    :raises BadFile: the script makes no answer
    """
    script = read_script(source)
    if runs_as_it_is(script, goal):
        return None
    try:
        return slice_notebook(script, goal)
    except BadFile:
        if not script.unfinished:
            raise
        return None


def _unfinished(notebook: NotebookCells, choice: Choice) -> tuple[str, ...]:
    """Return what Python cannot read, cell by cell, and what is not graded for it."""
    return tuple(remark + choice.lost_to_gaps.get(number, "") for number, remark in sorted(notebook.unfinished.items()))


def _best_reading(notebook: NotebookCells, goal: Goal) -> _Reading:
    """Return the reading with the most answers, and of those the plainest."""
    parts = without_loop(read_parts(notebook), goal)
    plain = with_exercise_names(parts, goal, containers=False)
    best = _read(plain, goal)
    before = plain.parts
    for unfolding in Unfolding:
        answers = _answers(best, goal)
        if answers == len(goal.checkpoints) or (answers and unfolding > Unfolding.CALLS):
            break  # beside answers that are there, code that never runs has none
        unfolded = with_exercise_names(unfold(parts, goal, unfolding), goal, containers=True)
        if [part.node for part in unfolded.parts] != [part.node for part in before]:
            before = unfolded.parts
            reading = _read(unfolded, goal)
            # Of two readings with as many answers, one in which no name is missing does run.
            as_many = _answers(reading, goal) == answers and reading.choice.dangling < best.choice.dangling
            best = reading if _answers(reading, goal) > answers or as_many else best
    return best


def _read(renamed: Renamed, goal: Goal) -> _Reading:
    statements = read_statements(renamed.parts)
    return _Reading(statements, choose(statements, goal), renamed.remarks)


def _answers(reading: _Reading, goal: Goal) -> int:
    answered = reading.choice.answered
    return len(goal.checkpoints) if None in answered else len(answered)


def runs_as_it_is(script: NotebookCells, goal: Goal) -> bool:
    """Return whether a script needs only what is there where it is graded. Then it is sent unchanged.

    A script that makes a hand-out anew has a forward pass of its own, and one that cannot be read has a gap.
    """
    if script.unfinished or script.repaired:
        return False
    try:
        parts = read_parts(script)
        statements = read_statements(parts)
    except RecursionError:
        return True  # the grader says what is wrong with it
    if any(statement.makes & goal.handed_out or statement.unfinished for statement in statements):
        return False
    if with_exercise_names(parts, goal, containers=False).remarks:
        return False
    kinds = Kinds(statements, goal)
    obstacles = [kinds.obstacle(statement) for statement in statements if not kinds.is_placeholder(statement)]
    return not any(obstacle and obstacle.kind is not Kind.UNDEFINED for obstacle in obstacles)


def _no_answer(notebook: NotebookCells, reading: _Reading, goal: Goal) -> BadFile:
    examples = ", ".join(list(goal.checkpoint_by_variable)[:3])
    reasons = (*_unfinished(notebook, reading.choice), *_other_exercises(reading, goal), *reading.choice.remarks)
    told = "".join(f" {reason}" for reason in (*reasons, *reading.remarks)[:REASONS_MAX])
    if not goal.checkpoints:
        return BadFile(f"There is no backward(state) that can be taken.{told}", "Write it in a cell, and run that.")
    makes = "This script makes no answer" if notebook.is_script else "No cell of this notebook makes an answer"
    return BadFile(
        f"{makes} of this exercise ({examples}, …).{told}",
        "Assign one, save the file, submit it again; another exercise is named with --exercise.",
    )


def _other_exercises(reading: _Reading, goal: Goal) -> Iterator[str]:
    """Yield sentences about answers of other exercises: they are not this one's, and that is why nothing is there."""
    kinds = Kinds(reading.statements, goal)
    trained = next((each for each in reading.statements if kinds.trains(each) and each.makes & goal.variables), None)
    if trained is not None:
        told = "trains on data of its own: that is exercise 4. This one asks for the steps of one batch"
        yield f"{place(trained)} {told}."
    others = [
        statement
        for statement in reading.statements
        if statement.section not in (None, goal.section) and statement.makes & goal.variables
    ]
    if goal.section is not None and others:
        name = min(others[0].makes & goal.variables)
        yield f"{place(others[0])} makes {name}, but under exercise {others[0].section}."
    if reading.choice.not_there_yet is not None:
        yield f"{reading.choice.not_there_yet}."
    if goal.section is not None and (others or reading.choice.not_there_yet):
        yield f"Exercise {goal.section} is not there yet."
