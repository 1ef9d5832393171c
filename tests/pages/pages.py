"""Every page that somebody sees, in one list: for the accessibility check and for the screenshots.

They are pages of ``tests/support/seeded_class.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LAB: Final = "/courses/deep-learning-lab"
FULL: Final = "makemore/full-backward"
NOORS_LAST: Final = "/submissions/172"  # her sixth attempt: the class is drawn the same each time
STUCK: Final = f"{LAB}/students/17"


@dataclass(frozen=True)
class SeenPage:
    """A page as somebody sees it: ``who`` is one of the class, or ``nobody``.

    ``press`` is a button that is pressed first. ``on_phone`` is for pages that work at the width of a phone.
    """

    name: str
    path: str
    who: str
    press: str | None = None
    on_phone: bool = False


PAGES: Final = (
    SeenPage("join", "/join", "nobody", on_phone=True),
    SeenPage("sign-in", "/sign-in", "nobody", on_phone=True),
    SeenPage("courses", "/courses", "student", on_phone=True),
    SeenPage("courses-staff", "/courses", "staff"),
    SeenPage("courses-none", "/courses", "admin"),
    SeenPage("account", "/account", "student", on_phone=True),
    SeenPage("account-code", "/account", "student", press="Show a code", on_phone=True),
    SeenPage("workbench", f"{LAB}/exercises/makemore/full-backward", "student", on_phone=True),
    SeenPage("workbench-first", f"{LAB}/exercises/makemore/full-backward", "staff"),
    SeenPage("history", f"{LAB}/exercises/{FULL}/history", "student", on_phone=True),
    SeenPage("submission", NOORS_LAST, "student", on_phone=True),
    SeenPage("class", f"{LAB}/class?exercise={FULL}", "staff"),
    SeenPage("class-section", f"{LAB}/class?exercise={FULL}&show=stuck", "assistant"),
    SeenPage("hurts", f"{LAB}/hurts?exercise={FULL}&step=counts", "staff"),
    SeenPage("lecture", f"{LAB}/lecture/{FULL}/counts", "staff", on_phone=True),
    SeenPage("student", f"{STUCK}?exercise={FULL}&step=counts", "staff"),
    SeenPage("submission-staff", NOORS_LAST, "staff"),
    SeenPage("not-there", "/nothing/here", "student", on_phone=True),
)
