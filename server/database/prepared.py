"""Statements that are compiled once and run on the driver's own cursor.

SQLAlchemy takes 4 to 6 times as long for a short statement on SQLite, and twice as long on PostgreSQL: most of it goes
into a context for the execution and a result that knows its columns. A ``Prepared`` statement keeps the text and the
conversions of its parameters and columns. It takes part in the session's transaction, and its errors are SQLAlchemy's.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import JSON, Connection, Dialect, Executable, Insert, Table, Text, bindparam, cast, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

Parameters = Mapping[str, Any]
Convert = Callable[[Any], Any]

_DRIVER: Final = "driver"  # the key in a session's ``info``
_ROWS: Final = "rows"


class Result(NamedTuple):
    """Rows as the driver gives them, and its description of the columns."""

    rows: list[tuple[Any, ...]]
    description: Any


@dataclass(frozen=True)
class _Parameter:
    """A parameter of a statement's text: its name there, its value if the statement has one, and its conversion."""

    name: str
    value: Any
    is_fixed: bool
    convert: Convert | None

    def taken_from(self, parameters: Parameters) -> Any:
        """Return the value for the driver."""
        value = self.value if self.is_fixed else parameters[self.name]
        return value if self.convert is None else self.convert(value)


@dataclass
class _Compiled:
    """A statement for one driver.

    ``conversions`` are those of its columns, empty if none needs one. They are known after the first execution:
    psycopg's depend on what PostgreSQL sends.
    """

    text: str
    parameters: tuple[_Parameter, ...]
    is_positional: bool
    types: tuple[TypeEngine[Any], ...] = ()
    conversions: tuple[Convert | None, ...] | None = None

    def bound(self, parameters: Parameters) -> Any:
        """Return the parameters as the driver takes them."""
        if self.is_positional:
            return [each.taken_from(parameters) for each in self.parameters]
        return {each.name: each.taken_from(parameters) for each in self.parameters}

    def converted(self, result: Result, dialect: Dialect) -> list[tuple[Any, ...]]:
        """Return rows with Python's values."""
        if self.conversions is None:
            found = [
                each.dialect_impl(dialect).result_processor(dialect, column[1])
                for each, column in zip(self.types, result.description, strict=True)
            ]
            self.conversions = tuple(found) if any(found) else ()
        conversions = self.conversions
        if not conversions:
            return result.rows
        return [
            tuple([value if convert is None else convert(value) for convert, value in zip(conversions, row)])  # noqa: B905
            for row in result.rows
        ]


@dataclass(frozen=True)
class _Driver:
    """What a session's transaction has of the driver."""

    connection: Connection
    dbapi: Any

    @classmethod
    def of(cls, session: Session) -> _Driver:
        """Return that of a session; kept with it, because SQLAlchemy takes longer to say than SQLite to answer."""
        driver = session.info.get(_DRIVER)
        if driver is None or driver.connection.closed:
            connection = session.connection()
            driver = session.info[_DRIVER] = cls(connection, connection.connection.dbapi_connection)
        return typing.cast(_Driver, driver)

    def execute(self, sql: str, parameters: Any, *, many: bool = False) -> Result:
        """Run a statement; return its rows, which are none if it returns none.

        :raises DBAPIError: the driver's error, as SQLAlchemy wraps it
        """
        for listener in self.connection.dispatch.before_cursor_execute:  # who counts statements counts these too
            listener(self.connection, None, sql, parameters, None, many)
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
        except self.connection.dialect.loaded_dbapi.Error as error:
            raise self._wrapped(error, sql) from error

    def _wrapped(self, error: Exception, sql: str) -> BaseException:
        dialect = self.connection.dialect
        is_disconnect = dialect.is_disconnect(error, self.dbapi, None)
        if is_disconnect:
            self.connection.invalidate(error)
        return DBAPIError.instance(
            sql,
            None,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=is_disconnect,
            dialect=dialect,
        )


class Prepared:
    """A statement built once. Parameters are ``bindparam``; a row is a tuple of its columns.

    :param columns: of an INSERT, the columns that it gets parameters for.
    """

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self.statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}  # by the name of the dialect

    def rows(self, session: Session, parameters: Parameters) -> list[tuple[Any, ...]]:
        """Run the statement, and return its rows."""
        driver = _Driver.of(session)
        dialect = driver.connection.dialect
        compiled = self._for(dialect)
        return compiled.converted(driver.execute(compiled.text, compiled.bound(parameters)), dialect)

    def first(self, session: Session, parameters: Parameters) -> tuple[Any, ...] | None:
        """Run the statement, and return its first row, or None without one."""
        rows = self.rows(session, parameters)
        return rows[0] if rows else None

    def scalar(self, session: Session, parameters: Parameters) -> Any:
        """Run the statement, and return the first column of its first row, or None without one."""
        row = self.first(session, parameters)
        return None if row is None else row[0]

    def _for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self.statement, dialect, self._columns)
        return compiled


class PreparedRows:
    """An INSERT of many rows of a table.

    SQLite takes the rows one by one. PostgreSQL takes all of them as JSON in one statement, because each is a message
    of its own otherwise.

    :param upsert: dialect → an INSERT that says what to do on a conflict; by default a plain one.
    """

    def __init__(self, table: Table, upsert: Callable[[str], Insert] | None = None) -> None:
        self._table = table
        self._columns = tuple(table.columns.keys())
        self._upsert = upsert
        self._compiled: dict[str, _Compiled] = {}

    def insert(self, session: Session, rows: Sequence[Parameters]) -> None:
        """Insert rows. Each has a value for every column."""
        driver = _Driver.of(session)
        dialect = driver.connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        if dialect.name == "sqlite":
            driver.execute(compiled.text, [compiled.bound(row) for row in rows], many=True)
        else:
            driver.execute(compiled.text, {_ROWS: json.dumps(rows, default=str)})

    def _compile(self, dialect: Dialect) -> _Compiled:
        statement = self._table.insert() if self._upsert is None else self._upsert(dialect.name)
        if dialect.name == "sqlite":
            return _compile(statement, dialect, self._columns)
        given = func.json_populate_recordset(
            text(f"NULL::{self._table.name}"), cast(bindparam(_ROWS, type_=Text), JSON)
        ).table_valued(*self._columns, name="given")
        rows = select(*[given.c[name] for name in self._columns])
        return _compile(statement.from_select(self._columns, rows), dialect)


def _compile(statement: Executable, dialect: Dialect, columns: Sequence[str] | None = None) -> _Compiled:
    """Return a statement for a driver; ``columns`` are those that an INSERT gets parameters for."""
    compiled = typing.cast(SQLCompiler, statement.compile(dialect=dialect, column_keys=columns))  # type: ignore[attr-defined]
    required = [name for name, bind in compiled.binds.items() if bind.required]
    state = compiled.construct_expanded_state(dict.fromkeys(required))  # lists of IN become single parameters
    parameters = []
    for name in state.positiontup if compiled.positional else state.parameters:
        bind = compiled.binds.get(name)  # None for one of a list
        processor = bind.type.dialect_impl(dialect).bind_processor(dialect) if bind is not None else None
        convert = processor or state.processors.get(name)
        if name in required:
            parameters.append(_Parameter(name, None, False, convert))
        else:
            value = state.parameters[name]
            parameters.append(_Parameter(name, value if convert is None else convert(value), True, None))
    types = tuple(each.type for each in getattr(statement, "exported_columns", ()))
    return _Compiled(state.statement, tuple(parameters), compiled.positional, types)
