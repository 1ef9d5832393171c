"""The code_runner with a zygote that runs elsewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.services import make_code_runner
from server.settings import Settings
from tests.support.servers import eventually


@contextmanager
def listening(socket: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A zygote as a container has it."""
    zygote = subprocess.Popen([sys.executable, "-m", "grader.sandbox.zygote", "--listen", socket])
    try:
        yield zygote
    finally:
        zygote.kill()
        zygote.wait()


def test_a_zygote_elsewhere_is_used_missed_and_found_again(tmp_path: Path) -> None:
    socket = tmp_path / "zygote.sock"
    code_runner = make_code_runner(Settings(zygote=socket, children=1))
    assert "no zygote listens" in str(code_runner.inspect())
    with listening(socket):
        assert eventually(lambda: code_runner.inspect() is None)
    assert eventually(lambda: "no zygote listens" in str(code_runner.inspect()))
    with listening(socket):
        assert eventually(lambda: code_runner.inspect() is None)
        assert code_runner.is_ready()  # the doctor has seen the new one
    code_runner.close()
