"""Two processes of one server, here in one: they wake each other, count together, and tell of each other."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import safetensors.torch
from sqlmodel import func, select
from starlette.testclient import TestClient

from grader.sandbox import Job, Sandbox, SandboxFault
from server.courses import courses
from server.database.engine import Database
from server.grading.code_runner import CodeRunner
from server.http.connection import ConnectionLimits, Connections, GuardedProtocol
from server.http.problems import Problem
from server.operations.peer_pages import PeerPages
from server.processes.peers import Peers
from server.queue.timing import Timing
from server.services import ServerServices
from server.settings import Settings
from server.submissions.live_check import CheckTurns
from server.tables import GradeRow, Role
from tests.support.application import create_app
from tests.support.migrated import Migrated
from tests.support.servers import (
    COURSE,
    EXERCISES,
    FULL,
    SAFETENSORS,
    SOLUTION,
    FakeSandbox,
    RunningServer,
    Student,
    eventually,
    gradients,
    join_code_of,
)

WOKEN_ALONE = Timing(look_again_seconds=60, wait_look_seconds=60, follow_look_seconds=60)  # nobody looks by himself
CHECKS_PER_MINUTE = 3
TRIES_PER_MINUTE = 30  # of pairing codes, from one address
HELD = "# held\n"

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def peers(tmp_path: Path) -> list[Peers]:
    """Two processes."""
    made = Peers.make(2, tmp_path)
    return [dataclasses.replace(made, number=number) for number in range(2)]


@pytest.fixture
def two(
    settings: Settings, fake_sandbox: FakeSandbox, migrated: Migrated, peers: list[Peers]
) -> Iterator[list[RunningServer]]:
    """A server of two processes with a run each."""
    settings = settings.model_copy(update={"children": 2, "checks_per_minute": CHECKS_PER_MINUTE})
    migrated.fill(settings.url)
    database = Database(settings.url)
    with database.writing() as session:
        course = courses.open_course(session, COURSE, "Becoming a backprop ninja")
        instructor = courses.enrol(session, course, "Instructor", Role.INSTRUCTOR)
        code = join_code_of(session, course)
    database.close()
    with ExitStack() as stack:
        servers = []
        for each in peers:
            app = create_app(settings, fake_sandbox.code_runner(), WOKEN_ALONE, each)
            client = stack.enter_context(TestClient(app, raise_server_exceptions=False))
            servers.append(RunningServer(client, app.state.services, code, instructor.token))
        yield servers


class Held:
    """Holds runs back whose source begins with ``HELD``."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, job: Job) -> None:
        """Wait, if this is such a run."""
        if job.source.startswith(HELD):
            self.begun.set()
            self.go_on.wait(30)


@pytest.fixture
def held(fake_sandbox: FakeSandbox) -> Iterator[Held]:
    """Runs that wait until a test lets them go on."""
    found = Held()
    fake_sandbox.before = found
    yield found
    found.go_on.set()


@pytest.fixture
def students(two: list[RunningServer]) -> list[Student]:
    """A student, as a caller of either process."""
    first = two[0].join()
    return [first, dataclasses.replace(first, client=two[1].client)]


def test_what_another_process_grades_wakes_who_waits(two: list[RunningServer], students: list[Student]) -> None:
    two[0].services.dispatcher.stop()

    answer = students[0].submit_code(SOLUTION, wait=30)

    assert (answer.status_code, answer.json()["grade"]["exact"]) == (201, 26)


@on_sqlite
def test_what_another_process_grades_wakes_who_follows(
    two: list[RunningServer], students: list[Student], held: Held
) -> None:
    two[0].services.dispatcher.stop()
    id = students[0].submit_code(HELD + SOLUTION, wait=0).json()["id"]
    with ThreadPoolExecutor() as pool:
        following = pool.submit(students[0].get, f"/api/v1/submissions/{id}/events")
        assert held.begun.wait(20)
        assert eventually(lambda: two[0].services.signals.waiting == 1)

        held.go_on.set()

        assert '"status":"graded"' in following.result(20).text


def test_an_idle_process_takes_what_a_busy_one_cannot(
    two: list[RunningServer], students: list[Student], held: Held
) -> None:
    with ThreadPoolExecutor() as pool:
        first = pool.submit(students[0].submit_code, HELD + SOLUTION, wait=30)
        assert held.begun.wait(20)

        other = two[0].join("Bob").submit_code(SOLUTION, wait=30)

        held.go_on.set()
        assert other.status_code == 201
        assert first.result(20).status_code == 201
    with two[0].services.database.reading() as session:
        assert session.exec(select(func.count()).select_from(GradeRow)).one() == 2


@on_sqlite
def test_code_is_taken_while_any_process_can_run_it(two: list[RunningServer], students: list[Student]) -> None:
    assert students[1].submit_code(SOLUTION, wait=30).status_code == 201  # so it can

    def none_here() -> Sandbox:
        raise SandboxFault("this kernel has no seccomp")

    def refusal(peers: Peers) -> str | None:
        runner = CodeRunner(none_here)
        runner.inspect()
        services = ServerServices.build(two[0].services.settings, runner, WOKEN_ALONE, peers)
        refused = services.dispatcher.refusal
        services.close()
        return refused

    assert refusal(dataclasses.replace(two[0].services.peers)) is None
    assert refusal(Peers.alone()) == "this kernel has no seccomp"


