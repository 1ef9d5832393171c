"""Live checks: an answer graded as a submission would be, and nothing kept.

They never come before submissions more than they must:

1. An account has so many checks within a minute.
2. Tensors are compared in the request, as submissions are.
3. Code runs on the sandbox of this process, with ``LIMITS``, and in at most half of the server's runs at a time. It
   starts only while fewer submissions wait or run than the server has runs. So a submission that comes later waits for
   one check at most. A check that finds no room for a while is refused.

If the server has several processes, they count together.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property

from starlette.concurrency import run_in_threadpool

from grader.compare import Verdict
from grader.differences import Difference, difference
from grader.grade import Grade, grade_code, grade_tensors
from grader.reference.gradients import reference
from grader.sandbox import Limits, SandboxFault
from grader.tensors import BadAnswer
from server.courses.access import CourseAccess
from server.database.engine import Database
from server.database.table import now
from server.grading.code_runner import CodeRunner
from server.grading.grade import DEFAULT_FILENAME, storable
from server.http.problems import Conflict, Unavailable
from server.instances import choice
from server.instances.store import InstanceStore, StoredInstance
from server.metrics import Metrics
from server.processes.shared_memory import Gauge, Pace, SharedMemory
from server.queue.dispatcher import Dispatcher
from server.rules.rules import Rules, find_rules
from server.submissions import hints
from server.submissions.accept import HandedIn
from server.submissions.intake import NotTensors
from server.submissions.points import extensions_that_matter, points_fields
from server.submissions.present import handed_in
from server.submissions.rate_limit import TooFast
from server.submissions.schemas import GradeBody, RunBody

WINDOW_SECONDS = 60.0
ACCOUNTS_MAX = 10_000  # accounts so many apart count together
PACE_BYTES_MAX = 24 * 1024 * 1024  # of shared memory, where all accounts check as fast as they may
LIMITS = Limits(wall_seconds=2.0)
RETRY_AFTER_SECONDS = 5
RIGHT_FOR_CMP = frozenset({Verdict.EXACT, Verdict.APPROXIMATE})
COMPARED, NO_ROOM = "compared", "no room"  # outcomes of checks, beside those of runs


class NoRoom(Unavailable):
    """Code cannot be checked now: submissions go first, or this server runs no code."""

    title, slug = "Code cannot be checked now", "no-room-for-check"


class CallerGone(Conflict):
    """Nobody waits for the check any more: its page sent the next one, or was closed. Nobody reads this."""

    title, slug = "Check replaced", "check-replaced"


async def _is_there() -> bool:
    return False


class CheckPace:
    """Counts the checks of each account within the last minute. Thread-safe; ``per_minute`` 0 means no limit.

    :param memory: of all processes of the server
    """

    def __init__(
        self,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        memory: SharedMemory | None = None,
    ) -> None:
        self._per_minute = per_minute
        self._clock = clock
        rows = min(ACCOUNTS_MAX, PACE_BYTES_MAX // (8 * (per_minute + 1)))
        self._pace = Pace(memory or SharedMemory(), "checks of a minute", rows, per_minute)

    def count(self, account_id: int) -> None:
        """Count a check of an account.

        :raises TooFast: it has had as many as it may; ``Retry-After`` says in how many seconds it may again
        """
        if self._per_minute == 0:
            return
        left = self._pace.note(account_id, self._clock(), WINDOW_SECONDS)
        if left <= 0:
            return
        seconds = math.ceil(left)
        raise TooFast(
            f"You have checked {self._per_minute} times within a minute, the limit of this server. "
            f"Wait {seconds} s and check again.",
            {"Retry-After": str(seconds)},
        )


@dataclass(frozen=True)
class CheckTurns:
    """How many checks run code now, in all processes of the server."""

    running: Gauge
    lock: AbstractContextManager[object]

    def take(self, turns: int) -> bool:
        """Take one of so many turns; return False if none is free."""
        with self.lock:
            is_free = self.running.total(0) < turns
            if is_free:
                self.running.add(0, 1)
            return is_free

    def give_back(self) -> None:
        """Let another check run."""
        self.running.add(0, -1)


@dataclass(frozen=True)
class Room:
    """When code may be checked: ``runs`` is how many the server has at a time, None if it runs no code."""

    runs: int | None
    wait_seconds: float = 2.0
    look_seconds: float = 0.02


@dataclass(frozen=True)
class Checked:
    """A check of code. ``differences`` are those of the steps that were asked for, as levels."""

    grade: GradeBody
    differences: Mapping[str, Difference] = field(default_factory=dict)


@dataclass(frozen=True)
class LiveChecks:
    """Grades answers without keeping them."""

    database: Database
    instances: InstanceStore
    dispatcher: Dispatcher
    code_runner: CodeRunner
    pace: CheckPace
    room: Room
    metrics: Metrics
    turns: CheckTurns

    def check_tensors(self, access: CourseAccess, answer: HandedIn) -> GradeBody:
        """Grade tensors on the numbers that the student has; raises what ``require_checkable`` does.

        :raises TooFast: the account has checked too often
        :raises NotTensors: the bytes are no safetensors file
        """
        began = time.perf_counter()
        rules = self._admit(access, answer)
        stored = self._instance(rules, answer)
        try:
            grade = grade_tensors(stored.instance, answer.body)
        except BadAnswer as error:
            raise NotTensors(str(error)) from None
        body = self._body(rules, grade)
        self._count(answer, COMPARED, began)
        return body

    async def check_code(
        self,
        access: CourseAccess,
        answer: HandedIn,
        look_at: Collection[str] = (),
        is_gone: Callable[[], Awaitable[bool]] = _is_there,
    ) -> Checked:
        """Run code on the numbers that the student has, and grade the gradients that it leaves.

        ``look_at`` are steps whose difference is wanted; the first with a mistake of its own is always looked at. It
        raises what ``require_checkable`` does.

        :param is_gone: whether nobody waits for the check any more. It is asked once there is room for the run.

        :raises TooFast: the account has checked too often
        :raises NoRoom: this process runs no code, or submissions need the sandbox
        :raises CallerGone: nobody waits any more; nothing ran
        """
        began = time.perf_counter()
        rules = await run_in_threadpool(self._admit, access, answer)
        reason = "this server runs no code itself" if self.room.runs is None else self.code_runner.unavailable_reason
        try:
            if reason is not None:
                raise NoRoom(f"Code cannot be checked here: {reason}. Check tensors, or hand the code in.")
            async with self._turn():
                if await is_gone():
                    raise CallerGone("A newer check took the place of this one. Nothing ran.")
                checked = await run_in_threadpool(self._run, rules, answer, look_at)
        except NoRoom:
            self._count(answer, NO_ROOM, began)
            raise
        self._count(answer, checked.grade.run.status if checked.grade.run else COMPARED, began)
        return checked

    def _count(self, answer: HandedIn, outcome: str, began: float) -> None:
        self.metrics.checks.labels(answer.kind.value, outcome).observe(time.perf_counter() - began)

    def _admit(self, access: CourseAccess, answer: HandedIn) -> Rules:
        with access.reading() as member:
            self.pace.count(member.account_id)
            rules = find_rules(member.session, member.membership, member.account_id, answer.exercise.slug)
        rules.require_checkable()
        return rules

    def _instance(self, rules: Rules, answer: HandedIn) -> StoredInstance:
        return self.instances.get(rules.account_id, answer.exercise, choice.handed_out(rules.assignment))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait until no submission needs the sandbox, and keep other checks out, also those of other processes.

        :raises NoRoom: it took too long
        """
        try:
            async with asyncio.timeout(self.room.wait_seconds), self._queue:
                while await run_in_threadpool(self._is_busy) or not self.turns.take(self._turns_max):
                    await asyncio.sleep(self.room.look_seconds)
        except TimeoutError:
            raise NoRoom(
                "Submissions go first, and they need the sandbox now. Check again soon, or hand the code in.",
                {"Retry-After": str(RETRY_AFTER_SECONDS)},
            ) from None
        try:
            yield
        finally:
            self.turns.give_back()

    @property
    def _turns_max(self) -> int:
        return max(1, (self.room.runs or 0) // 2)

    @cached_property
    def _queue(self) -> asyncio.Lock:
        """Who waits for a turn in this process: the first in, the first out, and one alone looks at the database."""
        return asyncio.Lock()

    def _is_busy(self) -> bool:
        with self.database.reading() as session:
            return self.dispatcher.depth(session) >= (self.room.runs or 0)

    def _run(self, rules: Rules, answer: HandedIn, look_at: Collection[str]) -> Checked:
        stored = self._instance(rules, answer)
        source, filename = answer.body.decode(), answer.filename or DEFAULT_FILENAME
        try:
            grade = grade_code(stored.instance, source, filename, self.code_runner.sandbox, LIMITS)
        except SandboxFault as fault:
            raise NoRoom(f"The sandbox lost this check, through no fault of the code ({fault}). Check again.") from None
        differences = _differences(stored, grade, look_at) if hints.shows_differences(rules) else {}
        return Checked(self._body(rules, grade), differences)

    def _body(self, rules: Rules, grade: Grade) -> GradeBody:
        rows = [row.as_json() for row in grade.checkpoints]
        moment = now()
        with self.database.reading() as session:
            visible = hints.visible_rows(session, rules, rows)
            extensions = extensions_that_matter(session, rules, moment)
        run = None
        if grade.run is not None:
            message, stdout = storable(grade.run.message), storable(grade.run.stdout)
            run = RunBody(status=grade.run.status.value, message=message, stdout=stdout, hidden=False)
        return GradeBody(
            run=run,
            flags=list(grade.flags),
            passed=grade.passed,
            exact=grade.exact,
            total=grade.total,
            **points_fields(rules.assignment, extensions, moment, grade, rows),
            environment=grade.environment,
            graded_at=moment,
            handed_in=handed_in(rows),
            checkpoints=visible,
        )


def _differences(stored: StoredInstance, grade: Grade, look_at: Collection[str]) -> Mapping[str, Difference]:
    """Return the differences of some steps that cmp does not pass, and of the first with a mistake of its own.

    The instance is the student's own: nothing of a hidden one is ever looked at.
    """
    first = {grade.first_mistake.name} if grade.first_mistake else set()
    expected, answers = reference(stored.instance).gradients, grade.run.answers if grade.run else {}
    found = {}
    for row in grade.checkpoints:
        answer = answers[row.name].tensor if row.name in answers else None
        if row.name in first.union(look_at) and answer is not None and row.verdict not in RIGHT_FOR_CMP:
            seen = difference(answer, expected[row.name])
            if seen is not None:
                found[row.name] = seen
    return found
