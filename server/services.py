"""The parts of a server or a worker, put together from the settings."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self

from fastapi import FastAPI

from exercises import registry
from exercises.training import Trainable
from grader import grade
from grader.caches.budget import INSTANCES_BYTES
from grader.sandbox import Sandbox
from grader.training import Trainer
from server.authoring.turns import Trials
from server.catalogue.proofs import Proofs
from server.courses.last_seen import LastSeen
from server.database import migrate
from server.database.engine import Database
from server.grading.code_runner import CodeRunner
from server.grading.grade import Grading
from server.instances.exercises import record_revisions
from server.instances.pool import HiddenPool
from server.instances.secret import check_secret
from server.instances.store import InstanceStore
from server.metrics import Metrics
from server.operations import health
from server.operations.peer_pages import PeerPages
from server.operations.probe import WriteProbe
from server.operations.schemas import HealthBody
from server.operations.state_metrics import QueueCollector, StateCollector
from server.operations.worker_pages import WorkerPages
from server.pairing.tries import Tries
from server.people.join_limits import JoinLimits
from server.processes.peers import Message, Peers
from server.queue.dispatcher import Dispatcher
from server.queue.embedded import EmbeddedDispatcher
from server.queue.leases import LeaseKeeper, Notify
from server.queue.postgres_signals import PostgresNotifier
from server.queue.procrastinate import ProcrastinateDispatcher
from server.queue.signals import PeerNotifier, Signals
from server.queue.timing import Timing
from server.queue.worker import WorkerPool, run_until_signalled
from server.records.record import RecordSigner
from server.reports.class_events import ClassEvents
from server.settings import Settings, SettingsError
from server.submissions.accept import Allowance
from server.submissions.follow import STREAM_COLUMNS, Follower
from server.submissions.intake import Intake
from server.submissions.live_check import CheckPace, CheckTurns, LiveChecks, Room
from server.submissions.quota import MIB
from server.training import runs
from server.training.follow import TrainingFollower
from server.training.plan import Budget
from server.training.room import Training
from server.training.runs import Terms
from server.training.worker import TrainingWork

ZYGOTE_SECONDS_MAX: Final = 20.0  # from its start until it listens, on a busy machine
ZYGOTE_LOOK_SECONDS: Final = 0.02

log = logging.getLogger(__name__)


def make_code_runner(settings: Settings, peers: Peers) -> CodeRunner:
    """Return the code runner of a process, with the sandbox that the settings describe."""
    children = peers.share(settings.children)

    def open_sandbox() -> Sandbox:
        if peers.zygote is None:
            return Sandbox(children=children, connect=settings.zygote)
        wait_for_zygote(peers.zygote)
        return Sandbox(children=children, connect=peers.zygote)

    return CodeRunner(open_sandbox)


def wait_for_zygote(path: Path) -> None:
    """Wait until a zygote that starts beside this process has made its socket, or for a while."""
    deadline = time.monotonic() + ZYGOTE_SECONDS_MAX
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(ZYGOTE_LOOK_SECONDS)


@cache
def make_trainer() -> Trainer:
    """Return what trains the network of the last exercise.

    :raises NoSuchExercise: no pack has it
    """
    exercise = registry.find(runs.EXERCISE)
    assert isinstance(exercise.numbers, Trainable), "the numbers of this exercise can be trained with"
    return Trainer(exercise, exercise.numbers)


@dataclass(frozen=True)
class Services:
    """What a process that grades has one of."""

    settings: Settings
    timing: Timing
    peers: Peers
    metrics: Metrics
    database: Database
    instances: InstanceStore
    pool: HiddenPool
    code_runner: CodeRunner
    grading: Grading
    trainer: Callable[[], Trainer]

    @classmethod
    def build(
        cls,
        settings: Settings,
        code_runner: CodeRunner | None = None,
        timing: Timing | None = None,
        peers: Peers | None = None,
        trainer: Callable[[], Trainer] | None = None,
    ) -> Self:
        """Put everything together; nothing is opened or started yet.

        :raises SettingsError: the settings cannot be used
        :raises PackError: a pack of exercises or its data cannot be used
        """
        registry.prepare()
        peers = peers or Peers.alone()
        database = Database(settings.url, peers.write_lock)
        instances = InstanceStore(database, settings.key, INSTANCES_BYTES // peers.count)
        code_runner = code_runner or make_code_runner(settings, peers)
        metrics = Metrics()
        pool = HiddenPool(database, instances)
        grading = Grading(database, instances, pool, code_runner, metrics)
        return cls(
            settings,
            timing or Timing(),
            peers,
            metrics,
            database,
            instances,
            pool,
            code_runner,
            grading,
            trainer or make_trainer,
        )

    def prepare_database(self) -> None:
        """Run the missing migrations, recognise the secret, and write down the exercises that are served.

        :raises SettingsError: the database was begun with another secret
        :raises NewerDatabase: a newer server has migrated the database
        :raises DatabaseUnavailable: the database is away, full, …
        """
        migrate.upgrade(self.settings.url)
        check_secret(self.database, self.settings.key)
        record_revisions(self.database)

    def close(self) -> None:
        """End the sandbox and close the database."""
        self.code_runner.close()
        self.database.close()

    def make_dispatcher(self, signals: Signals) -> Dispatcher:
        """Return the engine that the settings name.

        :raises SettingsError: procrastinate without PostgreSQL
        """
        if self.settings.dispatch == "procrastinate":
            return ProcrastinateDispatcher(self.database, self.settings.postgresql_url, signals, self.timing)
        leases = self._make_lease_keeper(PeerNotifier(signals, self.peers).notify)
        workers = self.peers.share(self.settings.children)
        background = self.make_training_work()
        return EmbeddedDispatcher(self.database, self.code_runner, leases, workers, self.timing, self.peers, background)

    def make_worker_pool(self) -> WorkerPool:
        """Return the slots of a worker process. The running loop is theirs.

        :raises SettingsError: the database is not PostgreSQL
        """
        leases = self._make_lease_keeper(PostgresNotifier(self.database).notify)
        slots, url = self.settings.children, self.settings.postgresql_url
        background = self.make_training_work()
        return WorkerPool(self.database, url, self.code_runner, leases, slots, self.timing, background)

    def make_training_work(self) -> TrainingWork:
        """Return what runs the chunks of training runs. One run of code at least is left to students' answers."""
        turns = max(1, self.settings.children - 1)
        return TrainingWork(self.database, self.code_runner, self.trainer, self.timing.training, self.metrics, turns)

    def _make_lease_keeper(self, notify: Notify) -> LeaseKeeper:
        return LeaseKeeper(self.database, self.grading, self.code_runner, notify, self.timing, self.metrics)


