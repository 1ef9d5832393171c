"""The gradebook as a table, and its files for other systems."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import Depends, Query, Response

from server.courses.access import CourseAccess, CourseSession
from server.courses.roles import Permission
from server.courses.seats import list_sections
from server.gradebook.canvas import BadBase, CanvasBase, as_canvas
from server.gradebook.exports import Export
from server.gradebook.gradebook import Gradebook, read_gradebook
from server.gradebook.moodle import as_moodle
from server.gradebook.people_csv import as_csv
from server.http.attachment import attachment
from server.http.middleware import CSV
from server.instances.exercises import AskedExercises
from server.pages.fields import FormState, Reader
from server.pages.forms import TheForm
from server.pages.page import Page, ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.spreadsheet import number

router = page_router()
GRADEBOOK: Final = "/courses/{course}/gradebook"
LISTED_MAX: Final = 1000

Reading = Annotated[CourseAccess, Depends(Visiting(Permission.READ_GRADEBOOK))]
Section = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True)
class GradebookPage:
    """The gradebook with the mean of each column, the sections to choose from, and what Moodle must know."""

    gradebook: Gradebook
    means: Sequence[float]
    mean: float
    sections: Sequence[str]
    moodle_notes: Sequence[str]


def read_page(member: CourseSession, exercises: AskedExercises, section: str | None) -> GradebookPage:
    """Return what the page shows: of a section, or of all."""
    gradebook = read_gradebook(member.session, member.course, exercises, section)
    lines = gradebook.lines
    count = len(lines) or 1
    columns = range(len(gradebook.columns))
    means = [math.fsum(line.cells[place].points for line in lines) / count for place in columns]
    sections = list_sections(member.session, member.course) if member.membership.section is None else []
    notes = as_moodle(gradebook).notes if lines else ()
    return GradebookPage(gradebook, means, math.fsum(line.points for line in lines) / count, sections, notes)


@router.get(GRADEBOOK)
def show_gradebook(page: ThePage, access: Reading, exercises: AskedExercises, section: Section = "") -> Response:
    """Show what every student has earned in each assignment, by the rules and extensions of now."""
    with access.reading() as member:
        return _render(page, member, exercises, section, FormState())


@router.get(f"{GRADEBOOK}/{{format}}.csv")
def export_gradebook(
    access: Reading, exercises: AskedExercises, format: Literal["csv", "canvas", "moodle"], section: Section = ""
) -> Response:
    """Send the gradebook as a file: for people, or in the columns that Canvas or Moodle import."""
    with access.reading() as member:
        listed = member.membership.listed_section(section or None)
        gradebook = read_gradebook(member.session, member.course, exercises, listed)
    texts = {
        "csv": lambda: Export(as_csv(gradebook)),
        "canvas": lambda: as_canvas(gradebook),
        "moodle": lambda: as_moodle(gradebook),
    }
    return _file(access, format, texts[format]().text)


@router.post(f"{GRADEBOOK}/canvas")
def fill_canvas(
    page: ThePage, access: Reading, exercises: AskedExercises, form: TheForm, section: Section = ""
) -> Response:
    """Fill in an export of Canvas: its students and assignments keep their ids. Nothing is kept here."""
    state = FormState.of(form, {"base": "Export of Canvas"})
    content = Reader(form, state).file("base")
    try:
        if content is None:
            state.faults["base"] = "No file was chosen. In Canvas: Gradebook, Export, Export Entire Gradebook."
        else:
            with access.reading() as member:
                listed = member.membership.listed_section(section or None)
                gradebook = read_gradebook(member.session, member.course, exercises, listed)
            return _file(access, "canvas", as_canvas(gradebook, CanvasBase.read(content)).text)
    except BadBase as bad:
        state.faults["base"] = bad.for_page
    with access.reading() as member:
        return _render(page, member, exercises, section, state)


def _render(page: Page, member: CourseSession, exercises: AskedExercises, section: str, state: FormState) -> Response:
    listed = member.membership.listed_section(section or None)
    return page.render(
        "teach/gradebook.html",
        422 if state.is_wrong else 200,
        membership=member.membership,
        shown=read_page(member, exercises, listed),
        section=section,
        state=state,
        number=number,
        listed_max=LISTED_MAX,
    )


def _file(access: CourseAccess, format: str, text: str) -> Response:
    headers = {**attachment(f"{access.slug}-gradebook-{format}.csv"), "Cache-Control": "no-store"}
    return Response(text, media_type=f"{CSV}; charset=utf-8", headers=headers)
