"""Requests over HTTP: repeated if that is safe, and every answer checked before it is used."""

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
from dojo.text import printable, printable_json

API_VERSION = "1"
VERSION = version("backprop-dojo-client")
UPGRADE_COMMAND = "pip install --upgrade backprop-dojo-client"

EVENT_STREAM = "text/event-stream"
RETRY_PAUSES = (0.2, 0.8)  # seconds between attempts after a connection failure
SILENCE_SECONDS = 30.0  # a stream that sends nothing for so long is broken; the server sends comments in between
PAUSE_SECONDS_MAX = 15.0  # if the server asks for a longer pause, the command ends with its message

T = TypeVar("T")

Transferred = Callable[[int, int], None]
"""Called during a download with the bytes so far and the bytes in all (0 if unknown)."""


@dataclass(frozen=True)
class Network:
    """How requests travel and how waiting passes the time. Tests pass their own."""

    transport: httpx.BaseTransport | None = None
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    answer_bytes_max: int = 512 * 2**20  # the lecture's forward state has 130,000


class HttpClient:
    """One server, asked with one token. Redirects are not followed, so the token goes to no other address."""

    def __init__(self, address: str, token: str | None, network: Network) -> None:
        self.address = address
        self.network = network
        headers = {"User-Agent": f"dojo/{VERSION}", "Dojo-API": API_VERSION, "Accept": "application/json"}
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
        """Send a request and return the JSON object that answers it.

        :raises ServerError: the server refused, or could not be reached, or is no dojo
        """

        def send() -> dict[str, Any]:
            with _as_unreachable(self.address):
                response = self.http.request(method, path, **kwargs)
            self._check(response)
            return _json_object(response.content, self.address)

        return self._with_retries(send, repeatable=repeatable)

    def download(self, path: str, headers: dict[str, str], transferred: Transferred | None) -> bytes | None:
        """Return the bytes of an answer, or None if it has not changed (304).

        :raises ServerError: the server refused, or could not be reached, or sent too much
        """
        return self._with_retries(lambda: self._download(path, headers, transferred))

    def events(self, path: str, *, seconds: float) -> Iterator[dict[str, Any]]:
        """Yield the JSON objects of a stream of Server-Sent Events, until it ends or the time is over.

        :raises Unreachable: the stream broke, or was silent for too long
        :raises ServerError: the server refused, or sent something else
        """
        deadline = self.network.now() + seconds
        timeout = httpx.Timeout(min(seconds, SILENCE_SECONDS), connect=5.0)
        request = self.http.stream("GET", path, headers={"Accept": EVENT_STREAM}, timeout=timeout)
        with _as_unreachable(self.address), request as response:
            if response.status_code != 200:
                response.read()
            self._check(response)
            if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != EVENT_STREAM:
                raise NotADojo(f"{self.address} sends no events.", "Tell your instructor.")
            assert isinstance(response.stream, httpx.SyncByteStream)
            response.stream = _StreamUntil(response.stream, deadline, self.network.now)
            for event in httpx.EventSource(response):
                if event.data:
                    yield _json_object(event.data, self.address)

    def _download(self, path: str, headers: dict[str, str], transferred: Transferred | None) -> bytes | None:
        with _as_unreachable(self.address), self.http.stream("GET", path, headers=headers) as response:
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

    def _with_retries(self, send: Callable[[], T], *, repeatable: bool = True) -> T:
        """Send again after a connection failure, or after the short pause that the server asks for."""
        for pause in (*RETRY_PAUSES, None):
            try:
                return send()
            except Unreachable as error:
                if pause is None or not (repeatable or isinstance(error.__cause__, httpx.ConnectError)):
                    raise
                self.network.sleep(pause)
            except TooManyRequests as error:
                if pause is None or error.pause_seconds > PAUSE_SECONDS_MAX:
                    raise
                self.network.sleep(max(error.pause_seconds, pause))
        raise AssertionError("unreachable")

    def _check(self, response: httpx.Response) -> None:
        """Raise the error that the response stands for, if any."""
        if response.is_redirect:
            location = printable(response.headers.get("Location", "another address"))
            raise ServerError(
                f"{self.address} redirects to {location}. Your token was not sent there.",
                f"If the course has moved there, ask your instructor, then type: dojo login {location}",
            )
        _check_version(response, self.address)
        if not response.is_success:
            raise _refusal(response, self.address)


