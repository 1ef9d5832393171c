"""A house: a real server, a process of its own on loopback, with a course, its instructor and students."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from bench.guest import Guest
from server import courses, schema
from server.db import Database
from server.models import Role
from server.settings import Settings

COURSE = "bench"
EXERCISE = "makemore/full-backward"
SUBMISSIONS = f"/api/v1/courses/{COURSE}/exercises/{EXERCISE}/submissions"
STATE = f"/api/v1/courses/{COURSE}/exercises/{EXERCISE}/instance/state"
SERVING = "Serving on http://"  # what a server says before its address
PATIENCE_SECONDS = 90.0

_PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class House:
    """A running server. ``process`` is its id; ``students`` are tokens."""

    settings: Settings
    address: tuple[str, int]
    process: int
    instructor: str
    students: tuple[str, ...]

    def guest(self, token: str) -> Guest:
        """Somebody who comes in with a token."""
        return Guest(self.address, token)


@contextmanager
def house(
    *, children: int, students: int, url: str | None = None, workers: int = 0, per_minute: int = 0
) -> Iterator[House]:
    """A server that is ready, with so many students in its course; stopped at the end.

    ``children`` run at once in each process that runs code: the server, or each of the ``workers`` that procrastinate
    has instead. ``url`` is an empty database; without one, an SQLite database in a temporary folder, which is the
    default of a server. A student may hand in ``per_minute`` times; 0 is any number, as in the server's own setting.
    """
    with tempfile.TemporaryDirectory(prefix="dojo-bench-") as folder, ExitStack() as stack:
        data = Path(folder)
        settings = Settings(data=data, database_url=SecretStr(url) if url else None, secret=None, children=children)
        settings.make_secret()
        instructor, tokens = _people(settings, students)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOJO_")}
        environment |= {"DOJO_DATA": folder, "DOJO_CHILDREN": str(children), "DOJO_DATABASE_URL": settings.url}
        environment |= {"DOJO_SUBMISSIONS_PER_MINUTE": str(per_minute)}
        environment |= {"DOJO_DISPATCH": "procrastinate" if workers else "embedded"}
        server = _Process(environment, data / "server.log", "serve", "--host", "127.0.0.1", "--port", "0")
        stack.enter_context(server)
        for number in range(workers):
            worker = stack.enter_context(_Process(environment, data / f"worker-{number}.log", "worker"))
            worker.wait_until(lambda: "Code can be run." in worker.said())  # noqa: B023
        server.wait_until(lambda: SERVING in server.said())
        host, _, port = server.said().partition(SERVING)[2].split()[0].rpartition(":")
        found = House(settings, (host, int(port)), server.pid, instructor, tokens)
        guest = found.guest(instructor)
        server.wait_until(lambda: guest.get("/readyz").status == 200)
        guest.close()
        yield found


class _Process:
    """``python -m server …`` with a log; ended with the block, and quoted where the block failed."""

    def __init__(self, environment: dict[str, str], log: Path, *arguments: str) -> None:
        self._log = log
        command = [sys.executable, "-m", "server", *arguments]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, cwd=_PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    def said(self) -> str:
        """Its log."""
        return self._log.read_text()

    def wait_until(self, what: Callable[[], bool]) -> None:
        """Wait for something that it brings about.

        :raises RuntimeError: it ended, or takes too long
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if what():
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self._log.stem} did not get ready")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Exception):
            error.add_note(f"{self._log.name} ends with:\n{self.said()[-3000:]}")
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _people(settings: Settings, students: int) -> tuple[str, tuple[str, ...]]:
    """Open the course; tokens of its instructor and of its students."""
    schema.upgrade(settings.url)
    database = Database(settings.url)
    with database.writing() as session:
        course = courses.open_course(session, COURSE, "Becoming a backprop ninja")
        instructor = courses.enrol(session, course, "Instructor", Role.INSTRUCTOR).token
        tokens = [courses.enrol(session, course, f"Student {number}", Role.STUDENT).token for number in range(students)]
    database.close()
    return instructor, tuple(tokens)
