"""Connections: how much a stranger may send before they are known, how long they may take, and how many there may be.

uvicorn's parser takes a header line of any length and any number of lines, and uvicorn closes only a connection that
is idle after an answer. ``GuardedProtocol`` adds the limits that it lacks.

1. A connection is a *stranger's* until a request on it was recognised (``server/http/token_gate.py``).
2. Strangers have a share of the connections. If it is used up, the oldest of them makes room for the newest: a flood
   pushes out its own connections, and a student's request takes milliseconds.
3. Those who are signed in have the rest.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from server.http.problems import BadRequest, Busy, HeadTooLarge, Problem, TooSlow, response
from server.processes.peers import Peers

KIB: Final = 1024
RECOGNISED: Final = "dojo.recognised"  # a key of an ASGI scope's extensions: a function without arguments
_STRANGERS, _RECOGNISED, _COLUMNS = 0, 1, 2  # of the gauge
_PIECE_BYTES: Final = 16 * KIB  # fed to the parser at once


@dataclass(frozen=True)
class ConnectionLimits:
    """What a connection may do, and how many there may be. Tests hand in others; an operator chooses the count."""

    line_bytes_max: int = 16 * KIB
    """A request line or a header line."""

    lines_max: int = 100
    head_bytes_max: int = 64 * KIB
    """All header lines of a request."""

    head_seconds: float = 10.0
    """From the beginning of a connection or of a further request until its headers are complete."""

    body_seconds: float = 120.0
    """From there until the body is complete: 8 MiB at half a megabit."""

    drain_seconds: float = 5.0
    """How long the rest of a body is thrown away after an answer that did not wait for it."""

    write_seconds: float = 60.0
    """How long a client may leave an answer unread."""

    connections_max: int = 1000

    @property
    def strangers_max(self) -> int:
        """How many of the connections strangers may have."""
        return max(1, self.connections_max // 2)


class Connections:
    """The open connections of a process. It lives on the event loop's thread.

    The limits are of all processes of the server together: each writes how many it has into a gauge that all read.
    """

    def __init__(self, limits: ConnectionLimits, peers: Peers | None = None) -> None:
        self.limits = limits
        self.recognised: set[GuardedProtocol] = set()
        self.strangers: dict[GuardedProtocol, None] = {}  # the oldest first
        self._gauge = (peers or Peers.alone()).gauge("connections", _COLUMNS)

    def admit(self, connection: GuardedProtocol) -> bool:
        """Take a new connection in, in the place of the oldest stranger if there is no room; False if none leaves.

        The stranger that leaves is one of this process. If others have them all, it takes in one more than they may be.
        """
        strangers = self._gauge.total(_STRANGERS)
        is_full = strangers + self._gauge.total(_RECOGNISED) >= self.limits.connections_max
        if self.strangers and (is_full or strangers >= self.limits.strangers_max):
            oldest = next(iter(self.strangers))
            del self.strangers[oldest]
            oldest.refuse(_busy())
        elif is_full:
            return False
        self.strangers[connection] = None
        self._count()
        return True

    def recognise(self, connection: GuardedProtocol) -> None:
        """Note that a connection is no stranger's any more."""
        if connection in self.strangers:
            del self.strangers[connection]
            self.recognised.add(connection)
            self._count()

    def remove(self, connection: GuardedProtocol) -> None:
        """Note that a connection is closed."""
        self.strangers.pop(connection, None)
        self.recognised.discard(connection)
        self._count()

    def _count(self) -> None:
        self._gauge.set(_STRANGERS, len(self.strangers))
        self._gauge.set(_RECOGNISED, len(self.recognised))

    def protocol(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> GuardedProtocol:
        """Return the protocol of a new connection; uvicorn takes this method in the place of a class."""
        return GuardedProtocol(self, config, server_state, app_state, _loop)


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits."""

    def __init__(
        self,
        connections: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._open_connections = connections
        self._limits = connections.limits
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._in_head = False
        self._in_message = False
        self._line_bytes = 0  # since a line or a part of a body was complete
        self._head_bytes = 0
        self._lines = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, if there is room."""
        super().connection_made(transport)
        if self._open_connections.admit(self):
            self._arm(self._limits.head_seconds)
        else:
            self.refuse(_busy())

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        self._open_connections.remove(self)
        self._disarm()
        self._end_write_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and refuse what cannot become a request any more."""
        self._unset_keepalive_if_required()
        whole = memoryview(data)
        for start in range(0, len(whole), _PIECE_BYTES):
            if self.parser is None or self.transport.is_closing():
                return
            piece = whole[start : start + _PIECE_BYTES]
            self._line_bytes += len(piece)  # the parser's callbacks set it back
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade:
                return  # no other protocol is spoken here; the request was served as it is
            except httptools.HttpParserError as error:
                cause = error.__context__
                self.refuse(cause if isinstance(cause, Problem) else BadRequest())
                return
            if self._line_bytes > self._limits.line_bytes_max:
                self.refuse(HeadTooLarge())
                return
        if self._timer is None and (self._in_head or self._is_idle()):
            self._arm(self._limits.head_seconds)

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._in_head = self._in_message = True
        self._head_bytes = self._lines = 0
        self.scope["extensions"] = {RECOGNISED: {"note": self._note_recognised}}

    def on_url(self, url: bytes) -> None:
        """Take a part of the request line.

        :raises HeadTooLarge: the line is too long
        """
        super().on_url(url)
        if len(self.url) > self._limits.line_bytes_max:
            raise HeadTooLarge

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header line; the lines after a chunked body count too.

        :raises HeadTooLarge: it is too long, or there are too many
        """
        self._line_bytes = 0
        self._lines += 1
        size = len(name) + len(value)
        self._head_bytes += size
        if (
            size > self._limits.line_bytes_max
            or self._lines > self._limits.lines_max
            or self._head_bytes > self._limits.head_bytes_max
        ):
            raise HeadTooLarge
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Have the request served, and wait for its body."""
        self._in_head = False
        self._line_bytes = 0
        self._arm(self._limits.body_seconds)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body; it is thrown away if the request is answered already."""
        self._line_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop waiting for the body."""
        self._in_message = False
        self._line_bytes = 0
        self._disarm()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait a little for the rest of a body that nobody reads, or for the next request."""
        super().on_response_complete()
        if self._in_message and self.cycle.response_complete:
            self._unset_keepalive_if_required()
            self._arm(self._limits.drain_seconds)

    def pause_writing(self) -> None:
        """The client does not read: wait for it, not for ever."""
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self._limits.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        self._end_write_timer()
        super().resume_writing()

    def refuse(self, problem: Problem) -> None:
        """Answer with a problem, unless an answer has begun, and close the connection."""
        self._disarm()
        if self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size():  # it does not read what it was sent before
            self.transport.abort()
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_bytes_of(problem))
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self._limits.write_seconds, self.transport.abort)
        self.transport.close()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _note_recognised(self) -> None:
        self._open_connections.recognise(self)

    def _is_idle(self) -> bool:
        return not self._in_message and (self.cycle is None or self.cycle.response_complete)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._time_out)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _time_out(self) -> None:
        self._timer = None
        if self._in_head or (self._in_message and not self.cycle.response_started):
            self.refuse(TooSlow())
        else:
            self.transport.close()


def _busy() -> Busy:
    return Busy("The server has too many connections. Try again in a few seconds.", {"Retry-After": "5"})


def _bytes_of(problem: Problem) -> bytes:
    answer = response(problem)
    lines = [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
    head = [STATUS_LINE[answer.status_code], *lines, b"dojo-api: 1\r\nconnection: close\r\n\r\n"]
    return b"".join([*head, bytes(answer.body)])
