"""Whether a server can do its work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.exc import SQLAlchemyError

from grader.supervision import ThreadStatus
from server.database import migrate
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.operations.probe import WriteProbe
from server.operations.schemas import HealthBody, ThreadBody

OK = "ok"
NOT_READY = "not ready"


def check(
    database: Database, probe: WriteProbe, grading: Mapping[str, str], threads: Sequence[ThreadStatus]
) -> HealthBody:
    """Return whether the database has every migration and can be written, and whether everything else is well.

    :param grading: check → ``ok`` or what is wrong, of what must work so that code is graded
    """
    checks = {**_check_database(database, probe), **grading, "threads": _check_threads(threads)}
    return HealthBody(
        status=OK if all(state == OK for state in checks.values()) else NOT_READY,
        checks=checks,
        threads=[ThreadBody(name=each.name, alive=each.is_alive, last_error=each.last_error) for each in threads],
    )


def _check_threads(threads: Sequence[ThreadStatus]) -> str:
    return "; ".join(f"{each.name} {each.health}" for each in threads if each.health != OK) or OK


def _check_database(database: Database, probe: WriteProbe) -> dict[str, str]:
    try:
        with database.reading() as session:
            is_current = migrate.is_current(session)
    except DatabaseUnavailable as outage:
        return {"database": str(outage)}
    except SQLAlchemyError as error:
        # Only the class: the message would name the host and the user.
        return {"database": f"cannot be asked ({type(error).__name__}); see the server's log"}
    if not is_current:
        return {"database": OK, "migrations": "not at head; run: python -m server init"}
    return {"database": probe.result(), "migrations": OK}
