"""A server for each engine: embedded on SQLite and on PostgreSQL, procrastinate on PostgreSQL.

The workers of procrastinate run in this process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.training import Trainer
from server.queue.timing import Timing
from server.services import Services
from server.settings import Settings
from tests.server.conftest import postgresql_database
from tests.support.servers import IMPATIENT, FakeSandbox

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
        with postgresql_database(request) as address:
            yield address


@pytest.fixture
def children() -> int:
    """How many runs go on at once; a test may ask for another number."""
    return 2


@pytest.fixture
def settings(settings: Settings, engine: str, children: int) -> Settings:
    """Settings for the engine."""
    return settings.model_copy(update={"dispatch": engine.partition("-")[0], "children": children})


@pytest.fixture
def timing() -> Timing:
    """Try again at once."""
    return IMPATIENT


@contextmanager
def workers(
    settings: Settings, fake_sandbox: FakeSandbox, timing: Timing = IMPATIENT, trainer: Trainer | None = None
) -> Iterator[None]:
    """The workers that an engine needs beside its server; none for the embedded one."""
    if settings.dispatch == "embedded":
        yield
        return
    train = None if trainer is None else lambda: trainer
    services = Services.build(settings, fake_sandbox.code_runner(), timing, trainer=train)
    services.prepare_database()
    begun, done, found = threading.Event(), threading.Event(), []

    async def run() -> None:
        members = services.make_worker_pool()
        found.append((members, asyncio.get_running_loop()))
        begun.set()
        await members.run()

    def work() -> None:
        try:
            asyncio.run(run())
        finally:
            begun.set()
            done.set()

    threading.Thread(target=work, name="workers").start()
    begun.wait()
    try:
        yield
    finally:
        members, loop = found[0]
        loop.call_soon_threadsafe(members.stop)
        done.wait()
        services.database.close()
