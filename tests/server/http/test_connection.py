"""Connections of strangers: what they may send, how long they may take, and how many they may hold."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from server.http.connection import RECOGNISED, ConnectionLimits
from tests.support.raw_server import RawServer, converse, raw_server
from tests.support.servers import eventually

KIB = 1024
# A head has a second: on a busy machine the test itself takes a while between connecting and sending.
QUICK = ConnectionLimits(head_seconds=1.0, body_seconds=0.5, drain_seconds=0.3, write_seconds=0.5)
NARROW = ConnectionLimits(connections_max=12)
CLOSE = b"Connection: close\r\n\r\n"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body; recognises /known; answers /early before it reads."""
    size = 0
    if scope["path"] == "/known":
        scope["extensions"][RECOGNISED]["note"]()
    if scope["path"] != "/early":
        message = await receive()
        size += len(message.get("body", b""))
        while message.get("more_body"):
            message = await receive()
            size += len(message.get("body", b""))
        if message["type"] == "http.disconnect":
            return
    content = b"x" * (64 * KIB * KIB) if scope["path"] == "/large" else str(size).encode()
    length = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": content})


@pytest.fixture
def quick() -> Iterator[RawServer]:
    """A server that waits for nobody for long."""
    with raw_server(application, QUICK) as server:
        yield server


@pytest.fixture
def narrow() -> Iterator[RawServer]:
    """A server with room for a dozen connections."""
    with raw_server(application, NARROW) as server:
        yield server


@pytest.fixture
def patient() -> Iterator[RawServer]:
    """A server with the usual limits."""
    with raw_server(application, ConnectionLimits()) as server:
        yield server


