"""A server for all tests of staff's pages of a file, and a course for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from server.courses import courses
from server.settings import Settings
from server.tables import Role
from tests.pages.staff_desk import Desk, Office
from tests.support.application import create_app
from tests.support.migrated import Migrated
from tests.support.servers import FakeSandbox

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, migrated: Migrated) -> Iterator[TestClient]:
    """A running server without a course. Its sandbox runs code in this process."""
    folder: Path = tmp_path_factory.mktemp("office")
    url, secret = SecretStr(f"sqlite:///{folder}/dojo.db"), SecretStr("0123456789abcdef" * 4)
    settings = Settings(data=folder, database_url=url, secret=secret, children=1)
    migrated.fill(settings.url)
    with TestClient(create_app(settings, FakeSandbox().code_runner()), raise_server_exceptions=True) as made:
        yield made


@pytest.fixture
def office(client: TestClient) -> Office:
    """A course of its own, with an instructor."""
    slug = f"course-{next(NUMBERS)}"
    services = client.app.state.services  # type: ignore[attr-defined]
    with services.database.writing() as session:
        course = courses.open_course(session, slug, f"Course {slug}")
        course.time_zone = "Europe/Berlin"
        member = courses.enrol(session, course, "Quinn", Role.INSTRUCTOR)
    return Office(client, services, slug, Desk(client, member.token, member.account.id, slug))
