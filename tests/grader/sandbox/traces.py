"""What a run could leave behind in the processes around it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from grader.sandbox import Job, Limits, Run, Sandbox, SandboxFault
from grader.sandbox.result_layout import Phase
from grader.sandbox.trusted.processes import ChildHandle


def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true; a minute without it is a failure."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextlib.contextmanager
def running(sandbox: Sandbox, job: Job) -> Iterator[list[Run | SandboxFault]]:
    """Run a job beside the block. The block begins once the code runs; the list holds the outcome after it."""
    outcome: list[Run | SandboxFault] = []
    children: list[ChildHandle] = []
    take = sandbox._take_child

    def noted(limits: Limits) -> ChildHandle:
        children.append(take(limits))
        return children[-1]

    def run() -> None:
        try:
            outcome.append(sandbox.run(job))
        except SandboxFault as fault:
            outcome.append(fault)

    sandbox._take_child = noted  # type: ignore[method-assign]
    thread = threading.Thread(target=run)
    thread.start()
    try:
        until(lambda: len(children) == 1 and children[0].buffer[0] == Phase.RUNNING)
        yield outcome
    finally:
        thread.join()
        del sandbox._take_child


def zygote_of(sandbox: Sandbox) -> int:
    pid = sandbox._zygote.pid
    assert pid is not None
    return pid


def children_of(process: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # it is gone itself
        return []


def _descriptors(process: int) -> Counter[str]:
    """What the open descriptors are: sockets, pipes, files by name."""
    kinds: Counter[str] = Counter()
    for entry in os.scandir(f"/proc/{process}/fd"):
        try:
            target = os.fspath(Path(entry.path).readlink())
        except FileNotFoundError:  # the one that was reading the folder
            continue
        kinds[target.split(":")[0] if target.startswith(("socket:", "pipe:")) else target] += 1
    return kinds


def _mappings(process: int) -> int:
    """Shared mappings of results."""
    return Path(f"/proc/{process}/maps").read_text().count("memfd:result")


class _LastChild:
    """Stands in the queue of what is cleaned up, and says that all before it is."""

    def __init__(self) -> None:
        self.is_reached = threading.Event()

    def clean_up(self) -> None:
        """Say so."""
        self.is_reached.set()


def _wait_for_cleanup(sandbox: Sandbox) -> None:
    """Wait until all is cleaned up. An empty queue does not tell: a child is taken out first."""
    last = _LastChild()
    sandbox._cleanup.put(last)  # type: ignore[arg-type]
    until(last.is_reached.is_set)


@dataclass(frozen=True)
class Traces:
    """Processes, descriptors and mappings when nothing runs."""

    zygote: int
    children: int
    strays: int  # processes of the zygote's session or of nobody's that are not its waiting children
    zygote_descriptors: Counter[str]
    our_descriptors: Counter[str]
    our_mappings: int

    @classmethod
    def now(cls, sandbox: Sandbox) -> Self:
        zygote = zygote_of(sandbox)
        waiting = children_of(zygote)
        return cls(
            zygote=zygote,
            children=len(waiting),
            strays=sum(len(children_of(child)) for child in waiting),
            zygote_descriptors=_descriptors(zygote),
            our_descriptors=_descriptors(os.getpid()),
            our_mappings=_mappings(os.getpid()),
        )

    @classmethod
    def settled(cls, sandbox: Sandbox, like: Self | None = None) -> Self:
        """Wait until cleanup is done and enough children wait, and until the traces equal ``like``."""
        if like is None:
            _wait_for_cleanup(sandbox)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = cls.now(sandbox)
            if found == like:
                return found
            if like is None and found.children == sandbox._ready_target and sandbox._cleanup.empty():
                time.sleep(0.05)
                if cls.now(sandbox) == found:
                    return found
            time.sleep(0.002)
        raise AssertionError(f"expected {like}, and the sandbox came to rest with {cls.now(sandbox)}")
