"""The engine on procrastinate: each ticket is announced as a job, and worker processes take the jobs.

The ticket says what remains to be done, the job whose turn it is. A job without a live ticket does nothing, and a
ticket may have two jobs. So a job that is late, lost or done twice does no harm. The library's own SQL function writes
a job within our transaction: ticket, submission and job exist together or not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import ARRAY, Integer, bindparam, text
from sqlmodel import Session

from grader.supervision import ThreadStatus
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.queue.dispatcher import Dispatcher
from server.queue.postgres_signals import PostgresListener
from server.queue.queries import BACKGROUND_RANK
from server.queue.signals import Signals
from server.queue.timing import Timing

QUEUE = "code"
TASK = "grade"
BACKGROUND_TASK = "work in the background"
UNREACHABLE = "cannot be asked while the database is away"
NO_WORKER = "none is alive; start one with: python -m server worker"

# One account is one lock: procrastinate runs one job of a lock at a time, the highest priority first.
DEFER_JOBS = """
    SELECT procrastinate_defer_jobs_v1(array_agg(ROW(
        :queue, :task, -ticket.rank, 'account-' || ticket.account_id, NULL,
        jsonb_build_object('submission_id', ticket.submission_id), NULL
    )::procrastinate_job_to_defer_v1 ORDER BY ticket.rank, ticket.id))
    FROM ticket WHERE {condition} HAVING count(*) > 0
"""
DEFER_SUBMISSIONS = text(DEFER_JOBS.format(condition="ticket.submission_id = ANY(:ids)")).bindparams(
    bindparam("ids", type_=ARRAY(Integer)), queue=QUEUE, task=TASK
)
DEFER_TICKETS_WITHOUT_JOB = text(
    DEFER_JOBS.format(
        condition="""ticket.state IN ('queued', 'running') AND NOT EXISTS (
            SELECT FROM procrastinate_jobs AS job WHERE job.status IN ('todo', 'doing')
                AND job.lock = 'account-' || ticket.account_id
                AND job.args @> jsonb_build_object('submission_id', ticket.submission_id)
        )"""
    )
).bindparams(queue=QUEUE, task=TASK)
DEFER_BACKGROUND_WORK = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        :queue, :task, :priority, 'background-' || CAST(:work_id AS text), NULL,
        jsonb_build_object('work_id', CAST(:work_id AS integer)), NULL
    )::procrastinate_job_to_defer_v1])
    """
).bindparams(queue=QUEUE, task=BACKGROUND_TASK, priority=-BACKGROUND_RANK)
BACKGROUND_WORK_WITH_JOB = text(
    """
    SELECT CAST(args ->> 'work_id' AS integer) FROM procrastinate_jobs
    WHERE status IN ('todo', 'doing') AND task_name = :task
    """
).bindparams(task=BACKGROUND_TASK)
COUNT_LIVE_WORKERS = text(
    "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :dead_seconds)"
)

log = logging.getLogger(__name__)


class ProcrastinateDispatcher(Dispatcher):
    """Runs no code itself: any number of ``python -m server worker`` processes do, on any machine."""

    def __init__(self, database: Database, url: str, signals: Signals, timing: Timing) -> None:
        super().__init__(timing)
        self._database = database
        self._listener = PostgresListener(url, signals, timing)

    def start(self) -> None:
        """Make jobs for tickets that have none, such as those of the other engine, and listen for grades."""
        with self._database.writing() as session:
            defer_tickets_without_job(session)
        self._listener.start()

    def stop(self) -> None:
        """Stop listening. The workers go on."""
        self._listener.stop()

    def announce(self, session: Session, submission_ids: Sequence[int]) -> None:
        """Write a job for each submission in this transaction. Workers learn of it when it is committed."""
        session.connection().execute(DEFER_SUBMISSIONS, {"ids": list(submission_ids)})

    def announce_background(self, session: Session, work_id: int) -> None:
        """Write a job for a piece of background work in this transaction: workers take it after all submissions."""
        defer_background_work(session, work_id)

    @property
    def refusal(self) -> str | None:
        """Always None: code that is handed in while no worker lives waits for one."""
        return None

    def health(self) -> dict[str, str]:
        """Return whether a worker is alive."""
        dead_seconds = {"dead_seconds": self._timing.dead_seconds}
        try:
            with self._database.reading() as session:
                workers = session.connection().execute(COUNT_LIVE_WORKERS, dead_seconds).scalar_one()
        except DatabaseUnavailable:
            return {"workers": UNREACHABLE}
        return {"workers": "ok" if workers else NO_WORKER}

    def threads(self) -> Sequence[ThreadStatus]:
        """Return how the listener goes."""
        return [self._listener.thread]


def defer_background_work(session: Session, work_id: int) -> None:
    """Make a job for a piece of background work."""
    session.connection().execute(DEFER_BACKGROUND_WORK, {"work_id": work_id})


def defer_missing_background_work(session: Session, work_ids: Sequence[int]) -> None:
    """Make jobs for pieces of background work that have none."""
    if work_ids:
        have_one = set(session.connection().execute(BACKGROUND_WORK_WITH_JOB).scalars())
        for work_id in set(work_ids) - have_one:
            defer_background_work(session, work_id)


def defer_tickets_without_job(session: Session) -> None:
    """Make jobs for live tickets that have none."""
    session.connection().execute(DEFER_TICKETS_WITHOUT_JOB)
