"""What a notebook shows: the table of a grade, and the progress strip under a cell. Elsewhere they are text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dojo.api.responses import Checkpoint, Grade, Submission
from dojo.show import html
from dojo.show.grades import first_mistake, lecture_hint, plain_lines


@dataclass(frozen=True)
class Results:
    """The grade of all variables at once: a table in Jupyter, the lecture's lines elsewhere.

    ``submission`` is None if the gradients were compared on this machine. ``verdicts`` are the best so far. While
    feedback is withheld, there is a sentence instead.
    """

    submission: Submission | None
    grade: Grade
    remarks: tuple[str, ...]
    checkpoints: Sequence[Checkpoint]
    verdicts: Mapping[str, str | None]

    def __repr__(self) -> str:
        if self.grade.withheld:
            return "\n".join((*self.remarks, self.grade.kept()))
        mistake = first_mistake(self.grade, self.checkpoints)
        lines = [*plain_lines(self.grade.rows), *self.remarks, self.grade.summary()]
        lines += [f"{self.grade.lateness()}."] if self.grade.lateness() else []
        return "\n".join(lines + ([lecture_hint(mistake)] if mistake else []))

    def _repr_html_(self) -> str:
        if self.grade.withheld:
            return "".join(map(html.paragraph, (*self.remarks, self.grade.kept())))
        mistake = first_mistake(self.grade, self.checkpoints)
        parts = [html.grade_table(self.grade), *map(html.paragraph, self.remarks), html.summary(self.grade)]
        parts.append(html.progress_strip(self.checkpoints, self.verdicts))
        return "".join(parts) + (html.lecture_hint(mistake) if mistake else "")


class ProgressStrip:
    """The progress strip under a cell in which something was compared. Only Jupyter shows it.

    ``render`` returns the strip as HTML and as text.
    """

    def __init__(self, render: Callable[[], tuple[str, str]]) -> None:
        self._render = render
        self._is_scheduled = False
        self._is_registered = False
        self._mistake: Checkpoint | None = None

    def schedule(self, mistake: Checkpoint | None) -> None:
        """Show the strip after the cell, with a link to the lecture at a mistake."""
        shell = jupyter_shell()
        if shell is None:
            return
        if not self._is_registered:
            shell.events.register("post_execute", self._show)
            self._is_registered = True
        self._is_scheduled, self._mistake = True, mistake

    def _show(self) -> None:
        if not self._is_scheduled:
            return
        self._is_scheduled = False
        from IPython.display import display  # type: ignore[import-not-found, unused-ignore]

        as_html, text = self._render()
        if self._mistake:
            as_html += html.lecture_hint(self._mistake)
            text += f"\n{lecture_hint(self._mistake)}"
        display({"text/html": as_html, "text/plain": text}, raw=True)  # type: ignore[no-untyped-call, unused-ignore]


def jupyter_shell() -> Any:
    """Return Jupyter's shell, or None in plain Python and in IPython's terminal."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module else None
    return shell if shell is not None and getattr(shell, "kernel", None) is not None else None
