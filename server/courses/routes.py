"""Joining a course, and one's own account."""

from __future__ import annotations

from fastapi import APIRouter

from server.accounts.signin import TheCredentials
from server.courses import courses
from server.courses.schemas import CourseBody, JoinBody, JoinedBody, MeBody, MyCourseBody, PersonBody
from server.http.problems import documented
from server.http.state import TheDatabase

router = APIRouter(tags=["account"])

NAMESAKE_WARNING = (
    "Somebody named {name} is in this course already. If that is you, your progress is in that account. "
    "To go back to it, type where you are signed in with it: dojo pair."
)


@router.post("/join", status_code=201, responses=documented(404, 422))
def join(body: JoinBody, database: TheDatabase) -> JoinedBody:
    """Make a student account in the course of a join code. The token is shown this once."""
    with database.writing() as session:
        member = courses.join(session, body.code, body.name)
    return JoinedBody(
        token=member.token,
        student=PersonBody.model_validate(member.account.model_dump()),
        course=CourseBody.model_validate(member.course.model_dump()),
        warning=NAMESAKE_WARNING.format(name=member.account.name) if member.has_namesake else None,
    )


@router.get("/me", responses=documented(401))
def me(credentials: TheCredentials) -> MeBody:
    """The account of the token, and its courses."""
    with credentials.reading() as account:
        seats = courses.seats_of(account.session, account.account_id)
    return MeBody(
        id=account.account_id,
        name=account.name,
        courses=[MyCourseBody(slug=course.slug, title=course.title, role=role) for course, role in seats],
    )
