"""Lists of exercises, checkpoints and submissions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len, set_cell_size

from dojo.api.responses import Exercise, Explanation, Submission
from dojo.show.due import due_lines, due_text, local_time
from dojo.show.screen import Screen
from dojo.text import clock

NOT_SHOWN = "kept"  # instead of how much passed, while feedback is withheld
COLUMN_GAP = 3  # characters between two columns
COLUMN_WIDTH_MIN = 12  # the last column may be cut to so many characters, unless it is one to type


@dataclass(frozen=True)
class _List:
    """A table of text.

    ``typed`` names the columns that the student types elsewhere: they are never cut. ``done`` marks the rows that are
    shown in green.
    """

    titles: Sequence[str]
    typed: frozenset[str]
    rows: Sequence[Sequence[str]]
    done: Sequence[bool]

    def width(self, column: int) -> int:
        """Return the width of the widest cell in a column, its title included."""
        return max(cell_len(row[column]) for row in (self.titles, *self.rows))

    def columns(self, terminal_width: int) -> dict[int, int]:
        """Return column → width of those that a terminal has room for.

        The typed ones are always there. Of the others, in their order, as many as fit; the last may be cut short.
        """
        everything = range(len(self.titles))
        widths = {column: self.width(column) for column in everything if self.titles[column] in self.typed}
        left = terminal_width - sum(widths.values()) - COLUMN_GAP * (len(widths) - 1)
        for column in everything:
            if column in widths:
                continue
            left -= COLUMN_GAP
            width = min(self.width(column), left)
            if width < min(self.width(column), COLUMN_WIDTH_MIN):
                break
            widths[column] = width
            left -= width
        return dict(sorted(widths.items()))


def show_exercises(screen: Screen, exercises: Sequence[Exercise], now: datetime | None = None) -> None:
    """Print the exercises of a course with the student's progress, and when each is due."""
    if not exercises:
        screen.print("This course has no exercises yet. Look again later: dojo list")
        return
    has_dates = any(exercise.due or exercise.opens or exercise.answers == "closed" for exercise in exercises)
    # A narrow terminal leaves out the columns at the end, so dates come early.
    titles = ("exercise", "passed", *(("due",) if has_dates else ()), "exact", "attempts", "title")
    rows = []
    for exercise in exercises:
        kept = NOT_SHOWN if exercise.attempts else "-"
        cells = {
            "exercise": exercise.slug,
            "passed": kept if exercise.withheld else f"{exercise.passed} of {exercise.total}",
            "due": due_text(exercise, now),
            "exact": kept if exercise.withheld else str(exercise.exact),
            "attempts": str(exercise.attempts),
            "title": exercise.title,
        }
        rows.append([cells[title] for title in titles])
    _show_list(screen, _List(titles, frozenset({"exercise"}), rows, [exercise.is_done for exercise in exercises]))


def show_explanation(screen: Screen, explanation: Explanation) -> None:
    """Print why a gradient is what it is, a line each for what flows in, what happens to it, and what comes out."""
    for line in explanation_lines(explanation):
        screen.print(line)


def explanation_lines(explanation: Explanation) -> list[str]:
    """Return an explanation as lines of text under the name of its step."""
    return [f"d{explanation.checkpoint}", *(f"  {line}" for line in explanation.lines)]


def show_checkpoints(screen: Screen, exercise: Exercise, now: datetime | None = None) -> None:
    """Print the student's progress at each checkpoint of an exercise, and when it is due."""
    rows = [
        [
            checkpoint.name,
            checkpoint.best or (NOT_SHOWN if exercise.withheld and checkpoint.attempts else "not yet"),
            str(checkpoint.attempts),
            local_time(checkpoint.first_passed_at),
            clock(checkpoint.lecture_start) if checkpoint.lecture_start is not None else "",
        ]
        for checkpoint in exercise.checkpoints
    ]
    if screen.colour:
        screen.print(f"{exercise.slug}: {exercise.title}", style="bold")
    titles = ["step", "best", "attempts", "first passed", "lecture"]
    if not any(row[-1] for row in rows):  # an exercise that no lecture is about
        for row in (titles, *rows):
            row.pop()
    _show_list(
        screen, _List(titles, frozenset({"step"}), rows, [checkpoint.passed for checkpoint in exercise.checkpoints])
    )
    screen.print(exercise.withheld or f"{exercise.passed} of {exercise.total} pass, {exercise.exact} exact")
    for line in due_lines(exercise, now):
        screen.print(line)


def show_history(screen: Screen, submissions: Sequence[Submission]) -> None:
    """Print submissions, of which the server sends no rows."""
    rows = []
    done = []
    for submission in submissions:
        summary = submission.summary
        result = submission.progress()
        if summary:
            result = NOT_SHOWN if summary.passed is None else f"{summary.passed} of {summary.total}"
        if summary and summary.points is not None and summary.points != summary.passed:
            result += f", {summary.points:g} points"
        file = submission.filename or submission.kind
        rows.append((str(submission.id), result, local_time(submission.created_at), submission.exercise, file))
        done.append(summary is not None and summary.all_passed)
    titles = ("id", "passed", "at", "exercise", "file")
    _show_list(screen, _List(titles, frozenset({"id", "exercise"}), rows, done))


def show_table(
    screen: Screen,
    titles: Sequence[str],
    typed: frozenset[str],
    rows: Sequence[Sequence[str]],
    done: Sequence[bool],
) -> None:
    """Print a table of text. ``typed`` names the columns that are never cut, ``done`` marks the rows shown in green."""
    _show_list(screen, _List(titles, typed, rows, done))


def _show_list(screen: Screen, content: _List) -> None:
    """Print a table; in a pipe, every column is as wide as its widest cell.

    A terminal that has no room for the columns to type gets those alone, and wraps the lines itself.
    """
    if screen.width is None:
        columns = {column: content.width(column) for column in range(len(content.titles))}
    else:
        columns = content.columns(screen.width)
    for number, row in enumerate((content.titles, *content.rows)):
        line = " | ".join(_cell(row[column], width) for column, width in columns.items())
        style = "bold" if number == 0 else "green" if content.done[number - 1] else ""
        screen.print_line(line.rstrip(), style=style)


def _cell(text: str, width: int) -> str:
    """Return the text in a column: filled up, or cut short with a mark."""
    return set_cell_size(text, width) if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"
