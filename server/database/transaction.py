"""A transaction on the driver's own connection, with SQLAlchemy's session on top where something needs it.

``Prepared`` statements need neither SQLAlchemy's ``Connection`` nor the session's bookkeeping. To set both up and to
take them down costs more than the statements of a submission. So a ``Transaction`` begins on the driver's connection,
and the session joins it at the first use of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection
from sqlmodel import Session

BEGUN = "begun"  # an execution option: the transaction of this connection was begun by the driver


class Result(NamedTuple):
    """Rows as the driver gives them, and its description of the columns."""

    rows: list[tuple[Any, ...]]
    description: Any


@dataclass(frozen=True)
class Beginnings:
    """The statements that begin a transaction: one that reads, one that waits for the disk, and one that does not."""

    reading: Sequence[str]
    durable: Sequence[str]
    fast: Sequence[str]


@dataclass(frozen=True)
class Driver:
    """The driver's connection of a transaction."""

    engine: Engine
    pooled: PoolProxiedConnection
    dbapi: Any

    @classmethod
    def connect(cls, engine: Engine) -> Driver:
        """Take a connection from the pool.

        :raises DBAPIError: the driver's error, as SQLAlchemy wraps it
        """
        try:
            pooled = engine.raw_connection()
        except engine.dialect.loaded_dbapi.Error as error:
            raise _wrapped(error, engine.dialect, "") from error
        return cls(engine, pooled, pooled.dbapi_connection)

    def execute(self, sql: str, parameters: Any = (), *, many: bool = False) -> Result:
        """Run a statement; return its rows, which are none if it returns none.

        :raises DBAPIError: the driver's error, as SQLAlchemy wraps it
        """
        for listener in self.engine.dispatch.before_cursor_execute:  # who counts statements counts these too
            listener(self, None, sql, parameters, None, many)
        try:
            cursor = self.dbapi.cursor()
            try:
                if many:
                    cursor.executemany(sql, parameters)
                    return Result([], ())
                cursor.execute(sql, parameters)
                return Result(cursor.fetchall(), cursor.description) if cursor.description else Result([], ())
            finally:
                cursor.close()
        except self.engine.dialect.loaded_dbapi.Error as error:
            raise self._failed(error, sql) from error

    def commit(self) -> None:
        """Commit.

        :raises DBAPIError: the driver's error, as SQLAlchemy wraps it
        """
        try:
            self.dbapi.commit()
        except self.engine.dialect.loaded_dbapi.Error as error:
            raise self._failed(error, "COMMIT") from error

    def _failed(self, error: Exception, sql: str) -> BaseException:
        if self.engine.dialect.is_disconnect(error, self.dbapi, None):  # type: ignore[arg-type]
            self.pooled.invalidate(error)
        return _wrapped(error, self.engine.dialect, sql)


class Transaction(Session):
    """A session whose transaction is one of the driver. It begins with the first statement.

    :param beginning: the statements that begin it; none where the driver begins by itself.
    """

    def __init__(self, engine: Engine, beginning: Sequence[str]) -> None:
        super().__init__(expire_on_commit=False)
        self._engine = engine
        self._beginning = beginning
        self._driver: Driver | None = None
        self._joined: Connection | None = None

    @property
    def driver(self) -> Driver:
        """The driver's connection, in the transaction.

        :raises DBAPIError: the driver's error, as SQLAlchemy wraps it
        """
        if self._driver is None:
            self._driver = driver = Driver.connect(self._engine)
            for statement in self._beginning:
                driver.execute(statement)
        return self._driver

    @property
    def dialect(self) -> Dialect:
        """The dialect of the database."""
        return self._engine.dialect

    def get_bind(self, *arguments: Any, **more: Any) -> Connection:
        """Return SQLAlchemy's connection in the transaction: the session asks when it is used itself."""
        if self._joined is None:
            self._joined = Connection(self._engine, self.driver.pooled)
        return self._joined

    def finish(self) -> None:
        """Write what the session still holds, commit, and tell those who listen for it."""
        if self.in_transaction():
            self.connection()  # it has joined, so it is the one that commits
            self.commit()
            return
        if self._driver is not None:
            self._driver.commit()
        self.dispatch.after_commit(self)

    def commit(self) -> None:
        """Commit, and give the connection back."""
        super().commit()
        self._release()

    def close(self) -> None:
        """Give the connection back; what was not committed is rolled back."""
        if self.in_transaction():
            super().close()
        self._release()

    def _release(self) -> None:
        if self._driver is not None:
            self._driver.pooled.close()
            self._driver = self._joined = None


def _wrapped(error: Exception, dialect: Dialect, sql: str) -> BaseException:
    """Return an error of the driver as SQLAlchemy raises it, without the parameters."""
    return DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        dialect=dialect,
    )
