"""The client's wheel, and how to install it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from server.client_wheel.wheel import ClientWheel, Wheel
from server.http.problems import NotFound, documented

MEDIA_TYPE = "application/zip"
HOW_TO_INSTALL = """The student's program of this server, dojo. It needs Python 3.10 or newer.

    python3 -m venv dojo-env
    . dojo-env/bin/activate
    pip install {address}

Or, without an environment of your own:

    uv tool install {address}
    pipx install {address}

Then: dojo join {server} CODE --name "YOUR NAME"
"""

router = APIRouter(tags=["client"], responses=documented(404, 422))


def client_wheel(request: Request) -> Wheel:
    """Return the client's wheel.

    :raises NotFound: this server has no sources of the client
    """
    source = request.app.state.client_wheel
    assert isinstance(source, ClientWheel)
    wheel = source.get()
    if wheel is None:
        raise NotFound("This server has no client to hand out. Ask your instructor for its folder client/.")
    return wheel


TheWheel = Annotated[Wheel, Depends(client_wheel)]


@router.get("/client", response_class=PlainTextResponse)
def how_to_install(request: Request, wheel: TheWheel) -> PlainTextResponse:
    """How to install the student's program, in plain text."""
    server = str(request.base_url).rstrip("/")
    text = HOW_TO_INSTALL.format(address=f"{server}/client/{wheel.name}", server=server)
    return PlainTextResponse(text, headers={"Cache-Control": "no-store"})  # it names the address that was asked


@router.get("/client.whl", status_code=307, response_class=RedirectResponse)
def newest_wheel(wheel: TheWheel) -> RedirectResponse:
    """The wheel, for browsers and scripts.

    pip and uv read a wheel's version in the address that was typed, and take no address without one.
    """
    return RedirectResponse(f"client/{wheel.name}", headers={"Cache-Control": "no-store"})


@router.get("/client/{name}", response_class=Response, responses={200: {"content": {MEDIA_TYPE: {}}}})
def download_wheel(name: str, wheel: TheWheel) -> Response:
    """The wheel, under the name that pip, uv and pipx ask for."""
    if name != wheel.name:
        raise NotFound(f"This server hands out {wheel.name}. Install that one: its address is in GET /client.")
    return Response(wheel.content, media_type=MEDIA_TYPE)
