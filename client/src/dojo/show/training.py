"""A training run in a terminal: its curve in characters, beside the reference's, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rich.text import Text

from dojo.api.training import RankedRun, TrainingRun, schedule_text
from dojo.curve import Curve, Frame, are_same, drawn_reference, frame_of, loss_text, thinned
from dojo.show.due import local_time
from dojo.show.lists import show_table
from dojo.show.screen import Screen
from dojo.text import plural

HEIGHT = 12  # rows of a plot, without its axis
WIDTH_MIN, WIDTH_MAX, PIPE_WIDTH = 24, 120, 80
DASH, GAP = 3, 3  # dots of the reference's line, and between them
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille character, row by row
_BRAILLE = 0x2800
OWN_STYLE, REFERENCE_STYLE = "bold cyan", "yellow"

NEXT_STEPS = {  # of a failed or forged run the server's message says what to do, and this only how to type it
    "done": "Another choice: dojo train FILE --steps N --batch N --lr 0.1,0.01@10000",
    "cancelled": "Start another: dojo train FILE",
    "failed": "Hand it in: dojo submit FILE   Start again: dojo train FILE",
    "forged": "Start again: dojo train FILE",
}
CHECKS = {
    "yes": "Checked: each chunk agrees with the reference.",
    "no": "Not checked: a run of the ranking is, chunk by chunk (--rank PSEUDONYM).",
    "failed": "Its gradients are not right: see where with dojo submit FILE --exercise makemore/train",
}


@dataclass
class _Canvas:
    """Dots of two lines, 2 x 4 to a character."""

    columns: int
    rows: int
    own: set[tuple[int, int]] = field(default_factory=set)
    reference: set[tuple[int, int]] = field(default_factory=set)

    @property
    def width(self) -> int:
        """The dots in a row."""
        return 2 * self.columns

    @property
    def height(self) -> int:
        """The dots in a column."""
        return 4 * self.rows

    def line(self, curve: Curve, frame: Frame) -> list[tuple[int, int]]:
        """Return the dots of a curve, from its first to its last point."""
        corners = [
            (round(frame.across(step) * (self.width - 1)), round((1 - frame.up(loss)) * (self.height - 1)))
            for step, loss in thinned(curve)
        ]
        dots = corners[:1]
        for begin, end in pairwise(corners):
            dots += _between(begin, end)
        return dots

    def texts(self, *, utf8: bool) -> Iterator[Text]:
        """Yield the rows: braille, or ``*`` and ``.`` where the terminal has no braille."""
        for row in range(self.rows):
            line = Text()
            for column in range(self.columns):
                cell = {(2 * column + x, 4 * row + y) for x in range(2) for y in range(4)}
                own, reference = cell & self.own, cell & self.reference
                style = OWN_STYLE if own else REFERENCE_STYLE if reference else ""
                if utf8:
                    bits = sum(_DOTS[y - 4 * row][x - 2 * column] for x, y in own | reference)
                    letter = chr(_BRAILLE + bits) if bits else " "
                else:
                    letter = "*" if own else "." if reference else " "
                line.append(letter, style)
            yield line


def _between(begin: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the dots of a straight line, without the first."""
    (x0, y0), (x1, y1) = begin, end
    count = max(abs(x1 - x0), abs(y1 - y0))
    return [
        (x0 + round((x1 - x0) * place / count), y0 + round((y1 - y0) * place / count)) for place in range(1, count + 1)
    ]


def plot(run: TrainingRun, width: int, *, utf8: bool = True, height: int = HEIGHT) -> list[Text]:
    """Return the plot of a run: a legend, the lines, and an axis of steps. Lines are told apart without colour."""
    frame = frame_of(run.curve, run.reference_curve, run.steps)
    labels = {round((1 - frame.up(loss)) * (height - 1)): f"{loss:g}" for loss in frame.loss_ticks}
    margin = max(map(len, labels.values())) + 1
    canvas = _Canvas(min(max(width, WIDTH_MIN), WIDTH_MAX) - margin - 1, height)
    canvas.own.update(canvas.line(run.curve, frame))
    dots = enumerate(canvas.line(drawn_reference(run.curve, run.reference_curve), frame))
    canvas.reference.update(dot for place, dot in dots if place % (DASH + GAP) < DASH)
    corner, bar, tick, floor = ("└", "│", "┤", "─") if utf8 else ("+", "|", "+", "-")
    lines = [_legend(run, frame, utf8=utf8)]
    for row, text in enumerate(canvas.texts(utf8=utf8)):
        label = labels.get(row, "")
        lines.append(Text.assemble(label.rjust(margin), tick if label else bar, text))
    lines.append(Text(" " * margin + corner + floor * canvas.columns))
    lines.append(Text(_step_labels(frame, margin, canvas.columns).rstrip()))
    return lines


