"""For whoever runs the server: is it alive, and can it do its work."""

from __future__ import annotations

from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from server import schema, schemas
from server.deps import TheServices
from server.services import Services

OK = "ok"

router = APIRouter(tags=["operator"])


@router.get("/healthz")
async def healthz() -> schemas.Health:
    """The process is alive."""
    return schemas.Health(status=OK, checks={})


@router.get("/readyz", responses={503: {"model": schemas.Health, "description": "Something is not ok."}})
def readyz(services: TheServices, response: Response) -> schemas.Health:
    """The database can be reached and has every migration, and code can be run. With the sandbox alone down
    the server still grades tensors."""
    checks = {**_database(services), **services.dispatcher.health()}
    ready = all(state == OK for state in checks.values())
    response.status_code = 200 if ready else 503
    return schemas.Health(status=OK if ready else "not ready", checks=checks)


def _database(services: Services) -> dict[str, str]:
    try:
        with services.database.reading() as session:
            current = schema.is_current(session)
    except SQLAlchemyError as error:
        # The class alone: the message would name the host and the user.
        return {"database": f"cannot be reached ({type(error).__name__}); see the server's log"}
    return {"database": OK, "migrations": OK if current else "not at head; run: python -m server init"}
