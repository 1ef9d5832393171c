"""What routes take from the application, one thing each."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from server.database.engine import Database


def database_of(request: Request) -> Database:
    """Return the application's database.

    Each dependency of a route costs the event loop some 15 µs, so what every request needs calls this.
    """
    value = request.app.state.database
    assert isinstance(value, Database)
    return value


async def database(request: Request) -> Database:
    """Return the application's database."""
    return database_of(request)


TheDatabase = Annotated[Database, Depends(database)]