def _legend(run: TrainingRun, frame: Frame, *, utf8: bool) -> Text:
    own, reference = ("⠒⠒⠒", "⠒ ⠒") if utf8 else ("***", ". .")
    legend = Text.assemble("loss  ", (own, OWN_STYLE), " yours")
    if run.curve:
        legend.append(f" {loss_text(run.curve[-1][1])}")
    if run.reference_curve:
        legend = Text.assemble(legend, "  ", (reference, REFERENCE_STYLE), " the reference's")
        legend.append(" (the same)" if are_same(run.curve, run.reference_curve) else "")
    if frame.cuts(run.curve):
        legend.append(f"  (above {frame.high:g}: cut)")
    return legend


def _step_labels(frame: Frame, margin: int, columns: int) -> str:
    line = [" "] * (margin + 1 + columns)
    free_from = 0
    for step in frame.step_ticks:
        label = f"{step:,}"
        middle = margin + 1 + round(frame.across(step) * (columns - 1))
        begin = min(max(middle - len(label) // 2, 0), len(line) - len(label))
        if begin >= free_from:
            line[begin : begin + len(label)] = label
            free_from = begin + len(label) + 1
    return "".join(line)


def live(run: TrainingRun, width: int, *, utf8: bool = True) -> Text:
    """Return what a terminal shows while a run goes on: one line of where it is, and the plot."""
    lines = [Text(run.progress(), style="bold")]
    if run.message:
        lines.append(Text(run.message))
    if len(run.curve) > 0:
        lines += plot(run, width, utf8=utf8)
    return Text("\n").join(lines)


def show_run(screen: Screen, run: TrainingRun) -> None:
    """Print a run: where it is or how it ended, its plot, and the names at the end."""
    screen.print(f"Training run {run.id}: {run.progress()}", style="bold")
    screen.print(f"{run.batch} examples a step, learning rate {schedule_text(run.schedule)}")
    if run.curve:
        screen.print()
        for line in plot(run, screen.width or PIPE_WIDTH, utf8=screen.utf8):
            screen.print_plot(line)
        screen.print()
    if run.losses is not None:
        train, dev = map(loss_text, run.losses)
        screen.print(f"Loss: {train} on the training split, {dev} on the dev split.")
    if run.status == "done":  # what was said on the way is over
        screen.print(CHECKS.get(run.checked, ""))
    elif run.message:
        style = "red" if run.status in ("failed", "forged") else ""
        for said in run.message.splitlines():  # of a traceback, among sentences
            screen.print(said, style=style)
    if run.samples:
        screen.print("Names that your network makes up:", style="bold")
        screen.print(", ".join(run.samples))
    if run.is_active:
        screen.print("Follow it: dojo train --follow   Cancel it: dojo train --cancel")
    else:
        screen.print(NEXT_STEPS.get(run.status, ""))


def show_runs(screen: Screen, runs: Sequence[TrainingRun]) -> None:
    """Print the history of training runs."""
    titles = ("id", "status", "steps", "loss", "batch", "rate", "checked", "at")
    rows = []
    for run in runs:
        loss = run.losses[1] if run.losses else run.curve[-1][1] if run.curve else None
        shown = loss_text(loss) if run.curve or run.losses else "-"
        steps = f"{run.step:,}" if run.step == run.steps else f"{run.step:,} of {run.steps:,}"
        rate = schedule_text(run.schedule)
        rows.append(
            (str(run.id), run.status, steps, shown, str(run.batch), rate, run.checked, local_time(run.created_at))
        )
    show_table(screen, titles, frozenset({"id"}), rows, [run.is_right for run in runs])


def show_ranking(screen: Screen, ranking: Sequence[RankedRun]) -> None:
    """Print the ranking; a star marks the student's own runs."""
    titles = ("place", "pseudonym", "dev loss", "steps", "batch", "rate")
    rows = [
        (
            str(each.place),
            each.pseudonym + (" *" if each.is_mine else ""),
            loss_text(each.dev_loss),
            f"{each.steps:,}",
            str(each.batch),
            schedule_text(each.schedule),
        )
        for each in ranking
    ]
    show_table(screen, titles, frozenset({"place"}), rows, [each.is_mine for each in ranking])
    mine = sum(each.is_mine for each in ranking)
    if mine:
        screen.print(f"* {plural(mine, 'run')} of yours. Only you see which.")
