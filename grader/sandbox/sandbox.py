"""The trusted side: gives a job to a waiting child, reads what it left once it can run no more, and sees it buried.

A run costs the time of the code itself, because all the rest is done before or after: children are forked, locked in
and warmed ahead; tear-down, and the fork of the next child, are the keeper's business. Where runs follow each other so
fast that a child is wanted as soon as it is there, it is not warmed: that takes more than it saves.
"""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from grader.sandbox import excuse, result
from grader.sandbox.handles import Child, End, Zygote, ZygoteDied
from grader.sandbox.jail import Layer
from grader.sandbox.job import Job, Run, RunStatus, SandboxFault
from grader.sandbox.limits import KIB, MIB, Limits


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the sandbox waits, in seconds. Tests give their own; a server takes these."""

    idle_check_seconds: float = 30.0  # between two checks of an idle zygote
    # Children are taken as fast as they are made, if as many as wait ahead were taken within this time.
    busy_within_seconds: float = 0.1
    # Cleanup and the next fork wait this long while a spare child exists, so that the result is processed first.
    cleanup_delay_seconds: float = 0.02
    zygote_age_seconds_max: float = 6 * 3600.0  # then a fresh zygote replaces it


class Sandbox:
    """A zygote and its waiting children. Thread-safe.

    `children`   how many may run at once; one more than that waits, warm
    `limits`     those of most runs: children are made ahead for them. A job with other limits waits for its child
    `connect`    the unix socket of a zygote that listens elsewhere, in a container for one; else one is started
    `most_runs`  after so many the zygote is replaced by a fresh one
    `timing`     how long it waits for what

    :raises SandboxFault: there can be no sandbox here; the text says why
    """

    def __init__(
        self,
        *,
        children: int = 1,
        limits: Limits | None = None,
        connect: Path | None = None,
        most_runs: int = 5000,
        timing: Timing | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._connect = connect
        self._most_runs = most_runs
        self._timing = timing or Timing()
        self._ahead = children + 1
        self._places = threading.BoundedSemaphore(children)
        self._replacing = threading.Lock()
        self._lock = threading.Lock()  # over the five below; never held while waiting for anything
        self._closing = threading.Event()
        self._zygote = self._start()
        self._generation = 1
        self._waiting: deque[Child] = deque()
        self._taken: deque[float] = deque(maxlen=self._ahead)  # when
        # Children to bury, and None for "look after things". The keeper does all that no run should wait for.
        self._errands: queue.SimpleQueue[Child | None] = queue.SimpleQueue()
        self._keeper = threading.Thread(target=self._keep, name="sandbox keeper", daemon=True)
        self._keeper.start()
        self._errands.put(None)

    @property
    def generation(self) -> int:
        """Grows by one with every zygote: who has examined one has not examined the next."""
        return self._generation

    @property
    def landlock(self) -> int:
        """Version of the kernel's Landlock that the zygote found; 0 for none."""
        return self._zygote.landlock

    @property
    def limits(self) -> Limits:
        """Those that children are made ahead for."""
        return self._limits

    def run(self, job: Job) -> Run:
        """Run one job and wait for it.

        :raises SandboxFault: the run was lost, through no fault of the code; it may be tried again
        :raises ValueError: the job asks for more than its own limits allow
        """
        with self._places:
            return self.run_beside(job)

    def run_beside(self, job: Job) -> Run:
        """The same without waiting for a place: for the doctor, who comes when all are taken."""
        limits = job.limits
        layout = result.Layout.of(job.slots, limits)
        if len(job.state) > limits.state_bytes:
            raise ValueError(f"a state of {len(job.state)} bytes is over the limit of {limits.state_bytes}")
        if len(job.source.encode("utf-8", "surrogatepass")) > limits.source_bytes:
            message = f"The file is larger than {limits.source_bytes // KIB} KiB; hand in the derivation alone."
            return Run(RunStatus.ERROR, message, "", result.nothing(layout), (), 0.0)
        child = self._take(limits)
        try:
            started = time.monotonic()
            child.give(job)
            end = child.wait(limits.wall_seconds)
            return _judge(end, result.read(child.buffer, layout), layout, limits, time.monotonic() - started)
        finally:
            self._dismiss(child)

    def _dismiss(self, child: Child) -> None:
        """Have a child buried that has had its run."""
        if self._hurried():
            child.kill()  # now, so that it dies beside the others; else the keeper does so in its time
        if self._errands.qsize() > self._ahead:  # the keeper is behind: who makes work helps with it
            child.bury()
        else:
            self._errands.put(child)

    def locks(self) -> Layer:
        """The layers that a new child vouches for, tried by itself before any code.

        :raises SandboxFault: there is no child to be had
        """
        child = self._take(self._limits)
        self._errands.put(child)
        return child.layers

    def close(self) -> None:
        """End the zygote and everything of it. Runs that are still going end as faults."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
        self._errands.put(None)
        self._keeper.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> Zygote:
        return Zygote.connected(self._connect) if self._connect else Zygote.started()

    def _take(self, limits: Limits) -> Child:
        """A child that is ready: one of those made ahead, or else a new one."""
        for _ in range(2):  # when a zygote is found dead; that its successor dies too is not chance
            with self._lock:
                if self._closing.is_set():
                    raise SandboxFault("the sandbox is closed")
                zygote = self._zygote
            try:
                while limits == self._limits:
                    with self._lock:
                        if not self._waiting:
                            break
                        child = self._waiting.popleft()
                        self._taken.append(time.monotonic())
                    if child.ready():
                        return child
                    self._errands.put(child)  # it died while it waited
                child = zygote.fork(limits)
                if child.ready():
                    return child
                self._errands.put(child)
                raise SandboxFault("a child could not lock itself in, or not run an honest gradient; run the doctor")
            except ZygoteDied:
                self._replace(zygote)
        raise SandboxFault("the zygote died twice in a row; run the doctor")

    def _replace(self, old: Zygote) -> None:
        """Put a fresh zygote in the place of `old`, unless somebody has done so."""
        with self._replacing:
            if self._zygote is not old or self._closing.is_set():
                return
            new = self._start()
            with self._lock:
                self._zygote = new
                self._generation += 1
                leftover = list(self._waiting)
                self._waiting.clear()
        old.retire()
        for child in leftover:
            self._errands.put(child)

    def _keep(self) -> None:
        """The keeper's thread: buries children, makes new ones, replaces zygotes."""
        while not self._closing.is_set():
            try:
                child = self._errands.get(timeout=self._timing.idle_check_seconds)
            except queue.Empty:
                child = None
            if child is not None:
                if self._waiting and not self._hurried():
                    self._closing.wait(self._timing.cleanup_delay_seconds)
                child.bury()
            try:
                self._look_after()
            except SandboxFault:
                time.sleep(0.1)  # whoever wants to run something is told why; here there is nobody to tell
        with self._lock:
            leftover = list(self._waiting)
            self._waiting.clear()
        for child in leftover:
            child.bury()
        self._zygote.close()

    def _hurried(self) -> bool:
        """Whether children are taken as fast as they are made."""
        with self._lock:
            as_many = len(self._taken) == self._ahead
            return as_many and time.monotonic() - self._taken[0] < self._timing.busy_within_seconds

    def _look_after(self) -> None:
        zygote = self._zygote
        worn = zygote.forks > self._most_runs or time.monotonic() - zygote.born > self._timing.zygote_age_seconds_max
        if worn or not zygote.alive():
            self._replace(zygote)
        while not self._closing.is_set():
            with self._lock:
                zygote = self._zygote
                if len(self._waiting) >= self._ahead:
                    return
            child = zygote.fork(self._limits, rehearse=not self._hurried())
            with self._lock:
                if zygote is self._zygote and not self._closing.is_set():
                    self._waiting.append(child)
                    continue
            child.bury()


