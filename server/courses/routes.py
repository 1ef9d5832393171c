"""Joining a course, and one's own account."""

from __future__ import annotations

from fastapi import APIRouter

from server.accounts.signin import TheCredentials
from server.courses import courses
from server.courses.schemas import CourseBody, JoinBody, JoinedBody, MeBody, MyCourseBody, PersonBody
from server.http.problems import documented
from server.http.state import TheDatabase

router = APIRouter(tags=["account"])


@router.post("/join", status_code=201, responses=documented(404, 422))
def join(body: JoinBody, database: TheDatabase) -> JoinedBody:
    """Make a student account in the course of a join code. The token is shown this once."""
    with database.writing() as session:
        member = courses.join(session, body.code, body.name)
    return JoinedBody(
        token=member.token,
        student=PersonBody.model_validate(member.account.model_dump()),
        course=CourseBody.model_validate(member.course.model_dump()),
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
