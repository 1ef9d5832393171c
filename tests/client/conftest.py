"""A student at a fake server, and a real server on a loopback port."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dojo.api.http import Network
from dojo.cli import run
from dojo.commands.context import Context
from dojo.files import workspace as workspaces
from dojo.files.workspace import Workspace
from dojo.profiles.config import Config
from tests.client.fake import SLUG, FakeDojo
from tests.support.processes import PROJECT, ServerProcess, run_command, server_environment

FOLDER = PROJECT / "exercises"  # of packs
PINNED = ("basics", "puzzles", "classics")


@dataclass
class Student:
    """A student who types commands, with a fake server and a config folder."""

    fake: FakeDojo
    config: Path
    capture: pytest.CaptureFixture[str]
    network: Network | None = None  # instead of the fake's own

    def type(self, *words: str | Path, **environ: str) -> tuple[int, str, str]:
        """Run a command and return its exit code, standard output and standard error."""
        config = Config({"DOJO_CONFIG_DIR": str(self.config), **environ})
        code = run([str(word) for word in words], Context(config, network=self.network or self.fake.network))
        out, err = self.capture.readouterr()
        return code, out, err

    def join(self) -> None:
        code, _, err = self.type("join", "dojo.test", "CODE", "--name", "Ada")
        assert code == 0, err


@pytest.fixture
def fake() -> FakeDojo:
    return FakeDojo()


@pytest.fixture
def workspace(fake: FakeDojo, tmp_path: Path) -> Workspace:
    """A pulled folder; the requests that it took are forgotten."""
    workspace = workspaces.pull(fake.connection, SLUG, tmp_path / "x").workspace
    fake.requests.clear()
    return workspace


@pytest.fixture
def student(
    fake: FakeDojo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Student:
    """A student who has not joined yet, in an empty folder."""
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    return Student(fake, tmp_path / "config", capsys)


@dataclass(frozen=True)
class Live:
    """A real server. ``environ`` is for commands run against it, with a config folder of its own."""

    address: str
    code: str

    def environ(self, folder: Path) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("DOJO_")}
        scripts = str(Path(sys.executable).parent)
        path = os.pathsep.join((scripts, plain.get("PATH", "")))
        return {
            **plain,
            "DOJO_CONFIG_DIR": str(folder),
            "PATH": path,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
        }


@contextmanager
def served(data: Path, port: int = 0, pinned: Sequence[str] = (), **settings: str) -> Iterator[Live]:
    """Run ``python -m server serve`` on a loopback port, with a course on first use; it is stopped at the end.

    ``pinned`` are packs that the course has beside makemore.
    """
    environment = server_environment(data, children=1, port=port, **settings)
    if not any(data.iterdir()):
        run_command(environment, "init", "--course", "autumn", "--title", "Autumn")
    if pinned:
        run_command(environment, *f"course packs autumn --pin {' --pin '.join(pinned)}".split())
    code = run_command(environment, "course", "join-code", "autumn").split()[-1]
    with ServerProcess(environment, data / "log", "serve") as server:
        server.wait_until_ready()
        yield Live(server.address, code)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server for all tests, with all packs of this repository."""
    with served(tmp_path_factory.mktemp("server"), packs=str(FOLDER), pinned=PINNED) as live:
        yield live
