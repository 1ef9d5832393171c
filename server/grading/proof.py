"""Whether this process grades: shown by a grade of a moment ago, or else by grading a right answer of ours now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from exercises import registry
from exercises.instance import Instance
from grader.grade import grade_code
from grader.sandbox import RunStatus, SandboxFault
from server.grading.code_runner import CodeRunner

OK: Final = "ok"
FILENAME: Final = "probe.py"


class GradingProof:
    """Remembers when code was graded last, and grades the first exercise's own solution if that is long ago.

    Thread-safe. A busy process proves itself by its work, and is not asked for more.

    :param fresh_seconds: how long a grade counts
    :param patience_seconds: how long a second caller waits for the first
    """

    def __init__(
        self,
        code_runner: CodeRunner,
        fresh_seconds: float = 10.0,
        patience_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._code_runner = code_runner
        self._fresh_seconds = fresh_seconds
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._graded_at = float("-inf")
        self._lock = threading.Lock()

    def note(self) -> None:
        """Remember that code was graded just now."""
        self._graded_at = self._clock()

    def result(self) -> str:
        """Return ``ok``, or why this process does not grade."""
        if self._code_runner.health != OK:
            return self._code_runner.health
        if not self._lock.acquire(timeout=self._patience_seconds):
            return f"no right answer could be graded within {self._patience_seconds:g} s; look at the sandbox"
        try:
            return self._prove() or OK
        finally:
            self._lock.release()

    def _prove(self) -> str | None:
        if self._clock() - self._graded_at < self._fresh_seconds:
            return None
        exercise = next(iter(registry.exercises().values()))
        try:
            grade = grade_code(Instance.canonical(exercise), exercise.solution, FILENAME, self._code_runner.sandbox)
        except SandboxFault as fault:
            return str(fault)
        if grade.run is None or grade.run.status is not RunStatus.OK:
            return f"a right answer ended as {grade.run.status if grade.run else 'no run'}; run the doctor"
        if grade.passed < grade.total:
            return f"a right answer passed {grade.passed} of {grade.total}; look at the versions that are installed"
        self.note()
        return None
