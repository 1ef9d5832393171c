"""The panels of steps, kept once rendered: of 26 steps a key changes one or two, and most students have the same.

With it the page costs some 2 ms a check less.
"""

from __future__ import annotations

import sys
from typing import Final

from markupsafe import Markup

from grader.caches.byte_cache import ByteCache
from server.pages.page import TEMPLATES
from server.pages.study.verdicts import ErrorShown, StepShown

KEPT_BYTES_MAX: Final = 16 * 1024 * 1024  # some 4,000; an error that somebody made long can take 100 KB in each panel
KEY_BYTES: Final = 1000


def bytes_of(sheet: Markup) -> int:
    """Return what a panel takes of memory, with its key: what is long in it stands in the key as well."""
    return 2 * sys.getsizeof(sheet) + KEY_BYTES


KEPT: Final = ByteCache[tuple[StepShown, int, ErrorShown | None, str], Markup](KEPT_BYTES_MAX, bytes_of)


def sheet_of(step: StepShown, total: int, error: ErrorShown | None, address: str) -> Markup:
    """Return the panel of a step without its picture, as HTML.

    :param total: how many steps the exercise has.
    :param error: why the code stopped, if it did.
    :param address: that of the workbench, to which the form for one more hint goes.
    """
    template = TEMPLATES.get_template("study/sheet.html")
    return KEPT.get(
        (step, total, error, address),
        lambda: Markup(template.render(step=step, total=total, error=error, address=address)),
    )
