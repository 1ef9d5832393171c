"""The panels of steps, kept once rendered: of 26 steps a key changes one or two, and most students have the same.

With it the page costs some 2 ms a check less.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from markupsafe import Markup

from server.pages.page import TEMPLATES
from server.pages.study.verdicts import ErrorShown, StepShown

KEPT_MAX: Final = 4096  # some 1.5 KB each


@lru_cache(KEPT_MAX)
def sheet_of(step: StepShown, total: int, error: ErrorShown | None, address: str) -> Markup:
    """Return the panel of a step without its picture, as HTML.

    :param total: how many steps the exercise has.
    :param error: why the code stopped, if it did.
    :param address: that of the workbench, to which the form for one more hint goes.
    """
    template = TEMPLATES.get_template("study/sheet.html")
    return Markup(template.render(step=step, total=total, error=error, address=address))
