"""Signing in: who sent a request.

The sender is recognised inside the transaction that serves the request. So a request is one transaction, and it holds
no connection between its steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from sqlmodel import Session
from starlette.datastructures import State

from server.accounts import tokens
from server.accounts.queries import ACCOUNT_OF_TOKEN
from server.database.engine import Database
from server.database.table import now
from server.http.problems import NO_TOKEN, UNKNOWN_TOKEN, Unauthorised
from server.http.state import database_of

DESCRIPTION: Final = "A token of `POST /join`, or of `python -m server token`."
bearer = HTTPBearer(auto_error=False, description=DESCRIPTION)


@dataclass(frozen=True)
class SignedInSession:
    """A transaction, and the account that it serves."""

    session: Session
    account_id: int
    name: str
    is_admin: bool


@dataclass(frozen=True)
class Credentials:
    """The token of a request. It is checked when a transaction is opened with it."""

    database: Database
    token: str
    request_state: State

    @contextmanager
    def reading(self) -> Iterator[SignedInSession]:
        """Open a reading transaction for the account of the token.

        :raises Unauthorised: the token is unknown or revoked
        """
        with self.database.reading() as session:
            yield self.sign_in(session)

    @contextmanager
    def writing(self) -> Iterator[SignedInSession]:
        """Open a writing transaction for the account of the token.

        :raises Unauthorised: the token is unknown or revoked
        """
        with self.database.writing() as session:
            yield self.sign_in(session)

    def sign_in(self, session: Session) -> SignedInSession:
        """Return a transaction with the account of the token.

        :raises Unauthorised: the token is unknown or revoked
        """
        account = ACCOUNT_OF_TOKEN.first(session, {"digest": tokens.digest(self.token), "moment": now()})
        if account is None:
            raise Unauthorised(UNKNOWN_TOKEN)
        signed_in = SignedInSession(session, *account)
        self.request_state.account_id = signed_in.account_id  # for the access log
        self.request_state.account = signed_in  # for the head of a page: its name, not its session
        return signed_in


class TokenScheme(HTTPBearer):
    """The security scheme, which gives the credentials itself: a dependency fewer in nearly every request."""

    async def __call__(self, request: Request) -> Credentials:  # type: ignore[override]
        """Return the token of a request.

        :raises Unauthorised: the request has none
        """
        scheme, token = get_authorization_scheme_param(request.headers.get("Authorization"))
        if not token or scheme.lower() != "bearer":
            raise Unauthorised(NO_TOKEN)
        return Credentials(database_of(request), token, request.state)


async def optional_credentials(
    request: Request, header: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Credentials | None:
    """Return the token of a request, or None if it has none."""
    return Credentials(database_of(request), header.credentials, request.state) if header else None


TheCredentials = Annotated[Credentials, Depends(TokenScheme(scheme_name=bearer.scheme_name, description=DESCRIPTION))]
OptionalCredentials = Annotated[Credentials | None, Depends(optional_credentials)]