@on_sqlite
def test_one_key_is_one_submission_in_every_process(two: list[RunningServer], students: list[Student]) -> None:
    headers = {"Idempotency-Key": "evening"}

    answers = [each.submit_code(SOLUTION, wait=30, headers=dict(headers)) for each in students]

    assert answers[0].json()["id"] == answers[1].json()["id"]


@on_sqlite
def test_tries_of_codes_are_counted_together(two: list[RunningServer]) -> None:
    def pair(number: int) -> int:
        return two[number % 2].client.post("/api/v1/pair", json={"code": "AAAAA-AAAAA"}).status_code

    answers = [pair(number) for number in range(TRIES_PER_MINUTE + 2)]

    assert answers == [404] * TRIES_PER_MINUTE + [429, 429]


@on_sqlite
def test_checks_are_counted_together(students: list[Student]) -> None:
    answer = {"dlogits": gradients(students[0].state())["dlogits"]}
    content = safetensors.torch.save(answer)

    def check(number: int) -> int:
        headers = {"Content-Type": SAFETENSORS}
        return students[number % 2].post(f"{EXERCISES}/{FULL}/check", content=content, headers=headers).status_code

    assert [check(number) for number in range(CHECKS_PER_MINUTE + 2)] == [200] * CHECKS_PER_MINUTE + [429, 429]


def test_checks_of_code_share_their_turns(peers: list[Peers]) -> None:
    first, second = (CheckTurns(each.gauge("checks"), each.memory.lock) for each in peers)

    assert first.take(1)
    assert not second.take(1)
    first.give_back()
    assert second.take(1)


class Connection:
    """A connection that notes with what it is refused."""

    def __init__(self) -> None:
        self.refused_with: Problem | None = None

    def refuse(self, problem: Problem) -> None:
        """Note it."""
        self.refused_with = problem


def test_connections_are_counted_together(peers: list[Peers]) -> None:
    first, second = (Connections(ConnectionLimits(connections_max=8), each) for each in peers)

    def connect(to: Connections, *, recognised: bool = False) -> Connection:
        connection = Connection()
        guarded: GuardedProtocol = connection  # type: ignore[assignment]
        assert to.admit(guarded)
        if recognised:
            to.recognise(guarded)
        return connection

    strangers = [connect(first), *(connect(second) for _ in range(3))]  # their half
    assert not any(each.refused_with for each in strangers)
    connect(second)
    assert [bool(each.refused_with) for each in strangers] == [False, True, False, False]
    first.remove(strangers[0])  # type: ignore[arg-type]
    for _ in range(5):
        connect(first, recognised=True)
    assert not first.admit(Connection())  # type: ignore[arg-type]


@on_sqlite
def test_every_process_tells_how_all_are(two: list[RunningServer]) -> None:
    assert eventually(lambda: two[1].client.get("/readyz").status_code == 200)

    body = two[1].client.get("/readyz").json()

    assert body["checks"] == dict.fromkeys(["database", "migrations", "sandbox", "processes", "threads"], "ok")
    assert [each["name"] for each in body["threads"]] == [
        f"process {number}, {name}" for number in (1, 2) for name in ("worker 1", "renewer", "training referee")
    ]


@on_sqlite
def test_what_is_wrong_somewhere_is_told_everywhere(two: list[RunningServer], fake_sandbox: FakeSandbox) -> None:
    def lose(_: Job) -> None:
        raise SandboxFault("the zygote died")

    assert eventually(lambda: two[0].client.get("/readyz").status_code == 200)
    fake_sandbox.before = lose
    two[1].services.code_runner.inspect()

    answer = two[0].client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["sandbox"] == "process 2: the zygote died"


@on_sqlite
def test_a_process_that_does_not_answer_is_named(server: RunningServer, peers: list[Peers]) -> None:
    services = server.services
    pages = PeerPages(peers[0], services.dispatcher, services.metrics, answer_seconds=0.05)

    assert pages.health().checks["processes"].startswith("process 2 does not answer;")
    assert {sample.labels["process"] for family in pages.collect() for sample in family.samples} == {"1"}


@on_sqlite
def test_metrics_are_those_of_all_processes(two: list[RunningServer], students: list[Student]) -> None:
    for student in (students[0], students[1], students[1]):
        student.get("/api/v1/me")

    for server in two:
        lines = server.client.get("/metrics").text.splitlines()

        assert 'dojo_request_seconds_count{process="1",route="me",status="200"} 1.0' in lines
        assert 'dojo_request_seconds_count{process="2",route="me",status="200"} 2.0' in lines
        assert lines.count("# TYPE dojo_request_seconds histogram") == 1
        assert [line for line in lines if line.startswith("dojo_database_up")] == ["dojo_database_up 1.0"]
