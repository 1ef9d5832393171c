"""The server as a process of its own, over a real socket, with the real sandbox."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest
from sqlmodel import func, select

from server.database.engine import Database
from server.operations.demo import demo
from server.tables import GradeRow
from tests.support.processes import ServerProcess, server_environment
from tests.support.servers import EXERCISES, FULL, SAFETENSORS, SOLUTION, eventually

SUBMISSIONS = f"{EXERCISES}/{FULL}/submissions"


@dataclass
class Quickstarted:
    """A server of its own, and what it printed first, by its label."""

    process: ServerProcess
    printed: dict[str, str]

    def client(self, token: str | None = None) -> httpx.Client:
        """Return a client of it."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.process.address, headers=headers, timeout=120)


@contextmanager
def quickstart(data: Path, url: str, **settings: object) -> Iterator[Quickstarted]:
    """``python -m server quickstart`` on a free port; killed at the end."""
    environment = server_environment(data, database_url=url, **settings)
    with ServerProcess(environment, data / "log", "quickstart") as process:
        process.wait_until(lambda: "To join" in process.output)
        lines = process.output.splitlines()
        yield Quickstarted(process, {line[:19].strip(): line[19:] for line in lines if line[18:19] == " "})
        process.kill()


def joined(server: Quickstarted) -> httpx.Client:
    """A client with a student's token."""
    with server.client() as client:
        answer = client.post("/api/v1/join", json={"code": server.printed["Join code"], "name": "Ada"})
        return server.client(answer.json()["token"])


def server_processes(server: Quickstarted) -> list[int]:
    """The process ids of those that serve, below the supervisor."""
    pids = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [int(pid) for pid in pids if b"zygote" not in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.parametrize(("url", "processes"), [("sqlite", 2), ("postgresql", 1)], indirect=["url"])
def test_nothing_that_was_acknowledged_is_lost_when_the_server_is_killed(
    url: str, processes: int, tmp_path: Path
) -> None:
    with quickstart(tmp_path, url, processes=processes, children=2) as server:
        client = joined(server)
        graded = client.post(SUBMISSIONS, params={"wait": 30}, json={"source": SOLUTION})
        assert graded.status_code == 201, graded.text
        waiting = [client.post(SUBMISSIONS, json={"source": SOLUTION}) for _ in range(5)]
        server.process.kill()
    # 201 if a worker was faster than the answer.
    assert all(answer.status_code in (201, 202) for answer in waiting), [answer.text for answer in waiting]
    with quickstart(tmp_path, url, processes=processes, children=2) as again:
        for line in ("Course", "Join code", "Instructor's token"):
            assert again.printed[line] == server.printed[line]
        client = again.client(client.headers["Authorization"].removeprefix("Bearer "))
        kept = client.get(graded.headers["Location"]).json()
        assert {name: kept[name] for name in graded.json()} == graded.json()
        for answer in waiting:
            address = answer.headers["Location"]
            assert eventually(lambda: client.get(address).json()["status"] == "graded")  # noqa: B023
            assert client.get(address).json()["grade"]["exact"] == 26
        attempts = client.get("/api/v1/courses/backprop/submissions").json()["submissions"]
        assert [each["attempt"] for each in attempts] == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_killed_process_is_replaced_and_what_it_held_is_graded_once(url: str, tmp_path: Path) -> None:
    with quickstart(tmp_path, url, processes=2, children=2) as server:
        client = joined(server)
        assert client.post(SUBMISSIONS, params={"wait": 30}, json={"source": SOLUTION}).status_code == 201
        before = server_processes(server)
        waiting = [client.post(SUBMISSIONS, json={"source": SOLUTION}) for _ in range(8)]

        os.kill(before[0], signal.SIGKILL)

        assert all(answer.status_code in (201, 202) for answer in waiting), [answer.text for answer in waiting]
        client = server.client(client.headers["Authorization"].removeprefix("Bearer "))  # the other was that process's
        for answer in waiting:
            address = answer.headers["Location"]
            assert eventually(lambda: client.get(address).json()["status"] == "graded", 40)  # noqa: B023
        assert eventually(lambda: client.get("/readyz").status_code == 200, 40)
        after = server_processes(server)
        assert len(set(after)) == 2 and set(before) & set(after) == {before[1]}
        assert "Server process 1 was killed by SIGKILL; it is started again." in server.process.output
    database = Database(url)
    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(GradeRow)).one() == 1 + len(waiting)
    database.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("processes", [1, 2])
