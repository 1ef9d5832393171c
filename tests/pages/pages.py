"""Every page that somebody sees, in one list: for the accessibility check and for the screenshots.

They are pages of ``tests/support/seeded_class.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LAB: Final = "/courses/deep-learning-lab"
FULL: Final = "makemore/full-backward"
NOORS_LAST: Final = "/submissions/172"  # her sixth attempt: the class is drawn the same each time
NOORS_WRONG_RUN: Final = "/training/7"  # of gradients that are not right
STUCK: Final = f"{LAB}/students/17"


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
    SeenPage("workbench", f"{LAB}/exercises/makemore/full-backward", "student", on_phone=True),
    SeenPage("workbench-first", f"{LAB}/exercises/makemore/full-backward", "staff"),
    SeenPage("history", f"{LAB}/exercises/{FULL}/history", "student", on_phone=True),
    SeenPage("submission", NOORS_LAST, "student", on_phone=True),
    SeenPage("training", f"{LAB}/training", "student", on_phone=True),
    SeenPage("training-run", NOORS_WRONG_RUN, "staff", on_phone=True),
    SeenPage("class", f"{LAB}/class?exercise={FULL}", "staff"),
    SeenPage("class-section", f"{LAB}/class?exercise={FULL}&show=stuck", "assistant"),
    SeenPage("hurts", f"{LAB}/hurts?exercise={FULL}&step=counts", "staff"),
    SeenPage("lecture", f"{LAB}/lecture/{FULL}/counts", "staff", on_phone=True),
    SeenPage("student", f"{STUCK}?exercise={FULL}&step=counts", "staff"),
    SeenPage("submission-staff", NOORS_LAST, "staff"),
    SeenPage("not-there", "/nothing/here", "student", on_phone=True),
    SeenPage("people", f"{LAB}/people", "staff"),
    SeenPage("people-import", f"{LAB}/people/import", "staff"),
    SeenPage("person", f"{LAB}/people/5", "staff"),
    SeenPage("person-key", f"{LAB}/people/5/key", "staff"),
    SeenPage("join-codes", f"{LAB}/join-codes", "staff"),
    SeenPage("join-code-wall", f"{LAB}/join-codes/1/wall", "staff", on_phone=True),
    SeenPage("assignments", f"{LAB}/assignments", "staff"),
    SeenPage("assignment", f"{LAB}/assignments/makemore/full-backward", "staff"),
    SeenPage("extensions", f"{LAB}/extensions", "staff"),
    SeenPage("regrade", f"{LAB}/regrade", "staff"),
    SeenPage("authoring", f"{LAB}/authoring", "staff", on_phone=True),
    SeenPage("gradebook", f"{LAB}/gradebook", "staff"),
    SeenPage("audit", f"{LAB}/audit", "staff"),
    SeenPage("course", f"{LAB}/settings", "staff"),
    SeenPage("course-remove", f"{LAB}/settings/remove", "staff"),
    SeenPage("server", "/admin", "admin"),
    SeenPage("server-people", "/admin/people", "admin"),
    SeenPage("server-person", "/admin/people/5", "admin"),
    SeenPage("server-queue", "/admin/queue", "admin"),
    SeenPage("server-machine", "/admin/machine", "admin"),
)
