"""Databases with all tables, because migrating takes longer than most tests.

A file of SQLite is a copy of one that was migrated. A database of PostgreSQL is emptied and lent again: a copy of it is
hundreds of files, and takes some ten times the processor time of emptying it.
"""

from __future__ import annotations

import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from server.database import migrate

TEMPLATE = "dojo_migrated"
USES = 20  # of a database: what its deleted rows still occupy stays small
VERSION = "alembic_version"  # the only table that has rows without anybody

# Other sessions end first, those too that a test forgot: they could still write.
END_SESSIONS = """
SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
# Every object has a row in one of these, and whatever changes it writes the row anew, which changes xmin. Rows of
# tables do not, and neither do VACUUM and ANALYZE. A copy has the same numbers as its template.
SCHEMA = """
SELECT (SELECT version_num FROM alembic_version), count(*), sum(hashtext(object || ' ' || change::text)) FROM (
    SELECT 'class ' || oid, xmin FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT 'column ' || attrelid || ' ' || attnum, xmin FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT 'constraint ' || oid, xmin FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT 'trigger ' || oid, xmin FROM pg_trigger WHERE oid >= 16384
    UNION ALL SELECT 'function ' || oid, xmin FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT 'type ' || oid, xmin FROM pg_type WHERE oid >= 16384
    UNION ALL SELECT 'schema ' || oid, xmin FROM pg_namespace
) AS objects (object, change)
"""
# A table without a byte never had a row. Foreign keys, whose triggers are off, need no order.
EMPTY = f"""
DO $$ DECLARE of_table regclass; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR of_table IN SELECT oid FROM pg_class WHERE relkind = 'r' AND oid >= 16384 AND relname <> '{VERSION}'
        AND pg_relation_size(oid) > 0
    LOOP EXECUTE 'DELETE FROM ' || of_table; END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
        FROM pg_sequences WHERE last_value IS NOT NULL;
END $$
"""
TABLES_WITH_ROWS = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND oid >= 16384 AND pg_relation_size(oid) > 0
"""


@dataclass(frozen=True)
class _Lendable:
    """A database without rows, and how often it was lent."""

    url: str
    uses: int = 0


class Migrated:
    """Fills files of SQLite, and lends databases of PostgreSQL. The first of each kind is migrated."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "dojo.db"
        self._filled: set[str] = set()
        self._lendable: defaultdict[str, list[_Lendable]] = defaultdict(list)  # by server
        self._schemas: dict[str, object] = {}  # of the servers that have the template

    def fill(self, url: str) -> None:
        """Give a file that is not there yet its tables. What was filled before, or is lent, stays as it is."""
        if url in self._filled:
            return
        self._filled.add(url)
        name = make_url(url).database
        assert name is not None
        if not self._file.exists():
            migrate.upgrade(f"sqlite:///{self._file}")
        shutil.copy(self._file, name)

    @contextmanager
    def lend(self, server: str) -> Iterator[str]:
        """Lend a database without rows; yield its URL. What a user leaves there, the next one does not find.

        :param server: the URL of the maintenance database
        """
        lendable = self._lendable[server]
        lent = lendable.pop() if lendable else self._copy(server)
        self._filled.add(lent.url)
        try:
            yield lent.url
        finally:
            if lent.uses + 1 < USES and _empty(lent.url, self._schemas[server]):
                lendable.append(_Lendable(lent.url, lent.uses + 1))
            else:
                _drop(server, lent.url)

    def _copy(self, server: str) -> _Lendable:
        name = f"dojo_{uuid.uuid4().hex}"
        with psycopg.connect(server, autocommit=True) as connection:
            if server not in self._schemas:
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
                self._schemas[server] = _migrate(_in(server, TEMPLATE))
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return _Lendable(_in(server, name))


def _in(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


def _migrate(url: str) -> object:
    """Migrate an empty database; return what tells its schema from any other one."""
    migrate.upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute(TABLES_WITH_ROWS).fetchall() == [(VERSION,)], "EMPTY deletes rows of a migration"
        return connection.execute(SCHEMA).fetchone()


def _empty(url: str, schema: object) -> bool:
    """Delete all rows of a database, and begin its sequences anew. Return False if its schema is another one."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(END_SESSIONS)
        if connection.execute(SCHEMA).fetchone() != schema:
            return False
        connection.execute(EMPTY)
    return True


def _drop(server: str, url: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")