# What a child may say of itself. All else is for the trusted side to say.
_CLAIMS: Final = frozenset(
    {RunStatus.OK, RunStatus.ERROR, RunStatus.DENIED, RunStatus.MEMORY_LIMIT, RunStatus.OUTPUT_LIMIT}
)


def _judge(end: End, left: result.Result, layout: result.Layout, limits: Limits, seconds: float) -> Run:
    """What became of a run, by the kernel's word. What the child says is heard where it left by itself, with
    exit code 0 and the last mark in place; then it can only speak of its own failure, or hand in answers.
    """
    if end.signal is None and end.exit_code == 0 and left.finished and left.status in _CLAIMS:
        message = "" if left.status is RunStatus.OK else left.message
        if left.status is RunStatus.MEMORY_LIMIT:
            message += "\n" + _memory(limits)
        return Run(left.status, message, left.stdout, left.answers, left.flags, seconds)
    status, message = _cause_of_death(end, limits)
    return Run(status, message, left.stdout, result.nothing(layout), left.flags, seconds)


def _cause_of_death(end: End, limits: Limits) -> tuple[RunStatus, str]:
    if end.out_of_time:
        return RunStatus.TIME_LIMIT, (
            f"Stopped after {limits.wall_seconds:g} s; look for a loop that does not end, or for waiting, and "
            "submit again."
        )
    if end.signal is None:
        return RunStatus.CRASHED, (
            "The code ended its own process before its last line (os._exit, or the like); remove that call "
            "and submit again."
        )
    if end.signal == signal.SIGXCPU or (end.signal == signal.SIGKILL and end.cpu_seconds >= limits.cpu_seconds):
        return RunStatus.TIME_LIMIT, (
            f"Stopped after {limits.cpu_seconds:g} s of processor time; look for a loop that does not end, or "
            "do with whole tensors what is done element by element, and submit again."
        )
    if end.signal == signal.SIGKILL:
        # Code cannot send a signal, and its memory is bounded by errors, not by kills: somebody else did this.
        raise SandboxFault("the child was killed from outside; look whether the machine is out of memory")
    if end.signal == signal.SIGSYS:
        return RunStatus.DENIED, excuse.SIGSYS_DENIED
    return RunStatus.CRASHED, (
        f"The process that ran the code died of {_signal_name(end.signal)}; a recursion without end does "
        "that, and so does reaching below Python. Remove what does it and submit again."
    )


def _memory(limits: Limits) -> str:
    most = limits.data_bytes // MIB
    return f"No more than {most} MiB of memory can be had; use smaller tensors, and submit again."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