@dataclass(frozen=True)
class ServerServices(Services):
    """What a server has one of."""

    signals: Signals
    dispatcher: Dispatcher
    follower: Follower
    intake: Intake
    pairing_tries: Tries
    join_limits: JoinLimits
    live_checks: LiveChecks
    peer_pages: PeerPages
    training: Training

    @classmethod
    def build(
        cls,
        settings: Settings,
        code_runner: CodeRunner | None = None,
        timing: Timing | None = None,
        peers: Peers | None = None,
        trainer: Callable[[], Trainer] | None = None,
    ) -> Self:
        """Put everything together; nothing is opened or started yet.

        :raises SettingsError: the settings cannot be used
        """
        base = Services.build(settings, code_runner, timing, peers, trainer)
        peers = base.peers
        signals = Signals()
        base.metrics.registry.register(StateCollector(base.database, signals))
        base.metrics.server_registry.register(QueueCollector(base.database))
        dispatcher = base.make_dispatcher(signals)
        follower = Follower(
            base.database, signals, base.timing, dispatcher.standing, peers.gauge("streams", STREAM_COLUMNS)
        )
        intake = Intake(
            base.database,
            base.instances,
            base.pool,
            dispatcher,
            follower,
            Allowance(settings.submissions_per_minute, settings.quota_mib * MIB),
            base.metrics,
        )
        room = Room(settings.children if settings.dispatch == "embedded" else None)
        pace = CheckPace(settings.checks_per_minute, memory=peers.memory)
        return cls(
            **vars(base),
            signals=signals,
            dispatcher=dispatcher,
            follower=follower,
            intake=intake,
            live_checks=LiveChecks(
                base.database,
                base.instances,
                dispatcher,
                base.code_runner,
                pace,
                room,
                base.metrics,
                CheckTurns(peers.gauge("checks"), peers.memory.lock),
            ),
            pairing_tries=Tries(memory=peers.memory, name="pairing"),
            join_limits=JoinLimits(peers.memory),
            peer_pages=PeerPages(peers, dispatcher, base.metrics),
            training=Training(
                Terms(
                    Budget(settings.training_steps, settings.training_steps_max, settings.training_examples),
                    settings.key,
                    base.trainer,
                    dispatcher.announce_background,
                    base.timing.training.first_steps,
                ),
                TrainingFollower(base.database, follower, base.timing.follow_look_seconds),
            ),
        )

    def attach(self, app: FastAPI) -> None:
        """Give routes what they ask for; each dependency takes one thing."""
        app.state.database = self.database
        app.state.write_probe = WriteProbe(self.database)
        app.state.instances = self.instances
        app.state.dispatcher = self.dispatcher
        app.state.code_runner = self.code_runner
        app.state.follower = self.follower
        app.state.intake = self.intake
        app.state.metrics = self.metrics
        app.state.peer_pages = self.peer_pages
        app.state.record_signer = RecordSigner(self.settings.key)
        app.state.proofs = Proofs(self.settings.data, self.settings.key)
        app.state.pairing_tries = self.pairing_tries
        app.state.join_limits = self.join_limits
        app.state.live_checks = self.live_checks
        app.state.last_seen = LastSeen(self.database)
        app.state.trials = Trials(self.peers.memory)
        app.state.training = self.training
        app.state.class_events = ClassEvents(self.database)

    def start(self) -> None:
        """Prepare the database, then begin to grade.

        The first worker starts the sandbox. What is handed in meanwhile waits for it.
        """
        grade.divide_room(self.peers.count)
        self.prepare_database()
        self.dispatcher.start()

    @asynccontextmanager
    async def hearing_peers(self) -> AsyncIterator[None]:
        """Listen to the other processes of this server, and answer what they ask."""
        stop_listening = self.peers.listen({Message.GRADED: self.signals.notify, Message.TICKETS: self.dispatcher.wake})
        try:
            async with self.peer_pages.answering():
                yield
        finally:
            stop_listening()

    def stop(self) -> None:
        """Finish what is running, and close everything."""
        self.dispatcher.stop()
        self.close()


