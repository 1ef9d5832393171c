"""The route of a page: whoever looks at it reads a problem as a page, too."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from server.http.problems import Problem, Unprocessable
from server.pages.page import Page
from server.pages.session import SignedOut

SIGN_IN: Final = "/sign-in"
FRAGMENT_HEADER: Final = "HX-Request"


class PageRoute(APIRoute):
    """Shows a problem as a page, and leads whoever is not signed in to where one signs in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what serves a request."""
        serve = super().get_route_handler()

        async def served(request: Request) -> Response:
            try:
                return await serve(request)
            except RequestValidationError:
                return _shown(request, Unprocessable("This address or form cannot be read. Go back and try again."))
            except Problem as problem:
                if problem.status != 401:
                    return _shown(request, problem)
                if request.method == "GET" and FRAGMENT_HEADER not in request.headers:
                    return Page(request).go(f"{SIGN_IN}?next={quote(_asked(request))}")
                return _shown(request, SignedOut())

        return served


def page_router() -> APIRouter:
    """Return a router of pages. They are not in the description of the API."""
    return APIRouter(route_class=PageRoute, include_in_schema=False)


def _asked(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _shown(request: Request, problem: Problem) -> Response:
    template = "parts/problem.html" if FRAGMENT_HEADER in request.headers else "problem.html"
    shown = Page(request).render(
        template, problem.status, problem=problem, is_signed_out=isinstance(problem, SignedOut)
    )
    shown.headers.update(problem.headers or {})
    return shown
