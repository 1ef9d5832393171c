"""Where it hurts: who passed which step, the commonest mistakes, and one comment for all who made the same."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Response
from starlette.datastructures import FormData

from server.courses.access import CourseAccess
from server.courses.roles import Permission
from server.feedback import comments
from server.feedback.comments import Note
from server.feedback.schemas import COMMENTED_MAX
from server.http.problems import Unprocessable
from server.pages.forms import TheForm, text
from server.pages.page import ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.pages.teach.hurts_view import PEOPLE_SHOWN, Asked, Measure, read_hurts
from server.reports.asked import AskedSection

router = page_router()
Looking = Annotated[CourseAccess, Depends(Visiting(Permission.READ_CLASS))]
Commenting = Annotated[CourseAccess, Depends(Visiting(Permission.COMMENT))]


class NobodyChosen(Unprocessable):
    """A comment is for nobody."""

    title, slug = "For nobody", "for-nobody"


async def asked(
    exercise: str | None = None, section: AskedSection = None, step: str | None = None, by: Measure = Measure.FIRST
) -> Asked:
    """Return what an address asks for; a form sends what was left empty, too."""
    return Asked(exercise or None, section or None, step, by)


TheAsked = Annotated[Asked, Depends(asked)]


@router.get("/courses/{course}/hurts")
def show_hurts(page: ThePage, access: Looking, wanted: TheAsked, commented: int = 0) -> Response:
    """Show where the class has trouble."""
    with access.reading() as member:
        view = read_hurts(member, wanted)
        shown = member.membership
        return page.render(
            "teach/hurts.html", membership=shown, view=view, commented=commented, PEOPLE_SHOWN=PEOPLE_SHOWN
        )


@router.post("/courses/{course}/hurts/comments")
def comment_on_all(page: ThePage, access: Commenting, form: TheForm) -> Response:
    """Write one comment on each submission that the form names."""
    with access.writing() as member:
        found = comments.find_submissions(member.session, member.membership, member.account_id, _chosen(form))
        note = Note(text(form, "step"), text(form, "text"))
        written = comments.write(member.session, member.course, found, member.account_id, note)
    back = {"exercise": text(form, "exercise"), "step": text(form, "step"), "commented": len(written)}
    return page.go(f"/courses/{access.slug}/hurts?{urlencode(back)}")


def _chosen(form: FormData) -> list[int]:
    """Return the submissions that a comment is for.

    :raises NobodyChosen: there is none, or too many
    """
    named = form.getlist("unsolved" if text(form, "whom") == "unsolved" else "submission")
    ids = [int(each) for each in named if isinstance(each, str) and each.isdecimal() and len(each) < 19]
    if not 0 < len(ids) <= COMMENTED_MAX:
        raise NobodyChosen(f"A comment is for 1 to {COMMENTED_MAX} submissions. Go back and choose whom it is for.")
    return ids
