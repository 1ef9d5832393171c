"""The route of a page: a problem is a page, too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from exercises import registry
from server.accounts.signin import Credentials
from server.assignments.assignment import list_assignments
from server.assignments.exercises import UnknownExercise
from server.courses.access import read_membership
from server.database.outage import DatabaseUnavailable
from server.http.problems import DatabaseDown, NotFound, Problem, Unprocessable, refused
from server.http.state import database_of
from server.http.token_gate import API_PREFIX, session_token
from server.pages.page import Page
from server.pages.session import SignedOut

log = logging.getLogger(__name__)
SIGN_IN: Final = "/sign-in"
FRAGMENT_HEADER: Final = "HX-Request"


class Broken(Problem):
    """Something went wrong in the server."""

    status, title, slug = 500, "Something broke here", "internal"

    def __init__(self) -> None:
        super().__init__("The server's log says what. Try again; if that does not help, tell your instructor.")


class NoSuchPage(NotFound):
    """There is no page at an address."""

    title = "No such page"

    def __init__(self) -> None:
        super().__init__("There is nothing at this address. It may have moved; begin again at your courses.")


class PageRoute(APIRoute):
    """Shows a problem as a page, and leads strangers to where one signs in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what serves a request."""
        serve = super().get_route_handler()

        async def served(request: Request) -> Response:
            try:
                return await _within_course(serve, request)
            except RequestValidationError:
                return _shown(request, Unprocessable("This address or form cannot be read. Go back and try again."))
            except Problem as problem:
                if problem.status != 401:
                    return _shown(request, problem)
                if request.method == "GET" and FRAGMENT_HEADER not in request.headers:
                    return Page(request).go(f"{SIGN_IN}?next={quote(_asked(request))}")
                return _shown(request, SignedOut())
            except DatabaseUnavailable:  # it is in the log already
                return _shown(request, DatabaseDown())
            except HTTPException:  # a body that cannot be read
                raise
            except Exception:
                log.exception("%s %s failed", request.method, request.scope["route"].path)
                return _shown(request, Broken())

        return served


def show_refusal(request: Request, error: Exception) -> Response:
    """Show a browser a page for an address that has none; programs get a problem as before."""
    is_browser = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(API_PREFIX)
    if is_browser and isinstance(error, HTTPException) and error.status_code in (404, 405):
        return _shown(request, NoSuchPage())
    return refused(request, error)


def page_router() -> APIRouter:
    """Return a router of pages. They are not in the description of the API."""
    return APIRouter(route_class=PageRoute, include_in_schema=False)


async def _within_course(serve: Callable[[Request], Coroutine[Any, Any, Response]], request: Request) -> Response:
    """Serve a request of a page.

    :raises UnknownExercise: there is no such exercise; it proposes what the course of the address asks for
    """
    try:
        return await serve(request)
    except UnknownExercise as unknown:
        raise UnknownExercise(unknown.asked, await run_in_threadpool(_exercises_of_course, request)) from None


def _exercises_of_course(request: Request) -> list[str]:
    """Return the slugs of what the course of an address asks for; none if the address names no course.

    :raises SignedOut: the browser has no session
    :raises UnknownCourse: there is no such course, or the visitor has no seat in it
    """
    token, course = session_token(request.headers), request.path_params.get("course")
    if token is None:
        raise SignedOut
    if course is None:
        return []
    with Credentials(database_of(request), token, request.state).reading() as account:
        asked_for = list_assignments(account.session, read_membership(account, course).course, registry.exercises())
        return [each.exercise for each in asked_for]


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
