"""For operators: whether the server is alive, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter, Response

from server.http.state import TheDatabase
from server.operations import health
from server.operations.probe import TheWriteProbe
from server.operations.schemas import HealthBody
from server.queue.dispatcher import TheDispatcher

router = APIRouter(tags=["operator"])


@router.get("/healthz")
async def healthz() -> HealthBody:
    """The process is alive."""
    return HealthBody(status=health.OK, checks={})


@router.get("/readyz", responses={503: {"model": HealthBody, "description": "Something is not ok."}})
def readyz(database: TheDatabase, probe: TheWriteProbe, dispatcher: TheDispatcher, response: Response) -> HealthBody:
    """The database can be reached and written and has every migration, and code can be run.

    Every thread in the background is named, with its last error while it is not well.

    If only the sandbox is down, the server still grades tensors.
    """
    body = health.check(database, probe, dispatcher)
    response.status_code = 200 if body.status == health.OK else 503
    return body
