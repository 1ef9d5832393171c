"""A guest: somebody who speaks HTTP with the server, over one connection that stays open. No library: what is measured
is the server."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

# The server closes connections that were idle for 5 seconds.
IDLE_SECONDS = 4.0


@dataclass(frozen=True)
class Reply:
    """What came back, and how many seconds after the first byte was sent its last one was there."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body as data."""
        return json.loads(self.body)


class Guest:
    """One account of a server, on one connection. Not for two threads."""

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self._connection = HTTPConnection(*address, timeout=60)
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._used = 0.0

    def get(self, path: str) -> Reply:
        """GET as this account."""
        return self._request("GET", path, None, {})

    def submit_code(self, address: str, source: str, *, wait: float = 30, key: str | None = None) -> Reply:
        """Hand in code to ``address`` and wait for its grade; ``key`` is an Idempotency-Key."""
        body = json.dumps({"filename": "solution.py", "source": source}).encode()
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        return self._request("POST", f"{address}?wait={wait:g}", body, headers)

    def submit_tensors(self, address: str, content: bytes, *, key: str | None = None) -> Reply:
        """Hand in a safetensors file to ``address``."""
        headers = {"Content-Type": "application/vnd.safetensors"} | ({"Idempotency-Key": key} if key else {})
        return self._request("POST", address, content, headers)

    def post(self, path: str) -> Reply:
        """POST without a body."""
        return self._request("POST", path, b"", {})

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        if time.monotonic() - self._used > IDLE_SECONDS:
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
        self._used = time.monotonic()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content, seconds)
