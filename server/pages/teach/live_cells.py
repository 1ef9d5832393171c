"""Cells and rows of the class as HTML, built by hand: a class of 1,000 has 26,000 cells.

A cell is one element with one attribute and at most one character, so that a browser scrolls through all of them.
"""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup, escape

from server.pages.filters import relative
from server.pages.marks import WORDS, Mark, mark_of
from server.reports.live_rows import LiveRow
from server.reports.students import State

SHOWN = {
    Mark.EXACT: ("x", ""),
    Mark.APPROXIMATE: ("a", "≈"),
    Mark.ROUNDING: ("r", "ε"),
    Mark.INHERITED: ("i", "↓"),
}
STATES = {State.STUCK: "stuck", State.NEVER_RAN: "never ran"}


def row_of(row: LiveRow, student_address: str, group_starts: tuple[bool, ...]) -> Markup:
    """Return the ``tr`` of a student. ``student_address`` leads to their work in this exercise."""
    standing = row.standing
    cells = "".join(
        _cell(each.best, each.origin, each.attempts, is_start) if each else _empty(is_start, bool(standing.submissions))
        for each, is_start in zip(row.cells, group_starts, strict=True)
    )
    never = "" if standing.compared else " class=never"
    flag = f'<span class="flag">{STATES[standing.state]}</span>' if standing.state in STATES else ""
    handed_in = standing.last_handed_in_at
    when = Markup("never")
    if handed_in is not None:
        when = Markup('<time datetime="{}">{}</time>').format(handed_in.isoformat(), relative(handed_in))
    return Markup(
        f'<tr id="s{standing.id}" data-state="{standing.state.value}"{never}>'
        f'<th scope="row"><a href="{escape(student_address)}">{escape(standing.name)}</a>{flag}</th>{cells}'
        f'<td class="sum">{standing.passed}</td><td class="last">{when}</td></tr>'
    )


@lru_cache(maxsize=4096)
def _cell(best: str, origin: str | None, attempts: int, is_start: bool) -> str:
    mark = mark_of(best, origin)
    if mark in SHOWN:
        return _td(*SHOWN[mark], WORDS[mark], is_start)
    words = f"{WORDS[mark]}, {attempts} attempt{'s' if attempts > 1 else ''}"
    return _td("o" if mark is Mark.OWN else "u", str(min(attempts, 99)), words, is_start)


@lru_cache
def _empty(is_start: bool, has_begun: bool) -> str:
    return _td("m", "·", "not there", is_start) if has_begun else _td("n", "", "nothing handed in", is_start)


def _td(name: str, shown: str, words: str, is_start: bool) -> str:
    return f'<td class="{name}{" gs" if is_start else ""}" aria-label="{words}">{shown}</td>'
