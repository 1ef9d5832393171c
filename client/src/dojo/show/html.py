"""Results as HTML, for notebooks. Every text is escaped: it comes from the server or from the student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from dojo.api.responses import PASSING_VERDICTS, WORDS_OF_VERDICTS, Checkpoint, Comparison, Grade
from dojo.show.grades import unique_remarks
from dojo.show.screen import MARKS
from dojo.text import clock

# Medium tones, readable on a light and on a dark page.
GREEN, BLUE, AMBER, RED, GREY = "#2e9e5b", "#2f8fb3", "#c98a12", "#d04437", "#8a8a8a"


@dataclass(frozen=True)
class Sign:
    """How a verdict looks. The mark and the words tell it without its colour too."""

    mark: str
    words: str
    colour: str


def _sign(kind: str, words: str, colour: str) -> Sign:
    """Return a sign with the mark that a terminal shows for this kind of step."""
    return Sign(MARKS[kind][0], words, colour)


SIGNS = {
    None: _sign("missing", "not yet", GREY),
    "exact": Sign("✓", "exact", GREEN),  # a terminal's bar fills a block, which is none in a line of text
    "approximate": _sign("approximate", WORDS_OF_VERDICTS["approximate"], BLUE),
    "rounding": _sign("rounding", WORDS_OF_VERDICTS["rounding"], BLUE),
    "inherited": _sign("inherited", "inherited", AMBER),
    "unknown": _sign("unknown", "here or above", AMBER),
    "missing": _sign("missing", WORDS_OF_VERDICTS["missing"], GREY),
}
WRONG = _sign("own", "wrong here", RED)


def sign(verdict: str | None) -> Sign:
    """Return the sign of a verdict, of ``inherited`` or ``unknown``; None stands for a step without a submission."""
    return SIGNS.get(verdict, WRONG)


def verdict_of(row: Comparison) -> str:
    """Return a row's verdict, or its origin if it is not the step's own mistake."""
    return "inherited" if row.inherits else "unknown" if row.is_unclear else row.verdict


def grade_table(grade: Grade) -> str:
    """Return the rows of ``cmp`` as a table."""
    titles = ("", "", "exact", "approximate", "maxdiff", "")
    head = "".join(f"<th style='text-align:left'>{title}</th>" for title in titles)
    body = "".join(map(_row, grade.rows, unique_remarks(grade.rows)))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(row: Comparison, remarks: tuple[str, ...]) -> str:
    shown = sign(verdict_of(row))
    maxdiff = "-" if row.maxdiff is None else str(row.maxdiff)
    cells = (
        f"<b style='color:{shown.colour}'>{escape(row.name)}</b>",
        f"<span style='color:{shown.colour};white-space:nowrap'>{shown.mark} {row.word or shown.words}</span>",
        _truth(row, row.exact, shown.colour),
        _truth(row, row.approximate, shown.colour),
        f"<code>{escape(maxdiff)}</code>",
        f"<span style='white-space:normal'>{'<br>'.join(map(escape, remarks))}</span>",
    )
    return "<tr>" + "".join(f"<td style='text-align:left'>{cell}</td>" for cell in cells) + "</tr>"


def _truth(row: Comparison, value: bool, colour: str) -> str:
    text = "-" if row.verdict == "missing" else str(value)
    return f"<span style='color:{GREEN if value else colour}'>{text}</span>"


def summary(grade: Grade) -> str:
    """Return the line that counts what passed in this grade, and what coming late costs."""
    late = paragraph(f"{grade.lateness()}.") if grade.lateness() else ""
    return f"<div><b>{escape(grade.summary())}</b></div>{late}"


def paragraph(text: str) -> str:
    """Return a sentence that stands by itself."""
    return f"<div>{escape(text)}</div>"


def progress_strip(checkpoints: Sequence[Checkpoint], verdicts: Mapping[str, str | None]) -> str:
    """Return a small box for each checkpoint with the sign of its best verdict, and a link to the lecture."""
    boxes = []
    for checkpoint in checkpoints:
        verdict = verdicts.get(checkpoint.name)
        shown = sign(verdict)
        style = (
            "display:inline-block;width:14px;height:14px;margin:1px;border-radius:3px;font-size:11px;line-height:14px;"
            f"text-align:center;color:white;background:{shown.colour};opacity:{1 if verdict else 0.35}"
        )
        time = f", lecture {clock(checkpoint.lecture_start)}" if checkpoint.lecture_start is not None else ""
        title = escape(f"{checkpoint.name}: {shown.words}{time}", quote=True)
        boxes.append(_link(f"<span title='{title}' style='{style}'>{shown.mark}</span>", checkpoint.lecture_url))
    passed = sum(verdicts.get(checkpoint.name) in PASSING_VERDICTS for checkpoint in checkpoints)
    return f"<div>{''.join(boxes)} <small>{passed} of {len(checkpoints)} so far</small></div>"


def lecture_hint(checkpoint: Checkpoint) -> str:
    """Return a sentence with the link to the lecture at a checkpoint."""
    time = "" if checkpoint.lecture_start is None else f" at {clock(checkpoint.lecture_start)}"
    link = _link(f"the lecture{time}", checkpoint.lecture_url)
    return f"<div><small>Stuck at <code>{escape(checkpoint.variable)}</code>? See {link}.</small></div>"


def _link(content: str, url: str | None) -> str:
    if not url:
        return content
    return f"<a href='{escape(url, quote=True)}' target='_blank' rel='noopener noreferrer'>{content}</a>"
