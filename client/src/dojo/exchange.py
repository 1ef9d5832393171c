"""Requests and answers over HTTP: asked again where that is safe, refused where they are not what was promised."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar

import httpx2 as httpx

from dojo.errors import NotADojo, NotFound, Outdated, Refused, ServerError, TooManyRequests, Unauthorized, Unreachable
from dojo.text import clean, printable

API = "1"
VERSION = version("backprop-dojo-client")
UPGRADE = "pip install --upgrade backprop-dojo-client"

EVENTS = "text/event-stream"
PAUSES = (0.2, 0.8)  # seconds between attempts after a connection failure
SILENCE = 30.0  # seconds without a line, after which a stream is broken
LONGEST_PAUSE = 15.0  # a server that asks for more patience than this is not waited for

T = TypeVar("T")

Transferred = Callable[[int, int], None]


@dataclass(frozen=True)
class Network:
    """How requests travel, and how time passes while one waits. Tests pass their own."""

    transport: httpx.BaseTransport | None = None
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    answer_bytes_max: int = 512 * 2**20  # a forward state of the lecture has 130,000


class Exchange:
    """One server, asked with one token. Redirects are not followed: the token goes to this address alone."""

    def __init__(self, address: str, token: str | None, network: Network) -> None:
        self.address = address
        self.network = network
        headers = {"User-Agent": f"dojo/{VERSION}", "Dojo-API": API, "Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self.http = httpx.Client(
            base_url=f"{address}/api/v1/",
            headers=headers,
            follow_redirects=False,
            timeout=httpx.Timeout(30.0, connect=5.0),
            transport=network.transport,
        )

    def json(self, method: str, path: str, *, repeatable: bool = True, **kwargs: Any) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            with _failures(self.address):
                response = self.http.request(method, path, **kwargs)
            self._check(response)
            return _object(response.content, self.address)

        return self._patiently(ask, repeatable=repeatable)

    def download(self, path: str, headers: dict[str, str], transferred: Transferred | None) -> bytes | None:
        """The bytes of an answer, or None where it has not changed (304). ``transferred(bytes so far, bytes in all or
        0)`` is called as they come."""
        return self._patiently(lambda: self._download(path, headers, transferred))

    def events(self, path: str, *, seconds: float) -> Iterator[dict[str, Any]]:
        """The documents of a stream of Server-Sent Events, until it ends or the time is over. Raises Unreachable
        where it breaks, or says nothing for too long: there are comments in between."""
        over = self.network.now() + seconds
        headers = {"Accept": EVENTS}
        timeout = httpx.Timeout(min(seconds, SILENCE), connect=5.0)
        with _failures(self.address), self.http.stream("GET", path, headers=headers, timeout=timeout) as response:
            if response.status_code != 200:
                response.read()
            self._check(response)
            if not response.headers.get("Content-Type", "").startswith(EVENTS):
                raise NotADojo(f"{self.address} sends no events.", "Tell your instructor.")
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield _object(line.removeprefix("data:"), self.address)
                if self.network.now() >= over:
                    return

    def _download(self, path: str, headers: dict[str, str], transferred: Transferred | None) -> bytes | None:
        with _failures(self.address), self.http.stream("GET", path, headers=headers) as response:
            if response.status_code == 304:
                return None
            if response.status_code != 200:
                response.read()
            self._check(response)
            content = bytearray()
            total = int(response.headers.get("Content-Length", "0") or 0)
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > self.network.answer_bytes_max:
                    raise NotADojo("The server sends more than any answer holds.", "Tell your instructor.")
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
                self.network.sleep(pause)
            except TooManyRequests as error:
                if pause is None or error.after > LONGEST_PAUSE:
                    raise
                self.network.sleep(max(error.after, pause))
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


def _object(text: str | bytes, address: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
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
        problem = _object(response.content, address)
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
