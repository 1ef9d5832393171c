"""A house: a real server, a process of its own on loopback, with a course, its instructor and students."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
def house(*, children: int, students: int, url: str | None = None) -> Iterator[House]:
    """A server that is ready, with so many children at once and so many students in its course; stopped at the end.

    ``url`` is an empty database; without one, an SQLite database in a temporary folder, which is the default of a
    server.
    """
    with tempfile.TemporaryDirectory(prefix="dojo-bench-") as folder:
        data = Path(folder)
        settings = Settings(data=data, database_url=SecretStr(url) if url else None, secret=None, children=children)
        settings.make_secret()
        instructor, tokens = _people(settings, students)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOJO_")}
        environment |= {"DOJO_DATA": folder, "DOJO_CHILDREN": str(children), "DOJO_DATABASE_URL": settings.url}
        environment["DOJO_SUBMISSIONS_PER_MINUTE"] = "0"  # no limit: one student hands in a thousand times here
        log = data / "server.log"
        command = [sys.executable, "-m", "server", "serve", "--host", "127.0.0.1", "--port", "0"]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=_PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            address = _address(process, log)
            guest = Guest(address, instructor)
            _wait_until(lambda: guest.get("/readyz").status == 200, process)
            guest.close()
            yield House(settings, address, process.pid, instructor, tokens)
        except Exception as error:
            error.add_note(f"The server's log ends with:\n{log.read_text()[-3000:]}")
            raise
        finally:
            _stop(process)


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


def _address(process: subprocess.Popen[bytes], log: Path) -> tuple[str, int]:
    """Where it listens, as it says itself."""
    said = "Serving on http://"
    _wait_until(lambda: said in log.read_text(), process)
    host, _, port = log.read_text().partition(said)[2].split()[0].rpartition(":")
    return host, int(port)


def _wait_until(what: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if what():
            return
        time.sleep(0.05)
    raise RuntimeError("the server did not get ready")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