def work(settings: Settings, timing: Timing | None = None) -> int:
    """Be a worker until a signal ends it; return the exit code.

    :raises SettingsError: the settings cannot be used
    """
    services = Services.build(settings, timing=timing)
    services.prepare_database()
    log.info("A worker with %d slots.", settings.children)

    async def run() -> None:
        pool = services.make_worker_pool()
        with _pages(services, pool):
            await run_until_signalled(pool)

    try:
        asyncio.run(run())
    finally:
        services.close()
    return 0


@contextmanager
def _pages(services: Services, pool: WorkerPool) -> Iterator[None]:
    """Serve the pages of a worker, if the settings name a port.

    :raises SettingsError: the port cannot be listened on
    """
    settings = services.settings
    if settings.worker_port is None:
        yield
        return
    probe = WriteProbe(services.database)

    def readiness() -> HealthBody:
        grading = {"grading": services.grading.proof.result()}
        return health.check(services.database, probe, grading, [*pool.threads(), pages.thread])

    try:
        pages = WorkerPages((settings.host, settings.worker_port), readiness, services.metrics.registry)
    except OSError as error:
        raise SettingsError(
            f"The worker cannot listen on {settings.host}:{settings.worker_port}: {error.strerror}. Set another "
            "DOJO_WORKER_PORT, or unset it."
        ) from None
    log.info("The worker answers /readyz and /metrics on port %d.", pages.port)
    pages.start()
    try:
        yield
    finally:
        pages.stop()
