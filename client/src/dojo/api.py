"""The server, as a Python object: one method a route, exceptions for everything that is not the answer."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx2 as httpx

from dojo.errors import (
    BadFile,
    NotADojo,
    NotFound,
    Outdated,
    Refused,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from dojo.records import Exercise, Submission, get, read_exercise, read_submission
from dojo.text import clean, printable

API = "1"
VERSION = version("backprop-dojo-client")
UPGRADE = "pip install --upgrade backprop-dojo-client"

SAFETENSORS = "application/vnd.safetensors"
LARGEST_STATE = 512 * 2**20  # bytes; a forward state of the lecture has 130,000
PAUSES = (0.2, 0.8)  # seconds between attempts after a connection failure
LONGEST_PAUSE = 15.0  # a server that asks for more patience than this is not waited for

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]*")
_LOCAL = ("localhost", "127.0.0.1", "::1")

T = TypeVar("T")

Transferred = Callable[[int, int], None]


def address_of(text: str) -> str:
    """``dojo.example.org/`` → ``https://dojo.example.org``. Without a scheme: http on this machine, https
    elsewhere."""
    text = text.strip()
    if "://" not in text:
        host = urlsplit(f"//{text}").hostname or ""
        text = f"{'http' if host in _LOCAL else 'https'}://{text}"
    parts = urlsplit(text)
    try:
        bad = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:  # a port that is no number
        bad = True
    if bad or parts.username or parts.password:
        raise BadFile(f"“{printable(text)}” is no server's address.", "Type it like this: https://dojo.example.org")
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, "", ""))


def travels_open(address: str) -> bool:
    """Whether a token sent to this address could be read on the way."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in _LOCAL


def _course(course: str) -> str:
    """The part of an address that belongs to a course."""
    if not _SLUG.fullmatch(course) or ".." in course:
        raise BadFile(f"“{printable(course)}” is no course.", "See your courses: dojo profile")
    return f"courses/{course}"


def checked_slug(slug: str) -> str:
    """An exercise's slug (topic/name): part of addresses and folder names, so nothing else may be in it."""
    parts = slug.split("/")
    if len(parts) != 2 or not all(_SLUG.fullmatch(part) and ".." not in part for part in parts):
        raise BadFile(f"“{printable(slug)}” is no exercise.", "See which there are: dojo list")
    return slug


