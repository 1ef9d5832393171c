"""Every page that somebody sees, in one list: for the accessibility check and for the screenshots.

They are pages of ``tests/support/seeded_class.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LAB: Final = "/courses/deep-learning-lab"


@dataclass(frozen=True)
class SeenPage:
    """A page as somebody sees it: ``who`` is one of the class, or ``nobody``.

    ``press`` is a button that is pressed first, and sends a form. ``on_phone`` is for pages that work at the width of a
    phone.
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
    SeenPage("not-there", "/nothing/here", "student", on_phone=True),
)