def status(answer: bytes) -> int:
    """The status of an answer; 0 for none."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


def test_a_header_line_of_the_limit_is_taken_and_a_longer_one_refused(patient: RawServer) -> None:
    limit = ConnectionLimits().line_bytes_max - len(b"x-long")

    taken = patient.ask(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * limit + b"\r\n" + CLOSE)
    refused = patient.ask(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * (limit + 1) + b"\r\n" + CLOSE)

    assert (status(taken), status(refused)) == (200, 431)
    assert b"application/problem+json" in refused and b"Send a token, a content type and a length." in refused


def test_a_header_line_of_60_mib_is_cut_off_soon(patient: RawServer) -> None:
    sent = 0
    with patient.connect() as connection, suppress(ConnectionError):
        connection.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
        while sent < 60 * KIB * KIB:
            sent += connection.send(b"x" * 64 * KIB)

    assert sent < 16 * KIB * KIB  # what fits into the buffers of both sides


@pytest.mark.parametrize("beginning", [b"GET /", b"GET / HTTP/1.1\r\nX-", b"GET /?"], ids=["path", "name", "query"])
def test_no_other_part_of_the_head_is_without_end(patient: RawServer, beginning: bytes) -> None:
    assert status(patient.ask(beginning + b"x" * 256 * KIB)) in (431, 0)


def test_a_hundred_header_lines_are_taken_and_20_000_refused(patient: RawServer) -> None:
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(20_000))
    hundred = b"".join(lines.splitlines(keepends=True)[:99])

    assert status(patient.ask(b"GET / HTTP/1.1\r\n" + hundred + CLOSE)) == 200
    assert status(patient.ask(b"GET / HTTP/1.1\r\n" + lines + CLOSE)) == 431


def test_all_header_lines_together_have_a_limit(patient: RawServer) -> None:
    line = b"X-Long: " + b"x" * 15 * KIB + b"\r\n"

    assert status(patient.ask(b"GET / HTTP/1.1\r\n" + line * 4 + CLOSE)) == 200
    assert status(patient.ask(b"GET / HTTP/1.1\r\n" + line * 5 + CLOSE)) == 431


def test_lines_after_a_chunked_body_are_limited_too(patient: RawServer) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + CLOSE
    many = b"".join(b"X-%d: y\r\n" % number for number in range(200))

    assert status(patient.ask(head + b"1\r\nx\r\n0\r\n\r\n")) == 200
    assert status(patient.ask(head + b"1\r\nx\r\n0\r\n" + many + b"\r\n")) in (431, 0)
    assert status(patient.ask(head + b"1;" + b"x" * 512 * KIB)) in (431, 0)


def test_a_body_of_many_pieces_arrives_whole(patient: RawServer) -> None:
    body = b"x" * (8 * KIB * KIB)
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n" % len(body)

    assert patient.ask(head + CLOSE + body).endswith(b"\r\n\r\n8388608")


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"GET",
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
        b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n",
    ],
    ids=["half a head", "half a line", "half a body", "half a second head"],
)
def test_what_does_not_go_on_is_ended(quick: RawServer, beginning: bytes) -> None:
    answer = quick.ask(beginning)

    assert answer.split(b"HTTP/1.1 ")[-1].startswith(b"408")
    assert eventually(lambda: not quick.connections.strangers)


def test_a_drop_now_and_then_does_not_keep_a_head_open(quick: RawServer) -> None:
    def drip(connection: socket.socket) -> int:
        """How many further bytes are taken, one every tenth of a second."""
        connection.settimeout(0.1)
        for count in range(100):
            try:
                connection.sendall(b"x")
                if connection.recv(4096):
                    return count
            except TimeoutError:
                continue
            except ConnectionError:
                return count
        return 100

    with quick.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert drip(connection) < 50


def test_a_connection_that_says_nothing_is_closed_without_a_word(quick: RawServer) -> None:
    with quick.connect() as connection:
        assert connection.recv(100) == b""


def test_a_body_that_nobody_reads_is_drained_and_the_connection_used_again(patient: RawServer) -> None:
    body = b"x" * KIB * KIB
    early = b"POST /early HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)

    answer = patient.ask(early + body + b"GET / HTTP/1.1\r\n" + CLOSE)

    assert answer.count(b"HTTP/1.1 200") == 2


def test_an_answered_body_that_does_not_end_is_cut_off(quick: RawServer) -> None:
    with quick.connect() as connection:
        connection.sendall(b"POST /early HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx")
        answer = converse(connection, b"")

    assert status(answer) == 200


def test_an_answer_that_is_never_read_is_dropped(quick: RawServer) -> None:
    with quick.connect() as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"

        assert eventually(lambda: not quick.connections.strangers)


def test_strangers_make_room_for_strangers_and_never_take_that_of_the_known(narrow: RawServer) -> None:
    known = narrow.connect()
    known.sendall(b"POST /known HTTP/1.1\r\nContent-Length: 2\r\n\r\nx")
    assert eventually(lambda: len(narrow.connections.recognised) == 1)

    flood = [narrow.connect() for _ in range(NARROW.connections_max * 3)]
    newest = flood[-1]
    newest.sendall(b"GET / HTTP/1.1\r\n" + CLOSE)
    oldest_answer = converse(flood[0], b"")

    assert status(oldest_answer) == 503 and b"retry-after: 5" in oldest_answer.lower()
    assert status(converse(newest, b"")) == 200
    known.sendall(b"x")
    assert status(known.recv(4096)) == 200
    for connection in [known, *flood]:
        connection.close()


def test_if_the_known_fill_it_a_newcomer_is_told_to_wait(narrow: RawServer) -> None:
    known: list[socket.socket] = []
    while len(known) < NARROW.connections_max:
        known.append(narrow.connect())
        known[-1].sendall(b"POST /known HTTP/1.1\r\nContent-Length: 2\r\n\r\nx")
        assert eventually(lambda: len(narrow.connections.recognised) == len(known))

    assert status(narrow.ask(b"")) == 503
    for connection in known:
        connection.close()


def test_bytes_that_are_no_request_are_a_problem(patient: RawServer) -> None:
    answer = patient.ask(b"\x16\x03\x01 hello\r\n\r\n")

    assert status(answer) == 400 and b"application/problem+json" in answer
