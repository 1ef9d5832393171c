"""A snapshot: one state of the whole database in a file, taken while servers go on writing.

SQLite copies itself through its backup interface: a copy of the file alone would miss what is still in the write-ahead
log. PostgreSQL's own ``pg_dump`` and ``pg_restore`` do it there, with the password in the environment, where other
users of the machine do not see it.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Connection, inspect, make_url

from server.database import postgresql, sqlite
from server.database.engine import make_engine
from server.database.outage import translated

Rows = dict[str, int]  # table → number of rows
# SQLite's codes of a copy that cannot be written. They do not tell of the database: taking a copy writes nothing there.
_COPY_ERRORS: Final = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR_WRITE: errno.EIO}


class SnapshotError(RuntimeError):
    """A snapshot cannot be taken, or not be put back. The message says what to do."""


def kind(url: str) -> str:
    """Return ``sqlite`` or ``postgresql``: a snapshot goes back into a database of its kind."""
    return "sqlite" if make_url(url).drivername.startswith("sqlite") else "postgresql"


def save(url: str, to: Path) -> Rows:
    """Write a snapshot into a new file, and return how many rows it holds of each table.

    :raises SnapshotError: the database cannot be copied
    :raises DatabaseUnavailable: the database is away, damaged, …
    :raises OSError: the file cannot be written, such as on a full disk
    """
    with translated():
        return _save_sqlite(url, to) if kind(url) == "sqlite" else _save_postgresql(url, to)


def load(url: str, snapshot: Path) -> Rows:
    """Put a snapshot into an empty database, and return how many rows of each table arrived.

    :raises SnapshotError: there is something in the database already, or the snapshot cannot be read
    :raises DatabaseUnavailable: the database is away, full, …
    """
    with translated():
        if tables(url):
            raise SnapshotError(
                "The database is not empty. Stop the server and move the old database away, or name another one in "
                "DOJO_DATABASE_URL; then restore again."
            )
        if kind(url) == "sqlite":
            _load_sqlite(url, snapshot)
        else:
            command = ["pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
            _run([*command, "--dbname", _without_password(url), str(snapshot)], url)
        return rows(url)


def tables(url: str) -> list[str]:
    """Return the names of the tables of a database; none of an SQLite file that does not exist."""
    if kind(url) == "sqlite" and not _file(url).exists():
        return []  # opening it would make it
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return inspect(connection).get_table_names()
    finally:
        engine.dispose()


def rows(url: str) -> Rows:
    """Return how many rows each table holds."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return _rows(connection)
    finally:
        engine.dispose()


def _rows(connection: Connection) -> Rows:
    quote = connection.dialect.identifier_preparer.quote
    names = sorted(inspect(connection).get_table_names())
    return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {quote(name)}").scalar_one() for name in names}


def _file(url: str) -> Path:
    return Path(make_url(url).database or "")


def _save_sqlite(url: str, to: Path) -> Rows:
    if not _file(url).exists():
        raise SnapshotError(f"There is no database in {_file(url)}. DOJO_DATA names the folder of the right one.")
    try:
        with closing(sqlite3.connect(_file(url))) as source, closing(sqlite3.connect(to)) as target:
            source.backup(target)  # all pages in one read transaction: one state, and writers go on
            (found,) = target.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.OperationalError as error:
        number = _COPY_ERRORS.get(error.sqlite_errorcode)
        if number is None:
            raise
        raise OSError(number, os.strerror(number), str(to)) from error
    if found != "ok":
        raise SnapshotError(f"The copy is damaged: {found}. Restore the newest older backup, and look at the disk.")
    return rows(f"sqlite:///{to.absolute()}")


def _load_sqlite(url: str, snapshot: Path) -> None:
    sqlite.make_file(_file(url))
    with closing(sqlite3.connect(snapshot)) as source, closing(sqlite3.connect(_file(url))) as target:
        source.backup(target)


def _save_postgresql(url: str, to: Path) -> Rows:
    engine = make_engine(url)
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            # The rows are counted, and the dump is made, of one and the same state.
            state = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
            found = _rows(connection)
            command = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={state}"]
            _run([*command, "--file", str(to), "--dbname", _without_password(url)], url)
    finally:
        engine.dispose()
    return found


def _without_password(url: str) -> str:
    words = conninfo_to_dict(postgresql.connection_string(url))
    return make_conninfo("", **{word: value for word, value in words.items() if word != "password"})


def _run(command: Sequence[str], url: str) -> None:
    program = command[0]
    if shutil.which(program) is None:
        raise SnapshotError(
            f"{program} is not installed here. Install PostgreSQL's client programs, such as Debian's "
            "postgresql-client, of the database's version or newer."
        )
    password = conninfo_to_dict(postgresql.connection_string(url)).get("password")
    environment = os.environ | ({} if password is None else {"PGPASSWORD": str(password)})
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        said = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise SnapshotError(f"{program} failed: {said[-1]}. Mend that and try again.")
