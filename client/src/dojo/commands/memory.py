"""What this machine remembers of a student's last attempt, so that the next one is shown beside it.

It is in the config folder, and nothing depends on it: without it, less is said.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from dojo.api.responses import Comparison, Submission
from dojo.api.server import Connection
from dojo.errors import BadFile
from dojo.profiles import private_json
from dojo.show.brief import Before, levels_of

FILE = "attempts.json"


class Memory:
    """The last attempt at each exercise, and how many levels of the hints at its first mistake were shown."""

    def __init__(self, folder: Path, connection: Connection) -> None:
        self._path = folder / FILE
        self._account = f"{connection.server.address}#{connection.student}#{connection.course}"

    def before(self, submission: Submission) -> Before | None:
        """Return the attempt before this one, if it was seen here."""
        entry = self._entry(submission.exercise)
        attempt, passed = entry.get("attempt"), entry.get("passed")
        if attempt != submission.attempt - 1 or not isinstance(attempt, int) or not isinstance(passed, list):
            return None
        return Before(attempt, frozenset(name for name in passed if isinstance(name, str)))

    def store(self, submission: Submission) -> None:
        """Store an attempt as the last one, unless a later one is stored."""
        earlier = self._entry(submission.exercise).get("attempt")
        if submission.grade is None or (isinstance(earlier, int) and earlier > submission.attempt):
            return
        passed = [row.name for row in submission.grade.rows if row.passed]
        self._update(submission.exercise, {"attempt": submission.attempt, "passed": passed})

    def hint_levels(self, exercise: str, row: Comparison) -> int:
        """Return how many levels of the hints for this mistake have been shown; 0 if none."""
        hint = self._entry(exercise).get("hint")
        if not isinstance(hint, dict) or hint.get("mistake") != _mistake(row):
            return 0
        levels = hint.get("levels")
        return min(levels, levels_of(row)) if isinstance(levels, int) and levels > 0 else 0

    def store_hint_levels(self, exercise: str, row: Comparison, levels: int) -> None:
        """Store how many levels have been shown. The same mistake in a later attempt goes on from there."""
        self._update(exercise, {"hint": {"mistake": _mistake(row), "levels": levels}})

    def _entry(self, exercise: str) -> dict[str, Any]:
        entry = self._entries().get(f"{self._account}#{exercise}")
        return entry if isinstance(entry, dict) else {}

    def _entries(self) -> dict[str, Any]:
        with suppress(BadFile):
            return private_json.read(self._path)
        return {}

    def _update(self, exercise: str, values: dict[str, Any]) -> None:
        entry = self._entry(exercise) | values
        with suppress(OSError):  # a full disk, or a folder that is read-only
            private_json.write(self._path, self._entries() | {f"{self._account}#{exercise}": entry})


def _mistake(row: Comparison) -> list[str]:
    """Return what makes two mistakes the same: the step, and the kinds that are named for it."""
    return [row.name, *(hints[0] for hints in row.hints if hints)]
