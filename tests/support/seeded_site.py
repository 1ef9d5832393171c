"""The seeded class on a server that listens, for browsers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page
from pydantic import SecretStr

from server.settings import Settings
from tests.support.application import create_app
from tests.support.browser import Visitor
from tests.support.listening import listening
from tests.support.servers import FakeSandbox

SECRET = "0123456789abcdef" * 4


@dataclass(frozen=True)
class SeededSite:
    """A server with the class, and the tokens of those who look, by who they are."""

    address: str
    tokens: dict[str, str]

    def open(self, visitor: Visitor, path: str, who: str, press: str | None = None) -> Page:
        """Open a page as one of them, and press a button that leads to another."""
        visitor.context.clear_cookies()
        if who != "nobody":
            visitor.sign_in(self.tokens[who])
        page = visitor.open(path)
        if press is not None:
            with page.expect_navigation():
                page.get_by_role("button", name=press).first.click()
        return page


@contextmanager
def serve(folder: Path, tokens: dict[str, str]) -> Iterator[SeededSite]:
    """Serve the class whose database is ``dojo.db`` in a folder."""
    settings = Settings(
        data=folder,
        database_url=SecretStr(f"sqlite:///{folder}/dojo.db"),
        secret=SecretStr(SECRET),
        children=1,
    )
    with listening(create_app(settings, FakeSandbox().code_runner())) as address:
        yield SeededSite(address, tokens)
