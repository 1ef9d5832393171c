"""What is counted across processes: each sees what the others count, and one that dies holds nobody up."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import pytest

from server.processes.shared_memory import Gauge, LockTimeout, MomentLog, Pace, SharedLock, SharedMemory, key_of


def in_a_fork(act: Callable[[], None]) -> int:
    """Do something in a fork, which leaves without anything of pytest; return its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_part_of_a_name_is_the_same_for_all() -> None:
    memory = SharedMemory()
    first, second = memory.part("first", 3), memory.part("second", 8)

    first[0], second[0] = 7, 9

    assert bytes(memory.part("first", 3)) == b"\7\0\0"
    assert bytes(memory.part("second", 8)) == b"\t" + bytes(7)


def test_memory_has_an_end() -> None:
    with pytest.raises(MemoryError, match="'large'"):
        SharedMemory(size=8192).part("large", 4097)


def test_a_fork_writes_what_its_parent_reads() -> None:
    memory = SharedMemory(SharedLock())

    code = in_a_fork(lambda: Gauge(memory, "connections", 2, 1, 1).add(0, 5))

    assert code == 0
    assert Gauge(memory, "connections", 2, 0, 1).total(0) == 5


def test_a_lock_is_held_by_one_process_at_a_time() -> None:
    lock = SharedLock()
    reader, writer = os.pipe()

    def take() -> None:
        with lock:
            os.write(writer, b"f")

    with lock:
        pid = os.fork()
        if pid == 0:
            take()
            os._exit(0)
        os.write(writer, b"p")
    os.waitpid(pid, 0)

    assert os.read(reader, 9) == b"pf"


def test_a_process_that_dies_lets_go_of_a_lock() -> None:
    lock = SharedLock()

    def die() -> None:
        lock.__enter__()
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_a_fork(die) == -signal.SIGKILL
    for _ in range(2):  # who takes it over makes it whole for those who come after
        with lock:
            pass


def test_the_next_one_takes_the_lock_of_a_process_that_dies_meanwhile() -> None:
    lock = SharedLock()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        lock.__enter__()
        os.write(writer, b"h")
        signal.pause()
    assert os.read(reader, 1) == b"h"
    taken = threading.Event()

    def take() -> None:
        with lock:
            taken.set()

    waiter = threading.Thread(target=take)
    waiter.start()
    assert not taken.is_set()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    waiter.join()

    assert taken.is_set()


def test_nobody_waits_for_a_stopped_process_for_ever() -> None:
    lock = SharedLock(seconds=0.0)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        with lock:
            os.write(writer, b"h")
            os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    try:
        assert os.read(reader, 1) == b"h"
        os.waitpid(pid, os.WUNTRACED)

        with pytest.raises(LockTimeout, match="If it stands still, continue or end it"), lock:
            pass
    finally:
        os.kill(pid, signal.SIGCONT)
    os.waitpid(pid, 0)

    with lock:
        pass


def test_threads_take_turns_too() -> None:
    lock, inside, together = SharedLock(), [], []

    def work() -> None:
        for _ in range(200):
            with lock:
                inside.append(1)
                together.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(together) == {1}


class TestGauge:
    def test_all_processes_count_together(self) -> None:
        memory = SharedMemory()
        first, second = (Gauge(memory, "streams", 2, row, 4) for row in range(2))
        first.add(1, 2)
        second.add(1, 3)
        second.add(1, -1)
        second.set(2, 8)

        assert [first.total(column) for column in range(4)] == [0, 4, 8, 0]
        assert second.total(5) == 4

    def test_a_process_that_begins_again_has_nothing_open(self) -> None:
        memory = SharedMemory()
        first, second = (Gauge(memory, "streams", 2, row, 1) for row in range(2))
        first.add(0, 2)
        second.add(0, 3)

        Gauge(memory, "streams", 2, 1, 1)

        assert first.total(0) == 2


class TestMomentLog:
    def test_it_forgets_and_takes_back(self) -> None:
        memory = SharedMemory()
        log, other = (MomentLog(memory, "tries", 4) for _ in range(2))
        with log:
            for moment, key in ((1.0, 5), (2.0, 6), (3.0, 5), (4.0, 6)):
                log.append(moment, key)
            log.drop_until(1.0)
            log.remove(3.0, 5)
            log.remove(9.0, 5)
            log.remove(2.0, 5)  # the moment of another

        with other:
            assert other.moments() == [2.0, 4.0]
            assert (other.moments(5), other.moments(6)) == ([], [2.0, 4.0])

    def test_a_key_is_the_same_in_every_process(self) -> None:
        assert key_of("192.0.2.1") == 0xC874FACE288B2811
        assert key_of("192.0.2.2") != key_of("192.0.2.1")


class TestPace:
    def test_processes_count_together(self) -> None:
        memory = SharedMemory()
        first, second = (Pace(memory, "checks", 8, 2) for _ in range(2))

        assert (first.note(1, 100.0, 60.0), second.note(1, 110.0, 60.0)) == (0.0, 0.0)
        assert first.note(1, 120.0, 60.0) == 40.0
        assert second.note(2, 120.0, 60.0) == 0.0
        assert second.note(1, 160.0, 60.0) == 0.0

    def test_numbers_far_apart_share_a_row(self) -> None:
        pace = Pace(SharedMemory(), "checks", 8, 1)
        pace.note(1, 100.0, 60.0)

        assert pace.note(9, 100.0, 60.0) == 60.0
        assert pace.note(2, 100.0, 60.0) == 0.0
