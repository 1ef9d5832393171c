"""The dispatcher on procrastinate: each ticket is announced as a job, and worker processes take the jobs.

The ticket says what is to be done, and the job whose turn it is: a job without a live ticket does nothing, and one
ticket may have two. So a job that is late, lost with its worker or done twice does no harm. Jobs are written by the
library's own SQL function within our transaction: ticket, submission and job are there together or not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import ARRAY, Integer, bindparam, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from server.bell import Bell
from server.db import Database
from server.dispatch import Dispatcher
from server.telegraph import Receiver
from server.timing import Timing

QUEUE = "code"
TASK = "grade"

# One student is one lock: procrastinate runs one job of a lock at a time. Its highest priority comes first.
DEFER = """
    SELECT procrastinate_defer_jobs_v1(array_agg(ROW(
        :queue, :task, -ticket.rank, 'student-' || ticket.student_id, NULL,
        jsonb_build_object('submission_id', ticket.submission_id), NULL
    )::procrastinate_job_to_defer_v1 ORDER BY ticket.rank, ticket.id))
    FROM ticket WHERE {which} HAVING count(*) > 0
"""
THESE = text(DEFER.format(which="ticket.submission_id = ANY(:ids)")).bindparams(
    bindparam("ids", type_=ARRAY(Integer)), queue=QUEUE, task=TASK
)
THOSE_WITHOUT = text(
    DEFER.format(
        which="""ticket.state IN ('queued', 'running') AND NOT EXISTS (
            SELECT FROM procrastinate_jobs AS job WHERE job.status IN ('todo', 'doing')
                AND job.lock = 'student-' || ticket.student_id
                AND job.args @> jsonb_build_object('submission_id', ticket.submission_id)
        )"""
    )
).bindparams(queue=QUEUE, task=TASK)
ALIVE = text("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :dead)")

log = logging.getLogger(__name__)


class JobDispatcher(Dispatcher):
    """Runs no code itself: ``python -m server worker`` does, any number of times, on any machine."""

    def __init__(self, database: Database, url: str, bell: Bell, timing: Timing) -> None:
        super().__init__(timing)
        self._database = database
        self._receiver = Receiver(url, bell, timing)

    def start(self) -> None:
        """Make jobs for tickets that have none, as another engine leaves them, and listen for grades."""
        with self._database.writing() as session:
            adopt(session)
        self._receiver.start()

    def stop(self) -> None:
        """Listen no more. The workers go on."""
        self._receiver.stop()

    def announce(self, session: Session, submission_ids: Sequence[int]) -> None:
        """Write a job for each, in this transaction; the workers hear of it when it is committed."""
        session.connection().execute(THESE, {"ids": list(submission_ids)})

    @property
    def refusal(self) -> str | None:
        """Nothing: what is handed in while no worker is alive waits for one."""
        return None

    def health(self) -> dict[str, str]:
        """Whether any worker is alive."""
        try:
            with self._database.reading() as session:
                alive = session.connection().execute(ALIVE, {"dead": self._timing.dead_seconds}).scalar_one()
        except SQLAlchemyError:
            return {"workers": "cannot be asked while the database is away"}
        return {"workers": "ok" if alive else "none is alive; start one with: python -m server worker"}


def adopt(session: Session) -> None:
    """Make jobs for tickets that have none."""
    session.connection().execute(THOSE_WITHOUT)
