"""For operators: whether the server is alive, and whether it can do its work."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from server.http.state import TheDatabase
from server.metrics import Metrics
from server.operations import health
from server.operations.peer_pages import AllCounters, ThePeerPages
from server.operations.probe import TheWriteProbe
from server.operations.schemas import HealthBody

router = APIRouter(tags=["operator"])


@router.get("/healthz")
async def healthz() -> HealthBody:
    """The process is alive."""
    return HealthBody(status=health.OK, checks={})


@router.get("/readyz", responses={503: {"model": HealthBody, "description": "Something is not ok."}})
def readyz(database: TheDatabase, probe: TheWriteProbe, pages: ThePeerPages, response: Response) -> HealthBody:
    """The database can be reached and written and has every migration, and every process can run code.

    Every thread in the background is named, with its last error while it is not well.

    If only the sandbox is down, the server still grades tensors.
    """
    processes = pages.health()
    body = health.check(database, probe, processes.checks, processes.threads)
    response.status_code = 200 if body.status == health.OK else 503
    return body


async def metrics(request: Request) -> Metrics:
    """Return the application's metrics."""
    value = request.app.state.metrics
    assert isinstance(value, Metrics)
    return value


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def show_metrics(metrics: Annotated[Metrics, Depends(metrics)], pages: ThePeerPages) -> Response:
    """What Prometheus reads: numbers only, of no person. A proxy in front of the server keeps it from the public."""
    return Response(generate_latest(AllCounters(pages, metrics)), media_type=CONTENT_TYPE_LATEST)
