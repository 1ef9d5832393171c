"""The referee: replays chunks with the right gradients, tells a wrong backward pass from a forged end, and measures.

It is a thread of its own with a low priority. torch lets other threads go on during each of its operations.
"""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from safetensors.torch import load
from sqlmodel import Session
from torch import Tensor

from exercises.instance import freeze
from grader.sandbox import SandboxFault
from grader.sandbox.job import SandboxExhausted
from grader.supervision import SupervisedThread, ThreadStatus
from grader.training import Chunk, TooSlow, Trainer, Verdict
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.database.table import now
from server.grading.code_runner import CodeRunner
from server.metrics import Metrics
from server.queue.timing import TrainingPace
from server.tables import Check, RunState, TrainingRunRow
from server.training import messages, store
from server.training.runs import end
from server.training.store import Duty, Ending

SAMPLES: Final = 20
NICENESS: Final = 10
REPLAYS_MAX: Final = 3  # tries of a chunk whose steps take too long one by one

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The process ends; what was begun is begun anew by the next one."""


@dataclass(frozen=True)
class Replayed:
    """What became of a replay: the verdict, the right gradients' parameters, and their loss on the probe."""

    verdict: Verdict
    reference: dict[str, Tensor]
    loss: float


class Referee:
    """Replays what is to be replayed, in a thread of its own, and ends runs whose steps are taken."""

    def __init__(
        self,
        database: Database,
        code_runner: CodeRunner,
        trainer: Callable[[], Trainer],
        pace: TrainingPace,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._code_runner = code_runner
        self._trainer = trainer
        self._pace = pace
        self._metrics = metrics
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._lost: dict[int, int] = {}  # by run, the tries of a chunk that this process could not replay
        self._thread = SupervisedThread("training referee", self._work, self._stopping)

    @property
    def thread(self) -> ThreadStatus:
        """How the thread goes."""
        return self._thread.status

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a replay that goes on is given back."""
        self._stopping.set()
        self._woken.set()
        self._thread.join()

    def wake(self) -> None:
        """Look for something to replay now."""
        self._woken.set()

    def _work(self) -> None:
        with suppress(OSError, AttributeError):  # of this thread alone, on Linux
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while not self._stopping.is_set():
            self._woken.clear()
            if not self.work_next():
                self._woken.wait(self._pace.look_seconds if self._is_any_live() else self._pace.idle_seconds)

    def _is_any_live(self) -> bool:
        try:
            with self._database.reading() as session:
                return store.is_any_live(session)
        except DatabaseUnavailable:
            return True

    def work_next(self) -> bool:
        """Replay a chunk, or end a run; return False if there is nothing to do, or the database cannot be used."""
        try:
            with self._database.reading() as session:
                if not store.has_duty(session):
                    return False
            with self._database.writing(durable=False) as session:
                duty = store.claim_duty(session, self._pace.duty_seconds)
                ending = None if duty is not None else store.claim_ending(session, self._pace.duty_seconds)
            if duty is not None:
                self._replay(duty)
            elif ending is not None:
                self._end(ending)
            return duty is not None or ending is not None
        except DatabaseUnavailable:
            return False

    def _replay(self, duty: Duty) -> None:
        try:
            replayed = self._judged(duty)
        except Stopped:
            self._put_back(duty, 0.0)
            return
        except Exception as error:  # what a student's code makes of a replay must not hold up those of others
            self._lose(duty, error)
            return
        self._lost.pop(duty.run_id, None)
        self._metrics.replays.labels(replayed.verdict.value).inc()
        with self._database.writing(durable=False) as session:
            row = store.locked(session, duty.run_id)
            if row is not None and row.state is RunState.RUNNING:
                self._record(session, row, duty, replayed)

    def _judged(self, duty: Duty) -> Replayed:
        trainer, plan = self._trainer(), duty.plan
        rates = plan.rates(duty.first, duty.last - duty.first)
        chunk = trainer.chunk(duty.seed, duty.first, plan.batch, rates, load(duty.start))
        reference = trainer.replay(chunk, self._interruptible(trainer))
        loss = trainer.network.probe(reference)
        if duty.has_failed:
            return Replayed(Verdict.WRONG, reference, loss)
        verdict = trainer.judge(chunk, load(duty.claimed), reference, lambda: self._own(trainer, chunk, duty))
        return Replayed(verdict, reference, loss)

    def _interruptible(self, trainer: Trainer) -> Callable[[dict[str, Any]], Mapping[Any, Any]]:
        def gradients(state: dict[str, Any]) -> Mapping[Any, Any]:
            self._require_going_on()
            return trainer.network.gradients(state)

        return gradients

    def _own(self, trainer: Trainer, chunk: Chunk, duty: Duty) -> Any:
        log.info("The chunk of training run %d that ends at step %d does not agree.", duty.run_id, duty.last)
        return trainer.own(chunk, duty.source, duty.filename, self._code_runner.sandbox, self._require_going_on)

    def _require_going_on(self) -> None:
        if self._stopping.is_set():
            raise Stopped

    def _lose(self, duty: Duty, error: Exception) -> None:
        """Have a chunk replayed again later, or end its run: nobody can say whether it is right."""
        self._metrics.faults.labels(type(error).__name__).inc()
        trace = None if isinstance(error, SandboxFault) else error
        log.error("A chunk of training run %d could not be checked: %s", duty.run_id, error, exc_info=trace)
        is_blameless = self._code_runner.inspect() is not None or isinstance(error, SandboxExhausted)
        tries = self._lost.get(duty.run_id, 0) + (not is_blameless)
        is_slow = isinstance(error, TooSlow)
        if tries < (REPLAYS_MAX if is_slow else store.TRIES_MAX):
            self._lost[duty.run_id] = tries
            self._put_back(duty, self._pace.retry_seconds * max(1, tries))
            return
        self._lost.pop(duty.run_id, None)
        with self._database.writing() as session:
            row = store.locked(session, duty.run_id)
            if row is not None and row.state is RunState.RUNNING:
                message = messages.UNCHECKED if is_slow else messages.LOST
                end(session, row, RunState.FAILED, message.format(step=duty.last, tries=tries))

    def _put_back(self, duty: Duty, pause: float) -> None:
        with self._database.writing(durable=False) as session:
            chunk = store.chunk_of(session, duty.run_id, duty.last)
            if chunk is not None:
                chunk.due_at = now() + timedelta(seconds=pause)

    @staticmethod
    def _record(session: Session, row: TrainingRunRow, duty: Duty, replayed: Replayed) -> None:
        if replayed.verdict is Verdict.FORGED:
            row.checked = Check.FAILED
            end(session, row, RunState.FORGED, messages.FORGED.format(step=duty.last))
            return
        chunk = store.chunk_of(session, row.id, duty.last)
        if chunk is None or not chunk.is_due:
            return  # it was replayed twice
        chunk.is_due = False
        if replayed.verdict is Verdict.WRONG:
            chunk.reference = freeze(replayed.reference)
            if not duty.has_failed:
                row.checked, row.message = Check.FAILED, messages.WRONG.format(step=duty.last)
                store.make_later_chunks_due(session, row.id, duty.last)
        row.replayed_chunks += 1
        if math.isfinite(replayed.loss):  # large steps may blow up
            row.reference_curve = store.with_point(row.reference_curve, duty.last, replayed.loss)
        row.moved += 1
        store.drop_old_chunks(session, row.id)

    def _end(self, ending: Ending) -> None:
        """Measure the losses of a run whose steps are taken, and let its network make up some names."""
        network, parameters = self._trainer().network, load(ending.parameters)
        measured = network.measured(parameters, ending.seed, SAMPLES)
        with self._database.writing() as session:
            row = store.held(session, ending.run_id, ending.claims)
            if row is None:
                return
            if not (math.isfinite(measured.losses.train) and math.isfinite(measured.losses.dev)):
                end(session, row, RunState.FAILED, messages.NOT_FINITE.format(step=row.step))
                return
            row.train_loss, row.dev_loss = measured.losses.train, measured.losses.dev
            row.samples = list(measured.names)
            if row.checked is Check.NO and row.replayed_chunks == row.chunks:
                row.checked = Check.YES
            row.state, row.finished_at = RunState.DONE, now()
            row.moved += 1
