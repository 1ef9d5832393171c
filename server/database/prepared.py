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
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Dialect,
    Executable,
    Insert,
    Table,
    Text,
    bindparam,
    cast,
    func,
    select,
    text,
)
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

from server.database.transaction import Result, Transaction

Parameters = Mapping[str, Any]
Convert = Callable[[Any], Any]

_ROWS: Final = "rows"
MOMENTS_MAX: Final = 1_000  # whose text is remembered, for each parameter that is one


@dataclass
class _Compiled:
    """A statement for one driver.

    ``names`` are those of its parameters, in their order; ``fixed`` are the values that the statement itself has, as
    the driver takes them. ``processors`` convert the parameters at these places. ``conversions`` are those of its
    columns, empty if none needs one. They are known after the first execution: psycopg's depend on what PostgreSQL
    sends.
    """

    text: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    processors: tuple[tuple[int, Convert], ...]
    is_positional: bool
    types: tuple[TypeEngine[Any], ...] = ()
    conversions: tuple[Convert | None, ...] | None = None

    def bound(self, parameters: Parameters) -> Any:
        """Return the parameters as the driver takes them."""
        given = {**parameters, **self.fixed} if self.fixed else parameters
        values = [given[name] for name in self.names]
        for place, convert in self.processors:
            values[place] = convert(values[place])
        return values if self.is_positional else dict(zip(self.names, values, strict=True))

    def converted(self, result: Result, dialect: Dialect) -> list[tuple[Any, ...]]:
        """Return rows with Python's values."""
        if self.conversions is None:
            found = [
                _converter(each, dialect, column[1])
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


def _transaction(session: Session) -> Transaction:
    """Return the transaction of a session, with what was changed through the session written."""
    assert isinstance(session, Transaction), "sessions come from Database"
    if session.in_transaction():
        session.flush()
    return session


class Prepared:
    """A statement built once. Parameters are ``bindparam``; a row is a tuple of its columns.

    :param columns: of an INSERT, the columns that it gets parameters for.
    """

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self.statement: Any = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}  # by the name of the dialect

    def rows(self, session: Session, parameters: Parameters) -> list[tuple[Any, ...]]:
        """Run the statement, and return its rows."""
        transaction = _transaction(session)
        dialect = transaction.dialect
        compiled = self._for(dialect)
        return compiled.converted(transaction.driver.execute(compiled.text, compiled.bound(parameters)), dialect)

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
        transaction = _transaction(session)
        driver, dialect = transaction.driver, transaction.dialect
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
    names = tuple((state.positiontup if compiled.positional else state.parameters) or ())
    fixed, processors = {}, []
    for place, name in enumerate(names):
        bind = compiled.binds.get(name)  # None for one of a list
        convert = state.processors.get(name) if bind is None else _processor(bind.type, dialect)
        if name not in required:
            value = state.parameters[name]
            fixed[name] = value if convert is None else convert(value)
        elif convert is not None:
            processors.append((place, convert))
    types = tuple(each.type for each in getattr(statement, "exported_columns", ()))
    return _Compiled(state.statement, names, fixed, tuple(processors), compiled.positional, types)


def _processor(declared: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """Return what converts a parameter of a type for a driver; None if the driver takes it as it is."""
    if isinstance(declared, Boolean):  # both drivers take one; SQLAlchemy would check it again
        return None
    convert: Convert | None = declared.dialect_impl(dialect).bind_processor(dialect)
    if isinstance(declared, JSON) and convert is not None:
        return _short_for_empty(convert)
    if isinstance(declared, UTCDateTime) and convert is not None:
        return lru_cache(MOMENTS_MAX)(convert)  # all rows of an answer have the same one
    return convert


def _converter(declared: TypeEngine[Any], dialect: Dialect, column_type: Any) -> Convert | None:
    """Return what converts a column of a type from a driver; None if Python gets it as it is."""
    convert: Convert | None = declared.dialect_impl(dialect).result_processor(dialect, column_type)
    if isinstance(declared, JSON) and convert is not None:
        return _quick_if_empty(convert)
    return convert


def _quick_if_empty(convert: Convert) -> Convert:
    """Return a conversion from JSON that reads no empty list: most rows have two."""
    return lambda text: [] if text == "[]" else convert(text)


def _short_for_empty(convert: Convert) -> Convert:
    """Return a conversion to JSON that does not begin anew for each empty list: most rows have two."""
    empty = convert([])
    return lambda value: empty if value == [] else convert(value)
