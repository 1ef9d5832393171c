"""What a worker answers: healthy means that it grades."""

from __future__ import annotations

import socket
import struct
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from grader.sandbox import Job, SandboxFault
from server.database.engine import Database
from server.grading.proof import GradingProof
from server.operations import health
from server.operations.probe import WriteProbe
from server.operations.schemas import HealthBody
from server.operations.worker_pages import WorkerPages
from tests.support.servers import HOLD_SECONDS, FakeSandbox, eventually

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def proof(fake_sandbox: FakeSandbox, clock: Clock) -> GradingProof:
    code_runner = fake_sandbox.code_runner()
    assert code_runner.inspect() is None
    fake_sandbox.jobs.clear()
    return GradingProof(code_runner, fresh_seconds=10, patience_seconds=0.05, clock=clock)


@pytest.fixture
def pages(database: Database, proof: GradingProof) -> Iterator[WorkerPages]:
    probe = WriteProbe(database)

    def readiness() -> HealthBody:
        return health.check(database, probe, {"grading": proof.result()}, [served.thread])

    served = WorkerPages(("127.0.0.1", 0), readiness, CollectorRegistry())
    served.start()
    yield served
    served.stop()


def ask(pages: WorkerPages, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{pages.port}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def test_a_right_answer_is_graded_unless_a_grade_is_fresh(
    proof: GradingProof, fake_sandbox: FakeSandbox, clock: Clock
) -> None:
    assert [proof.result() for _ in range(3)] == ["ok"] * 3
    assert len(fake_sandbox.jobs) == 1

    clock.now += 10
    assert proof.result() == "ok"
    assert len(fake_sandbox.jobs) == 2

    clock.now += 9
    proof.note()
    clock.now += 9
    assert proof.result() == "ok"
    assert len(fake_sandbox.jobs) == 2


@on_sqlite
def test_health_ends_with_the_sandbox_and_comes_back(pages: WorkerPages, fake_sandbox: FakeSandbox) -> None:
    def lose(job: Job) -> None:
        raise SandboxFault("the zygote died twice in a row; run the doctor")

    fake_sandbox.before = lose
    status, body = ask(pages, "/readyz")
    assert status == 503 and "the zygote died twice" in body

    fake_sandbox.before = lambda job: None
    assert ask(pages, "/readyz")[0] == 200


def test_a_sandbox_that_spoils_a_right_answer_is_not_healthy(proof: GradingProof, fake_sandbox: FakeSandbox) -> None:
    def spoil(job: Job) -> None:
        object.__setattr__(job, "source", "raise ValueError('spoilt')")

    fake_sandbox.before = spoil

    assert proof.result() == "a right answer ended as error; run the doctor"


def test_who_asks_while_a_right_answer_hangs_is_told_so(proof: GradingProof, fake_sandbox: FakeSandbox) -> None:
    is_let_go = threading.Event()

    def hang(job: Job) -> None:
        is_let_go.wait(HOLD_SECONDS)

    fake_sandbox.before = hang
    first = threading.Thread(target=proof.result)
    first.start()
    assert eventually(lambda: len(fake_sandbox.jobs) == 1)

    assert proof.result() == "no right answer could be graded within 0.05 s; look at the sandbox"

    is_let_go.set()
    first.join()
    assert proof.result() == "ok"


@on_sqlite
def test_counters_are_sent_and_nothing_else(pages: WorkerPages) -> None:
    status, body = ask(pages, "/metrics")
    assert (status, body) == (200, "")
    assert ask(pages, "/api/v1/me")[0] == 404
    assert eventually(lambda: pages.thread.health == "ok")


def test_who_asks_no_longer_leaves_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    handlers: list[threading.Thread] = []
    asked, gone = threading.Event(), threading.Event()

    def readiness() -> HealthBody:
        handlers.append(threading.current_thread())
        asked.set()
        assert gone.wait(HOLD_SECONDS)
        return HealthBody(status=health.OK, checks={}, threads=[])

    served = WorkerPages(("127.0.0.1", 0), readiness, CollectorRegistry())
    served.start()
    with socket.create_connection(("127.0.0.1", served.port)) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets
        caller.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        assert asked.wait(HOLD_SECONDS)

    gone.set()
    handlers[0].join(HOLD_SECONDS)
    served.stop()

    assert not handlers[0].is_alive()
    assert capsys.readouterr().err == ""


def test_a_mistake_of_ours_leaves_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    handlers: list[threading.Thread] = []

    def readiness() -> HealthBody:
        handlers.append(threading.current_thread())
        raise LookupError("a mistake of ours")

    served = WorkerPages(("127.0.0.1", 0), readiness, CollectorRegistry())
    served.start()
    with socket.create_connection(("127.0.0.1", served.port)) as caller:
        caller.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        assert caller.recv(100) == b""

    handlers[0].join(HOLD_SECONDS)
    served.stop()

    assert "LookupError: a mistake of ours" in capsys.readouterr().err
