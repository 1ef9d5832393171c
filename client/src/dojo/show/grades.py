"""One grade, whole: a table in a terminal, the lecture's lines elsewhere. ``show/brief.py`` has the short form."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from dojo.api.responses import Checkpoint, Comparison, Grade, Override, Submission
from dojo.show.screen import Screen
from dojo.text import clock

INHERITED_STYLE = "dim yellow"
WRONG_STYLE = "red"
LATE_STYLE = "yellow"
STYLES = {
    "exact": "green",
    "approximate": "cyan",
    "rounding": "cyan",
    "own": WRONG_STYLE,
    "inherited": INHERITED_STYLE,
    "unknown": "magenta",
    "missing": "bright_black",
}
FIRST_MISTAKE_STYLE = "bold red"
FEEDBACK_STYLE = "bold"
WIDE_COLUMNS_MIN = 80  # in a narrower terminal, remarks stand under the table instead of in it

RUN_SENTENCES = {
    "error": "Your code stopped with an error, so what comes after it was not graded:",
    "denied": "Your code asked for something that is not there while it is graded:",
    "time_limit": "Your code was stopped: it took too long.",
    "memory_limit": "Your code was stopped: it took too much memory.",
    "output_limit": "Your code was stopped: it printed too much.",
    "crashed": "Your code crashed the Python that ran it.",
    "sandbox_fault": "The grader failed. That is not your fault; submit again in a minute.",
}
UNGRADED_SENTENCES = {
    "cancelled": "taken out of the queue before its turn. To have it graded, submit the file again: dojo submit FILE",
    "quarantined": "set aside, because the grader was lost each time that it ran. Nothing of yours is lost: tell your "
    "instructor the number {id}, or submit another version: dojo submit FILE",
}
WAITING_SENTENCE = "{progress}. Look again: dojo show {id}"
KERNELS_SENTENCE = "exact on the server's kernels is another matter; yours passes"
AUTOGRAD_SENTENCE = "This uses automatic differentiation. Here the point is to do without: derive the gradient by hand."


def show_ungraded(screen: Screen, submission: Submission) -> None:
    """Print where a submission without a grade is."""
    sentence = UNGRADED_SENTENCES.get(submission.status, WAITING_SENTENCE)
    screen.print(f"{title(submission)}: {sentence.format(progress=submission.progress(), id=submission.id)}")


def show_feedback(screen: Screen, submission: Submission) -> None:
    """Print what staff say of a submission, and the points that they set. Without any, nothing."""
    for comment in submission.comments:
        step = f" on d{comment.checkpoint}" if comment.checkpoint else ""
        screen.print(f"{comment.author}{step}:", style=FEEDBACK_STYLE)
        screen.print_text(Text(comment.text), indent=2)
    show_override(screen, submission.exercise, submission.override)
    if submission.comments or submission.override:
        screen.print()


def show_override(screen: Screen, exercise: str, override: Override | None) -> None:
    """Print the points that staff set for an exercise, with the reason. Without any, nothing."""
    if override is not None:
        screen.print(f"For {exercise} you have {override.points:g} points: {override.reason}", style=FEEDBACK_STYLE)


def title(submission: Submission) -> str:
    """Return which submission it is, in words."""
    return f"{submission.exercise}, attempt {submission.attempt} (submission {submission.id})"


def show_whole(screen: Screen, submission: Submission, grade: Grade, checkpoints: Sequence[Checkpoint] = ()) -> None:
    """Print all rows of a submission, how its code ran, and where to look next."""
    if screen.is_terminal:
        screen.print(title(submission), style="bold")
    show_run(screen, grade)
    show_rows(screen, grade.rows)
    if needs_kernels_sentence(submission, grade):
        screen.print(f"approximate: {KERNELS_SENTENCE}.", style=STYLES["approximate"])
    if "autograd" in grade.flags:
        screen.print(AUTOGRAD_SENTENCE, style=INHERITED_STYLE)
    screen.print(grade.summary(), style="bold green" if grade.all_passed else "bold")
    show_lateness(screen, grade)
    mistake = first_mistake(grade, checkpoints)
    if mistake is not None:
        screen.print(lecture_hint(mistake))


def show_lateness(screen: Screen, grade: Grade) -> None:
    """Print what coming late costs, if it costs anything."""
    if grade.lateness():
        screen.print(f"{grade.lateness()}.", style=LATE_STYLE)


def show_withheld(screen: Screen, submission: Submission, grade: Grade) -> None:
    """Print what was handed in and how its code ran, and when feedback shows."""
    screen.print(title(submission), style="bold")
    show_run(screen, grade)
    screen.print(f"{grade.kept()} Then: dojo show {submission.id}")


def needs_kernels_sentence(submission: Submission, grade: Grade) -> bool:
    """Return whether rows may be inexact only because the tensors were made with other kernels than the server's."""
    return submission.kind == "tensors" and any(row.passed and not row.exact for row in grade.rows)


def first_mistake(grade: Grade, checkpoints: Sequence[Checkpoint]) -> Checkpoint | None:
    """Return the first checkpoint that is wrong by itself and has a link to the lecture, or None."""
    wrong = {row.name for row in grade.rows if row.own_mistake}
    return next((checkpoint for checkpoint in checkpoints if checkpoint.name in wrong and checkpoint.lecture_url), None)


def lecture_hint(checkpoint: Checkpoint) -> str:
    """Return a sentence with the link to the lecture at a checkpoint."""
    start = checkpoint.lecture_start
    time = f" at {clock(start)}" if start is not None else ""
    return f"Stuck at {checkpoint.variable}? The lecture{time}: {checkpoint.lecture_url}"


