"""Answers that could not be sent yet: files in the exercise's folder, in the order in which they were made."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from dojo.api.responses import Submission
from dojo.api.server import Connection
from dojo.errors import Refused
from dojo.files import atomic
from dojo.files.workspace import Workspace
from dojo.text import plural

FOLDER = ".dojo-outbox"
DIGEST_LETTERS = 16  # of the state's digest, in a file's name

# These refusals are not the answer's fault and end some time, so the answer stays.
_KEPT_STATUSES = (401, 403, 429)
# These do not end by themselves. An answer that waited for them would keep the later ones back.
_FINAL_PROBLEMS = ("urn:dojo:problem:closed", "urn:dojo:problem:no-attempts-left")


@dataclass(frozen=True)
class SendResult:
    """The submissions that the server took, and its messages about those that it refused."""

    submissions: tuple[Submission, ...]
    refused: tuple[str, ...]

    def count(self, adjective: str = "") -> str:
        """Return how many were taken: ``1 answer``, ``2 earlier answers``."""
        return plural(len(self.submissions), f"{adjective} answer".lstrip())


class Outbox:
    """Tensors that wait for the server.

    The name of a file is ``TIME.DIGEST.KEY.safetensors``. KEY is the idempotency key of the first attempt, so an
    answer that arrived before the connection broke is not counted twice. DIGEST is of the forward state.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.folder / FOLDER

    def __len__(self) -> int:
        return len(self._files())

    def put(self, content: bytes, key: str, *, replaces: Path | None = None) -> Path:
        """Keep safetensors bytes, and return their file.

        ``key`` is the idempotency key of the attempt to send them. ``replaces`` is the file of an earlier answer that
        this one holds too; it goes when this one is there.
        """
        self._folder.mkdir(exist_ok=True)
        name = f"{time.time_ns():020}.{self._workspace.digest[:DIGEST_LETTERS]}.{key}.safetensors"
        file = self._folder / name
        atomic.write(file, content)
        if replaces is not None:
            self.remove(replaces)
        return file

    def remove(self, file: Path) -> None:
        """Forget an answer that reached the server another way. A command may have sent it, and then it is gone."""
        file.unlink(missing_ok=True)

    def send(self, connection: Connection) -> SendResult:
        """Send all answers, the oldest first. What was not sent stays.

        :raises Unreachable: the server still cannot be reached
        :raises Refused: the server refuses for a reason that ends some time (most of 401, 403 and 429)
        """
        submissions: list[Submission] = []
        refused: list[str] = []
        for file in self._files():
            _, digest, key = file.stem.split(".")
            if digest != self._workspace.digest[:DIGEST_LETTERS]:
                refused.append("It was made on a forward state that has been replaced since.")
                file.replace(file.with_suffix(".refused"))
                continue
            try:
                submission = connection.server.submit_tensors(
                    connection.course, self._workspace.exercise, file.read_bytes(), wait=0, key=key
                )
            except Refused as error:
                if error.status in _KEPT_STATUSES and error.problem not in _FINAL_PROBLEMS:
                    raise
                refused.append(str(error))
                file.replace(file.with_suffix(".refused"))
            else:
                submissions.append(submission)
                self.remove(file)
        return SendResult(tuple(submissions), tuple(refused))

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.*.*.safetensors")) if self._folder.is_dir() else []
