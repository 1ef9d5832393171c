"""The demo: a server of its own, a student who hands in right and wrong answers, and the instructor's view.

Everything is real: the server is a process on a free port, and the student uses the command ``dojo``. It happens in a
temporary folder, and nothing of it stays.
"""

from __future__ import annotations

import csv
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import safetensors.torch
import torch

from exercises.registry import find
from exercises.tape import variables
from server.courses import courses
from server.courses.commands import shown_code
from server.courses.courses import NewMember
from server.database.setup import prepared_database
from server.settings import Settings
from server.tables import Role

EXERCISE = "makemore/full-backward"
TIMEOUT_SECONDS = 120.0  # until it serves; 60 were too few on a machine with a load of 13 on each core
# counts is used twice, by the quotient and by its sum; this answer forgets the second.
RIGHT_LINE, WRONG_LINE = (
    "dcounts = dprobs * counts_sum_inv + dcounts_sum",
    "dcounts = dprobs * counts_sum_inv",
)


class DemoFailed(RuntimeError):
    """A step of the demo had another result than it must have."""


def demo() -> int:
    """Run the demo; return exit code 0 if every step had the result that it must have."""
    with tempfile.TemporaryDirectory(prefix="dojo-demo-") as folder:
        try:
            _run(Path(folder))
        except DemoFailed as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
    return 0


def _run(folder: Path) -> None:
    _say("A server with a database of its own")
    settings = Settings(data=folder / "data", database_url=None, secret=None)
    instructor, code = _open_course(settings)
    with _server(settings) as address:
        print(address)
        _say("A student joins and pulls the first exercise")
        student = DemoStudent(folder / "student")
        student.dojo("join", address, code, "--name", "Ada")
        student.dojo("pull", EXERCISE)
        work = student.folder / "full-backward"

        _say("The reference solution, as code")
        solution = find(EXERCISE).solution
        (work / "solution.py").write_text(solution)
        student.dojo("submit", "--all", "full-backward/solution.py")
        _say("The same, as tensors computed on this side")
        _save_answers(work / "state.safetensors", solution, work / "answer.safetensors")
        student.dojo("submit", "--all", "full-backward/answer.safetensors")
        _say(f"A wrong one: {WRONG_LINE}")
        (work / "wrong.py").write_text(solution.replace(RIGHT_LINE, WRONG_LINE))
        student.dojo("submit", "--all", "full-backward/wrong.py", expect=1)

        _say("What the instructor sees")
        _print_progress(f"{address}/api/v1/courses/demo/progress?format=csv", instructor.token)
    _say("Done; the server is stopped and its folder is gone")


def _open_course(settings: Settings) -> tuple[NewMember, str]:
    """Return the instructor of a new course, and its join code."""
    database = prepared_database(settings)
    with database.writing() as session:
        course = courses.open_course(session, "demo", "Becoming a backprop ninja")
        instructor = courses.enrol(session, course, "Instructor", Role.INSTRUCTOR)
        code = shown_code(session, course)
    database.close()
    return instructor, code


class DemoStudent:
    """A student with the command ``dojo``, a folder to work in, and a configuration of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def dojo(self, *arguments: str, expect: int = 0) -> None:
        """Run the command in the folder; what it prints is shown.

        :raises DemoFailed: its exit code is not the expected one
        """
        print(f"$ dojo {' '.join(arguments)}", flush=True)
        command = [str(Path(sys.executable).with_name("dojo")), *arguments]
        environment = _environment(DOJO_CONFIG_DIR=str(self.folder.parent / "config"))
        ended = subprocess.run(command, cwd=self.folder, env=environment, check=False).returncode
        if ended != expect:
            raise DemoFailed(f"dojo {arguments[0]} ended with {ended} instead of {expect}")


def _environment(**settings: str) -> dict[str, str]:
    """Return this process's environment, with these settings and no others."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DOJO_")} | settings


def _say(text: str) -> None:
    print(f"\n==> {text}", flush=True)


@contextmanager
def _server(settings: Settings) -> Iterator[str]:
    """Run a server process on a free port; yield its address. It is stopped at the end, whatever happened."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = settings.data / "server.log"
    command = [sys.executable, "-m", "server", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=_environment(DOJO_DATA=str(settings.data)), stdout=output, stderr=output
        )
    try:
        _wait_until_ready(address, process, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise DemoFailed(f"the server did not get ready. Its log ends with:\n{log.read_text()[-3000:]}")


def _save_answers(state: Path, solution: str, to: Path) -> None:
    """Run a solution of ours on a forward state, and save its gradients."""
    names: dict[str, object] = {"torch": torch, "F": torch.nn.functional}
    names |= variables(safetensors.torch.load_file(state))
    exec(solution, names)
    answers = {each.answer: names[each.answer] for each in find(EXERCISE).checkpoints}
    tensors = {name: value.clone() for name, value in answers.items() if isinstance(value, torch.Tensor)}
    safetensors.torch.save_file(tensors, to)


def _print_progress(address: str, token: str) -> None:
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        lines = csv.DictReader(answer.read().decode("utf-8-sig").splitlines())
    print(f"{'student':10s} {'checkpoint':15s} {'best':12s} attempts  first passed at")
    for line in lines:
        print(
            f"{line['student']:10s} {line['checkpoint']:15s} {line['best']:12s} {line['attempts']:>8s}  "
            f"{line['first_passed_at']}"
        )
