"""Problems: errors that own their HTTP status and are sent as ``application/problem+json`` (RFC 9457).

Each ``detail`` ends with what to do next. Other modules define subclasses.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)


class ProblemBody(BaseModel):
    """The body of every error. ``type`` names the kind of problem, for programs.

    ``message`` is there if ``detail`` ends with what to do by the API: it is the detail without that, for a program
    that tells people what to do in its own words.
    """

    type: str
    title: str
    status: int
    detail: str
    message: str | None = None


class Problem(HTTPException):
    """A request that cannot be served, explained to the person who sent it. ``slug`` is for programs.

    It is an HTTPException because FastAPI lets no other exception through while it reads a body.

    :param on_api: what to do next by the API. ``detail`` ends with it; pages and the command line say ``for_page``.
    """

    status: ClassVar[int]
    title: ClassVar[str]
    slug: ClassVar[str]

    def __init__(self, detail: str, headers: dict[str, str] | None = None, *, on_api: str = "") -> None:
        super().__init__(self.status, f"{detail} {on_api}" if on_api else detail, headers)
        self.for_page = detail
        self.on_api = on_api


class Unauthorised(Problem):
    """No token, or one that is not valid."""

    status, title, slug = 401, "No valid token", "unauthorised"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, {"WWW-Authenticate": "Bearer"})


NO_TOKEN = "Send your token as 'Authorization: Bearer dojo_…'; POST /api/v1/join gives you one."
UNKNOWN_TOKEN = (
    "This token is not valid here, or was revoked. Where you are still signed in, type: dojo pair. "
    "Else ask your instructor for a new token, and type dojo login ADDRESS to use it."
)


class Forbidden(Problem):
    """The caller's role does not allow it."""

    status, title, slug = 403, "Not allowed for your role", "forbidden"


class NotFound(Problem):
    """It does not exist, or the caller may not know that it does."""

    status, title, slug = 404, "Not found", "not-found"


class TooLarge(Problem):
    """The body is larger than its limit."""

    status, title, slug = 413, "Too large", "too-large"


class UnsupportedMedia(Problem):
    """The body is of no type that is read here."""

    status, title, slug = 415, "Unsupported content type", "unsupported-media-type"


class Unprocessable(Problem):
    """The request was read, and cannot be right."""

    status, title, slug = 422, "Invalid request", "unprocessable"


class Conflict(Problem):
    """The thing is not in the state that the request needs."""

    status, title, slug = 409, "Wrong state", "wrong-state"


class Outdated(Problem):
    """The thing was changed since the caller read it (RFC 9110, 13.1.1)."""

    status, title, slug = 412, "Changed meanwhile", "outdated"


class Gone(Problem):
    """It was there, and is kept no longer."""

    status, title, slug = 410, "Kept no longer", "gone"


class Unavailable(Problem):
    """It works again later."""

    status, title, slug = 503, "Not available now", "unavailable"


class DatabaseDown(Unavailable):
    """The database cannot be used now."""

    title, slug = "Database not available", "database-down"

    def __init__(self) -> None:
        super().__init__("The server cannot use its database now. Try again in a few seconds.", {"Retry-After": "5"})


class Busy(Unavailable):
    """There are too many connections."""

    title, slug = "Too many connections", "busy"


class BadRequest(Problem):
    """The bytes are no HTTP request."""

    status, title, slug = 400, "Not a request", "bad-request"

    def __init__(self) -> None:
        super().__init__("This is no HTTP request that can be read. Check what was sent, and send it again.")


class TooSlow(Problem):
    """The request did not arrive in time."""

    status, title, slug = 408, "Too slow", "too-slow"

    def __init__(self) -> None:
        super().__init__("The request did not arrive in time. Check your connection, and send it again.")


class HeadTooLarge(Problem):
    """The headers are too long, or too many."""

    status, title, slug = 431, "Headers too large", "headers-too-large"

    def __init__(self) -> None:
        super().__init__("The request line or its headers are too large. Send a token, a content type and a length.")


