"""What routes take from the application, one thing each."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from server.database.engine import Database


async def database(request: Request) -> Database:
    """Return the application's database."""
    value = request.app.state.database
    assert isinstance(value, Database)
    return value


TheDatabase = Annotated[Database, Depends(database)]
