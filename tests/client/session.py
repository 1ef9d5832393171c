"""A student's evening as a terminal shows it: three mistakes, and then all 26 steps.

``python -m tests.client.session`` writes ``docs/session.txt`` and ``docs/session-in-colour.txt`` (for ``less -R``).
Every command runs for real on a terminal of 80 x 24, with a server of its own. ``test_session.py`` compares both pages.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import tempfile
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exercises.registry import find
from tests.client.conftest import Live, served
from tests.support.processes import PROJECT

SLUG = "makemore/full-backward"
PAGES = {"": PROJECT / "docs" / "session.txt", "colour": PROJECT / "docs" / "session-in-colour.txt"}
WIDTH, HEIGHT = 80, 24
SECRET = "the numbers of this page are the same each time"

COUNTS = ("dcounts = dprobs * counts_sum_inv + dcounts_sum", "dcounts = dprobs * counts_sum_inv")
HPREACT = ("dhpreact = (1.0 - h**2) * dh", "dhpreact = 1.0 - h**2 * dh")
EMBEDDING = ("dC[Xb[k, j]] += demb[k, j]", "dC[Xb[k, j]] = demb[k, j]")


@dataclass
class Recording:
    """A terminal, and all that it showed."""

    live: Live
    folder: Path
    is_colour: bool
    text: str = ""

    def type(self, command: str) -> str:
        """Type a command, and return what it printed."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        environ = self.live.environ(self.folder.parent / "config") | ({} if self.is_colour else {"NO_COLOR": "1"})
        # Progress bars go to standard error, and depend on the time. The page leaves them out.
        process = subprocess.Popen(
            command.split(), cwd=self.folder, env=environ, stdin=slave, stdout=slave, stderr=subprocess.DEVNULL
        )
        os.close(slave)
        output = b"".join(_pieces(master)).decode().replace("\r\n", "\n")
        os.close(master)
        process.wait()
        self.text += f"$ {command}\n{output}\n"
        return output

    def write(self, heading: str, *mistakes: tuple[str, str], until: str = "") -> None:
        """Save the solution with mistakes in it, up to a line, and say so."""
        solution = find(SLUG).solution
        for right, wrong in mistakes:
            assert right in solution
            solution = solution.replace(right, wrong)
        text = solution.partition(until)[0] if until else solution
        (self.folder / "solution.py").write_text(text, encoding="utf-8")
        self.text += f"  # {heading}\n\n"

    def submissions(self) -> list[str]:
        """Return the numbers of the submissions so far."""
        return re.findall(r"\(submission (\d+)\)", self.text)


def _pieces(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(descriptor, 4096)
        except OSError:  # Linux reports the end of a terminal as EIO
            return
        if not piece:
            return
        yield piece


def record(live: Live, folder: Path, *, is_colour: bool) -> str:
    """Return the text of an evening of a new student."""
    environ = live.environ(folder / "config")
    for words in (("join", live.address, live.code, "--name", "Ada"), ("pull", SLUG)):
        subprocess.run(["dojo", *words], cwd=folder, env=environ, check=True, capture_output=True)
    terminal = Recording(live, folder / "full-backward", is_colour)
    terminal.type("dojo status")
    terminal.write("The first seven steps are in solution.py now.", COUNTS, until="# the maximum only")
    terminal.type("dojo submit solution.py")
    terminal.type("dojo hint")
    terminal.type("dojo hint")
    terminal.write("dcounts gets its second path, and everything else is there.", HPREACT, EMBEDDING)
    terminal.type("dojo submit solution.py")
    terminal.type("dojo hint")
    terminal.write(HPREACT[0], EMBEDDING)
    terminal.type("dojo submit solution.py")
    terminal.write(EMBEDDING[0])
    terminal.type("dojo submit solution.py")
    terminal.type(f"dojo restore {terminal.submissions()[1]} --to second-try.py")
    return terminal.text.rstrip() + "\n"


def record_both(folder: Path) -> dict[str, str]:
    """Return the text of both pages, by the names in ``PAGES``."""
    (folder / "data").mkdir()
    texts = {}
    with served(folder / "data", secret=SECRET) as live:
        for name in PAGES:
            home = folder / f"home-{name}"
            home.mkdir()
            texts[name] = record(live, home, is_colour=bool(name))
    return texts


def main() -> None:
    """Write both pages."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in record_both(Path(folder)).items():
            PAGES[name].write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
