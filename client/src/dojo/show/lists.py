"""Lists of exercises, checkpoints and submissions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from dojo.api.responses import Exercise, Explanation, Submission
from dojo.show.screen import Screen, print_plain
from dojo.text import clock

COLUMN_GAP = 3  # characters between two columns
COLUMN_WIDTH_MIN = 12  # the last column may be cut to so many characters


@dataclass(frozen=True)
class _List:
    """A table of text. ``done`` marks the rows that are shown in green."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    done: Sequence[bool]

    def width(self, column: int) -> int:
        """Return the width of the widest cell in a column, its title included."""
        return max(len(row[column]) for row in (self.titles, *self.rows))


def show_exercises(screen: Screen, exercises: Sequence[Exercise]) -> None:
    """Print the exercises of a course with the student's progress."""
    if not exercises:
        screen.print("This course has no exercises yet. Look again later: dojo list")
        return
    rows = [
        (
            exercise.slug,
            f"{exercise.passed} of {exercise.total}",
            str(exercise.exact),
            str(exercise.attempts),
            _local_time(exercise.due),
            exercise.title,
        )
        for exercise in exercises
    ]
    titles = ("exercise", "passed", "exact", "attempts", "due", "title")
    _show_list(screen, _List(titles, rows, [exercise.is_done for exercise in exercises]))


def show_explanation(screen: Screen, explanation: Explanation) -> None:
    """Print why a gradient is what it is, a line each for what flows in, what happens to it, and what comes out."""
    for line in explanation_lines(explanation):
        screen.print(line)


def explanation_lines(explanation: Explanation) -> list[str]:
    """Return an explanation as lines of text under the name of its step."""
    return [f"d{explanation.checkpoint}", *(f"  {line}" for line in explanation.lines)]


def show_checkpoints(screen: Screen, exercise: Exercise) -> None:
    """Print the student's progress at each checkpoint of an exercise."""
    rows = [
        (
            checkpoint.name,
            checkpoint.best or "-",
            str(checkpoint.attempts),
            _local_time(checkpoint.first_passed_at),
            clock(checkpoint.lecture_start) if checkpoint.lecture_start is not None else "",
        )
        for checkpoint in exercise.checkpoints
    ]
    if screen.colour:
        screen.print(f"{exercise.slug}: {exercise.title}", style="bold")
    titles = ("step", "best", "attempts", "first passed", "lecture")
    _show_list(screen, _List(titles, rows, [checkpoint.passed for checkpoint in exercise.checkpoints]))
    screen.print(f"{exercise.passed} of {exercise.total} pass, {exercise.exact} exact")


def show_history(screen: Screen, submissions: Sequence[Submission]) -> None:
    """Print submissions, of which the server sends no rows."""
    rows = []
    done = []
    for submission in submissions:
        grade = submission.body.get("grade") or {}
        passed, total, points = grade.get("passed"), grade.get("total"), grade.get("points")
        result = f"{passed} of {total}" if passed is not None else submission.progress()
        if isinstance(points, int | float) and points != passed:
            result += f", {points:g} points"
        file = submission.filename or submission.kind
        rows.append((str(submission.id), result, _local_time(submission.created_at), submission.exercise, file))
        done.append(passed is not None and passed == total)
    _show_list(screen, _List(("id", "passed", "at", "exercise", "file"), rows, done))


def _show_list(screen: Screen, content: _List) -> None:
    """Print a table; without colours, every column is as wide as its widest cell."""
    if screen.colour:
        columns = _columns_that_fit(content, screen.console.width)
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for title in content.titles[:columns]:
            table.add_column(title, no_wrap=True)
        for row, is_done in zip(content.rows, content.done, strict=True):
            table.add_row(*(Text(cell) for cell in row[:columns]), style="green" if is_done else "")
        screen.print_table(table)
        return
    widths = [content.width(column) for column in range(len(content.titles))]
    for row in (content.titles, *content.rows):
        print_plain(" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _columns_that_fit(content: _List, terminal_width: int) -> int:
    """Return how many columns a terminal has room for. The last of them may be cut short, the others may not."""
    left = terminal_width
    for column in range(len(content.titles)):
        width = content.width(column)
        left -= COLUMN_GAP if column else 0
        if left < min(width, COLUMN_WIDTH_MIN) or (column == 0 and left < 1):
            return max(column, 1)
        if left < width:
            return column + 1
        left -= width
    return len(content.titles)


def _local_time(moment: str | None) -> str:
    """Return an ISO 8601 moment in the student's time zone, to the minute."""
    if not moment:
        return "-"
    try:
        return datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return moment
