"""The supervisor: in programs of their own, because it forks, and this process has threads."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.supervision import Backoff
from server.processes.supervisor import ManyThreads, Program, Supervisor
from tests.support.servers import eventually

PROJECT = Path(__file__).resolve().parents[3]
PROGRAM = """
import logging, os, signal, sys, time
from grader.supervision import Backoff
from server.processes.supervisor import Program, Supervisor

def tell(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def server(name):
    def run(note_serving):
        ended = []
        signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
        tell(name, os.getpid())
        note_serving()
        while not ended:
            signal.pause()
        tell(name, "ends")
        return 0
    return run

def deaf(note_serving):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    tell("deaf", os.getpid())
    note_serving()
    while True:
        time.sleep(60)

def wrong(note_serving):
    tell("wrong")
    return 2

first_life, living = os.pipe(), os.pipe()
os.set_blocking(first_life[0], False)
os.write(first_life[1], b"f")

def weak(note_serving):
    try:
        os.read(first_life[0], 1)
    except BlockingIOError:
        return server("weak")(lambda: os.write(living[1], b"l"))
    tell("weak", os.getpid())
    return 3

def patient(note_serving):
    os.read(living[0], 1)
    return server("patient")(note_serving)

logging.basicConfig(format="%(message)s")
programs = {
    "helper": Program("The helper", server("helper"), is_helper=True),
    "one": Program("Process 1", server("one")),
    "two": Program("Process 2", server("two")),
    "weak": Program("The weak helper", weak, is_helper=True),
    "patient": Program("Who waits for the weak helper", patient),
    "deaf": Program("Process 3", deaf),
    "wrong": Program("Process 4", wrong),
}
stop_seconds, *names = sys.argv[1:]
chosen = [programs[name] for name in names]
sys.exit(Supervisor(chosen, lambda: tell("serving"), float(stop_seconds), Backoff(0.01, 0.01, 60)).run())
"""


class Supervised:
    """A supervisor in a process of its own, and what its programs said so far."""

    def __init__(self, *names: str, stop_seconds: float = 60) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(stop_seconds), *names],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def wait(self) -> int:
        """The exit code, once everything was read."""
        code = self.process.wait(60)
        self._thread.join(60)
        return code

    def pids(self, name: str) -> list[int]:
        """The processes that this program has had, the oldest first."""
        words = [line.split() for line in self.lines]
        return [int(each[1]) for each in words if each[0] == name and each[1].isdecimal()]


StartSupervisor = Callable[..., Supervised]


@pytest.fixture
def start() -> Iterator[StartSupervisor]:
    """Starts supervisors, and kills them at the end."""
    started: list[Supervised] = []

    def begin(*names: str, **more: float) -> Supervised:
        started.append(Supervised(*names, **more))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.wait()


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_programs_run_and_end_in_order(start: StartSupervisor) -> None:
    supervised = start("helper", "one", "two")
    assert eventually(lambda: {"helper", "one", "two", "serving"} <= {line.split()[0] for line in supervised.lines})

    supervised.process.send_signal(signal.SIGTERM)

    assert supervised.wait() == 0
    assert sorted(supervised.lines[-3:-1]) == ["one ends", "two ends"]
    assert supervised.lines[-1] == "helper ends"
    assert supervised.lines.count("serving") == 1


def test_a_program_that_is_killed_is_started_again(start: StartSupervisor) -> None:
    supervised = start("helper", "one")
    assert eventually(lambda: "serving" in supervised.lines)

    for name in ("one", "helper", "one"):
        count = len(supervised.pids(name))
        os.kill(supervised.pids(name)[-1], signal.SIGKILL)
        assert eventually(lambda: len(supervised.pids(name)) == count + 1)  # noqa: B023

    supervised.process.send_signal(signal.SIGINT)
    assert supervised.wait() == 0
    assert supervised.process.stderr is not None
    assert "Process 1 was killed by SIGKILL; it is started again." in supervised.process.stderr.read()
    assert supervised.lines.count("serving") == 1


def test_a_program_that_cannot_begin_ends_everything(start: StartSupervisor) -> None:
    supervised = start("helper", "wrong")

    assert supervised.wait() == 2
    assert supervised.lines.count("wrong") == 1
    assert not any(map(is_alive, supervised.pids("helper")))


def test_a_helper_that_cannot_begin_is_tried_again(start: StartSupervisor) -> None:
    supervised = start("weak", "patient")

    assert eventually(lambda: "serving" in supervised.lines)
    assert len(supervised.pids("weak")) == 2

    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.wait() == 0


def test_the_pause_grows_for_who_lives_shortly() -> None:
    supervisor = Supervisor([Program("P", lambda _: 0)], lambda: None, 1.0, Backoff(1.0, 3.0, settled_seconds=60.0))
    (child,) = supervisor._children
    pauses = []

    for began_at in (math.inf, math.inf, math.inf, -math.inf, math.inf):
        child.began_at = began_at
        supervisor._note_end(child, 1)
        pauses.append(child.pause_seconds)

    assert pauses == [2.0, 3.0, 3.0, 1.0, 2.0]


def test_a_program_that_does_not_end_is_killed(start: StartSupervisor) -> None:
    supervised = start("deaf", stop_seconds=0.1)
    assert eventually(lambda: "serving" in supervised.lines)

    supervised.process.send_signal(signal.SIGTERM)

    assert supervised.wait() == 0
    assert not is_alive(supervised.pids("deaf")[0])


def test_a_second_signal_kills_at_once(start: StartSupervisor) -> None:
    supervised = start("deaf", "one")
    assert eventually(lambda: bool(supervised.pids("one") and supervised.pids("deaf")))
    supervised.process.send_signal(signal.SIGTERM)
    assert eventually(lambda: "one ends" in supervised.lines)

    supervised.process.send_signal(signal.SIGTERM)

    assert supervised.wait() == 0
    assert not is_alive(supervised.pids("deaf")[0])


def test_nothing_outlives_a_supervisor_that_is_killed(start: StartSupervisor) -> None:
    supervised = start("helper", "one")
    assert eventually(lambda: bool(supervised.pids("one") and supervised.pids("helper")))

    supervised.process.kill()

    assert eventually(lambda: not any(map(is_alive, supervised.pids("one") + supervised.pids("helper"))))


def test_a_process_with_threads_forks_nothing() -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        with pytest.raises(ManyThreads, match="must have one"):
            Supervisor([Program("Never", lambda _: 0)], lambda: None, 1.0).run()
    finally:
        ended.set()
        thread.join()
