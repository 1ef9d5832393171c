"""What the student reads: tables in colour on a terminal, the lecture's lines where there is none."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dojo.records import Checkpoint, Exercise, Grade, Row, Submission
from dojo.text import clock

COLOURS = {"exact": "green", "approximate": "cyan", "missing": "bright_black"}
INHERITED = "dim yellow"
WRONG = "red"
FIRST_WRONG = "bold red"
NARROW = 80  # columns; below this, remarks stand under the table instead of in it
GAP = 3  # columns between two columns
SHORTEST = 12  # columns to which a column may be cut

RUNS = {
    "error": "Your code stopped with an error, so what comes after it was not graded:",
    "denied": "Your code asked for something that is not there while it is graded:",
    "time_limit": "Your code was stopped: it took too long.",
    "memory_limit": "Your code was stopped: it took too much memory.",
    "output_limit": "Your code was stopped: it printed too much.",
    "crashed": "Your code crashed the Python that ran it.",
    "sandbox_fault": "The grader failed. That is not your fault; submit again in a minute.",
}
UNGRADED = {
    "cancelled": "taken out of the queue before its turn. To have it graded, hand the file in again: dojo submit FILE",
    "quarantined": "set aside, because the grader was lost each time that it ran. Nothing of yours is lost: tell your "
    "instructor the number {id}, or hand in another version: dojo submit FILE",
}
AUTOGRAD = "This uses automatic differentiation. Here the point is to do without: derive the gradient by hand."


class Screen:
    """Standard output. ``colour`` is false in pipes, with NO_COLOR and on dumb terminals."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(markup=False, highlight=False, emoji=False)
        self.colour = self.console.is_terminal and not self.console.is_dumb_terminal and not self.console.no_color
        utf8 = (self.console.encoding or "").lower().startswith("utf")
        self.yes, self.no, self.bar = ("✓", "✗", "●") if utf8 else ("yes", "no", "#")

    def say(self, text: str = "", style: str = "") -> None:
        """A line or paragraph; never broken into lines where there is no terminal to fit."""
        if self.colour:
            self.console.print(Text(text, style=style))
        else:
            _plain(text)

    def table(self, table: Table) -> None:
        self.console.print(table)


def _plain(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, errors="replace").decode(encoding))


# -- one grade --------------------------------------------------------------------------------


def show_submission(screen: Screen, submission: Submission, checkpoints: Sequence[Checkpoint] = ()) -> None:
    """The whole table of a submission, how its code ran, and where to look next."""
    title = f"{submission.exercise}, attempt {submission.attempt} (submission {submission.id})"
    if submission.grade is None:
        known = UNGRADED.get(submission.status, "{standing}. Look again: dojo show {id}")
        screen.say(f"{title}: {known.format(standing=submission.standing(), id=submission.id)}")
        return
    grade = submission.grade
    if screen.colour:
        screen.say(title, style="bold")
    _show_run(screen, grade)
    show_rows(screen, grade.rows)
    if "autograd" in grade.flags:
        screen.say(AUTOGRAD, style=INHERITED)
    style = "bold green" if grade.all_passed else "bold"
    screen.say(grade.summary(), style=style)
    stuck = first_mistake(grade, checkpoints)
    if stuck is not None:
        screen.say(lecture_hint(stuck))


def first_mistake(grade: Grade, checkpoints: Sequence[Checkpoint]) -> Checkpoint | None:
    """The first step that is wrong by itself, where the lecture has something to say about it."""
    wrong = {row.name for row in grade.rows if row.own_mistake}
    return next((each for each in checkpoints if each.name in wrong and each.lecture_url), None)


def lecture_hint(checkpoint: Checkpoint) -> str:
    start = checkpoint.lecture_start
    time = f" at {clock(start)}" if start is not None else ""
    return f"Stuck at {checkpoint.answer}? The lecture{time}: {checkpoint.lecture_url}"


def _show_run(screen: Screen, grade: Grade) -> None:
    if grade.stdout:
        screen.say("Your code printed:", style="bright_black")
        screen.say(_indented(grade.stdout.rstrip()))
    if grade.run_status in RUNS:
        screen.say(RUNS[grade.run_status], style=WRONG)
        if grade.run_message:
            screen.say(_indented(grade.run_message.rstrip()))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def show_rows(screen: Screen, rows: Sequence[Row]) -> None:
    """The rows of `cmp`, each with what there is to say about it."""
    remarks = remarks_of(rows)
    if not screen.colour:
        for row, said in zip(rows, remarks, strict=True):
            _plain(row.line())
            for remark in said:
                _plain(f"    {remark}")
        return
    wide = screen.console.width >= NARROW
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("step", no_wrap=True)
    table.add_column("exact")
    table.add_column("approximate" if wide else "approx")
    table.add_column("maxdiff", no_wrap=True)
    beside = wide and any(remarks)
    if beside:
        table.add_column("", ratio=1)
    first = next((row for row in rows if row.own_mistake), None)
    for row, said in zip(rows, remarks, strict=True):
        colour = FIRST_WRONG if row is first else row_colour(row)
        cells = [
            Text(row.name, style=colour),
            _mark(screen, row, row.exact),
            _mark(screen, row, row.approximate),
            Text(_maxdiff(row), style=colour),
        ]
        beside_style = INHERITED if row.inherits else ""
        table.add_row(*cells, *([Text("\n".join(said), style=beside_style)] if beside else []))
    screen.table(table)
    if not beside:
        for row, said in zip(rows, remarks, strict=True):
            for remark in said:
                screen.console.print(Text(f"{row.name}:", style=row_colour(row)))
                screen.console.print(Padding(Text(remark), (0, 0, 0, 2)))


