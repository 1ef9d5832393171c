"""A test client that takes no answer which ``/openapi.json`` does not tell."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
from fastapi import FastAPI
from starlette.routing import compile_path
from starlette.testclient import TestClient


class DocumentedClient(TestClient):
    """Fails in the test that gets an undocumented status, so that each test of a refusal is one of its documentation.

    ``make api-test`` asks at random; a test that knows how to be refused finds what chance finds one time in ten.
    """

    def __init__(self, app: FastAPI, **more: Any) -> None:
        super().__init__(app, **more)
        self.documented = [
            (compile_path(path)[0], {method.upper(): set(each["responses"]) for method, each in operations.items()})
            for path, operations in app.openapi()["paths"].items()
        ]

    def send(self, request: httpx.Request, **more: Any) -> httpx.Response:
        """Send a request.

        :raises AssertionError: its route may not answer so
        """
        answer = super().send(request, **more)
        for each in [*answer.history, answer]:
            method, path = each.request.method, each.request.url.path
            statuses = self._statuses(method, path)
            assert statuses is None or str(each.status_code) in statuses, (
                f"{method} {path} answers {each.status_code}, which is not documented"
            )
        return answer

    def _statuses(self, method: str, path: str) -> set[str] | None:
        """Return what the first route of an address and a method may answer; None if there is no such route."""
        found = (methods[method] for pattern, methods in self.documented if method in methods and pattern.match(path))
        return next(found, None)
