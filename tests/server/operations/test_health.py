"""Whether a server is ready, in its own words."""

from __future__ import annotations

import pytest

from server.queue.embedded import EmbeddedDispatcher
from tests.support.servers import RunningServer, eventually

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def test_every_thread_in_the_background_is_known(server: RunningServer) -> None:
    assert eventually(lambda: server.client.get("/readyz").status_code == 200)

    body = server.client.get("/readyz").json()

    assert body["checks"]["threads"] == "ok"
    assert [(each["name"], each["alive"], each["last_error"]) for each in body["threads"]] == [
        ("worker 1", True, None),
        ("renewer", True, None),
        ("training referee", True, None),
    ]


def test_a_thread_that_fails_is_named_and_its_server_not_ready(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatcher = server.services.dispatcher
    assert isinstance(dispatcher, EmbeddedDispatcher)
    assert eventually(lambda: server.client.get("/readyz").status_code == 200)

    def fail() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(server.services.code_runner, "is_ready", fail)
    assert eventually(lambda: server.client.get("/readyz").status_code == 503)
    broken = server.client.get("/readyz").json()["checks"]["threads"]
    monkeypatch.undo()

    assert broken == "worker 1 is started again after OSError: Too many open files"
    student = server.join()
    assert student.submit_code("dx = 1").status_code == 201  # it works again, whatever was remembered of it
