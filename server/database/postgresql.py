"""PostgreSQL: transactions and durability."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, event, make_url


def configure(engine: Engine) -> None:
    """Set up every transaction of an engine."""
    event.listen(engine, "begin", _begin)


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get("durable", True):
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")


def connection_string(url: str) -> str:
    """Return a database's address as psycopg and procrastinate take it. It holds a password: never print it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
