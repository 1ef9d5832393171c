"""A real server to measure: a process on loopback, with a course, its instructor and students."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from bench.http_client import HttpClient
from server.courses import courses
from server.database.setup import prepared_database
from server.machine import Machine
from server.settings import Settings
from server.tables import Role
from tests.support.processes import ServerProcess, server_environment

COURSE = "bench"
EXERCISE = "makemore/full-backward"
SUBMISSIONS = f"/api/v1/courses/{COURSE}/exercises/{EXERCISE}/submissions"
CHECK = f"/api/v1/courses/{COURSE}/exercises/{EXERCISE}/check"
PROGRESS = f"/api/v1/courses/{COURSE}/progress"
STATE = f"/api/v1/courses/{COURSE}/exercises/{EXERCISE}/instance/state"
WORKER_IS_READY = "Code can be run."  # a worker's log says so


@dataclass(frozen=True)
class BenchServer:
    """A running server. ``instructor`` and ``students`` are tokens."""

    settings: Settings
    address: tuple[str, int]
    pid: int
    instructor: str
    students: tuple[str, ...]

    def client(self, token: str) -> HttpClient:
        """Return a client with a connection of its own."""
        return HttpClient(self.address, token)


@contextmanager
def run_server(
    *,
    children: int,
    students: int,
    url: str | None = None,
    workers: int = 0,
    per_minute: int = 0,
    processes: int | None = None,
) -> Iterator[BenchServer]:
    """Run a server until the end of the block; yield it when it is ready.

    :param children: how many runs at once the server has, or each worker.
    :param students: how many students its course has.
    :param url: an empty database; by default SQLite in a temporary folder.
    :param workers: how many worker processes run the code, with procrastinate; 0 means the server itself does.
    :param per_minute: how often a student may hand in within a minute; 0 means no limit.
    :param processes: how many the server has; by default as many as a server takes by itself.
    """
    with tempfile.TemporaryDirectory(prefix="dojo-bench-") as folder, ExitStack() as stack:
        data = Path(folder)
        settings = Settings(data=data, database_url=SecretStr(url) if url else None, secret=None, children=children)
        instructor, tokens = open_course(settings, students)
        environment = server_environment(
            data,
            children=children,
            database_url=settings.url,
            submissions_per_minute=per_minute,
            dispatch="procrastinate" if workers else "embedded",
            processes=Machine().processes(children) if processes is None else processes,
        )
        server = stack.enter_context(ServerProcess(environment, data / "server.log", "serve"))
        for number in range(workers):
            worker = stack.enter_context(ServerProcess(environment, data / f"worker-{number}.log", "worker"))
            worker.wait_until(lambda: WORKER_IS_READY in worker.output)  # noqa: B023
        server.wait_until_ready()
        address = urlsplit(server.address)
        assert address.hostname is not None
        assert address.port is not None
        yield BenchServer(settings, (address.hostname, address.port), server.pid, instructor, tokens)


def open_course(settings: Settings, students: int) -> tuple[str, tuple[str, ...]]:
    """Open the course; return the tokens of its instructor and of its students."""
    database = prepared_database(settings)
    with database.writing() as session:
        course = courses.open_course(session, COURSE, "Becoming a backprop ninja")
        instructor = courses.enrol(session, course, "Instructor", Role.INSTRUCTOR).token
        tokens = [courses.enrol(session, course, f"Student {number}", Role.STUDENT).token for number in range(students)]
    database.close()
    return instructor, tuple(tokens)
