"""A training run in a notebook: its curve as a picture that is drawn anew in place; elsewhere lines of text."""

from __future__ import annotations

from html import escape
from typing import Any

from dojo.api.training import TrainingRun
from dojo.curve import Box, drawn_reference, frame_of, in_words, loss_text
from dojo.show.html import AMBER, BLUE, GREY, RED, paragraph
from dojo.show.jupyter import jupyter_shell

WIDTH, HEIGHT = 560, 240
BOX = Box(left=44, top=12, width=WIDTH - 56, height=HEIGHT - 44)
SIGNS = {"done": BLUE, "cancelled": GREY, "failed": RED, "forged": RED}


def picture(run: TrainingRun) -> str:
    """Return the curves as an SVG. The reference's is dashed; colours are readable on light and dark pages."""
    frame = frame_of(run.curve, run.reference_curve, run.steps)
    parts = []
    for loss in frame.loss_ticks:
        y = BOX.y(frame, loss)
        parts.append(f"<path d='M{BOX.left:g} {y:g}h{BOX.width:g}' stroke='{GREY}' stroke-opacity='.35'/>")
        parts.append(_label(BOX.left - 6, y + 4, f"{loss:g}", "end"))
    for step in frame.step_ticks:
        parts.append(_label(BOX.x(frame, step), HEIGHT - 12, f"{step:,}", "middle"))
    reference = BOX.path(frame, drawn_reference(run.curve, run.reference_curve))
    own = BOX.path(frame, run.curve)
    parts.append(f"<path d='{reference}' fill='none' stroke='{AMBER}' stroke-width='2' stroke-dasharray='6 5'/>")
    parts.append(f"<path d='{own}' fill='none' stroke='{BLUE}' stroke-width='2.5' stroke-opacity='.85'/>")
    words = escape(in_words(run.curve, run.reference_curve, run.steps), quote=True)
    return (
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' style='max-width:100%' role='img' "
        f'aria-label="{words}">{"".join(parts)}</svg>'
    )


def run_html(run: TrainingRun) -> str:
    """Return where a run is, its picture, and the names at the end."""
    parts = [f"<div><b style='color:{SIGNS.get(run.status, 'inherit')}'>{escape(run.progress())}</b></div>"]
    if run.curve:
        parts.append(picture(run))
        parts.append(
            f"<div><small><span style='color:{BLUE}'>━</span> yours "
            f"<span style='color:{AMBER}'>╍</span> the reference's</small></div>"
        )
    parts += map(paragraph, _sentences(run))
    if run.samples:
        names = ", ".join(map(escape, run.samples))
        parts.append(f"<div>Names that your network makes up: <b>{names}</b></div>")
    return "".join(parts)


def run_text(run: TrainingRun) -> str:
    """Return the same as text."""
    names = [f"Names that your network makes up: {', '.join(run.samples)}"] if run.samples else []
    return "\n".join((run.progress(), *_sentences(run), *names))


def _sentences(run: TrainingRun) -> list[str]:
    told = [run.message] if run.message and run.status != "done" else []
    if run.losses is not None:
        train, dev = map(loss_text, run.losses)
        told.append(f"Loss: {train} on the training split, {dev} on the dev split.")
    if run.status == "done" and run.checked == "yes":
        told.append("Checked: each chunk agrees with the reference.")
    if run.status == "done" and run.checked == "failed":
        told.append("Its gradients are not right. See where: ex.check()")
    return told


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f"<text x='{x:g}' y='{y:g}' text-anchor='{anchor}' font-size='11' fill='{GREY}'>{text}</text>"


class LiveRun:
    """A run under the cell that started it."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._said = ""

    def update(self, run: TrainingRun) -> None:
        """Show the newest state: a picture in Jupyter, a line where there is news elsewhere."""
        if jupyter_shell() is None:
            self._say(run_text(run))
            return
        content = {"text/html": run_html(run), "text/plain": run_text(run)}
        if self._handle is None:
            from IPython.display import display  # type: ignore[import-not-found, unused-ignore]

            self._handle = display(content, raw=True, display_id=True)  # type: ignore[no-untyped-call, unused-ignore]
        else:
            self._handle.update(content, raw=True)

    def _say(self, text: str) -> None:
        if text != self._said:
            print(text)
        self._said = text
