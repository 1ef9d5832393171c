"""Serving the files that pages load: compressed, and kept by browsers for as long as they are the same."""

from __future__ import annotations

import mimetypes
from functools import cache
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.http.problems import NotFound, response
from server.pages.assets import STATIC, checksums
from server.pages.compression import BYTES_MIN, FILE_LEVEL, packed, takes_gzip

KEPT: Final = "public, max-age=31536000, immutable"
ASKED_AGAIN: Final = "no-cache"
METHODS: Final = ("GET", "HEAD")


class StaticFiles:
    """The files of the manifest, and no other. Their address names their content: ``?v=`` is its checksum."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks."""
        await self._serve(Request(scope))(scope, receive, send)

    def _serve(self, request: Request) -> Response:
        name = request.url.path.rpartition("/")[2]
        checksum = checksums().get(name)
        if checksum is None or request.method not in METHODS:
            return response(NotFound("There is no such file. Load the page again; a new version may be here."))
        version = request.query_params.get("v", "")
        is_named = len(version) > 0 and checksum.startswith(version)
        etag = f'"{checksum[:32]}"'
        headers = {
            "Cache-Control": KEPT if is_named else ASKED_AGAIN,
            "ETag": etag,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        content = _content(name)
        if len(content) >= BYTES_MIN and takes_gzip(request.headers.get("accept-encoding", "")):
            content = _packed(name)
            headers["Content-Encoding"] = "gzip"
        return Response(content, headers=headers, media_type=mimetypes.guess_type(name)[0])


@cache
def _content(name: str) -> bytes:
    return (STATIC / name).read_bytes()


@cache
def _packed(name: str) -> bytes:
    return packed(_content(name), FILE_LEVEL)
