"""Supervised threads."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Iterator

import pytest

from grader.supervision import Backoff, SupervisedThread

QUICK = Backoff(first_seconds=0.001, longest_seconds=0.004, settled_seconds=60.0)


class Work:
    """Fails as often as it is told to, then waits to be stopped."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.stopping = threading.Event()
        self.is_well = threading.Event()
        self.begun = 0

    def __call__(self) -> None:
        """Fail, or wait."""
        self.begun += 1
        if self.errors:
            raise self.errors.pop(0)
        self.is_well.set()
        self.stopping.wait()


Start = Callable[..., SupervisedThread]


@pytest.fixture
def started() -> Iterator[Start]:
    """Starts work under supervision; all of it is stopped at the end."""
    running: list[tuple[Work, SupervisedThread]] = []

    def start(work: Work, backoff: Backoff = QUICK) -> SupervisedThread:
        thread = SupervisedThread("bookkeeping", work, work.stopping, backoff)
        running.append((work, thread))
        thread.start()
        return thread

    yield start
    for work, thread in running:
        work.stopping.set()
        thread.join()


def exhausted() -> OSError:
    return OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_work_that_fails_begins_again(started: Start) -> None:
    work = Work(*(exhausted() for _ in range(20)))

    thread = started(work)

    assert work.is_well.wait(60)
    assert work.begun == 21
    assert thread.status.is_alive
    assert thread.status.last_error == "OSError: Too many open files"
    assert thread.status.health == "is started again after OSError: Too many open files"


def test_an_error_that_comes_back_is_logged_once(started: Start, caplog: pytest.LogCaptureFixture) -> None:
    work = Work(exhausted(), exhausted(), exhausted(), RuntimeError("postgresql://dojo:hunter2@db"), RuntimeError())

    with caplog.at_level(logging.ERROR):
        thread = started(work)
        assert work.is_well.wait(60)

    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert thread.status.last_error == "RuntimeError"


def test_an_error_is_forgotten_once_the_work_goes_on(started: Start) -> None:
    work = Work(exhausted())

    thread = started(work, Backoff(0.001, 0.001, settled_seconds=0.0))

    assert work.is_well.wait(60)
    assert thread.status.health == "ok"


def test_work_that_ended_is_told(started: Start) -> None:
    work = Work()
    thread = started(work)
    assert work.is_well.wait(60)

    work.stopping.set()
    thread.join()

    assert thread.status.health == "has ended; restart the server"


def test_a_thread_that_waits_to_begin_again_stops_at_once(started: Start) -> None:
    work = Work(*(exhausted() for _ in range(1000)))
    thread = started(work, Backoff(first_seconds=600.0))
    assert thread.status.is_alive

    work.stopping.set()
    thread.join()

    assert not thread.status.is_alive
