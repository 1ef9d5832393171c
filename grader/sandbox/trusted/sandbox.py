"""The sandbox as the grader sees it: give a job to a waiting child, read its result, clean up.

A run costs the time of the code itself, because everything else happens before or after it. Children are forked,
locked in and warmed ahead. A thread of its own cleans up and forks the next child. If runs follow each other so fast
that a child is needed as soon as it exists, it is not warmed: that would take more time than it saves.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from grader.sandbox.job import Job, Run, SandboxExhausted, SandboxFault
from grader.sandbox.limits import Limits
from grader.sandbox.protocol import Layer
from grader.sandbox.result_layout import Layout
from grader.sandbox.trusted.judge import judge
from grader.sandbox.trusted.processes import ChildHandle, ZygoteDied, ZygoteHandle
from grader.sandbox.trusted.result_reader import read_result, unread_answers
from grader.sandbox.trusted.run_messages import STATUSES, Cause, sentence
from grader.supervision import Backoff, SupervisedThread, ThreadStatus


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the sandbox waits, in seconds. Tests give their own; a server takes these."""

    idle_check_seconds: float = 30.0  # between two checks of an idle zygote
    # The sandbox is busy if as many children as it keeps ready were taken within this time.
    busy_within_seconds: float = 0.1
    # Cleanup and the next fork wait this long while a spare child exists, so that the result is processed first.
    cleanup_delay_seconds: float = 0.02
    zygote_age_seconds_max: float = 6 * 3600.0  # then a fresh zygote replaces it
    fault_delay_seconds: float = 0.1  # after a zygote that could not start, before the next attempt
    fault_check_seconds: float = 2.0  # between two attempts while nobody asks for a run


