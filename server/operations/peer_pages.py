"""What the processes of a server tell each other: how they are, and what they count.

A proxy and Prometheus reach whichever process is idle. So the process that is asked asks the others, over a socket
that only they can reach. A process that does not answer in time is part of the answer.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from prometheus_client import Metric
from prometheus_client.registry import Collector

from grader.supervision import ThreadStatus
from server.metrics import Metrics
from server.processes.peers import Peers
from server.queue.dispatcher import Dispatcher

HEALTH: Final = b"health\n"
COUNTERS: Final = b"counters\n"
NO_ANSWER: Final = "does not answer; it is started again if it has ended"
ANSWER_SECONDS: Final = 2.0
_READ_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class ProcessHealth:
    """How a process is: ``checks`` as a dispatcher gives them, and its threads."""

    checks: Mapping[str, str]
    threads: list[ThreadStatus]


class PeerPages:
    """Answers the peers of this process, and asks them."""

    def __init__(
        self, peers: Peers, dispatcher: Dispatcher, metrics: Metrics, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._peers = peers
        self._dispatcher = dispatcher
        self._metrics = metrics
        self._answer_seconds = answer_seconds

    def health(self) -> ProcessHealth:
        """Return how all processes are. A check that fails somewhere says where, if there are several processes."""
        own = self._own_health()
        if self._peers.count == 1:
            return own
        processes = {self._peers.number: own}
        checks = {**own.checks, "processes": "ok"}
        for number, answer in self._ask(HEALTH):
            if answer is None:
                checks["processes"] = f"process {number + 1} {NO_ANSWER}"
            else:
                threads = [ThreadStatus(**each) for each in answer["threads"]]
                processes[number] = ProcessHealth(answer["checks"], threads)
        for number, process in processes.items():
            wrong = {name: state for name, state in process.checks.items() if state != "ok"}
            checks |= {name: f"process {number + 1}: {state}" for name, state in wrong.items()}
        threads = [
            ThreadStatus(f"process {number + 1}, {each.name}", each.is_alive, each.last_error)
            for number, process in sorted(processes.items())
            for each in process.threads
        ]
        return ProcessHealth(checks, threads)

    def collect(self) -> Iterator[Metric]:
        """Yield what all processes count, each sample with its process, if there are several.

        Sums are for Prometheus to make: it notices for each process by itself that its counters began anew.
        """
        if self._peers.count == 1:
            yield from self._metrics.registry.collect()
            return
        families: dict[str, Metric] = {}
        answers = [(self._peers.number, list(_as_json(self._metrics.registry)))]
        answers += [(number, answer) for number, answer in self._ask(COUNTERS) if answer is not None]
        for number, answer in sorted(answers):
            for name, documentation, kind, samples in answer:
                family = families.setdefault(name, Metric(name, documentation, kind))
                for sample, labels, value in samples:
                    family.add_sample(sample, labels | {"process": str(number + 1)}, value)
        yield from families.values()

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Answer the peers, on the running loop."""
        listener = self._peers.listener
        if listener is None:
            yield
            return
        own = listener.dup()  # the loop closes what it is given, and the next process of this number needs it
        server = await asyncio.start_unix_server(self._answer, sock=own)
        try:
            yield
        finally:
            server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers: dict[bytes, Callable[[], Any]] = {
            HEALTH: lambda: asdict(self._own_health()),
            COUNTERS: lambda: list(_as_json(self._metrics.registry)),
        }
        try:
            answer = answers.get(await reader.readline())
            if answer is not None:
                # Not on a request thread: those may all wait for the answers of peers.
                writer.write(json.dumps(await asyncio.to_thread(answer)).encode())
                await writer.drain()
        except ConnectionError:
            pass  # it waits no longer
        finally:
            writer.close()

    def _own_health(self) -> ProcessHealth:
        return ProcessHealth(dict(self._dispatcher.health()), list(self._dispatcher.threads()))

    def _ask(self, what: bytes) -> Iterator[tuple[int, Any]]:
        """Yield what each peer answers, by its number; None if it does not."""
        for number, address in self._peers.others().items():
            try:
                yield number, json.loads(_converse(address, what, self._answer_seconds))
            except (OSError, ValueError):
                yield number, None


class AllCounters(Collector):
    """The counters of all processes, then what is counted of the server as a whole."""

    def __init__(self, pages: PeerPages, metrics: Metrics) -> None:
        self._pages = pages
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of a scrape."""
        yield from self._pages.collect()
        yield from self._metrics.server_registry.collect()


def _converse(address: str, question: bytes, seconds: float) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        connection.connect(address)
        connection.sendall(question)
        answer = bytearray()
        while piece := connection.recv(_READ_BYTES):
            answer += piece
        return bytes(answer)


def _as_json(registry: Collector) -> Iterator[tuple[str, str, str, list[tuple[str, dict[str, str], float]]]]:
    for family in registry.collect():
        samples = [(sample.name, dict(sample.labels), sample.value) for sample in family.samples]
        yield family.name, family.documentation, family.type, samples


async def peer_pages(request: Request) -> PeerPages:
    """Return what asks the application's peers."""
    value = request.app.state.peer_pages
    assert isinstance(value, PeerPages)
    return value


ThePeerPages = Annotated[PeerPages, Depends(peer_pages)]