class Server:
    """A server and the token for it. The token goes into a header, to this address and to no other: redirects
    are not followed. ``transport`` stands in for the network in tests."""

    def __init__(
        self,
        address: str,
        token: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.address = address_of(address)
        self._sleep = sleep or time.sleep
        headers = {"User-Agent": f"dojo/{VERSION}", "Dojo-API": API, "Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(
            base_url=f"{self.address}/api/v1/",
            headers=headers,
            follow_redirects=False,
            timeout=httpx.Timeout(30.0, connect=5.0),
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"Server({self.address!r})"

    def close(self) -> None:
        self._http.close()

    # -- who --------------------------------------------------------------------------------------

    def join(self, code: str, name: str) -> dict[str, Any]:
        """Make an account. Not repeated once the request may have arrived: that would make two."""
        return self._json("POST", "join", json={"code": code, "name": name}, repeatable=False)

    def me(self) -> dict[str, Any]:
        return self._json("GET", "me")

    # -- what is asked ----------------------------------------------------------------------------

    def exercises(self, course: str) -> list[Exercise]:
        answer = self._json("GET", f"{_course(course)}/exercises")
        return [read_exercise(each) for each in get(answer, "exercises", list)]

    def exercise(self, course: str, slug: str) -> Exercise:
        exercise = read_exercise(self._json("GET", f"{_course(course)}/exercises/{checked_slug(slug)}"))
        if exercise.slug != slug:
            raise NotADojo(
                f"Asked for {slug}, the server answered with another exercise.",
                "Tell your instructor about it.",
            )
        return exercise

    def instance(self, course: str, slug: str) -> dict[str, Any]:
        return self._json("GET", f"{_course(course)}/exercises/{checked_slug(slug)}/instance")

    def state(
        self, course: str, slug: str, *, have: str | None = None, transferred: Transferred | None = None
    ) -> bytes | None:
        """The forward state as safetensors bytes, or None where the one with digest ``have`` is still the
        right one.

        ``transferred(bytes so far, bytes in all or 0)`` is called as it comes.
        """
        path = f"{_course(course)}/exercises/{checked_slug(slug)}/instance/state"
        headers = {"Accept": SAFETENSORS} | ({"If-None-Match": f'"{have}"'} if have else {})
        return self._patiently(lambda: self._download(path, headers, transferred))

    # -- answers ----------------------------------------------------------------------------------

    def submit_code(self, course: str, slug: str, filename: str, source: str, *, wait: float) -> Submission:
        body = json.dumps({"filename": filename, "source": source}).encode()
        return self._submit(course, slug, body, "application/json", wait, key=str(uuid.uuid4()))

    def submit_tensors(
        self, course: str, slug: str, content: bytes, *, wait: float, key: str | None = None
    ) -> Submission:
        """``key``: the idempotency key of an earlier attempt to send the same bytes."""
        return self._submit(course, slug, content, SAFETENSORS, wait, key=key or str(uuid.uuid4()))

    def _submit(self, course: str, slug: str, body: bytes, kind: str, wait: float, *, key: str) -> Submission:
        answer = self._json(
            "POST",
            f"{_course(course)}/exercises/{checked_slug(slug)}/submissions",
            params={"wait": f"{wait:g}"},
            content=body,
            headers={"Content-Type": kind, "Idempotency-Key": key},
            timeout=30.0 + wait,
        )
        return read_submission(answer)

    def submission(self, number: int) -> Submission:
        try:
            return read_submission(self._json("GET", f"submissions/{number}"))
        except NotFound as error:
            raise NotFound(
                f"You have no submission {number}.",
                "See yours: dojo history",
                status=404,
                problem=error.problem,
            ) from error

    def submissions(self, course: str, *, exercise: str | None, limit: int) -> list[Submission]:
        params = {"limit": str(limit)} | ({"exercise": checked_slug(exercise)} if exercise else {})
        answer = self._json("GET", f"{_course(course)}/submissions", params=params)
        return [read_submission(each) for each in get(answer, "submissions", list)]

    def wait_for(
        self, submission: Submission, *, seconds: float, changed: Callable[[Submission], None] | None = None
    ) -> Submission:
        """Ask until the submission is graded or the time is over; ``changed`` sees every answer on the
        way."""
        pause, waited = 0.2, 0.0
        while submission.waiting and waited < seconds:
            if changed:
                changed(submission)
            self._sleep(pause)
            waited += pause
            pause = min(pause * 1.3, 2.0)
            submission = self.submission(submission.id)
        return submission

    # -- how it is asked --------------------------------------------------------------------------

    def _json(self, method: str, path: str, *, repeatable: bool = True, **kwargs: Any) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            with _failures(self.address):
                response = self._http.request(method, path, **kwargs)
            self._check(response)
            return _object(response, self.address)

        return self._patiently(ask, repeatable=repeatable)

    def _download(self, path: str, headers: dict[str, str], transferred: Transferred | None) -> bytes | None:
        with _failures(self.address), self._http.stream("GET", path, headers=headers) as response:
            if response.status_code == 304:
                return None
            if response.status_code != 200:
                response.read()
            self._check(response)
            content = bytearray()
            total = int(response.headers.get("Content-Length", "0") or 0)
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > LARGEST_STATE:
                    raise NotADojo("The server sends more than any forward state holds.", "Tell your instructor.")
                if transferred:
                    transferred(len(content), total)
            return bytes(content)

    def _patiently(self, ask: Callable[[], T], *, repeatable: bool = True) -> T:
        """Ask again after a connection failure, or when the server itself asks for a short pause."""
        for pause in (*PAUSES, None):
            try:
                return ask()
            except Unreachable as error:
                if pause is None or not (repeatable or isinstance(error.__cause__, httpx.ConnectError)):
                    raise
                self._sleep(pause)
            except TooManyRequests as error:
                if pause is None or error.after > LONGEST_PAUSE:
                    raise
                self._sleep(max(error.after, pause))
        raise AssertionError("unreachable")

    def _check(self, response: httpx.Response) -> None:
        """Raise what the response says, unless it is an answer."""
        if response.is_redirect:
            target = printable(response.headers.get("Location", "another address"))
            raise ServerError(
                f"{self.address} sends you on to {target}. Your token was not sent there.",
                f"If that is where the course is now, ask your instructor, then type: dojo login {target}",
            )
        _shake_hands(response, self.address)
        if response.is_success:
            return
        raise _refusal(response, self.address)


@contextmanager
def _failures(address: str) -> Iterator[None]:
    """Turn the network's exceptions into Unreachable."""
    try:
        yield
    except httpx.TransportError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise Unreachable(
                f"The certificate of {address} is not trusted, so nothing was sent.",
                "Check the address. For a course's own certificate: SSL_CERT_FILE=its-ca.pem dojo …",
            ) from error
        late = isinstance(error, httpx.TimeoutException)
        raise Unreachable(
            f"{address} {'did not answer in time' if late else 'could not be reached'}.",
            "Check the connection and the address (dojo profile), then type the same again.",
        ) from error


def _shake_hands(response: httpx.Response, address: str) -> None:
    """Compare the versions of the API, so that an old client is told what to do instead of breaking later."""
    theirs = response.headers.get("Dojo-API")
    if theirs is None or theirs == API:
        return
    if theirs.isdecimal() and int(theirs) > int(API):
        raise Outdated(
            f"{address} speaks version {theirs} of the API, and this dojo speaks version {API}.",
            f"Upgrade: {UPGRADE}",
        )
    raise Outdated(
        f"{address} speaks version {printable(theirs)} of the API, and this dojo speaks version {API}.",
        "The server is the older one: ask your instructor to upgrade it.",
    )


def _object(response: httpx.Response, address: str) -> dict[str, Any]:
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise NotADojo(
            f"Something at {address} answers, but it is no Backprop Dojo server.",
            "Check the address that your instructor gave you, then type: dojo join ADDRESS CODE --name NAME",
        )
    return dict(clean(answer))


def _refusal(response: httpx.Response, address: str) -> ServerError:
    """A problem document (RFC 9457) as an exception."""
    status = response.status_code
    problem: Mapping[str, Any] = {}
    if "json" in response.headers.get("Content-Type", ""):
        problem = _object(response, address)
    title = problem.get("title") if isinstance(problem.get("title"), str) else None
    detail = problem.get("detail") if isinstance(problem.get("detail"), str) else None
    kind = problem["type"] if isinstance(problem.get("type"), str) else "about:blank"
    message = detail or title or f"{address} answered {status} {printable(response.reason_phrase)}."
    if status == 401:
        step = "" if detail else "Type: dojo join ADDRESS CODE --name NAME, or with a token: dojo login ADDRESS"
        return Unauthorized(message, step, status=status, problem=kind)
    if status == 404:
        if not problem:
            return NotADojo(f"There is no Backprop Dojo at {address}.", "Check the address: dojo profile")
        return NotFound(message, "", status=status, problem=kind)
    if status == 426:
        return Outdated(message, f"Upgrade: {UPGRADE}")
    if status == 429 or (status == 503 and "Retry-After" in response.headers):
        after = response.headers.get("Retry-After", "")
        seconds = float(after) if after.isdecimal() else 1.0
        return TooManyRequests(message, "" if detail else "Wait a little.", after=seconds, problem=kind)
    if status >= 500:
        return Unreachable(message, "" if detail else "This is the server's fault. Try again in a minute.")
    return Refused(message, "", status=status, problem=kind)
