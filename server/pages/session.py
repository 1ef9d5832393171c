"""Who looks at a page: the session of a browser is a token in a cookie, which ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response
from sqlmodel import Session

from server.accounts.sessions import LIFETIME
from server.accounts.signin import Credentials, SignedInSession
from server.courses.access import CourseAccess, CourseSlug
from server.courses.last_seen import last_seen_of
from server.courses.roles import Permission
from server.database.engine import Database
from server.http.problems import Unauthorised
from server.http.row_id import RowId
from server.http.state import TheDatabase
from server.http.token_gate import SESSION_COOKIE, session_token
from server.submissions.access import SubmissionAccess


class SignedOut(Unauthorised):
    """The browser has no session. The page for signing in is shown, and leads back here."""

    def __init__(self) -> None:
        super().__init__("You are not signed in, or your session has ended. Sign in to go on.")


async def session(request: Request, database: TheDatabase) -> Credentials:
    """Return the token of a browser's session.

    :raises SignedOut: it has none
    """
    token = session_token(request.headers)
    if token is None:
        raise SignedOut
    return Credentials(database, token, request.state)


async def optional_session(request: Request, database: TheDatabase) -> Credentials | None:
    """Return the token of a browser's session, or None."""
    token = session_token(request.headers)
    return None if token is None else Credentials(database, token, request.state)


TheVisitor = Annotated[Credentials, Depends(session)]
OptionalVisitor = Annotated[Credentials | None, Depends(optional_session)]


@dataclass(frozen=True)
class Guest:
    """A visitor of a page that needs no session: somebody who is signed in, or nobody."""

    database: Database
    credentials: Credentials | None

    @contextmanager
    def reading(self) -> Iterator[tuple[Session, SignedInSession | None]]:
        """Open a reading transaction, with the account of the browser if its session holds."""
        with self.database.reading() as session:
            yield session, self._signed_in(session)

    @contextmanager
    def writing(self) -> Iterator[tuple[Session, SignedInSession | None]]:
        """Open a writing transaction, with the account of the browser if its session holds."""
        with self.database.writing() as session:
            yield session, self._signed_in(session)

    def _signed_in(self, session: Session) -> SignedInSession | None:
        if self.credentials is None:
            return None
        try:
            return self.credentials.sign_in(session)
        except Unauthorised:  # it has ended: the visitor is nobody again
            return None


async def guest(database: TheDatabase, visitor: OptionalVisitor) -> Guest:
    """Return the visitor of a page."""
    return Guest(database, visitor)


TheGuest = Annotated[Guest, Depends(guest)]


@dataclass(frozen=True)
class Visiting:
    """The dependency of a page of a course: ``Annotated[CourseAccess, Depends(Visiting(Permission.READ_CLASS))]``."""

    permission: Permission

    async def __call__(self, request: Request, course: CourseSlug, visitor: TheVisitor) -> CourseAccess:
        """Return access to the course that the address names."""
        return CourseAccess(visitor, course, self.permission, last_seen_of(request))


@dataclass(frozen=True)
class VisitingSubmission:
    """The dependency of a page of a submission; see ``SubmissionAccess`` for its two permissions."""

    own: Permission
    others: Permission

    async def __call__(self, request: Request, id: RowId, visitor: TheVisitor) -> SubmissionAccess:
        """Return access to the submission that the address names."""
        return SubmissionAccess(visitor, id, self.own, self.others, last_seen_of(request))


def begin(response: Response, token: str, *, secure: bool) -> None:
    """Give a browser a session. Scripts cannot read the cookie, and other sites' forms do not send it."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=secure,
    )


def is_secure(request: Request) -> bool:
    """Return whether a browser speaks to this server, or to the proxy that it trusts, over TLS."""
    return request.url.scheme == "https"


def end(response: Response, *, secure: bool) -> None:
    """Take a browser's session away."""
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax", secure=secure)
