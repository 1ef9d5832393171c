"""The worker process: takes procrastinate's jobs and grades them in a sandbox of its own.

It has as many slots as its sandbox has children. Each slot is a worker of the library that runs one job at a time, so
that it asks for the next as soon as one is done. A slot whose connection broke is started anew. Every second, each
process looks for jobs that nobody runs any more and has them taken again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import procrastinate
from procrastinate.jobs import DeleteJobCondition, Job, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.worker import Worker

from grader.supervision import ThreadStatus
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable, Repetitions
from server.database.postgresql import connection_string
from server.database.table import now
from server.grading.code_runner import CodeRunner
from server.queue import procrastinate as jobs
from server.queue import tickets
from server.queue.background import BackgroundWork
from server.queue.dispatcher import STOPPING
from server.queue.leases import Again, LeaseKeeper
from server.queue.timing import Timing

SPARE_THREADS = 4  # for inspections and sweeps, beside one for each slot
SPARE_CONNECTIONS = 2

log = logging.getLogger(__name__)


class RetryLater(Exception):
    """The run was lost, or took too long for a look; it comes again."""

    def __init__(self, again: Again) -> None:
        super().__init__(f"comes again after {again.seconds:g} s")
        self.again = again


class RetryForever(BaseRetryStrategy):
    """Never gives a job up: it is the ticket that says whether a submission is tried again."""

    def __init__(self, retry_seconds: float) -> None:
        self._retry_seconds = retry_seconds

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """Return when to try again, and how urgently: as ``RetryLater`` says, or after the usual pause."""
        again = exception.again if isinstance(exception, RetryLater) else Again(self._retry_seconds)
        priority = None if again.rank is None else -again.rank
        return RetryDecision(retry_at=now() + timedelta(seconds=again.seconds), priority=priority)


class WorkerPool:
    """The slots of a process."""

    def __init__(
        self,
        database: Database,
        url: str,
        code_runner: CodeRunner,
        leases: LeaseKeeper,
        slots: int,
        timing: Timing,
        background: BackgroundWork,
    ) -> None:
        self._database = database
        self._background = background
        self._code_runner = code_runner
        self._leases = leases
        self._count = slots
        self._timing = timing
        connector = procrastinate.PsycopgConnector(
            conninfo=connection_string(url),
            min_size=1,
            max_size=slots + SPARE_CONNECTIONS,
            timeout=timing.pool_seconds,
            reconnect_timeout=timing.pool_seconds,
        )
        self._app = procrastinate.App(connector=connector)
        retry = RetryForever(timing.retry_seconds)
        self._app.task(name=jobs.TASK, queue=jobs.QUEUE, retry=retry)(self._run_job)
        self._app.task(name=jobs.BACKGROUND_TASK, queue=jobs.QUEUE, retry=retry)(self._run_background)
        self._slots: set[Worker] = set()
        self._suspects: set[int | None] = set()  # jobs that looked lost at the last sweep
        self._repetitions = Repetitions()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until stopped; then finish what is running."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(self._count + SPARE_THREADS))
        self._leases.start()
        await asyncio.to_thread(self._background.start)
        async with self._app.open_async():
            sweeper = asyncio.create_task(self._sweep())
            await asyncio.gather(*(self._run_slot() for _ in range(self._count)))
            sweeper.cancel()
        await asyncio.to_thread(self._background.stop)
        self._leases.stop()

    def stop(self) -> None:
        """Take no more jobs."""
        self._stopping.set()
        self._leases.stop_waiting()
        for slot in self._slots:
            slot.stop()
        log.info(STOPPING)

    def threads(self) -> Sequence[ThreadStatus]:
        """Return how the threads go that code is graded with."""
        return [self._leases.thread, *self._background.threads, *self._code_runner.threads]

    async def _run_slot(self) -> None:
        while not self._stopping.is_set():
            if not await asyncio.to_thread(self._code_runner.is_ready):
                await self._pause(self._timing.inspect_again_seconds)
                await asyncio.to_thread(self._code_runner.inspect)
                continue
            slot = self._new_slot()
            self._slots.add(slot)
            try:
                if not self._stopping.is_set():
                    await slot.run()
            except Exception as error:
                if self._repetitions.is_news(type(error).__name__):
                    text = " ".join(str(error).split())  # the library's have line breaks
                    log.warning("A slot broke (%s: %s); it is started anew.", type(error).__name__, text)
            finally:
                self._slots.discard(slot)
            await self._pause(self._timing.restart_seconds)

    def _new_slot(self) -> Worker:
        return Worker(
            self._app,
            queues=[jobs.QUEUE],
            concurrency=1,
            fetch_job_polling_interval=self._timing.look_again_seconds,  # no message comes of a job that became due
            delete_jobs=DeleteJobCondition.ALWAYS,
            install_signal_handlers=False,
            update_heartbeat_interval=self._timing.heartbeat_seconds,
            stalled_worker_timeout=self._timing.dead_seconds,
        )

    async def _run_job(self, submission_id: int) -> None:
        """Grade a submission; this is the task of the library.

        :raises RetryLater: it is to come again
        """
        again = await asyncio.to_thread(self._grade, submission_id)
        if again is not None:
            raise RetryLater(again)

    async def _run_background(self, work_id: int) -> None:
        """Do a piece of background work; this is a task of the library.

        :raises RetryLater: it goes on
        """
        again = await asyncio.to_thread(self._work_on, work_id)
        if again is not None:
            raise RetryLater(again)

    def _work_on(self, work_id: int) -> Again | None:
        return self._background.work_on(work_id) if self._is_ready() else Again(0.0)

    def _is_ready(self) -> bool:
        """Return whether code may be run here. If not, take no more jobs: another process may have a sandbox."""
        is_ready = self._code_runner.is_ready()
        if not is_ready:
            for slot in self._slots:
                slot.stop()
        return is_ready

    def _grade(self, submission_id: int) -> Again | None:
        """Grade a submission; return None, or when to try again."""
        if not self._is_ready():
            return Again(0.0)
        try:
            with self._database.writing(durable=False) as session:
                lease = tickets.claim(session, submission_id, self._timing.lease_seconds)
        except DatabaseUnavailable:
            return Again(self._timing.database_retry_seconds)
        return None if lease is None else self._leases.grade(lease).again

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._timing.sweep_seconds)
            try:
                await self._retry_lost_jobs()
                await asyncio.to_thread(self._defer_tickets_without_job)
            except Exception as error:  # whatever it is, the next sweep comes
                if self._repetitions.is_news(f"sweep {type(error).__name__}"):
                    log.warning("The queue cannot be swept now.", exc_info=not _is_outage(error))

    async def _retry_lost_jobs(self) -> None:
        """Have jobs taken again that nobody runs any more.

        Their worker is dead, or a slot of ours dropped them without a report because its connection broke.
        """
        manager = self._app.job_manager
        stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=self._timing.dead_seconds)
        lost = {job.id: job for job in stalled}
        suspects: set[int | None] = set()
        for slot in self._slots.copy():
            if slot.worker_id is not None:
                held = _held_jobs(slot)
                for job in await manager.list_jobs_async(status=Status.DOING.value, worker_id=slot.worker_id):
                    if job.id not in held | _held_jobs(slot):
                        suspects.add(job.id)
                        if job.id in self._suspects:  # seen twice: it is not just being fetched
                            lost[job.id] = job
        self._suspects = suspects
        for job in lost.values():
            with contextlib.suppress(procrastinate.exceptions.ConnectorException):  # another process was faster
                await manager.retry_job(job)
                log.warning("Job %s was lost with its worker; it is taken again.", job.id)

    def _defer_tickets_without_job(self) -> None:
        with self._database.writing() as session:
            jobs.defer_tickets_without_job(session)
            jobs.defer_missing_background_work(session, self._background.waiting(session))

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _is_outage(error: Exception) -> bool:
    return isinstance(error, procrastinate.exceptions.ProcrastinateException | DatabaseUnavailable)


def _held_jobs(slot: Worker) -> set[int | None]:
    """Return the jobs that a slot runs, or has still to report on."""
    return {context.job.id for context in slot._running_jobs.values()}


async def run_until_signalled(pool: WorkerPool) -> None:
    """Run a pool until SIGTERM or SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, pool.stop)
    await pool.run()