class _StreamUntil(httpx.SyncByteStream):
    """A stream of bytes that ends at a deadline, also if nothing but comments comes."""

    def __init__(self, stream: httpx.SyncByteStream, deadline: float, now: Callable[[], float]) -> None:
        self._stream = stream
        self._deadline = deadline
        self._now = now

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            yield chunk
            if self._now() >= self._deadline:
                return

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()


@contextmanager
def _as_unreachable(address: str) -> Iterator[None]:
    """Turn the network's exceptions into Unreachable."""
    try:
        yield
    except httpx.TransportError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise Unreachable(
                f"The certificate of {address} is not trusted, so nothing was sent.",
                "Check the address. For a course's own certificate: SSL_CERT_FILE=its-ca.pem dojo …",
            ) from error
        is_late = isinstance(error, httpx.TimeoutException)
        raise Unreachable(
            f"{address} {'did not answer in time' if is_late else 'could not be reached'}.",
            "Check the connection and the address (dojo profile), then type the same again.",
        ) from error


def _check_version(response: httpx.Response, address: str) -> None:
    """Compare the versions of the API, so that an old client says what to do instead of failing later."""
    theirs = response.headers.get("Dojo-API")
    if theirs is None or theirs == API_VERSION:
        return
    message = f"{address} speaks version {printable(theirs)} of the API, and this dojo speaks version {API_VERSION}."
    if theirs.isdecimal() and int(theirs) > int(API_VERSION):
        raise Outdated(message, f"Upgrade: {UPGRADE_COMMAND}")
    raise Outdated(message, "The server is the older one: ask your instructor to upgrade it.")


def _json_object(text: str | bytes, address: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise NotADojo(
            f"Something at {address} answers, but it is no Backprop Dojo server.",
            "Check the address that your instructor gave you, then type: dojo join ADDRESS CODE --name NAME",
        )
    return dict(printable_json(answer))


def _refusal(response: httpx.Response, address: str) -> ServerError:
    """Return a problem document (RFC 9457) as an exception."""
    status = response.status_code
    problem: Mapping[str, Any] = {}
    if "json" in response.headers.get("Content-Type", ""):
        problem = _json_object(response.content, address)
    title = problem.get("title") if isinstance(problem.get("title"), str) else None
    detail = problem.get("detail") if isinstance(problem.get("detail"), str) else None
    kind = problem["type"] if isinstance(problem.get("type"), str) else "about:blank"
    message = detail or title or f"{address} answered {status} {printable(response.reason_phrase)}."
    if status == 401:
        next_step = "" if detail else "Type: dojo join ADDRESS CODE --name NAME, or with a token: dojo login ADDRESS"
        return Unauthorized(message, next_step, status=status, problem=kind)
    if status == 404:
        if not problem:
            return NotADojo(f"There is no Backprop Dojo at {address}.", "Check the address: dojo profile")
        return NotFound(message, "", status=status, problem=kind)
    if status == 426:
        return Outdated(message, f"Upgrade: {UPGRADE_COMMAND}")
    if status == 429 or (status == 503 and "Retry-After" in response.headers):
        retry_after = response.headers.get("Retry-After", "")
        pause_seconds = float(retry_after) if retry_after.isdecimal() else 1.0
        next_step = "" if detail else "Wait a little."
        return TooManyRequests(message, next_step, pause_seconds=pause_seconds, problem=kind)
    if status >= 500:
        return Unreachable(message, "" if detail else "This is the server's fault. Try again in a minute.")
    return Refused(message, "", status=status, problem=kind)
