"""Coming into a course: with a join code, or with a personal link."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from server.accounts.signin import OptionalCredentials
from server.courses.courses import Joined
from server.courses.schemas import CourseBody, JoinBody, JoinedBody, PersonBody
from server.http.problems import documented
from server.http.state import TheDatabase
from server.pairing.routes import address
from server.people import entry
from server.people.invitations import Opened
from server.people.join_limits import TheJoinLimits
from server.people.schemas import OpenInvitationBody

router = APIRouter(tags=["account"])

NAMESAKE_WARNING = (
    "Somebody named {name} is in this course already. If that is you, your progress is in that account. "
    "To go back to it, type where you are signed in with it: dojo pair."
)
RENEWED_WARNING = (
    "Staff of another course once gave you a key to this account, so your keys were made anew. "
    "On your other machines, sign in again: dojo pair."
)

TheCaller = Annotated[str, Depends(address)]


@router.post("/join", status_code=201, responses=documented(401, 403, 404, 409, 422, 429))
def join(
    body: JoinBody,
    database: TheDatabase,
    credentials: OptionalCredentials,
    limits: TheJoinLimits,
    caller: TheCaller,
) -> JoinedBody:
    """Take a student's seat in the course of a join code: with a token, for its account; else for a new one.

    A new token is shown this once. With a token, it is null unless the older ones were revoked.
    """
    with limits.one(caller, body.code):
        if credentials is not None:
            with credentials.writing() as signed_in:
                joined = entry.take_seat(signed_in.session, body.code, "", signed_in.account_id)
        else:
            with database.writing() as session:
                joined = entry.take_seat(session, body.code, body.name or "", None)
    return _joined(joined, is_renewed=credentials is not None and joined.token is not None)


@router.post("/open-invitation", status_code=201, responses=documented(401, 403, 404, 409, 422, 429))
def open_invitation(
    body: OpenInvitationBody,
    database: TheDatabase,
    credentials: OptionalCredentials,
    limits: TheJoinLimits,
    caller: TheCaller,
) -> JoinedBody:
    """Open the account of a personal link, once. With a token, its account takes the seat and everything else over.

    A new token is shown this once. With a token, it is null unless the older ones were revoked.
    """
    with limits.one(caller, body.code):
        if credentials is not None:
            with credentials.writing() as signed_in:
                opened = entry.open_link(signed_in.session, body.code, signed_in.account_id)
        else:
            with database.writing() as session:
                opened = entry.open_link(session, body.code, None)
    return _joined(opened, is_renewed=credentials is not None and opened.token is not None)


def _joined(joined: Joined | Opened, *, is_renewed: bool) -> JoinedBody:
    has_namesake = isinstance(joined, Joined) and joined.has_namesake
    warning = NAMESAKE_WARNING.format(name=joined.account.name) if has_namesake else None
    return JoinedBody(
        token=joined.token,
        student=PersonBody(id=joined.account.id, name=joined.account.name),
        course=CourseBody(slug=joined.course.slug, title=joined.course.title),
        warning=RENEWED_WARNING if is_renewed else warning,
    )