def test_a_signal_stops_it_in_order_and_no_token_is_in_its_log(url: str, processes: int, tmp_path: Path) -> None:
    with quickstart(tmp_path, url, processes=processes, children=2) as server:
        client = joined(server)
        assert client.get("/api/v1/me").status_code == 200
        assert eventually(lambda: client.get("/readyz").json()["checks"]["sandbox"] == "ok")
        server.process.process.send_signal(signal.SIGTERM)
        assert server.process.process.wait(60) in (0, -signal.SIGTERM)
    log = (tmp_path / "log").read_text()
    assert "route=me" in log and "account_id=" in log
    assert str(client.headers["Authorization"]).split()[1] not in log
    assert "Traceback" not in log
    assert (tmp_path / "instructor.token").stat().st_mode & 0o777 == 0o600


MIB = 1024 * 1024


def peak_mib(pid: int) -> float:
    """The most memory that a process has held so far."""
    status = dict(line.split(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_sixty_large_bodies_without_a_token_cost_less_than_two_with(url: str, tmp_path: Path) -> None:
    body = b"x" * int(7.9 * MIB)
    head = f"Host: x\r\nContent-Type: {SAFETENSORS}\r\nContent-Length: {len(body)}\r\n\r\n"
    attacks = [
        (f"POST {SUBMISSIONS} HTTP/1.1\r\n{head}", 401),
        (f"POST {SUBMISSIONS} HTTP/1.1\r\nAuthorization: Bearer dojo_x\r\n{head}", 401),
        (f"POST /api/v1/join HTTP/1.1\r\n{head}", 413),
    ]
    with quickstart(tmp_path, url) as server:
        client = joined(server)
        assert eventually(lambda: client.get("/readyz").status_code == 200)
        assert client.post(SUBMISSIONS, content=body, headers={"Content-Type": SAFETENSORS}).status_code == 422
        after_one = peak_mib(server.process.pid)
        port = int(server.process.address.rpartition(":")[2])
        strangers = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(60)]

        for stranger, (request, _) in zip(strangers, attacks * 20, strict=True):
            stranger.sendall(request.encode() + body[:-1])  # with the last byte missing, all sixty are open at once
        answers = [stranger.recv(4096) for stranger in strangers]

        for stranger in strangers:
            stranger.close()
        assert [int(answer.split()[1]) for answer in answers] == [status for _, status in attacks] * 20
        assert peak_mib(server.process.pid) - after_one < 2 * len(body) / MIB


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("proxies", "scheme"), [("", "http"), ("127.0.0.1", "https")])
def test_only_a_named_proxy_says_how_a_request_came(url: str, tmp_path: Path, proxies: str, scheme: str) -> None:
    with quickstart(tmp_path, url, proxies=proxies, children=1) as server, server.client() as client:
        told = client.get("/client", headers={"X-Forwarded-Proto": "https", "Host": "dojo.test"}).text

        assert f" {scheme}://dojo.test/client" in told


def test_the_demo_shows_what_it_promises(capfd: pytest.CaptureFixture[str]) -> None:
    assert demo() == 0
    shown = capfd.readouterr().out
    right, tensors, wrong = shown.split("$ dojo submit")[1:]
    assert right.count("exact: True ") == tensors.count("exact: True ") == 26
    assert "exact: False | approximate: False" in wrong
    assert "Ada        C " in shown
