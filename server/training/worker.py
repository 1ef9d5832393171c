"""Running the chunks of training runs, in the background of the queue."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from safetensors.torch import load
from sqlmodel import Session
from torch import Tensor

from exercises.instance import freeze
from grader.sandbox import Run, RunStatus, SandboxFault
from grader.sandbox.job import SandboxExhausted
from grader.supervision import ThreadStatus
from grader.training import Chunk, Trainer, is_finite
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.database.table import now
from server.grading.code_runner import CodeRunner
from server.grading.grade import storable
from server.metrics import Metrics
from server.queue.background import BackgroundWork
from server.queue.leases import Again
from server.queue.queries import BACKGROUND_RANK
from server.queue.timing import TrainingPace
from server.tables import Check, RunState, TrainingChunkRow, TrainingRunRow
from server.training import messages, store
from server.training.referee import Referee
from server.training.runs import end
from server.training.store import Claim

WAIT_SECONDS = 0.25  # for a replay that is behind, or for a turn
OUTAGE_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Taken:
    """A chunk whose steps were taken: the run in the sandbox, and the parameters that it claims; None for none.

    ``lecture_seconds`` is what a step takes with the lecture's backward pass; None while nobody needs to know.
    ``step`` is how far the run is.
    """

    run: Run
    chunk: Chunk
    claimed: dict[str, Tensor] | None
    step: int
    lecture_seconds: float | None


class TrainingWork(BackgroundWork):
    """Takes runs and runs their next chunks; the referee replays them.

    :param trainer: called when it is first needed
    :param turns: how many chunks are run at a time: by this process as jobs, and by all who take the next one
    """

    def __init__(
        self,
        database: Database,
        code_runner: CodeRunner,
        trainer: Callable[[], Trainer],
        pace: TrainingPace,
        metrics: Metrics,
        turns: int,
    ) -> None:
        self._database = database
        self._code_runner = code_runner
        self._trainer = trainer
        self._pace = pace
        self._metrics = metrics
        self._turns = turns
        self._free_turns = threading.BoundedSemaphore(turns)
        self._lock = threading.Lock()  # over the next two
        self._expected = 0  # how often a run was expected
        self._look_at = 0.0  # on the monotonic clock
        self.referee = Referee(database, code_runner, trainer, pace, metrics)

    def start(self) -> None:
        """Begin to replay."""
        self.referee.start()

    def stop(self) -> None:
        """End replaying. What is left of it is taken up by the next process."""
        self.referee.stop()

    @property
    def threads(self) -> Sequence[ThreadStatus]:
        """How the referee goes."""
        return [self.referee.thread]

    def waiting(self, session: Session) -> Sequence[int]:
        """Return the runs that have steps to take."""
        return store.waiting(session)

    def expect(self) -> None:
        """Look at the next call of ``work_next``, however long there was nothing to do."""
        with self._lock:
            self._expected += 1
            self._look_at = 0.0

    def work_next(self) -> bool:
        """Run a chunk of the run that has taken least time; return False if there is none.

        While no run goes on, it asks the database now and then only.
        """
        with self._lock:
            expected = self._expected
            if time.monotonic() < self._look_at:
                return False
        try:
            with self._database.reading() as session:
                if not store.is_any_live(session):
                    self._rest(expected)
                    return False
                if not store.is_due(session):
                    return False
            with self._database.writing(durable=False) as session:
                claim = store.claim_next(session, self._pace.lease_seconds, self._turns)
        except DatabaseUnavailable:
            return False
        if claim is not None:
            self._run(claim)
        return claim is not None

    def _rest(self, expected: int) -> None:
        """Look again after a while, unless a run was expected since."""
        with self._lock:
            if self._expected == expected:
                self._look_at = time.monotonic() + self._pace.idle_seconds

    def work_on(self, work_id: int) -> Again | None:
        """Run the next chunk of a run; return when it goes on, or None if it is over."""
        if not self._free_turns.acquire(blocking=False):
            return Again(WAIT_SECONDS)
        try:
            with self._database.writing(durable=False) as session:
                if store.is_over(session, work_id):
                    return None
                claim = store.claim(session, work_id, self._pace.lease_seconds)
            if claim is None:
                return Again(WAIT_SECONDS)
            pause = self._run(claim)
            with self._database.reading() as session:
                taken = store.turn_seconds(session, work_id)
            return Again(pause, BACKGROUND_RANK + int(taken))  # who has taken least time goes first
        except DatabaseUnavailable:
            return Again(OUTAGE_SECONDS)
        finally:
            self._free_turns.release()

    def _run(self, claim: Claim) -> float:
        """Run a chunk, and store what came of it; return after how many seconds the run may go on."""
        began = time.monotonic()
        try:
            if claim.tries > store.TRIES_MAX:
                self._end(claim, messages.LOST.format(tries=store.TRIES_MAX))
                return 0.0
            trainer = self._trainer()
            if trainer.network.dataset != claim.dataset:
                self._end(claim, messages.OTHER_DATA)
                return 0.0
            taken = self._taken(trainer, claim)
            self._store(trainer, claim, taken, time.monotonic() - began)
        except DatabaseUnavailable:
            self._metrics.chunks.labels("lost").inc()
            return OUTAGE_SECONDS  # its lease ends, and the chunk is run again
        except Exception as error:
            return self._give_back(claim, error)
        return 0.0

    def _taken(self, trainer: Trainer, claim: Claim) -> Taken:
        start = trainer.network.start(claim.seed) if claim.start is None else load(claim.start)
        plan = claim.plan
        chunk = trainer.chunk(claim.seed, claim.step, plan.batch, plan.rates(claim.step, claim.steps), start)
        run = self._code_runner.sandbox.run(trainer.job(chunk, claim.source, claim.filename))
        step = claim.step + (claim.steps if run.status is RunStatus.OK else 0)
        lecture_seconds = self._lecture_seconds(trainer, claim, claim.seconds + run.seconds, step)
        return Taken(run, chunk, trainer.parameters(run, start), step, lecture_seconds)

    def _lecture_seconds(self, trainer: Trainer, claim: Claim, seconds: float, step: int) -> float | None:
        """Return what a step takes with the lecture's backward pass, measured if the run may be too slow.

        The machine may be slow now, or was when it was measured before. So the longer time counts.
        """
        known = claim.lecture_seconds
        if not 0 < step < claim.plan.steps or seconds <= self._pace.allowed_seconds(step, known or 0.0):
            return known
        return max(known or 0.0, trainer.lecture_seconds(claim.plan.batch, self._code_runner.sandbox))

    def _store(self, trainer: Trainer, claim: Claim, taken: Taken, seconds: float) -> None:
        """Store the end of a chunk, or the end of the run."""
        run, claimed = taken.run, taken.claimed
        self._metrics.chunks.labels(run.status.value).inc()
        step = taken.step
        if self._is_too_slow(claim, taken):
            self._end(claim, self._too_slow(claim, taken), taken)
        elif run.status is RunStatus.TIME_LIMIT and claim.steps > 1:
            self._shorten(claim, taken)  # the machine may be slow; a single step shows whose fault it is
        elif run.status is not RunStatus.OK:
            self._end(claim, messages.STOPPED.format(step=claim.step, message=storable(run.message).strip()))
        elif claimed is None:
            self._end(claim, messages.NOTHING_LEFT.format(step=claim.step))
        elif not (is_finite(claimed) and math.isfinite(loss := trainer.network.probe(claimed))):
            self._end(claim, messages.NOT_FINITE.format(step=step))
        else:
            losses = [(0, trainer.network.probe(taken.chunk.start))] if claim.step == 0 else []
            losses.append((step, loss))
            ends = [(0, freeze(taken.chunk.start))] if claim.step == 0 else []
            ends.append((step, freeze(claimed)))
            self._keep(claim, taken, losses, ends, max(run.seconds, seconds))

    def _is_too_slow(self, claim: Claim, taken: Taken) -> bool:
        """Whether a run that goes on has taken more time than its steps may. Steps may be slow, and not all of them."""
        if taken.lecture_seconds is None or taken.step == claim.plan.steps:
            return False
        return claim.seconds + taken.run.seconds > self._pace.allowed_seconds(taken.step, taken.lecture_seconds)

    def _too_slow(self, claim: Claim, taken: Taken) -> str:
        assert taken.lecture_seconds is not None
        own = (claim.seconds + taken.run.seconds) / taken.step
        times = own / max(taken.lecture_seconds, 1e-6)
        return messages.TOO_SLOW.format(
            step=taken.step, own=f"{1000 * own:,.0f} ms", times=f"{times:,.0f}", most=f"{self._pace.slowness_max:g}"
        )

    def _keep(
        self,
        claim: Claim,
        taken: Taken,
        losses: Sequence[tuple[int, float]],
        ends: Sequence[tuple[int, bytes]],
        seconds: float,
    ) -> None:
        """Store the parameters at the end of a chunk. A power cut that takes them away brings the chunk back."""
        with self._database.writing(durable=False) as session:
            row = store.held(session, claim.run_id, claim.claims)
            if row is None:
                return  # it was cancelled, or another worker has it
            is_due = row.ranked or row.checked is Check.FAILED or row.chunks % self._pace.sample == 0
            for step, parameters in ends:
                last = step == ends[-1][0]
                session.add(TrainingChunkRow(run_id=row.id, step=step, parameters=parameters, is_due=is_due and last))
            row.step = ends[-1][0]
            row.chunks += 1
            for step, loss in losses:
                row.curve = store.with_point(row.curve, step, loss)
            if claim.step == 0:
                row.reference_curve = [list(losses[0])]
            pace = claim.steps * claim.plan.batch / seconds
            row.examples_per_second = pace if row.examples_per_second is None else (row.examples_per_second + pace) / 2
            if claim.steps == claim.chunk_steps:  # the last chunk may be short, and tells nothing
                row.chunk_steps = self._pace.next_steps(claim.steps, seconds, claim.plan.batch)
            self._release(row, taken)
            store.drop_old_chunks(session, row.id)
        self._metrics.steps.inc(claim.steps)
        self.referee.wake()

    def _shorten(self, claim: Claim, taken: Taken) -> None:
        with self._database.writing(durable=False) as session:
            row = store.held(session, claim.run_id, claim.claims)
            if row is not None:
                row.chunk_steps = max(1, claim.steps // self._pace.growth)
                self._release(row, taken)

    @staticmethod
    def _release(row: TrainingRunRow, taken: Taken) -> None:
        """Note what the chunk took, and let anybody take the run's next one."""
        TrainingWork._note(row, taken)
        row.tries, row.due_at = 0, now()
        row.moved += 1

    @staticmethod
    def _note(row: TrainingRunRow, taken: Taken) -> None:
        """Note what the chunk took."""
        row.seconds += taken.run.seconds
        row.turn_seconds += taken.run.seconds
        row.lecture_seconds = taken.lecture_seconds

    def _end(self, claim: Claim, message: str, taken: Taken | None = None) -> None:
        """End a run; ``taken`` are steps that count, though their parameters are not kept."""
        with self._database.writing() as session:
            row = store.held(session, claim.run_id, claim.claims)
            if row is None:
                return
            if taken is not None:
                row.step = taken.step
                self._note(row, taken)
            end(session, row, RunState.FAILED, message)

    def _give_back(self, claim: Claim, error: Exception) -> float:
        """Have a lost chunk run again after a pause; return that."""
        self._metrics.faults.labels(type(error).__name__).inc()
        self._metrics.chunks.labels("lost").inc()
        trace = None if isinstance(error, SandboxFault) else error
        log.error("A chunk of training run %d is lost, try %d: %s", claim.run_id, claim.tries, error, exc_info=trace)
        is_blameless = self._code_runner.inspect() is not None or isinstance(error, SandboxExhausted)
        pause = self._pace.retry_seconds * claim.tries
        try:
            with self._database.writing(durable=False) as session:
                row = store.held(session, claim.run_id, claim.claims)
                if row is not None:
                    row.tries -= is_blameless
                    row.due_at = now() + timedelta(seconds=pause)
        except DatabaseUnavailable:
            return OUTAGE_SECONDS
        return pause
