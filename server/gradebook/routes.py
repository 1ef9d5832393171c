"""The gradebook of a course, for staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.gradebook.canvas import CanvasBase, as_canvas
from server.gradebook.gradebook import Gradebook, read_gradebook
from server.gradebook.moodle import as_moodle
from server.gradebook.people_csv import as_csv
from server.gradebook.schemas import GradebookBody
from server.http.attachment import attachment
from server.http.middleware import CSV, media_type
from server.http.problems import UnsupportedMedia, documented
from server.instances.exercises import AskedExercises

CSV_ANSWER: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {CSV: {}}}}
BODY_OF_CANVAS: Final = {
    "requestBody": {
        "required": True,
        "description": "An export of Canvas's gradebook.",
        "content": {CSV: {"schema": {"type": "string"}}},
    }
}

router = APIRouter(tags=["gradebook"], responses=documented(401, 403, 404, 422))

Reading = Annotated[CourseAccess, Depends(Allowed(Permission.READ_GRADEBOOK))]
Section = Annotated[str | None, Query(max_length=64)]


@dataclass(frozen=True)
class Body:
    """The body of a request, and what it is called."""

    media_type: str
    content: bytes


async def body(request: Request) -> Body:
    """Return the body of a request."""
    return Body(media_type(request.headers), await request.body())


@router.get(
    "/courses/{course}/gradebook",
    response_class=Response,
    responses={200: {"model": GradebookBody, "content": {CSV: {}}}},
)
def show_gradebook(
    access: Reading,
    exercises: AskedExercises,
    section: Section = None,
    format: Literal["json", "csv", "canvas", "moodle"] = "json",
) -> Response:
    """Every student with the points in all and by assignment, of all assignments or of one exercise.

    ``csv`` is for people; ``canvas`` and ``moodle`` have the columns that these import. An assistant with a section
    gets that section alone.
    """
    gradebook = _read(access, exercises, section)
    if format == "json":
        return Response(gradebook.as_json(), media_type="application/json")
    text = {
        "csv": lambda: as_csv(gradebook),
        "canvas": lambda: as_canvas(gradebook).text,
        "moodle": lambda: as_moodle(gradebook).text,
    }[format]()
    return _file(access, format, text)


@router.post(
    "/courses/{course}/gradebook",
    response_class=Response,
    responses=CSV_ANSWER | documented(415),
    openapi_extra=BODY_OF_CANVAS,
)
def fill_canvas_gradebook(
    access: Reading,
    exercises: AskedExercises,
    body: Annotated[Body, Depends(body)],
    section: Section = None,
) -> Response:
    """Fill in an export of Canvas's gradebook: its students and assignments keep their ids. Nothing is kept here.

    A student is matched by SIS User ID or SIS Login ID with the roster's university id or e-mail. Who is not in the
    export stands at the end, without an ID.
    """
    gradebook = _read(access, exercises, section)
    if body.media_type != CSV:
        raise UnsupportedMedia(f"Send the export of Canvas as {CSV}, with that Content-Type.")
    return _file(access, "canvas", as_canvas(gradebook, CanvasBase.read(body.content)).text)


def _read(access: CourseAccess, exercises: AskedExercises, section: str | None) -> Gradebook:
    with access.reading() as member:
        listed = member.membership.listed_section(section)
        return read_gradebook(member.session, member.course, exercises, listed)


def _file(access: CourseAccess, format: str, text: str) -> Response:
    headers = attachment(f"{access.slug}-gradebook-{format}.csv")
    return Response(text, media_type=f"{CSV}; charset=utf-8", headers=headers)
