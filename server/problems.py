"""Problems: errors that own their status and are told as ``application/problem+json`` (RFC 9457).

Each ``detail`` ends with what to do next. Other modules raise their own kinds of these.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)


class ProblemBody(BaseModel):
    """What every error looks like. ``type`` names the kind of problem, for programs."""

    type: str
    title: str
    status: int
    detail: str


class Problem(HTTPException):
    """Something that is not possible, told to the person who asked. ``slug`` is for programs.

    An HTTPException, because FastAPI lets only those through while it reads a body.
    """

    status: ClassVar[int]
    title: ClassVar[str]
    slug: ClassVar[str]

    def __init__(self, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(self.status, detail, headers)


class Unauthorised(Problem):
    status, title, slug = 401, "No valid token", "unauthorised"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, {"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    status, title, slug = 403, "Not yours to do", "forbidden"


class NotFound(Problem):
    status, title, slug = 404, "Not found", "not-found"


class TooLarge(Problem):
    status, title, slug = 413, "Too large", "too-large"


class UnsupportedMedia(Problem):
    status, title, slug = 415, "Not a kind of answer", "unsupported-media-type"


class Unprocessable(Problem):
    status, title, slug = 422, "Not understood", "unprocessable"


class Unavailable(Problem):
    status, title, slug = 503, "Not available now", "unavailable"


def response(problem: Problem) -> JSONResponse:
    """A problem as an answer."""
    headers = dict(problem.headers) if problem.headers else None
    return _response(problem.status, problem.title, problem.slug, problem.detail, headers)


def internal_error() -> JSONResponse:
    """The answer to a mistake of ours: nothing of the inside is told."""
    detail = (
        "Something went wrong in the server; its log says what. "
        "Try again, and if that does not help, tell your instructor."
    )
    return _response(500, "A mistake of the server", "internal", detail)


def install(app: FastAPI) -> None:
    """Let every error leave the application as a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": ProblemBody.model_json_schema()}}
    return {status: {"description": DESCRIPTIONS[status], "content": content} for status in statuses}


DESCRIPTIONS = {
    400: "The request cannot be read.",
    401: "No token, or one that is not valid.",
    403: "Only staff may do this.",
    404: "There is no such thing, or it is not yours to see.",
    413: "The body is too large.",
    415: "Neither safetensors nor JSON.",
    409: "Not in the state that this needs; the detail says which.",
    422: "The request is understood and cannot be right; the detail says what is wrong with it.",
    429: "Too fast; Retry-After says how long to wait.",
    503: "Not possible now; the detail says why.",
}


def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return response(error)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    """What pydantic found, in one sentence. The input itself is not repeated: it may hold a secret."""
    assert isinstance(error, RequestValidationError)
    found = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()[:5]]
    detail = f"{'; '.join(found)}. Correct that and send it again; /openapi.json says what is expected."
    return response(Unprocessable(detail))


NEXT_STEPS = {
    400: "The request could not be read. Check that it was sent whole and try again.",
    404: "There is nothing at this address. Check it against /openapi.json.",
    405: "This address does not take that method. /openapi.json says which ones it takes.",
}


def _http(request: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses: unknown addresses, wrong methods, bodies that broke off."""
    assert isinstance(error, HTTPException)
    detail = NEXT_STEPS.get(error.status_code, f"{error.detail}. Check the request against /openapi.json.")
    headers = dict(error.headers) if error.headers else None
    return _response(error.status_code, "The request was refused", f"http-{error.status_code}", detail, headers)


def _response(status: int, title: str, slug: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = ProblemBody(type=f"urn:dojo:problem:{slug}", title=title, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, headers, MEDIA_TYPE)
