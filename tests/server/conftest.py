"""A server for each test, on SQLite and on PostgreSQL, with a course, its instructor and a fake sandbox."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydantic import SecretStr

from grader.training import Trainer
from server.courses import courses
from server.database.engine import Database
from server.queue.timing import Timing
from server.settings import Settings
from server.tables import Role
from tests.support import postgres
from tests.support.application import create_app
from tests.support.documented_client import DocumentedClient
from tests.support.migrated import Migrated
from tests.support.servers import COURSE, FakeSandbox, Members, RunningServer, Student, join_code_of


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was afterwards: commands send all events to the standard error of their test."""
    found = logging.getLogger()
    handlers, level = found.handlers[:], found.level
    yield found
    found.handlers[:] = handlers
    found.setLevel(level)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A PostgreSQL server; skips where its programs are not installed."""
    try:
        with postgres.server() as address:
            yield address
    except postgres.PostgresMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/dojo.db"
    else:
        with postgresql_database(request) as address:
            yield address


def postgresql_database(request: pytest.FixtureRequest) -> AbstractContextManager[str]:
    """Return the address of an empty database; it has its tables if the test asks for them."""
    server: str = request.getfixturevalue("postgresql")
    if "migrated" not in request.fixturenames:
        return postgres.database(server)
    migrated: Migrated = request.getfixturevalue("migrated")
    return migrated.lend(server)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    """What fills empty databases."""
    return Migrated(tmp_path_factory.mktemp("migrated"))


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    """Settings for one worker."""
    secret = SecretStr("0123456789abcdef" * 4)
    return Settings(data=tmp_path, database_url=SecretStr(url), secret=secret, children=1)


@pytest.fixture
def database(settings: Settings, migrated: Migrated) -> Iterator[Database]:
    """A database with its tables and without a server."""
    migrated.fill(settings.url)
    found = Database(settings.url)
    yield found
    found.close()


@pytest.fixture
def fake_sandbox() -> FakeSandbox:
    """A sandbox that runs code in this process."""
    return FakeSandbox()


@pytest.fixture
def timing() -> Timing:
    """The intervals of a server that is in use; a folder or a file may have others."""
    return Timing()


@pytest.fixture
def trainer() -> Trainer | None:
    """What a server trains with; None for the network of the last exercise."""
    return None


@pytest.fixture
def server(
    settings: Settings, fake_sandbox: FakeSandbox, timing: Timing, migrated: Migrated, trainer: Trainer | None
) -> Iterator[RunningServer]:
    """A running server."""
    migrated.fill(settings.url)
    database = Database(settings.url)
    with database.writing() as session:
        course = courses.open_course(session, COURSE, "Becoming a backprop ninja")
        instructor = courses.enrol(session, course, "Instructor", Role.INSTRUCTOR)
        code = join_code_of(session, course)
    database.close()
    train = None if trainer is None else lambda: trainer
    app = create_app(settings, fake_sandbox.code_runner(), timing, trainer=train)
    with DocumentedClient(app, raise_server_exceptions=False) as client:
        yield RunningServer(client, app.state.services, code, instructor.token)


@pytest.fixture
def queue_stands_still(server: RunningServer) -> None:
    """Nothing is graded unless a test does it."""
    server.services.dispatcher.stop()


@pytest.fixture
def student(server: RunningServer) -> Student:
    """A student of the course."""
    return server.join("Ada")


@pytest.fixture
def here(server: RunningServer, student: Student) -> Members:
    """The course of the server, with its instructor and a student."""
    return Members(COURSE, server.instructor, student)


@pytest.fixture
def there(server: RunningServer) -> Members:
    """A second course, with an instructor and a student who are in no other one."""
    return server.open_course("autumn")
