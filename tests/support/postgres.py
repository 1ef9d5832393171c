"""A PostgreSQL server for tests: a real one, in a temporary folder, on a unix socket, run as an ordinary
user. ``with server() as address, database(address) as url:`` gives an empty database.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

UNPRIVILEGED = ("postgres", "nobody")  # PostgreSQL refuses to run as root


def programs() -> Path:
    """The folder of ``initdb`` and ``pg_ctl``; skips the test where there is none."""
    places = [shutil.which("pg_ctl")]
    pg_config = shutil.which("pg_config")
    if pg_config is not None:
        found = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        places.insert(0, f"{found}/pg_ctl")
    for place in places:
        if place is not None and Path(place).is_file():
            return Path(place).resolve().parent
    pytest.skip("PostgreSQL's server programs (initdb, pg_ctl) are not installed")


@dataclass(frozen=True)
class Server:
    """A running server: the URL of its maintenance database, and a way to take it away for a moment."""

    url: str
    restart: Callable[[], None]


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """A running server; yields the URL of its maintenance database."""
    with restartable(durable=durable) as found:
        yield found.url


@contextmanager
def restartable(*, durable: bool = False) -> Iterator[Server]:
    """A running server that can be restarted, with every connection to it broken. ``durable``: it waits for the disk,
    as a server does that is used; most tests are not about that, and take half the time without."""
    found = programs()
    folder = Path(tempfile.mkdtemp(prefix="dojo-pg-"))
    prefix = _drop_privileges(folder)
    data = folder / "data"
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c max_connections=100"
    options += "" if durable else " -c fsync=off"
    try:
        _run(
            [
                *prefix,
                found / "initdb",
                "--auth=trust",
                "--username=dojo",
                "--encoding=UTF8",
                "--no-sync",
                data,
            ]
        )
        start: list[str | Path] = [
            *prefix,
            found / "pg_ctl",
            "start",
            "-w",
            "-D",
            data,
            "-l",
            folder / "log",
            "-o",
            options,
        ]

        def restart() -> None:
            _run([*prefix, found / "pg_ctl", "stop", "-D", data, "-m", "fast"])
            _run(start)

        _run(start)
        try:
            yield Server(f"postgresql://dojo@/postgres?host={folder}", restart)
        finally:
            _run([*prefix, found / "pg_ctl", "stop", "-D", data, "-m", "immediate"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(server_url: str) -> Iterator[str]:
    """A fresh, empty database on a running server; yields its URL."""
    name = f"dojo_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield server_url.replace("/postgres?", f"/{name}?")
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _drop_privileges(folder: Path) -> list[str]:
    """How to run a program as an ordinary user, to whom the folder is given."""
    if os.geteuid() != 0:
        return []
    for name in UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    pytest.skip("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as")


def _run(command: list[str | Path]) -> None:
    ended = subprocess.run(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if ended.returncode != 0:
        raise RuntimeError(f"{command[-1]}: {ended.stdout.decode()[-2000:]}")
