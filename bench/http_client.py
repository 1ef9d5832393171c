"""An HTTP client on one open connection. It uses no library, because what is measured is the server."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

IDLE_SECONDS_MAX = 4.0  # the server closes connections that were idle for 5 seconds


@dataclass(frozen=True)
class Reply:
    """What the server sent. ``seconds`` are from the first byte sent to the last byte received."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        """Return the body as data."""
        return json.loads(self.body)


class HttpClient:
    """One account of a server, on one connection. Not for two threads."""

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self._connection = HTTPConnection(*address, timeout=60)
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._last_used = 0.0

    def get(self, path: str) -> Reply:
        """Send GET as this account."""
        return self._request("GET", path, None, {})

    def submit_code(self, path: str, source: str, *, wait: float = 30, key: str | None = None) -> Reply:
        """Hand in code and wait for its grade. ``key`` is an Idempotency-Key."""
        body = json.dumps({"filename": "solution.py", "source": source}).encode()
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        return self._request("POST", f"{path}?wait={wait:g}", body, headers)

    def submit_tensors(self, path: str, content: bytes, *, key: str | None = None) -> Reply:
        """Hand in a safetensors file. ``key`` is an Idempotency-Key."""
        headers = {"Content-Type": "application/vnd.safetensors"} | ({"Idempotency-Key": key} if key else {})
        return self._request("POST", path, content, headers)

    def check_code(self, path: str, source: str) -> Reply:
        """Check code live: it is graded, and nothing is kept."""
        body = json.dumps({"filename": "solution.py", "source": source}).encode()
        return self._request("POST", path, body, {"Content-Type": "application/json"})

    def post_json(self, path: str, body: object) -> Reply:
        """Send POST with a body of JSON."""
        return self._request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def post(self, path: str) -> Reply:
        """Send POST without a body."""
        return self._request("POST", path, b"", {})

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        if time.monotonic() - self._last_used > IDLE_SECONDS_MAX:
            self._connection.close()
        begun = time.perf_counter()
        try:
            self._connection.request(method, path, body, self._authorization | headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            self._connection.close()
            raise
        seconds = time.perf_counter() - begun
        self._last_used = time.monotonic()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content, seconds)
