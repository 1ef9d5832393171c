"""A real PostgreSQL server for tests and benchmarks.

It lives in a temporary folder, listens on a unix socket, and runs as an ordinary user.
``with server() as address, database(address) as url:`` gives an empty database.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

UNPRIVILEGED_USERS = ("postgres", "nobody")  # PostgreSQL refuses to run as root


class PostgresMissing(RuntimeError):
    """No PostgreSQL server can be started here. The message says what to install."""


def programs() -> Path:
    """Return the folder of ``initdb`` and ``pg_ctl``.

    :raises PostgresMissing: they are not installed
    """
    candidates = [shutil.which("pg_ctl")]
    pg_config = shutil.which("pg_config")
    if pg_config is not None:
        folder = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        candidates.insert(0, f"{folder}/pg_ctl")
    for candidate in candidates:
        if candidate is not None and Path(candidate).is_file():
            return Path(candidate).resolve().parent
    raise PostgresMissing(
        "PostgreSQL's server programs (initdb, pg_ctl) are not installed. "
        "Install your distribution's package of the server, such as Debian's postgresql."
    )


@dataclass(frozen=True)
class Server:
    """A running server: the URL of its maintenance database, and functions that break every connection to it.

    ``kill`` ends all of its processes as a power cut does.
    """

    url: str
    stop: Callable[[], None]
    start: Callable[[], None]
    kill: Callable[[], None]

    def restart(self) -> None:
        """Stop and start it."""
        self.stop()
        self.start()


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Run a server; yield the URL of its maintenance database.

    :raises PostgresMissing: its programs are not installed, or may not be run
    """
    with restartable(durable=durable) as running:
        yield running.url


@contextmanager
def restartable(*, durable: bool = False) -> Iterator[Server]:
    """Run a server that can be restarted.

    :param durable: wait for the disk, as a server in use does. Most tests are not about that, and take half the time
        without.
    :raises PostgresMissing: its programs are not installed, or may not be run
    """
    binaries = programs()
    folder = Path(tempfile.mkdtemp(prefix="dojo-pg-"))
    prefix = _drop_privileges(folder)
    data = folder / "data"
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c max_connections=100"
    options += "" if durable else " -c fsync=off"
    try:
        initdb = [*prefix, str(binaries / "initdb"), "--auth=trust", "--username=dojo", "--encoding=UTF8", "--no-sync"]
        pg_ctl = [*prefix, str(binaries / "pg_ctl"), "-D", str(data)]
        start = [*pg_ctl, "start", "-w", "-l", str(folder / "log"), "-o", options]

        stop = [*pg_ctl, "stop", "-m", "fast"]
        _run([*initdb, str(data)])
        _run(start)
        try:
            url = f"postgresql://dojo@/postgres?host={folder}"
            yield Server(url, partial(_run, stop), partial(_run, start), partial(_kill, data))
        finally:
            _run([*pg_ctl, "stop", "-m", "immediate"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(server_url: str) -> Iterator[str]:
    """Make an empty database on a running server; yield its URL. ``Migrated`` lends one that has its tables."""
    name = f"dojo_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield server_url.replace("/postgres?", f"/{name}?")
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _drop_privileges(folder: Path) -> list[str]:
    """Give the folder to an ordinary user; return the words that run a command as this user.

    :raises PostgresMissing: there is no such user
    """
    if os.geteuid() != 0:
        return []
    for name in UNPRIVILEGED_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    raise PostgresMissing(
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as. "
        "Run this as an ordinary user, or install your distribution's package of the server, which adds one."
    )


def _kill(data: Path) -> None:
    """Kill the processes of a server, the first one first: it would end the others in order."""
    locks = data / "postmaster.pid", *data.parent.glob(".s.PGSQL.*.lock")
    parent = int(locks[0].read_text().split()[0])
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for pid in (parent, *map(int, found)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for lock in locks:
        lock.unlink()  # in a container nobody may reap them, and the dead look alive


def _run(command: Sequence[str]) -> None:
    ended = subprocess.run(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if ended.returncode != 0:
        raise RuntimeError(f"{command}: {ended.stdout.decode()[-2000:]}")
