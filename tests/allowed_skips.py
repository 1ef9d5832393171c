"""What CI may leave out, each with its reason; in CI every other skip is an error.

A skip is silent: without PostgreSQL's programs half of the server's tests would not run, and CI would pass. A new line
here says why the test cannot run on every machine that CI runs on.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Final

import pytest


@dataclass(frozen=True)
class AllowedSkip:
    """A skip that is no error in CI. ``test`` and ``reason`` are regular expressions that match as a whole."""

    file: str
    test: str
    reason: str
    why: str

    def is_about(self, test_id: str) -> bool:
        file, _, test = test_id.partition("::")
        return file == self.file and re.fullmatch(self.test, test) is not None

    def covers(self, test_id: str, reason: str) -> bool:
        return self.is_about(test_id) and re.fullmatch(self.reason, reason) is not None


ALLOWED_SKIPS: Final = (
    AllowedSkip(
        file="tests/client/pythons.py",
        test=r"\w+\[3\.\d+\]",
        reason=r"there is no Python 3\.\d+ on this machine",
        why="The client is tried with the Pythons that are there; the one that runs the tests always is.",
    ),
    AllowedSkip(
        file="tests/grader/sandbox/trusted/test_ablation.py",
        test=r"test_without\[landlock-.*\]|test_\w*landlock\w*",
        reason="this kernel has no Landlock",
        why="A kernel before 5.13 has none; the other layers hold there, and the doctor says what is missing.",
    ),
    AllowedSkip(
        file="tests/grader/sandbox/trusted/test_ablation.py",
        test=r"test_without\[privileges-.*\]",
        reason="there are no privileges to drop",
        why="Only root has privileges to drop, and CI need not run as root.",
    ),
)


@dataclass(eq=False)  # pluggy wants plugins that can be hashed
class SkipGuard:
    """A pytest plugin that makes each skip a failure, except those that are allowed."""

    allowed: Sequence[AllowedSkip]
    _tried: set[AllowedSkip] = field(default_factory=set)
    _skipped: set[AllowedSkip] = field(default_factory=set)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if not hasattr(report, "wasxfail"):
            self._judge(report)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what was tried and skipped. With pytest-xdist, reports come from other processes, and items do not."""
        self._tried |= {entry for entry in self.allowed if entry.is_about(report.nodeid)}
        if report.skipped and isinstance(report.longrepr, tuple):
            reason = _reason(report.longrepr)
            self._skipped |= {entry for entry in self.allowed if entry.covers(report.nodeid, reason)}

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        self._judge(report)  # a whole file can skip
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for entry in self.allowed:
            if entry in self._tried - self._skipped:
                terminalreporter.write_line(f"allowed to skip, but did not: {entry.file} {entry.test} ({entry.reason})")

    def _judge(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped:
            return
        assert isinstance(report.longrepr, tuple)
        path, line, _ = report.longrepr
        reason = _reason(report.longrepr)
        if not any(entry.covers(report.nodeid, reason) for entry in self.allowed):
            report.outcome = "failed"
            report.longrepr = f"{path}:{line}: this skip is an error in CI: {reason} (see tests/allowed_skips.py)"


def _reason(longrepr: tuple[str, int, str]) -> str:
    """Return the reason of a skip, from the path, the line and the message that a report has of it."""
    return longrepr[2].removeprefix("Skipped: ")
