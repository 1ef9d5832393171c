"""Access to the pages of a server: they take an admin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from server.accounts.signin import Credentials, SignedInSession
from server.http.problems import Forbidden
from server.pages.session import TheVisitor


class AdminsOnly(Forbidden):
    """The page is about the whole server."""

    title, slug = "Admins only", "admins-only"

    def __init__(self) -> None:
        super().__init__("This page is about the whole server, and takes an admin. Ask the operator of this server.")


@dataclass(frozen=True)
class AdminAccess:
    """A request about the server. That the visitor is an admin is checked when a transaction is opened."""

    credentials: Credentials

    @contextmanager
    def reading(self) -> Iterator[SignedInSession]:
        """Open a reading transaction.

        :raises Unauthorised: the token is unknown or revoked
        :raises AdminsOnly: the account is no admin
        """
        with self.credentials.reading() as signed_in:
            yield _admin(signed_in)

    @contextmanager
    def writing(self) -> Iterator[SignedInSession]:
        """Open a writing transaction; raises what ``reading`` does."""
        with self.credentials.writing() as signed_in:
            yield _admin(signed_in)


async def admin_access(visitor: TheVisitor) -> AdminAccess:
    """Return access to the pages of a server."""
    return AdminAccess(visitor)


TheAdmin = Annotated[AdminAccess, Depends(admin_access)]


def _admin(signed_in: SignedInSession) -> SignedInSession:
    if not signed_in.is_admin:
        raise AdminsOnly
    return signed_in
