"""A student at a fake server, and a real server on a loopback port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest

from dojo.api.http import Network
from dojo.cli import run
from dojo.commands.context import Context
from dojo.profiles.config import Config
from tests.client.fake import FakeDojo

ROOT = Path(__file__).parents[2]


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


def until_ready(address: str) -> None:
    """The address is printed before the first connection is accepted."""
    for _ in range(300):
        try:
            if httpx.get(f"{address}/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"{address} does not become ready")


@contextmanager
def served(data: Path, port: int = 0) -> Iterator[Live]:
    """`python -m server serve` on a loopback port, with a course on first use; stopped at the end."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DOJO_")}
    environ = {**plain, "DOJO_DATA": str(data), "DOJO_CHILDREN": "1"}
    command = [sys.executable, "-m", "server"]

    def said(*words: str) -> str:
        return subprocess.run(
            [*command, *words], cwd=ROOT, env=environ, check=True, capture_output=True, text=True
        ).stdout

    if not any(data.iterdir()):
        said("init", "--course", "autumn", "--title", "Autumn")
    code = said("course", "join-code", "autumn").split()[-1]
    with (data / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "serve", "--port", str(port)],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdout is not None
        found = (re.search(r"http://\S+", line) for line in process.stdout)
        address = next((match[0] for match in found if match), None)
        if address is None:
            pytest.fail((data / "log").read_text())
        until_ready(address)
        yield Live(address, code)
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server for all tests."""
    with served(tmp_path_factory.mktemp("server")) as live:
        yield live