def printed_heading(grade: Grade, lines: int | None = None) -> str:
    """Return the line above what code printed. If only the end of it is shown, it says how many lines there are."""
    where = " on numbers that you have not seen" if grade.is_hidden else ""
    return f"Your code printed{where}:" if lines is None else f"Your code printed {lines} lines{where}, at the end:"


def show_run(screen: Screen, grade: Grade) -> None:
    """Print what code printed, and why it stopped."""
    if grade.stdout:
        screen.print(printed_heading(grade), style="bright_black")
        screen.print_text(Text(grade.stdout.rstrip()), indent=4)
    if grade.run_status in RUN_SENTENCES:
        screen.print(RUN_SENTENCES[grade.run_status], style=WRONG_STYLE)
        if grade.run_message:
            screen.print_text(Text(grade.run_message.rstrip()), indent=4)


def show_rows(screen: Screen, rows: Sequence[Comparison]) -> None:
    """Print the rows of ``cmp`` with their remarks."""
    if not screen.colour:
        for row, remarks in zip(rows, unique_remarks(rows), strict=True):
            show_row(screen, row)
            for remark in remarks:
                screen.print_text(Text(remark), indent=4)
        return
    remarks_by_row = unique_remarks(rows)
    is_wide = screen.console.width >= WIDE_COLUMNS_MIN
    has_remark_column = is_wide and any(remarks_by_row)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("step", no_wrap=True)
    table.add_column("exact")
    table.add_column("approximate" if is_wide else "approx")
    table.add_column("maxdiff", no_wrap=True)
    if has_remark_column:
        table.add_column("", ratio=1)
    first_own = next((row for row in rows if row.own_mistake), None)
    for row, remarks in zip(rows, remarks_by_row, strict=True):
        style = FIRST_MISTAKE_STYLE if row is first_own else row_style(row)
        cells = [
            Text(row.name, style=style),
            _mark(screen, row, row.exact),
            _mark(screen, row, row.approximate),
            Text(_maxdiff(row), style=style),
        ]
        if has_remark_column:
            words = Text(f"{screen.mark(kind(row))} {row.word}" if row.word else "", style=style)
            cells.append(Text("\n").join([words, *map(Text, remarks)]) if row.word else Text("\n".join(remarks)))
        table.add_row(*cells)
    screen.print_table(table)
    if not has_remark_column:
        for row, remarks in zip(rows, remarks_by_row, strict=True):
            if row.word:
                screen.print(f"{row.name}: {row.word}", style=row_style(row))
            for remark in remarks:
                screen.print_text(Text(remark), indent=2)


def plain_lines(rows: Sequence[Comparison]) -> list[str]:
    """Return the lecture's lines, each with the word for what it is, and followed by its remarks."""
    lines = []
    for row, remarks in zip(rows, unique_remarks(rows), strict=True):
        lines += [labelled_line(row), *(f"    {remark}" for remark in remarks)]
    return lines


def show_row(screen: Screen, row: Comparison, style: str = "") -> None:
    """Print the lecture's line, and behind it what the row is.

    A terminal that is too narrow gets it without the filling between the columns, or what the row is below it.
    """
    line = labelled_line(row)
    squeezed = re.sub(r" +\|", " |", line)
    fitting = next((text for text in (line, squeezed) if screen.width is None or len(text) <= screen.width), None)
    if fitting is not None:
        screen.print_line(fitting, style)
        return
    row_line = row.line()
    screen.print(row_line if len(row_line) <= (screen.width or 0) else re.sub(r" +\|", " |", row_line), style)
    screen.print_text(Text(row.word, style=style), indent=4)


def labelled_line(row: Comparison) -> str:
    """Return the lecture's line, and behind it what the row is. An exact row is the lecture's line alone."""
    return f"{row.line()} | {row.word}" if row.word else row.line()


def unique_remarks(rows: Sequence[Comparison]) -> list[tuple[str, ...]]:
    """Return the remarks of each row.

    Many rows may be missing, or inherit one mistake. Such a remark stands under the first of them only.
    """
    used: set[str] = set()
    remarks_by_row = []
    for row in rows:
        remarks = row.remarks()
        if row.missing or row.inherits:
            # Without the step's name, the remarks of two steps are the same sentence.
            nameless = [re.sub(rf"\bd?{re.escape(row.name)}\b", "", remark) for remark in remarks]
            remarks = tuple(remark for remark, key in zip(remarks, nameless, strict=True) if key not in used)
            used.update(nameless)
        remarks_by_row.append(remarks)
    return remarks_by_row


def kind(row: Comparison) -> str:
    """Return what a row is, as a key of ``STYLES`` and of the screen's marks."""
    if row.missing or row.passed:
        return row.verdict
    return "inherited" if row.inherits else "unknown" if row.is_unclear else "own"


def row_style(row: Comparison) -> str:
    """Return rich's style for a row."""
    return STYLES[kind(row)]


def _mark(screen: Screen, row: Comparison, value: bool) -> Text:
    if row.missing:
        return Text("-", style=STYLES["missing"])
    return Text(screen.yes, style="green") if value else Text(screen.no, style=row_style(row))


def _maxdiff(row: Comparison) -> str:
    if row.maxdiff is None:
        return "-"
    return "0.0" if row.maxdiff == 0 else f"{row.maxdiff:.2e}"
