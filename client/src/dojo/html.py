"""Results as HTML, for notebooks. Every text is escaped: it comes from the server or from the student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from dojo.records import Checkpoint, Grade, Row
from dojo.table import remarks_of
from dojo.text import clock

# Mid tones, readable on a light and on a dark page.
GREEN, BLUE, AMBER, RED, GREY = "#2e9e5b", "#2f8fb3", "#c98a12", "#d04437", "#8a8a8a"
_VERDICTS = {None: GREY, "exact": GREEN, "approximate": BLUE, "missing": GREY, "inherited": AMBER}


def colour(verdict: str | None) -> str:
    """The colour of a verdict, or of "inherited"; None where nothing was handed in yet."""
    return _VERDICTS.get(verdict, RED)


def grade_table(grade: Grade) -> str:
    """The rows of `cmp` as a table."""
    head = "".join(f"<th style='text-align:left'>{each}</th>" for each in ("", "exact", "approximate", "maxdiff", ""))
    body = "".join(map(_row, grade.rows, remarks_of(grade.rows)))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(row: Row, said: tuple[str, ...]) -> str:
    shade = colour("inherited" if row.inherits else row.verdict)
    maxdiff = "-" if row.maxdiff is None else str(row.maxdiff)
    remarks = "<br>".join(escape(each) for each in said)
    cells = (
        f"<b style='color:{shade}'>{escape(row.name)}</b>",
        _mark(row, row.exact, shade),
        _mark(row, row.approximate, shade),
        f"<code>{escape(maxdiff)}</code>",
        f"<span style='white-space:normal'>{remarks}</span>",
    )
    return "<tr>" + "".join(f"<td style='text-align:left'>{cell}</td>" for cell in cells) + "</tr>"


def _mark(row: Row, value: bool, shade: str) -> str:
    shown = "-" if row.verdict == "missing" else str(value)
    return f"<span style='color:{GREEN if value else shade}'>{shown}</span>"


def strip(checkpoints: Sequence[Checkpoint], verdicts: Mapping[str, str | None]) -> str:
    """One small box a checkpoint, in order, in the colour of its best verdict; each links to the lecture."""
    boxes = []
    for each in checkpoints:
        verdict = verdicts.get(each.name)
        style = (
            f"display:inline-block;width:14px;height:14px;margin:1px;border-radius:3px;background:{colour(verdict)};"
            f"opacity:{1 if verdict else 0.35}"
        )
        time = f", lecture {clock(each.lecture_start)}" if each.lecture_start is not None else ""
        title = escape(f"{each.name}: {verdict or 'not yet'}{time}", quote=True)
        boxes.append(_link(f"<span title='{title}' style='{style}'></span>", each.lecture_url))
    passed = sum(verdicts.get(each.name) in ("exact", "approximate") for each in checkpoints)
    return f"<div>{''.join(boxes)} <small>{passed} of {len(checkpoints)}</small></div>"


def stuck(checkpoint: Checkpoint) -> str:
    """A link to the lecture at a step."""
    time = "" if checkpoint.lecture_start is None else f" at {clock(checkpoint.lecture_start)}"
    link = _link(f"the lecture{time}", checkpoint.lecture_url)
    return f"<div><small>Stuck at <code>{escape(checkpoint.answer)}</code>? See {link}.</small></div>"


def _link(inside: str, url: str | None) -> str:
    if not url:
        return inside
    return f"<a href='{escape(url, quote=True)}' target='_blank' rel='noopener noreferrer'>{inside}</a>"
