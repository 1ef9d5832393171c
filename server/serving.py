"""Serving: one process, or several on one port with a supervisor over them."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

import uvicorn
from fastapi import FastAPI

from grader.sandbox import zygote_command
from server import logs
from server.app import build_routes, complete
from server.database.engine import CONNECTIONS_MAX
from server.http.connection import ConnectionLimits, Connections
from server.machine import limit_arenas, raise_descriptor_limit
from server.processes.peers import Peers
from server.processes.supervisor import Program, Supervisor
from server.queue.timing import Timing
from server.services import ServerServices
from server.settings import Settings, SettingsError

SHUTDOWN_SECONDS: Final = 15
STOP_SECONDS: Final = SHUTDOWN_SECONDS + 15.0  # of a process: its requests, then the runs that go on
BACKLOG: Final = 2048  # uvicorn's
# Descriptors that connections of clients never take: files and pipes, and what each child of the sandbox needs.
DESCRIPTORS_RESERVED: Final = 64
DESCRIPTORS_PER_CHILD: Final = 16
CONNECTIONS_MIN: Final = 8

log = logging.getLogger(__name__)

Show = Callable[[str], None]


@dataclass(frozen=True)
class Address:
    """Where to listen. Port 0 is any free one."""

    host: str
    port: int

    def url(self, port: int) -> str:
        """Return what a person types, once the port is known."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port}"


def serve(settings: Settings, address: Address, show: Show, timing: Timing | None = None) -> int:
    """Listen, show the address, and serve until a signal ends it; return the exit code.

    :raises SettingsError: a setting cannot be used
    """
    limit_arenas()
    logs.configure(settings.log)
    settings.refuse_guessable_secrets(address.host)
    limits = ConnectionLimits(connections_max=connections_max(settings, raise_descriptor_limit()))
    # Here, where what is wrong becomes a sentence; within uvicorn it is a traceback.
    services = ServerServices.build(settings, timing=timing)
    services.prepare_database()
    services.close()
    if settings.processes == 1:
        return _Process(build_routes(), settings, address, limits, timing, Peers.alone()).serve_alone(show)
    with tempfile.TemporaryDirectory(prefix="dojo-") as folder:
        return _serve_with_others(settings, address, limits, timing, show, Path(folder))


def _serve_with_others(
    settings: Settings, address: Address, limits: ConnectionLimits, timing: Timing | None, show: Show, folder: Path
) -> int:
    """Serve with several processes. They share a port, and a zygote if they run code."""
    peers = Peers.make(settings.processes, folder)
    listener = _listen(address)
    port = listener.getsockname()[1]
    programs = []
    if settings.dispatch == "embedded" and settings.zygote is None:
        peers.zygote = folder / "zygote"
        programs.append(Program("The zygote", partial(_become_zygote, peers.zygote), is_helper=True))
    process = _Process(build_routes(), settings, address, limits, timing, peers)
    programs += [
        Program(f"Server process {number + 1}", partial(process.serve_shared, listener, number))
        for number in range(peers.count)
    ]
    log.info("%d processes serve on port %d.", peers.count, port)
    return Supervisor(programs, lambda: show(address.url(port)), STOP_SECONDS).run()


def _listen(address: Address) -> socket.socket:
    """Return the socket that all processes take connections from.

    :raises SettingsError: the address cannot be listened on
    """
    listener = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        raise SettingsError(
            f"The server cannot listen on {address.host}:{address.port}: {error.strerror}. Set another DOJO_HOST or "
            "DOJO_PORT."
        ) from None
    listener.listen(BACKLOG)
    return listener


def _become_zygote(path: Path, _: Callable[[], None]) -> NoReturn:
    """Be the zygote of all processes: each that connects gets a fork of it, and they share its memory."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, sys.stdin.fileno())
    os.dup2(null, sys.stdout.fileno())
    os.chdir("/")
    os.execve(sys.executable, zygote_command.command("--listen", os.fspath(path)), zygote_command.ENVIRONMENT)


@dataclass(frozen=True)
class _Process:
    """A process that serves. The routes are built before it is forked."""

    routes: FastAPI
    settings: Settings
    address: Address
    limits: ConnectionLimits
    timing: Timing | None
    peers: Peers

    def serve_alone(self, show: Show) -> int:
        """Serve as the only process; show the address as soon as it can be reached."""
        return self._run(lambda port: show(self.address.url(port)), None)

    def serve_shared(self, listener: socket.socket, number: int, note_serving: Callable[[], None]) -> int:
        """Serve as one of several, on a socket that they share."""
        self.peers.become(number)
        return self._run(lambda _: note_serving(), listener)

    def _run(self, on_started: Callable[[int], None], listener: socket.socket | None) -> int:
        connections = Connections(self.limits, self.peers)
        config = uvicorn.Config(
            complete(self.routes, ServerServices.build(self.settings, timing=self.timing, peers=self.peers)),
            self.address.host,
            self.address.port,
            http=connections.protocol,  # type: ignore[arg-type]  # called as a class would be
            ws="none",
            backlog=BACKLOG,
            proxy_headers=bool(self.settings.trusted_proxies),
            # uvicorn alone would believe whatever comes from 127.0.0.1.
            forwarded_allow_ips=self.settings.trusted_proxies,
            server_header=False,
            log_config=None,
            access_log=False,  # server.http.access_log writes it
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        try:
            _Server(config, on_started).run(None if listener is None else [listener])
        except SystemExit:
            return 1  # uvicorn exits by itself if it cannot start, with codes of its own
        return 0


def connections_max(settings: Settings, descriptors: int) -> int:
    """Return how many connections may be open: not so many that the rest runs out of descriptors.

    :raises SettingsError: too few descriptors are left for any
    """
    reserve = DESCRIPTORS_RESERVED + CONNECTIONS_MAX + DESCRIPTORS_PER_CHILD * settings.children
    room = descriptors - reserve
    if room < CONNECTIONS_MIN:
        raise SettingsError(
            f"This process may open too few files: {reserve} are kept in reserve. Raise the limit: ulimit -n 4096"
        )
    if room < settings.connections:
        log.warning("Only %d connections have room, not %d. Raise the limit: ulimit -n", room, settings.connections)
    return min(room, settings.connections)


class _Server(uvicorn.Server):
    """Says once it can be reached, and at which port."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[int], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            self._on_started(self.servers[0].sockets[0].getsockname()[1])