class Sandbox:
    """A zygote and its waiting children. Thread-safe.

    :param children: how many may run at once; one more than that waits, warm
    :param limits: those of most runs: children are made ahead for them; a job with others waits for its child, unless
        they differ in the wall time alone
    :param connect: the unix socket of a zygote that listens elsewhere, or None to start one
    :param backoff: how soon the maintenance begins again after an error
    :param most_runs: a fresh zygote replaces one that has forked more children than this
    :raises SandboxFault: if there can be no sandbox here; the text says why
    """

    def __init__(
        self,
        *,
        children: int = 1,
        limits: Limits | None = None,
        connect: Path | None = None,
        most_runs: int = 5000,
        timing: Timing | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._connect = connect
        self._most_runs = most_runs
        self._timing = timing or Timing()
        self._ready_target = children + 1
        self._run_permits = threading.BoundedSemaphore(children)
        self._replace_lock = threading.Lock()
        self._closing = threading.Event()
        self._lock = threading.Lock()  # over the next four; never held while waiting for anything
        self._zygote = self._start_zygote()
        self._generation = 1
        self._waiting: deque[ChildHandle] = deque()
        self._taken_at: deque[float] = deque(maxlen=self._ready_target)
        # Children to clean up, and None for "look at the zygote". Runs wait for none of that.
        self._cleanup: queue.SimpleQueue[ChildHandle | None] = queue.SimpleQueue()
        self._maintenance = SupervisedThread("sandbox maintenance", self._maintain, self._closing, backoff)
        self._maintenance.start()

    @property
    def generation(self) -> int:
        """Number of the zygote, from 1. Who has examined one zygote has not examined the next."""
        return self._generation

    @property
    def landlock(self) -> int:
        """Version of the kernel's Landlock that the zygote found; 0 for none."""
        return self._zygote.landlock

    @property
    def limits(self) -> Limits:
        """The limits that children are made ahead for."""
        return self._limits

    @property
    def threads(self) -> Sequence[ThreadStatus]:
        """How the maintenance goes, without which no child is made ahead or cleaned up."""
        return [self._maintenance.status]

    def run(self, job: Job) -> Run:
        """Run one job and wait for it.

        :raises SandboxFault: if the run was lost, through no fault of the code; it may be tried again
        :raises ValueError: if the job asks for more than its own limits allow
        """
        with self._run_permits:
            return self.run_beside(job)

    def run_beside(self, job: Job) -> Run:
        """Run one job beside those that ``run`` allows at once. For the doctor.

        :raises SandboxFault: as ``run`` does
        :raises ValueError: as ``run`` does
        """
        limits = job.limits
        layout = Layout.of(job.slots, limits)
        if len(job.state) > limits.state_bytes:
            raise ValueError(f"a state of {len(job.state)} bytes is over the limit of {limits.state_bytes}")
        if len(job.source.encode("utf-8", "surrogatepass")) > limits.source_bytes:
            cause = Cause.SOURCE_SIZE
            return Run(STATUSES[cause], sentence(cause, limits), "", unread_answers(layout), (), 0.0)
        child = self._take_child(limits)
        try:
            started = time.monotonic()
            child.send_job(job)
            child_exit = child.wait_for_exit(limits.wall_seconds)
            result = read_result(child.buffer, layout)
            return judge(child_exit, result, layout, limits, time.monotonic() - started)
        finally:
            self._dismiss(child)

    def locks(self) -> Layer:
        """Return the locks that a new child has tried on itself, before any code.

        :raises SandboxFault: if there is no child
        """
        child = self._take_child(self._limits)
        self._cleanup.put(child)
        return child.layers

    def close(self) -> None:
        """End the zygote and all its children. Runs that still go on end as faults."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
        self._cleanup.put(None)
        self._maintenance.join()
        with self._lock:
            leftover = list(self._waiting)
            self._waiting.clear()
        for child in [*leftover, *self._not_cleaned_up()]:
            child.clean_up()
        self._zygote.close()

    def _not_cleaned_up(self) -> Iterator[ChildHandle]:
        """Yield what the maintenance thread, which has ended, was still to clean up."""
        while not self._cleanup.empty():
            child = self._cleanup.get_nowait()
            if child is not None:
                yield child

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_zygote(self) -> ZygoteHandle:
        return ZygoteHandle.connect(self._connect) if self._connect else ZygoteHandle.start()

    def _take_child(self, limits: Limits) -> ChildHandle:
        """Return a child that is ready: one that waits, or else a new one.

        A zygote may be dead, or too short of descriptors for a child's locks. It is replaced once: that its successor
        fares no better is no coincidence.
        """
        reason = ""
        for _ in range(2):
            with self._lock:
                if self._closing.is_set():
                    raise SandboxFault("the sandbox is closed")
                zygote = self._zygote
            try:
                child = self._take_waiting(limits)
                if child is not None:
                    return child
                child = zygote.fork(limits)
                if self._is_ready(child):
                    return child
                reason = "a child could not lock itself in, or not run an honest gradient; run the doctor"
            except ZygoteDied:
                reason = "the zygote died twice in a row; run the doctor"
            self._replace_zygote(zygote)
        raise SandboxFault(reason)

    def _take_waiting(self, limits: Limits) -> ChildHandle | None:
        """Return a child that was made ahead, or None if none is left that lives.

        :raises ZygoteDied: if the zygote is gone
        """
        while self._fit(limits):
            with self._lock:
                if not self._waiting:
                    break
                child = self._waiting.popleft()
                self._taken_at.append(time.monotonic())
            with contextlib.suppress(SandboxExhausted):  # a new one may find more room
                if self._is_ready(child):
                    return child
        return None

    def _fit(self, limits: Limits) -> bool:
        """Return whether the children that are made ahead fit a job. They know nothing of the clock on the wall."""
        return replace(limits, wall_seconds=self._limits.wall_seconds) == self._limits

    def _is_ready(self, child: ChildHandle) -> bool:
        """Return whether a child became ready; if not, it is cleaned up."""
        is_ready = False
        try:
            is_ready = child.wait_until_ready()
        finally:
            if not is_ready:
                self._cleanup.put(child)
        return is_ready

    def _dismiss(self, child: ChildHandle) -> None:
        """Have a child cleaned up after its run."""
        if self._is_busy():
            child.kill()  # now, so that it dies beside the others; else the cleanup kills it
        if self._cleanup.qsize() > self._ready_target:  # the maintenance thread is behind: who makes work helps
            child.clean_up()
        else:
            self._cleanup.put(child)

    def _replace_zygote(self, old: ZygoteHandle) -> None:
        """Put a fresh zygote in the place of ``old``, unless another thread has done so."""
        with self._replace_lock:
            if self._zygote is not old or self._closing.is_set():
                return
            new = self._start_zygote()
            with self._lock:
                self._zygote = new
                self._generation += 1
                leftover = list(self._waiting)
                self._waiting.clear()
        old.retire()
        for child in leftover:
            self._cleanup.put(child)

    def _maintain(self) -> None:
        """Clean up children, fork new ones, replace zygotes. Runs on the maintenance thread, which outlives errors."""
        look_again_seconds = 0.0  # it begins, or begins again after an error, by making children
        while not self._closing.is_set():
            try:
                child = self._cleanup.get(timeout=look_again_seconds)
            except queue.Empty:
                child = None
            if child is not None:
                if self._waiting and not self._is_busy():
                    self._closing.wait(self._timing.cleanup_delay_seconds)
                child.clean_up()
            try:
                self._refill()
                look_again_seconds = self._timing.idle_check_seconds
            except SandboxFault:  # the next run meets it too, and reports it
                self._closing.wait(self._timing.fault_delay_seconds)
                look_again_seconds = self._timing.fault_check_seconds

    def _is_busy(self) -> bool:
        """Whether children are taken as fast as they are made."""
        with self._lock:
            all_taken = len(self._taken_at) == self._ready_target
            return all_taken and time.monotonic() - self._taken_at[0] < self._timing.busy_within_seconds

    def _refill(self) -> None:
        """Replace a zygote that is worn or dead, and fork children until enough wait."""
        zygote = self._zygote
        age = time.monotonic() - zygote.started_at
        worn = zygote.fork_count > self._most_runs or age > self._timing.zygote_age_seconds_max
        if worn or not zygote.is_alive():
            self._replace_zygote(zygote)
        while not self._closing.is_set():
            with self._lock:
                zygote = self._zygote
                if len(self._waiting) >= self._ready_target:
                    return
            child = zygote.fork(self._limits, rehearse=not self._is_busy())
            with self._lock:
                if zygote is self._zygote and not self._closing.is_set():
                    self._waiting.append(child)
                    continue
            child.clean_up()
