"""Answers that could not be sent yet: files in the exercise's folder, in the order in which they were
made."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from dojo.api import Server
from dojo.errors import Refused
from dojo.records import Submission
from dojo.workspace import Workspace

FOLDER = ".dojo-outbox"


@dataclass(frozen=True)
class Sent:
    """``refused`` is what the server said to those that it did not take."""

    submissions: tuple[Submission, ...]
    refused: tuple[str, ...]

    def count(self, what: str = "") -> str:
        """``1 answer``, ``2 earlier answers``."""
        number = len(self.submissions)
        return f"{number} {what}answer{'' if number == 1 else 's'}"


class Outbox:
    """Tensors waiting for the server. A file's name holds its idempotency key, so that one which did arrive
    before the connection broke is not counted twice."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.folder / FOLDER

    def __len__(self) -> int:
        return len(self._files())

    def put(self, content: bytes, key: str) -> None:
        """``key``: the idempotency key under which sending was tried."""
        self._folder.mkdir(exist_ok=True)
        name = f"{time.time_ns():020}.{self._workspace.digest[:16]}.{key}"
        half = self._folder / f"{name}.half"
        half.write_bytes(content)
        half.replace(self._folder / f"{name}.safetensors")

    def send(self, server: Server, course: str) -> Sent:
        """Send all, oldest first. Raises Unreachable where the server still cannot be reached; the rest
        stays."""
        submissions: list[Submission] = []
        refused: list[str] = []
        for file in self._files():
            _, digest, key = file.stem.split(".")
            if digest != self._workspace.digest[:16]:
                refused.append("It was made on a forward state that has been replaced since.")
                file.replace(file.with_suffix(".refused"))
                continue
            try:
                submissions.append(
                    server.submit_tensors(course, self._workspace.exercise, file.read_bytes(), wait=0, key=key)
                )
            except Refused as error:
                if error.status in (401, 403, 429):  # these pass; the answer is not at fault
                    raise
                refused.append(str(error))
                file.replace(file.with_suffix(".refused"))
            else:
                file.unlink()
        return Sent(tuple(submissions), tuple(refused))

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.*.*.safetensors")) if self._folder.is_dir() else []
