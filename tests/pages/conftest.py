"""A server with a course on a port of its own, and people at browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser
from pydantic import SecretStr
from starlette.testclient import TestClient

from server.accounts import accounts
from server.courses import courses
from server.database.engine import Database
from server.http.token_gate import SESSION_COOKIE
from server.people import invitations, people
from server.services import ServerServices
from server.settings import Settings
from server.tables import CourseRow, Role
from tests.support import browser as browsers
from tests.support.application import create_app
from tests.support.browser import Visitor
from tests.support.listening import listening
from tests.support.migrated import Migrated
from tests.support.servers import COURSE, FakeSandbox, RunningServer, join_code_of
from tests.support.training import small_trainer
from tests.support.windows import Window


@dataclass(frozen=True)
class Site:
    """A server that listens, with a course."""

    address: str
    services: ServerServices
    sandbox: FakeSandbox
    join_code: str
    instructor_token: str

    def enrol(self, name: str, role: Role = Role.STUDENT, section: str | None = None) -> str:
        """Give somebody a seat; return their token."""
        with self.services.database.writing() as session:
            course = session.get_one(CourseRow, 1)
            return courses.enrol(session, course, name, role, section).token

    def invite(self, name: str) -> str:
        """Put somebody on the roster; return what stands behind ``#`` in their personal link."""
        with self.services.database.writing() as session:
            course = session.get_one(CourseRow, 1)
            account = courses.enrol(session, course, name, Role.STUDENT).account
            accounts.revoke_tokens(session, account.id)
            return invitations.invite_new(session, [people.get_person(session, course, account.id)])[0]

    def make_admin(self, name: str = "Root") -> str:
        """Return the token of a new admin."""
        with self.services.database.writing() as session:
            account = accounts.open_account(session, name)
            account.is_admin = True
            return accounts.issue_token(session, account.id)


@pytest.fixture(scope="module")  # while it runs, its driver has an event loop in this thread, and others may have none
def chromium() -> Iterator[Browser]:
    """A browser without a window; skips where there is none."""
    try:
        with browsers.chromium() as browser:
            yield browser
    except browsers.BrowserMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    """What fills empty databases."""
    return Migrated(tmp_path_factory.mktemp("migrated"))


@dataclass(frozen=True)
class Opened:
    """A server that was not started yet, with a course."""

    app: FastAPI
    sandbox: FakeSandbox
    join_code: str
    instructor_token: str


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, migrated: Migrated) -> Opened:
    """A server with a course. Its sandbox runs code in this process."""
    folder: Path = tmp_path_factory.mktemp("site")
    settings = Settings(
        data=folder,
        database_url=SecretStr(f"sqlite:///{folder}/dojo.db"),
        secret=SecretStr("0123456789abcdef" * 4),
        children=1,
    )
    migrated.fill(settings.url)
    database = Database(settings.url)
    with database.writing() as session:
        course = courses.open_course(session, COURSE, "Becoming a backprop ninja")
        instructor = courses.enrol(session, course, "Quinn", Role.INSTRUCTOR)
        code = join_code_of(session, course)
    database.close()
    sandbox = FakeSandbox()
    app = create_app(settings, sandbox.code_runner(), trainer=lambda: small_trainer(folder))
    return Opened(app, sandbox, code, instructor.token)


@pytest.fixture(scope="module")
def site(opened: Opened) -> Iterator[Site]:
    """A server for the tests of a file, on a port of its own."""
    with listening(opened.app) as address:
        yield Site(address, opened.app.state.services, opened.sandbox, opened.join_code, opened.instructor_token)


@pytest.fixture(scope="module")
def server(opened: Opened) -> Iterator[RunningServer]:
    """A server for the tests of a file, in this process alone: it answers in milliseconds."""
    with TestClient(opened.app) as client:
        yield RunningServer(client, opened.app.state.services, opened.join_code, opened.instructor_token)


@pytest.fixture
def window(server: RunningServer) -> Callable[..., Window]:
    """Open a window without scripts: signed in with a token, or as a stranger."""

    def open_window(token: str | None = None, scheme: str = "http") -> Window:
        made = Window(TestClient(server.client.app, base_url=f"{scheme}://testserver", follow_redirects=False))
        if token is not None:
            made.client.cookies.set(SESSION_COOKIE, token, domain="testserver.local")
        return made

    return open_window


@pytest.fixture
def sit_down(chromium: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Sit somebody down at a browser of their own: signed in with a token, or as a stranger."""
    with ExitStack() as stack:

        def sit(token: str | None = None, **options: object) -> Visitor:
            visitor = stack.enter_context(browsers.visitor(chromium, site.address, **options))
            if token is not None:
                visitor.sign_in(token)
            return visitor

        yield sit
