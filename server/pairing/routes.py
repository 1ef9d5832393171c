"""Signing in on another machine."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from server.accounts.signin import TheCredentials
from server.courses import courses
from server.courses.schemas import MyCourseBody, PersonBody
from server.http.problems import documented
from server.http.state import TheDatabase
from server.pairing import codes
from server.pairing.schemas import PairBody, PairedBody, PairingCodeBody
from server.pairing.tries import Tries

router = APIRouter(tags=["account"])


async def tries(request: Request) -> Tries:
    """Return what counts the tries."""
    value = request.app.state.pairing_tries
    assert isinstance(value, Tries)
    return value


async def address(request: Request) -> str:
    """Return the address that a request came from; empty over a unix socket."""
    return request.client.host if request.client else ""


TheTries = Annotated[Tries, Depends(tries)]


@router.post("/pairing-codes", status_code=201, responses=documented(401))
def new_pairing_code(credentials: TheCredentials) -> PairingCodeBody:
    """Make a code that signs the caller in on another machine: once, within ten minutes. It replaces an earlier one."""
    with credentials.writing() as account:
        pairing_code = codes.new_code(account.session, account.account_id)
    return PairingCodeBody(code=pairing_code.code, expires_at=pairing_code.expires_at)


@router.post("/pair", status_code=201, responses=documented(404, 422, 429))
def pair(
    body: PairBody,
    database: TheDatabase,
    tries: TheTries,
    address: Annotated[str, Depends(address)],
) -> PairedBody:
    """Sign in with a pairing code. The token is shown this once."""
    with tries.one(address), database.writing() as session:
        account, token = codes.use_code(session, body.code)
        seats = courses.seats_of(session, account.id)
        return PairedBody(
            token=token,
            student=PersonBody(id=account.id, name=account.name),
            courses=[MyCourseBody(slug=course.slug, title=course.title, role=role) for course, role in seats],
        )
