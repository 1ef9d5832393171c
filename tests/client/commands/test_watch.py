"""The command ``watch``: it submits on every save, and outlives a server that is away."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx2 as httpx

from dojo.api.http import RETRY_PAUSES
from tests.client.commands.conftest import HALF, RIGHT
from tests.client.conftest import Student
from tests.client.fake import problem


def watched(pulled: Student, looks: int, between: Callable[[int], None]) -> tuple[int, str, str, list[float]]:
    """Watch solution.py for so many looks. Return exit code, output, and the pauses between looks."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        if seconds in RETRY_PAUSES:  # between two attempts of one request
            return
        pauses.append(seconds)
        if len(pauses) == looks:
            raise KeyboardInterrupt
        between(len(pauses))

    pulled.network = replace(pulled.fake.network, sleep=sleep)
    return *pulled.type("watch", "solution.py"), pauses


def test_watch_submits_on_every_save(pulled: Student) -> None:
    saves = iter([RIGHT, RIGHT, HALF])

    def save(_: float) -> None:
        try:
            Path("solution.py").write_text(next(saves))
        except StopIteration:
            raise KeyboardInterrupt from None

    Path("solution.py").write_text("dcounts = (")
    pulled.fake.before = lambda request: (
        problem(422, "This is no Python. Save it again.") if b"= (" in request.content else None
    )
    pulled.network = replace(pulled.fake.network, sleep=save)
    code, out, err = pulled.type("watch", "solution.py")
    assert code == 1
    assert "This is no Python" in err
    assert out.count("2 of 2 pass") == 1
    assert out.count("1 of 2 pass") == 1


def test_watch_says_once_that_the_server_is_away(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT)

    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    def come_back(look: int) -> None:
        if look == 6:
            pulled.fake.before = None

    pulled.fake.before = away
    code, out, err, pauses = watched(pulled, 8, come_back)

    assert err.splitlines()[-1].endswith("could not be reached. Watch goes on, and submits when it is back.")
    assert err.count("could not be reached") == 1
    assert (code, out.count("2 of 2 pass")) == (0, 1)
    assert pauses == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 0.5, 0.5]


def test_watch_sends_nothing_twice_that_the_server_has(losing: Student) -> None:
    code, _, err, pauses = watched(losing, 4, lambda look: None)

    assert (code, len(losing.fake.graded)) == (3, 1)
    assert err.count("Submission 1 is kept, but") == 1
    assert pauses[-3:] == [0.5, 0.5, 0.5]


def test_watch_stops_where_the_token_is_refused(pulled: Student) -> None:
    def revoke(_: int) -> None:
        pulled.fake.before = lambda _: problem(401, "This token was revoked. Type: dojo login ADDRESS")
        Path("solution.py").write_text(HALF)

    Path("solution.py").write_text(RIGHT)

    code, out, err, pauses = watched(pulled, 3, revoke)

    assert (code, pauses) == (2, [0.5])
    assert out.count("2 of 2 pass") == 1
    assert err.splitlines()[-1] == "This token was revoked. Type: dojo login https://dojo.test"


def test_watch_ends_by_an_interrupt_that_python_dropped(pulled: Student) -> None:
    pauses: list[float] = []

    def drop(seconds: float) -> None:  # as Python does while it finalises a socket
        pauses.append(seconds)
        assert len(pauses) == 1
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    Path("solution.py").write_text(RIGHT)
    pulled.network = replace(pulled.fake.network, sleep=drop)
    before = signal.getsignal(signal.SIGINT)

    code, _, _ = pulled.type("watch", "solution.py")

    assert (code, len(pauses)) == (0, 1)
    assert signal.getsignal(signal.SIGINT) is before


def test_watch_prints_a_document_a_line(pulled: Student) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    pulled.network = replace(pulled.fake.network, sleep=stop)
    _, out, _ = pulled.type("watch", "solution.py", "--json")
    assert [json.loads(line)["id"] for line in out.splitlines()] == [1]
