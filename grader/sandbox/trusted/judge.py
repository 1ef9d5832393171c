"""What became of a run: the kernel's report first, and the child's claims only where that allows it."""

from __future__ import annotations

import signal
from typing import Final

from grader.sandbox.job import Run, RunStatus, SandboxFault
from grader.sandbox.limits import Limits
from grader.sandbox.result_layout import Layout
from grader.sandbox.trusted.processes import ChildExit
from grader.sandbox.trusted.result_reader import Result, unread_answers
from grader.sandbox.trusted.run_messages import STATUSES, Cause, sentence

# What a child may say of itself. The trusted side says all else.
_CLAIMS: Final = frozenset(
    {RunStatus.OK, RunStatus.ERROR, RunStatus.DENIED, RunStatus.MEMORY_LIMIT, RunStatus.OUTPUT_LIMIT}
)


def judge(child_exit: ChildExit, result: Result, layout: Layout, limits: Limits, seconds: float) -> Run:
    """Turn the end of a child and its result into a run. ``seconds`` is the wall time that it took.

    The child's claims count if it left by itself with exit code 0 and the last mark in place, and never held too much.
    It can then only hand in answers, or speak of its own failure. Any other run has no answers.

    :raises SandboxFault: if somebody else killed the child
    """
    left_by_itself = child_exit.signal is None and child_exit.exit_code == 0 and not child_exit.over_memory
    if left_by_itself and result.finished and result.status in _CLAIMS:
        message = "" if result.status is RunStatus.OK else result.message
        if result.status is RunStatus.MEMORY_LIMIT:
            message += "\n" + sentence(Cause.MEMORY, limits)
        return Run(result.status, message, result.stdout, result.answers, result.flags, seconds)
    cause = _cause(child_exit, limits)
    message = sentence(cause, limits, child_exit.signal)
    return Run(STATUSES[cause], message, result.stdout, unread_answers(layout), result.flags, seconds)


def _cause(child_exit: ChildExit, limits: Limits) -> Cause:
    if child_exit.over_memory:
        return Cause.MEMORY
    if child_exit.timed_out:
        return Cause.WALL_TIME
    if child_exit.signal is None:
        return Cause.LEFT_EARLY
    if child_exit.signal == signal.SIGXCPU:
        return Cause.CPU_TIME
    if child_exit.signal == signal.SIGKILL:
        if child_exit.cpu_seconds >= limits.cpu_seconds:
            return Cause.CPU_TIME
        # Code cannot send a signal. The kernel sent it, if the container has less room than its runs may take.
        if child_exit.memory_bytes >= limits.data_bytes / 2:
            return Cause.MEMORY
        raise SandboxFault("the child was killed from outside; look whether the machine is out of memory")
    if child_exit.signal == signal.SIGSYS:
        return Cause.FORBIDDEN_CALL
    return Cause.SIGNAL
