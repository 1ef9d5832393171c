"""A browser without scripts: it keeps cookies, and sends forms as the pages have them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
from starlette.testclient import TestClient

from server.http.token_gate import SESSION_COOKIE
from server.pages.forms import FIELD

TOKEN = re.compile(r'<meta name="form-token" content="([^"]*)">')
CHANCE = re.compile(r'"[\w-]{86}=="')


def without_chance(page: str) -> str:
    """Return a page without the numbers of its forms: they are drawn anew each time, and may spell a short name."""
    return CHANCE.sub('""', page)


@dataclass
class Window:
    """A window of such a browser."""

    client: TestClient

    @property
    def session(self) -> str | None:
        """The token of its session."""
        return self.client.cookies.get(SESSION_COOKIE)

    def open(self, path: str, **more: Any) -> httpx.Response:
        """Open a page, without going where it leads."""
        return self.client.get(path, **more)

    def form_token(self, on: str = "/account") -> str:
        """Return the number that the forms of a page hold."""
        found = TOKEN.search(self.open(on).text)
        return found.group(1) if found else ""

    def send(self, path: str, on: str = "/account", headers: dict[str, str] | None = None, **fields: str) -> Any:
        """Send a form of a page."""
        return self.client.post(path, data={FIELD: self.form_token(on), **fields}, headers=headers or {})
