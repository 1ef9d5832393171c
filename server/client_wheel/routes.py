"""The client, to install: its wheel, its source archive, and a page that says how."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from server.client_wheel.distributions import ClientSources, Distributions
from server.http.problems import NotFound, documented

WHEEL = "application/zip"
ARCHIVE = "application/gzip"
_NOT_STORED = {"Cache-Control": "no-store"}  # after an upgrade of the server, the same address has another version
HOW_TO_INSTALL = """The student's program of this server, dojo. It needs Python 3.10 or newer.

    python3 -m venv dojo-env
    . dojo-env/bin/activate
    pip install {address}

Or, without an environment of your own:

    uv tool install {address}
    pipx install {address}

A script that must work with every version installs {server}/client.tar.gz instead.

Then: dojo join {server} CODE --name "YOUR NAME"
"""

router = APIRouter(tags=["client"], responses=documented(404, 422))


def client(request: Request) -> Distributions:
    """Return the client, built.

    :raises NotFound: this server has no sources of the client
    """
    sources = request.app.state.client_sources
    assert isinstance(sources, ClientSources)
    distributions = sources.build()
    if distributions is None:
        raise NotFound("This server has no client to hand out. Ask your instructor for its folder client/.")
    return distributions


TheClient = Annotated[Distributions, Depends(client)]


@router.get("/client", response_class=PlainTextResponse)
def how_to_install(request: Request, client: TheClient) -> PlainTextResponse:
    """How to install the student's program, in plain text."""
    server = str(request.base_url).rstrip("/")
    text = HOW_TO_INSTALL.format(address=f"{server}/client/{client.wheel_name}", server=server)
    return PlainTextResponse(text, headers=_NOT_STORED)


@router.get("/client.whl", status_code=307, response_class=RedirectResponse)
def newest_wheel(client: TheClient) -> RedirectResponse:
    """The wheel, for browsers and scripts.

    pip and uv read a wheel's version in the address that was typed, and take no address without one.
    """
    return RedirectResponse(f"client/{client.wheel_name}", headers=_NOT_STORED)


@router.get("/client.tar.gz", response_class=Response, responses={200: {"content": {ARCHIVE: {}}}})
def newest_archive(client: TheClient) -> Response:
    """The source archive: pip, uv and pipx take it under this name, whatever its version."""
    return Response(client.archive, media_type=ARCHIVE, headers=_NOT_STORED)


@router.get("/client/{name}", response_class=Response, responses={200: {"content": {WHEEL: {}}}})
def download_wheel(name: str, client: TheClient) -> Response:
    """The wheel, under the name that pip, uv and pipx ask for."""
    if name != client.wheel_name:
        raise NotFound(f"This server hands out {client.wheel_name}. Install that one: GET /client says how.")
    return Response(client.wheel, media_type=WHEEL)