def response(problem: Problem) -> JSONResponse:
    """Return the HTTP response of a problem."""
    headers = dict(problem.headers) if problem.headers else None
    kind = f"urn:dojo:problem:{problem.slug}"
    body = ProblemBody(type=kind, title=problem.title, status=problem.status, detail=problem.detail)
    return _sent(body.model_copy(update={"message": problem.for_page}) if problem.on_api else body, headers)


def internal_error() -> JSONResponse:
    """Return the response to an exception that is no problem: a 500 without details."""
    detail = (
        "Something went wrong in the server, and its log says what. "
        "Try again; if that does not help, tell your instructor."
    )
    kind = "urn:dojo:problem:internal"
    return _sent(ProblemBody(type=kind, title="Server error", status=500, detail=detail))


def install(app: FastAPI) -> None:
    """Send every error of an application as a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, refused)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses=`` of a route that may answer with these statuses."""
    content = {MEDIA_TYPE: {"schema": ProblemBody.model_json_schema()}}
    return {status: {"description": DESCRIPTIONS[status], "content": content} for status in statuses}


DESCRIPTIONS = {
    400: "The request cannot be read.",
    401: "There is no token, or it is not valid.",
    403: "The caller's role does not allow it.",
    404: "It does not exist, or the caller may not see it.",
    408: "The request did not arrive in time.",
    409: "It is not in the state that the request needs; the detail says which.",
    410: "It was there, and is kept no longer.",
    412: "It was changed since the version that the request names.",
    413: "The body is too large.",
    415: "The body is neither safetensors nor JSON.",
    422: "The request is invalid; the detail says what is wrong.",
    429: "Too many requests; Retry-After says how long to wait.",
    431: "The request line or the headers are too large.",
    500: "Something went wrong in the server; its log says what.",
    503: "Not possible now; the detail says why, and Retry-After how long to wait.",
}
ALWAYS_POSSIBLE = (400, 408, 413, 431, 500, 503)  # whatever the route is


def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return response(error)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Send what pydantic found in one sentence, without the input: it may hold a secret."""
    assert isinstance(error, RequestValidationError)
    mistakes = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()[:5]]
    detail = f"{'; '.join(mistakes)}. Correct that and send it again."
    return response(Unprocessable(detail, on_api="/openapi.json says what is expected."))


REFUSALS = {  # status → what happened, and what to do next by the API
    400: ("The request could not be read. Check that it was sent whole and try again.", ""),
    404: ("There is nothing at this address.", "Check it against /openapi.json."),
    405: ("This address does not accept that method.", "/openapi.json lists those that it accepts."),
}


def refused(request: Request, error: Exception) -> JSONResponse:
    """Send what the framework refuses: unknown addresses, wrong methods, bodies that broke off."""
    assert isinstance(error, HTTPException)
    status = error.status_code
    message, on_api = REFUSALS.get(status, (f"{error.detail}.", "Check the request against /openapi.json."))
    headers = dict(error.headers or {})
    if status == 405:
        headers["Allow"] = ", ".join(_methods(request))
    body = ProblemBody(type=f"urn:dojo:problem:http-{status}", title="Request refused", status=status, detail=message)
    if on_api:
        body = body.model_copy(update={"detail": f"{message} {on_api}", "message": message})
    return _sent(body, headers)


def _methods(request: Request) -> list[str]:
    """Return the methods that an address takes. The framework names those of its first route alone.

    The description of the API would say them too. It takes 500 times the processor time, and 11 MiB that stay.
    """
    matching = (
        route.methods
        for route in iter_route_contexts(request.app.routes)
        if route.methods and route.path_regex.match(request.url.path)
    )
    return sorted(set().union(*matching))


def _sent(body: ProblemBody, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(body.model_dump(exclude_none=True), body.status, headers, MEDIA_TYPE)
