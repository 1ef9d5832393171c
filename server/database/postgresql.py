"""PostgreSQL: transactions and durability. The driver itself begins a transaction."""

from __future__ import annotations

from sqlalchemy import make_url

from server.database.transaction import Beginnings

BEGINNINGS = Beginnings(reading=(), durable=(), fast=("SET LOCAL synchronous_commit TO off",))


def connection_string(url: str) -> str:
    """Return a database's address as psycopg and procrastinate take it. It holds a password: never print it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
