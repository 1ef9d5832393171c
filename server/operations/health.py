"""Whether a server can do its work."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from server.database import migrate
from server.database.engine import Database
from server.operations.schemas import HealthBody
from server.queue.dispatcher import Dispatcher

OK = "ok"
NOT_READY = "not ready"


def check(database: Database, dispatcher: Dispatcher) -> HealthBody:
    """Return whether the database has every migration, and whether code can be run."""
    checks = {**_check_database(database), **dispatcher.health()}
    return HealthBody(status=OK if all(state == OK for state in checks.values()) else NOT_READY, checks=checks)


def _check_database(database: Database) -> dict[str, str]:
    try:
        with database.reading() as session:
            is_current = migrate.is_current(session)
    except SQLAlchemyError as error:
        # Only the class: the message would name the host and the user.
        return {"database": f"cannot be reached ({type(error).__name__}); see the server's log"}
    return {"database": OK, "migrations": OK if is_current else "not at head; run: python -m server init"}