def remarks_of(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """What to say under each row. What holds of many, that a step is not there yet or inherits a mistake, is
    said of the first of them only."""
    said: set[str] = set()
    remarks = []
    for row in rows:
        here = row.remarks()
        if row.verdict == "missing" or row.inherits:
            # The same sentence about another step is the same sentence.
            nameless = [re.sub(rf"\bd?{re.escape(row.name)}\b", "", each) for each in here]
            here = tuple(each for each, key in zip(here, nameless, strict=True) if key not in said)
            said.update(nameless)
        remarks.append(here)
    return remarks


def row_colour(row: Row) -> str:
    if row.verdict in COLOURS:
        return COLOURS[row.verdict]
    return INHERITED if row.inherits else WRONG


def _mark(screen: Screen, row: Row, value: bool) -> Text:
    if row.verdict == "missing":
        return Text("-", style=COLOURS["missing"])
    if value:
        return Text(screen.yes, style="green")
    return Text(screen.no, style=INHERITED if row.inherits else WRONG)


def _maxdiff(row: Row) -> str:
    if row.maxdiff is None:
        return "-"
    return "0.0" if row.maxdiff == 0 else f"{row.maxdiff:.2e}"


# -- lists ------------------------------------------------------------------------------------


def show_exercises(screen: Screen, exercises: Sequence[Exercise]) -> None:
    if not exercises:
        screen.say("This course has no exercises yet. Look again later: dojo list")
        return
    rows = [
        (
            each.slug,
            f"{each.passed} of {each.total}",
            str(each.exact),
            str(each.attempts),
            _day(each.due),
            each.title,
        )
        for each in exercises
    ]
    done = [each.total > 0 and each.passed == each.total for each in exercises]
    _show_list(screen, ("exercise", "passed", "exact", "attempts", "due", "title"), rows, done)


def show_checkpoints(screen: Screen, exercise: Exercise) -> None:
    """How far the student is with one exercise."""
    rows = [
        (
            each.name,
            each.best or "-",
            str(each.attempts),
            _day(each.first_passed_at),
            clock(each.lecture_start) if each.lecture_start is not None else "",
        )
        for each in exercise.checkpoints
    ]
    if screen.colour:
        screen.say(f"{exercise.slug}: {exercise.title}", style="bold")
    _show_list(
        screen,
        ("step", "best", "attempts", "first passed", "lecture"),
        rows,
        [each.passed for each in exercise.checkpoints],
    )
    screen.say(f"{exercise.passed} of {exercise.total} pass, {exercise.exact} exact")


def show_history(screen: Screen, submissions: Sequence[Submission]) -> None:
    rows = []
    done = []
    for each in submissions:
        grade = each.answer.get("grade") or {}
        passed, total, points = grade.get("passed"), grade.get("total"), grade.get("points")
        result = f"{passed} of {total}" if passed is not None else each.standing()
        if isinstance(points, int | float) and points != passed:
            result += f", {points:g} points"
        rows.append((str(each.id), result, _day(each.created_at), each.exercise, each.filename or each.kind))
        done.append(passed is not None and passed == total)
    _show_list(screen, ("id", "passed", "at", "exercise", "file"), rows, done)


def _show_list(screen: Screen, head: Sequence[str], rows: Sequence[Sequence[str]], done: Sequence[bool]) -> None:
    """A table; plain, its columns are as wide as they need to be."""
    if screen.colour:
        head = _that_fit(head, rows, screen.console.width)
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for title in head:
            table.add_column(title, no_wrap=True)
        for row, good in zip(rows, done, strict=True):
            cells = (Text(cell) for cell in row[: len(head)])
            table.add_row(*cells, style="green" if good else "")
        screen.table(table)
        return
    widths = [_widest(head, rows, title) for title in head]
    for row in (head, *rows):
        _plain(" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _that_fit(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Sequence[str]:
    """The columns that a terminal has room for; the last of them may be cut short, the others stay whole."""
    left = width
    for number, title in enumerate(head):
        left -= GAP if number else 0
        if left < min(_widest(head, rows, title), SHORTEST) or (number == 0 and left < 1):
            return head[: max(number, 1)]
        if left < _widest(head, rows, title):
            return head[: number + 1]
        left -= _widest(head, rows, title)
    return head


def _widest(head: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> int:
    column = head.index(title)
    return max(len(row[column]) for row in (head, *rows))


def _day(moment: str | None) -> str:
    """An ISO moment in the student's own time zone, to the minute."""
    if not moment:
        return "-"
    try:
        return datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return moment
