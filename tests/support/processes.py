"""Processes of ``python -m server``, for tests and benchmarks."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 180.0  # importing torch, the rehearsal and the doctor, on a busy machine
STOP_SECONDS = 60.0
QUOTED_CHARACTERS = 3000
ADDRESS = re.compile(r"http://[^\s/]+:\d+(?=\s)")  # a line that is only half written has no end yet


class ProcessFailed(RuntimeError):
    """A process ended, or did not get ready in time."""


def server_environment(data: Path, **settings: object) -> dict[str, str]:
    """Return the environment of a server: ``children=2`` becomes ``DOJO_CHILDREN=2``.

    By default it has one process and listens on a free port of 127.0.0.1. Of this process's own environment it gets no
    ``DOJO_…``.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOJO_")}
    chosen: dict[str, object] = {"data": data, "host": "127.0.0.1", "port": 0, "processes": 1} | settings
    return inherited | {f"DOJO_{name.upper()}": str(value) for name, value in chosen.items()}


def run_command(environment: Mapping[str, str], *arguments: str) -> str:
    """Run a command of ``python -m server`` to its end, and return what it printed.

    :raises ProcessFailed: its exit code is not 0
    """
    ended = subprocess.run(
        _command(arguments), cwd=PROJECT, env=environment, check=False, capture_output=True, text=True
    )
    if ended.returncode != 0:
        raise ProcessFailed(f"{' '.join(arguments)} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return ended.stdout


@contextmanager
def reserved_port() -> Iterator[int]:
    """Hold a free port that is bound, not listened on: nobody else is given it while the server is dead."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


class ServerProcess:
    """A process of ``python -m server`` that runs until it is stopped, and writes to a log file.

    As a context manager it is stopped at the end. If the block fails, the exception quotes the end of the log.
    """

    def __init__(self, environment: Mapping[str, str], log: Path, *arguments: str) -> None:
        self._name = " ".join(arguments)
        self._log = log
        self._log_start = log.stat().st_size if log.exists() else 0  # a restarted server appends to its log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                _command(arguments), cwd=PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def output(self) -> str:
        """What this process has written to its log so far."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    @property
    def address(self) -> str:
        """The address that a server has printed, such as ``http://127.0.0.1:8000``.

        :raises ProcessFailed: it has printed none yet
        """
        found = ADDRESS.search(self.output)
        if found is None:
            raise ProcessFailed(f"{self._name} has printed no address")
        return found[0]

    def wait_until(self, condition: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Wait for something that this process brings about.

        :raises ProcessFailed: it ended, or takes longer
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None:
                raise ProcessFailed(f"{self._name} ended with {self.process.returncode}")
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self._name} did not get ready within {seconds:g} s")
            time.sleep(0.05)

    def wait_until_ready(self) -> None:
        """Wait until a server can be reached and can run code.

        :raises ProcessFailed: it ended, or takes too long
        """
        self.wait_until(lambda: ADDRESS.search(self.output) is not None)
        self.wait_until(lambda: _is_ready(self.address))

    def stop(self) -> None:
        """End the process in order, or by force if that takes too long."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Exception):
            error.add_note(f"The log of {self._name} ends with:\n{self.output[-QUOTED_CHARACTERS:]}")
        self.stop()


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "server", *arguments]


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
