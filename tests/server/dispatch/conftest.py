"""A house for each engine: embedded on SQLite and on PostgreSQL, procrastinate on PostgreSQL with a crew of workers in
this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server import worker
from server.dispatch import embedded, tickets
from server.services import Services
from server.settings import Settings
from tests import postgres
from tests.server.house import Straw

ENGINES = ["embedded-sqlite", "embedded-postgresql", "procrastinate-postgresql"]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Which engine, on which database."""
    return str(request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database for the engine."""
    if engine.endswith("sqlite"):
        yield f"sqlite:///{tmp_path}/dojo.db"
    else:
        with postgres.database(request.getfixturevalue("postgresql")) as address:
            yield address


@pytest.fixture
def settings(settings: Settings, engine: str) -> Settings:
    """Settings for two lanes."""
    return settings.model_copy(update={"dispatch": engine.partition("-")[0], "children": 2})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr(embedded, "PAUSE", tickets.PAUSE * 0)
    monkeypatch.setattr(tickets, "PAUSE", tickets.PAUSE * 0)
    for module in (embedded, worker):
        monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.05)
        monkeypatch.setattr(module, "INSPECT_AGAIN_SECONDS", 0.05)


@contextmanager
def crew(settings: Settings, straw: Straw) -> Iterator[None]:
    """The workers that an engine needs beside its server; none for the embedded one."""
    if settings.dispatch == "embedded":
        yield
        return
    services = Services.build(settings, straw.workshop())
    services.prepare()
    begun, done, found = threading.Event(), threading.Event(), []

    async def run() -> None:
        members = worker.Crew(services)
        found.append((members, asyncio.get_running_loop()))
        begun.set()
        await members.run()

    def work() -> None:
        try:
            asyncio.run(run())
        finally:
            begun.set()
            done.set()

    threading.Thread(target=work, name="crew").start()
    begun.wait()
    try:
        yield
    finally:
        members, loop = found[0]
        loop.call_soon_threadsafe(members.stop)
        done.wait()
        services.database.close()
