"""One's own account."""

from __future__ import annotations

from fastapi import APIRouter

from server.accounts.signin import TheCredentials
from server.courses import courses
from server.courses.schemas import MeBody, MyCourseBody
from server.http.problems import documented

router = APIRouter(tags=["account"])


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
