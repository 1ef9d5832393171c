"""Requests over HTTP: repeated if that is safe, and every answer limited and checked before it is used.

Answers are read piece by piece, and no more of them than ``Network`` says. They come uncompressed, because the client
asks for that: a compressed one is refused before it is read, for its size cannot be known.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2 as httpx

from dojo.api.addresses import server_address
from dojo.errors import (
    BadFile,
    DojoError,
    NotADojo,
    NotFound,
    NotJoined,
    Outdated,
    Refused,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from dojo.text import foreign_json, printable

API_VERSION = "1"
VERSION = version("backprop-dojo-client")
EVENT_STREAM = "text/event-stream"
RETRY_PAUSES = (0.2, 0.8)  # seconds between attempts after a connection failure
PROBLEM_CHARACTERS_MAX = 2000  # of a server's explanation
READ_BYTES = 64 * 1024  # a piece of an answer
SILENCE_SECONDS = 30.0  # a stream that sends nothing for so long is broken; the server sends comments in between
PROBLEM = "urn:dojo:problem:"  # before the name of a kind of problem
ADVICE = {
    "unknown-exercise": "See which there are: dojo list",
    "not-assigned": "See what it asks for: dojo list",
    "unknown-submission": "See yours: dojo history",
    "unknown-training-run": "See yours: dojo train --history",
    "unknown-course": "See yours: dojo profile",
}
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
    answer_bytes_max: int = 64 * 2**20  # of a forward state; the lecture's has 0.5 MB
    json_bytes_max: int = 8 * 2**20  # of everything else; a thousand submissions have 1 MB


class HttpClient:
    """One server, asked with one token. Redirects are not followed, so the token goes to no other address."""

    def __init__(self, address: str, token: str | None, network: Network) -> None:
        self.address = address
        self.network = network
        headers = {"User-Agent": f"dojo/{VERSION}", "Dojo-API": API_VERSION, "Accept": "application/json"}
        headers["Accept-Encoding"] = "identity"
        if token is not None:
            if not token.isascii() or not token.isprintable():
                raise NotJoined("The token holds letters that no token has.", f"Type: dojo login {address}")
            headers["Authorization"] = f"Bearer {token}"
        with _explained_settings(address):
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
            with _as_unreachable(self.address), self.http.stream(method, path, **kwargs) as response:
                content = self._read(response, self.network.json_bytes_max)
            self._check(response, content)
            return _json_object(content, self.address)

        return self._with_retries(send, repeatable=repeatable)

    def download(self, path: str, headers: dict[str, str], transferred: Transferred | None) -> bytes | None:
        """Return the bytes of an answer, or None if it has not changed (304).

        :raises ServerError: the server refused, or could not be reached, or sent too much
        """
        return self._with_retries(lambda: self._download(path, headers, transferred))

    def file(self, path: str) -> tuple[bytes, str]:
        """Return the bytes of an answer, and the name that the server gives them.

        :raises ServerError: the server refused, or could not be reached, or sent too much
        """

        def send() -> tuple[bytes, str]:
            with _as_unreachable(self.address), self.http.stream("GET", path, headers={"Accept": "*/*"}) as response:
                content = self._read(response, self.network.answer_bytes_max)
            self._check(response, content)
            _, _, name = response.headers.get("Content-Disposition", "").partition("filename*=UTF-8''")
            return content, printable(unquote(name))

        return self._with_retries(send)

    def events(self, path: str, *, seconds: float) -> Iterator[dict[str, Any]]:
        """Yield the JSON objects of a stream of Server-Sent Events, until it ends or the time is over.

        :raises Unreachable: the stream broke, or was silent for too long
        :raises ServerError: the server refused, or sent something else
        """
        deadline = self.network.now() + seconds
        timeout = httpx.Timeout(min(seconds, SILENCE_SECONDS), connect=5.0)
        request = self.http.stream("GET", path, headers={"Accept": EVENT_STREAM}, timeout=timeout)
        with _as_unreachable(self.address), request as response:
            self._check(response, b"" if response.is_success else self._read(response, self.network.json_bytes_max))
            if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != EVENT_STREAM:
                raise NotADojo(f"{self.address} sends no events.", "Tell your instructor.")
            self._refuse_compressed(response)
            assert isinstance(response.stream, httpx.SyncByteStream)
            limit = self.network.json_bytes_max
            response.stream = _LimitedStream(response.stream, deadline, self.network.now, limit)
            for event in httpx.EventSource(response):
                if event.data:
                    yield _json_object(event.data, self.address)

    def _download(self, path: str, headers: dict[str, str], transferred: Transferred | None) -> bytes | None:
        with _as_unreachable(self.address), self.http.stream("GET", path, headers=headers) as response:
            if response.status_code == 304:
                return None
            if not response.is_success:
                self._check(response, self._read(response, self.network.json_bytes_max))
            content = self._read(response, self.network.answer_bytes_max, transferred)
            self._check(response, b"")
            return content

    def _read(self, response: httpx.Response, bytes_max: int, transferred: Transferred | None = None) -> bytes:
        """Return the bytes of an answer.

        :raises NotADojo: they are compressed, or too many
        """
        self._refuse_compressed(response)
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() and len(length) < 16 else 0
        content = bytearray()
        for chunk in response.iter_bytes(READ_BYTES):
            content += chunk
            if len(content) > bytes_max:
                break
            if transferred:
                transferred(len(content), total)
        if max(len(content), total) > bytes_max:
            raise NotADojo(
                f"{self.address} sends more than any answer of a Backprop Dojo server holds.",
                "Check the address (dojo profile), or tell your instructor.",
            )
        return bytes(content)

    def _refuse_compressed(self, response: httpx.Response) -> None:
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise NotADojo(
                f"{self.address} sends a compressed answer, which no Backprop Dojo server does.",
                "Check the address (dojo profile), or tell your instructor.",
            )

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

    def _check(self, response: httpx.Response, content: bytes) -> None:
        """Raise the error that the response stands for, if any."""
        if response.is_redirect:
            raise _redirected(response, self.address)
        _check_version(response, self.address)
        if not response.is_success:
            raise _refusal(response, content, self.address)


class _LimitedStream(httpx.SyncByteStream):
    """A stream of bytes that ends at a deadline, also if nothing but comments comes, and after so many bytes."""

    def __init__(self, stream: httpx.SyncByteStream, deadline: float, now: Callable[[], float], bytes_max: int) -> None:
        self._stream = stream
        self._deadline = deadline
        self._now = now
        self._bytes_left = bytes_max

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            self._bytes_left -= len(chunk)
            if self._bytes_left < 0:
                return
            yield chunk
            if self._now() >= self._deadline:
                return

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()


@contextmanager
def _explained_settings(address: str) -> Iterator[None]:
    """Turn what is wrong with the environment's proxies and certificates into errors with a next step."""
    try:
        yield
    except ImportError as error:  # of socksio
        raise BadFile(
            f"{_proxy_in_words(address)} is a SOCKS proxy, for which a package is missing.",
            "Type: pip install 'httpx2[socks]'   Or do without it: NO_PROXY='*' dojo …",
        ) from error
    except (ssl.SSLError, FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise BadFile(
            "The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read.",
            "Name a file of certificates, or unset the variable.",
        ) from error
    except (ValueError, httpx.InvalidURL, UnicodeError) as error:
        raise BadFile(
            f"{_proxy_in_words(address)} or the address {address} cannot be used ({printable(str(error))}).",
            "Look at the variables HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, and at the address: dojo profile",
        ) from error


def _proxy(address: str) -> str | None:
    """Return the proxy that the environment names for an address, without its password, or None."""
    parts = urlsplit(address)
    proxies = getproxies()
    name = proxies.get(parts.scheme) or proxies.get("all")
    if not name or proxy_bypass(parts.hostname or ""):
        return None
    return printable(name.rpartition("@")[2] if "@" in name else name)


def _proxy_in_words(address: str) -> str:
    return f"The proxy {_proxy(address) or 'of the environment'}"


@contextmanager
def _as_unreachable(address: str) -> Iterator[None]:
    """Turn the network's exceptions into Unreachable."""
    try:
        yield
    except httpx.TransportError as error:
        raise _unreachable(address, error) from error
    except (httpx.InvalidURL, httpx.HTTPError, UnicodeError) as error:
        raise NotADojo(
            f"{address} cannot be asked, or answers with something that is no HTTP.",
            "Check the address that your instructor gave you: dojo profile",
        ) from error


def _unreachable(address: str, error: httpx.TransportError) -> DojoError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Unreachable(
            f"The certificate of {address} is not trusted, so nothing was sent.",
            "Check the address. For a course's own certificate: SSL_CERT_FILE=its-ca.pem dojo …",
        )
    is_late = isinstance(error, httpx.TimeoutException)
    problem = "did not answer in time" if is_late else "could not be reached"
    proxy = _proxy(address)
    if proxy is not None:
        return Unreachable(
            f"{address} {problem} through the proxy {proxy}.",
            "Check the proxy, or go without it: NO_PROXY='*' dojo …",
        )
    return Unreachable(
        f"{address} {problem}.",
        "Check the connection and the address (dojo profile), then type the same again.",
    )


def _redirected(response: httpx.Response, address: str) -> ServerError:
    try:
        location = server_address(response.headers.get("Location", ""))
    except BadFile:
        location = ""
    return ServerError(
        f"{address} redirects to {location or 'another address'}. Your token was not sent there.",
        f"If the course has moved there, ask your instructor, then type: dojo login {location or 'ADDRESS'}",
    )


def _check_version(response: httpx.Response, address: str) -> None:
    """Compare the versions of the API, so that an old client says what to do instead of failing later."""
    theirs = response.headers.get("Dojo-API")
    if theirs is None or theirs == API_VERSION:
        return
    message = f"{address} speaks version {printable(theirs)} of the API, and this dojo speaks version {API_VERSION}."
    if re.fullmatch(r"[0-9]{1,6}", theirs) and int(theirs) > int(API_VERSION):
        raise Outdated(message, _upgrade(address))
    raise Outdated(message, "The server is the older one: ask your instructor to upgrade it.")


def _upgrade(address: str) -> str:
    """Return how to get the client that the server hands out."""
    return f"Install the client of this server, as {address}/client says."


def _json_object(text: str | bytes, address: str) -> dict[str, Any]:
    try:
        answer = foreign_json(text)
    except ValueError:
        raise _no_dojo(address) from None
    if not isinstance(answer, dict):
        raise _no_dojo(address)
    return answer


def _no_dojo(address: str) -> NotADojo:
    return NotADojo(
        f"Something at {address} answers, but it is no Backprop Dojo server.",
        "Check the address that your instructor gave you, then type: dojo join ADDRESS CODE --name NAME",
    )


def _refusal(response: httpx.Response, content: bytes, address: str) -> ServerError:
    """Return a problem document (RFC 9457) as an exception."""
    status = response.status_code
    problem: Mapping[str, Any] = {}
    if "json" in response.headers.get("Content-Type", ""):
        problem = _json_object(content, address)
    title, detail, kind = (
        value[:PROBLEM_CHARACTERS_MAX] if isinstance(value, str) else None
        for value in map(problem.get, ("title", "detail", "type"))
    )
    kind = kind or "about:blank"
    plain = problem.get("message")  # the detail without what to do by the API, which nobody types here
    if isinstance(plain, str):
        detail = plain[:PROBLEM_CHARACTERS_MAX]
    message = detail or title or f"{address} answered {status} {printable(response.reason_phrase)}."
    advice = _advice(kind, address)
    if status == 401:
        message = message.replace("dojo login ADDRESS", f"dojo login {address}")  # which a server does not know
        next_step = (
            "" if detail else f"Type: dojo join {address} CODE --name NAME, or with a token: dojo login {address}"
        )
        return Unauthorized(message, next_step, status=status, problem=kind)
    if status == 404:
        if not problem:
            return NotADojo(f"There is no Backprop Dojo at {address}.", "Check the address: dojo profile")
        return NotFound(message, advice, status=status, problem=kind)
    if status == 426:
        return Outdated(message, _upgrade(address))
    if status == 429 or (status == 503 and "Retry-After" in response.headers):
        retry_after = response.headers.get("Retry-After", "")
        pause_seconds = float(retry_after) if re.fullmatch(r"[0-9]{1,9}", retry_after) else 1.0
        next_step = "" if detail else "Wait a little."
        return TooManyRequests(message, next_step, pause_seconds=pause_seconds, problem=kind)
    if status >= 500:
        return Unreachable(message, "" if detail else "This is the server's fault. Try again in a minute.")
    return Refused(message, advice, status=status, problem=kind)


def _advice(kind: str, address: str) -> str:
    """Return what to type after a kind of problem, where the server says only what to do by the API."""
    if kind in (f"{PROBLEM}http-404", f"{PROBLEM}http-405"):  # the path, not the thing: the versions differ
        return f"The server and this dojo may not fit together. {_upgrade(address)}"
    return ADVICE.get(kind.removeprefix(PROBLEM), "")
