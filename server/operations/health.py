"""Whether a server can do its work."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from grader.supervision import ThreadStatus
from server.database import migrate
from server.database.engine import Database
from server.operations.schemas import HealthBody, ThreadBody
from server.queue.dispatcher import Dispatcher

OK = "ok"
NOT_READY = "not ready"


def check(database: Database, dispatcher: Dispatcher) -> HealthBody:
    """Return whether the database has every migration, and whether code can be run."""
    threads = dispatcher.threads()
    checks = {**_check_database(database), **dispatcher.health(), "threads": _check_threads(threads)}
    return HealthBody(
        status=OK if all(state == OK for state in checks.values()) else NOT_READY,
        checks=checks,
        threads=[ThreadBody(name=each.name, alive=each.is_alive, last_error=each.last_error) for each in threads],
    )


def _check_threads(threads: Sequence[ThreadStatus]) -> str:
    return "; ".join(f"{each.name} {each.health}" for each in threads if each.health != OK) or OK


def _check_database(database: Database) -> dict[str, str]:
    try:
        with database.reading() as session:
            is_current = migrate.is_current(session)
    except SQLAlchemyError as error:
        # Only the class: the message would name the host and the user.
        return {"database": f"cannot be reached ({type(error).__name__}); see the server's log"}
    return {"database": OK, "migrations": OK if is_current else "not at head; run: python -m server init"}
