"""The log: an event a line on standard error, for people or as JSON (``DOJO_LOG``).

Events of the standard library's loggers, ours and those of libraries, take the same way. An event names ids and never
holds a token, source or tensor: what a request carries is not logged, and parameters of statements are hidden
(``server/database/engine.py``).
"""

from __future__ import annotations

import logging
import sys
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from server.settings import LogFormat

QUIET: Final = {
    "alembic": logging.WARNING,  # logs its configuration on every check
    "flit_core": logging.WARNING,  # logs each step of building the client; an exception says which one failed
    "procrastinate": logging.WARNING,  # logs every job
    "psycopg.pool": logging.ERROR,  # logs every attempt while the database is away
    "uvicorn.access": logging.WARNING,  # server.http.access_log writes one line for each request
}


def configure(form: LogFormat, stream: TextIO | None = None) -> None:
    """Send all events to a stream, standard error by default."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _drop_colours]
    if form == "json":
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Tracebacks as Python prints them: the rich ones show local variables, and so students' work.
        plain = structlog.dev.plain_traceback
        last.append(structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain))
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    handler.addFilter(is_worth_a_line)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Return False for what procrastinate logs, with a traceback each time, while the database is away.

    ``server.database.outage`` and ``server.queue.worker`` have said so once.
    """
    kind = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
    # By its name: importing the library takes longer than most commands.
    return not (record.name.startswith("procrastinate") and kind and kind.__name__ == "ConnectorException")


def _drop_colours(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn's second text of the same event
    return event
