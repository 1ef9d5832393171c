"""The worker: a process that takes jobs of procrastinate and grades them in a sandbox of its own.

It has as many lanes as its sandbox has children; each lane is a worker of the library that runs one job at a time,
so that it asks for the next as soon as it is done. A lane whose connection broke is started anew. Every second, each
process looks for jobs that nobody runs any more and has them taken again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import procrastinate
from procrastinate.jobs import DeleteJobCondition, Job, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.worker import Worker
from sqlalchemy.exc import SQLAlchemyError

from server.dispatch import jobs, tickets
from server.dispatch.turn import Turns
from server.models import now
from server.services import Services
from server.settings import Settings
from server.telegraph import Telegraph, conninfo
from server.timing import Timing
from server.workshop import Workshop

log = logging.getLogger(__name__)


class Again(Exception):
    """The run was lost; it is to be tried again after ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


class Patience(BaseRetryStrategy):
    """A job is never given up, because it is not the job that failed: what is not to be tried again is said by the
    ticket."""

    def __init__(self, retry_seconds: float) -> None:
        self._retry_seconds = retry_seconds

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """After the pause that was asked for, or a moment later where something else went wrong."""
        seconds = exception.seconds if isinstance(exception, Again) else self._retry_seconds
        return RetryDecision(retry_at=now() + timedelta(seconds=seconds))


class Crew:
    """The lanes of a process."""

    def __init__(self, services: Services) -> None:
        self._timing = services.timing
        self._database = services.database
        self._workshop = services.workshop
        self._count = services.settings.children
        ring = Telegraph(services.database).ring
        self._turns = Turns(services.database, services.grading, services.workshop, ring, self._timing)
        connector = procrastinate.PsycopgConnector(
            conninfo=conninfo(services.settings.url),
            min_size=1,
            max_size=self._count + 2,
            timeout=self._timing.pool_seconds,
            reconnect_timeout=self._timing.pool_seconds,
        )
        self._app = procrastinate.App(connector=connector)
        self._app.task(name=jobs.TASK, queue=jobs.QUEUE, retry=Patience(self._timing.retry_seconds))(self._grade)
        self._lanes: set[Worker] = set()
        self._adrift: set[int | None] = set()  # jobs that looked lost at the last sweep
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until stopped; then finish what is running."""
        # A thread for each lane, and some for whoever looks after them.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(self._count + 4))
        self._turns.begin()
        async with self._app.open_async():
            sweeper = asyncio.create_task(self._sweep())
            await asyncio.gather(*(self._lane() for _ in range(self._count)))
            sweeper.cancel()
        self._turns.end()

    def stop(self) -> None:
        """Take no more jobs."""
        self._stopping.set()
        for lane in self._lanes:
            lane.stop()
        log.info("Stopping: what is running is finished first.")

    async def _lane(self) -> None:
        while not self._stopping.is_set():
            if not await asyncio.to_thread(self._workshop.ready):
                await self._pause(self._timing.inspect_again_seconds)
                await asyncio.to_thread(self._workshop.inspect)
                continue
            lane = Worker(
                self._app,
                queues=[jobs.QUEUE],
                concurrency=1,
                # The library does not tell of jobs that became due or were freed.
                fetch_job_polling_interval=self._timing.look_again_seconds,
                delete_jobs=DeleteJobCondition.ALWAYS,
                install_signal_handlers=False,
                update_heartbeat_interval=self._timing.heartbeat_seconds,
                stalled_worker_timeout=self._timing.dead_seconds,
            )
            self._lanes.add(lane)
            try:
                if not self._stopping.is_set():
                    await lane.run()
            except Exception as error:
                log.warning("A lane broke (%s: %s); it is started anew.", type(error).__name__, error)
            finally:
                self._lanes.discard(lane)
            await self._pause(self._timing.restart_seconds)

    async def _grade(self, submission_id: int) -> None:
        """The job: one turn of a submission's ticket."""
        again = await asyncio.to_thread(self._turn, submission_id)
        if again is not None:
            raise Again(again)

    def _turn(self, submission_id: int) -> float | None:
        """Grade, and say after how many seconds to try again."""
        if not self._workshop.ready():
            for lane in self._lanes:  # others may have a sandbox that works
                lane.stop()
            return 0.0
        with self._database.writing(durable=False) as session:
            lease = tickets.claim(session, submission_id, self._timing.lease_seconds)
        if lease is None:
            return None
        done = self._turns.see_through(lease)
        return None if done else self._timing.retry_seconds * lease.tries

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._timing.sweep_seconds)
            try:
                await self._recover()
                await asyncio.to_thread(self._adopt)
            except (procrastinate.exceptions.ProcrastinateException, SQLAlchemyError) as error:
                log.warning("The queue cannot be looked after now (%s).", type(error).__name__)

    async def _recover(self) -> None:
        """Have jobs taken again whose worker is dead, or which a lane of ours has let go without a report, as it
        does when the connection breaks at that moment."""
        manager = self._app.job_manager
        stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=self._timing.dead_seconds)
        lost = {job.id: job for job in stalled}
        adrift: set[int | None] = set()
        for lane in self._lanes.copy():
            if lane.worker_id is not None:
                held = _held(lane)
                for job in await manager.list_jobs_async(status=Status.DOING.value, worker_id=lane.worker_id):
                    if job.id not in held | _held(lane):
                        adrift.add(job.id)
                        if job.id in self._adrift:  # seen twice: not just on its way
                            lost[job.id] = job
        self._adrift = adrift
        for job in lost.values():
            with contextlib.suppress(procrastinate.exceptions.ConnectorException):  # somebody was faster
                await manager.retry_job(job)
                log.warning("Job %s was lost with its worker; it is taken again.", job.id)

    def _adopt(self) -> None:
        with self._database.writing() as session:
            jobs.adopt(session)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _held(lane: Worker) -> set[int | None]:
    """The jobs that a lane runs, or has still to report on."""
    return {context.job.id for context in lane._running_jobs.values()}


async def _run(services: Services) -> None:
    crew = Crew(services)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, crew.stop)
    await crew.run()


def work(settings: Settings, timing: Timing | None = None) -> int:
    """Be a worker until a signal ends it.

    :raises SettingsError: the settings cannot be used
    """
    services = Services.build(settings, Workshop.of(settings), timing or Timing())
    services.prepare()
    log.info("A worker with %d lanes.", settings.children)
    try:
        asyncio.run(_run(services))
    finally:
        services.workshop.close()
        services.database.close()
    return 0
