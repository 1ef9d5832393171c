"""The way of an answer: tensors are compared at once, code is queued."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from exercises.instance import Kind
from grader.tensors import BadAnswer
from server.courses.access import CourseAccess, Membership
from server.database.engine import Database
from server.grading import grade
from server.grading.grade import FreshGrade
from server.http.problems import Unavailable, Unprocessable
from server.instances import choice
from server.instances.pool import HiddenPool
from server.instances.store import InstanceStore
from server.metrics import Metrics
from server.queue.dispatcher import Dispatcher
from server.rules.rules import Rules, find_rules
from server.submissions import rate_limit
from server.submissions.accept import Allowance, HandedIn, accept, find_earlier
from server.submissions.follow import Follower
from server.submissions.present import Graded, show, show_fresh, show_graded
from server.submissions.schemas import SubmissionBody
from server.tables import SubmissionRow

RETRY_AFTER_SECONDS = 30


class NotTensors(Unprocessable):
    """The body is no safetensors file that can be read."""

    title, slug = "Not a safetensors file", "not-safetensors"


class SandboxDown(Unavailable):
    """This server cannot run code now."""

    title, slug = "Code cannot be graded now", "sandbox-down"


@dataclass(frozen=True)
class Accepted:
    """A submission that is in the database, the membership of its student, and the rules that it was accepted by."""

    submission: SubmissionRow
    student: Membership
    rules: Rules


@dataclass(frozen=True)
class Intake:
    """Takes answers in, as far as the ``allowance`` of an account goes."""

    database: Database
    instances: InstanceStore
    pool: HiddenPool
    dispatcher: Dispatcher
    follower: Follower
    allowance: Allowance
    metrics: Metrics

    def compare_tensors(self, access: CourseAccess, answer: HandedIn) -> SubmissionBody:
        """Grade tensors on the numbers that the student has, then store both.

        Nothing is locked while they are compared. It raises what ``accept`` does.

        :raises NotTensors: the bytes are no safetensors file
        """
        with access.reading() as member:
            earlier = find_earlier(member.session, member.account_id, member.course, answer)
            if earlier is not None:
                return show(member.session, earlier, member.membership, self.dispatcher)
            rules = find_rules(member.session, member.membership, member.account_id, answer.exercise.slug)
            rules.require_open(answer.kind)  # all this before anything is computed
            rules.require_attempts_left(member.session)
            rate_limit.check(member.session, member.account_id, self.allowance.per_minute)
        stored = self.instances.get(member.account_id, answer.exercise, choice.graded_on(rules.assignment, answer.kind))
        try:
            timed = grade.compare(stored, answer.body)
        except BadAnswer as error:
            raise NotTensors(str(error)) from None
        with self.database.writing() as session:
            submission, is_new = accept(session, rules, answer, self.allowance, lambda seen: stored.id)
            if not is_new:
                return show(session, submission, member.membership, self.dispatcher)
            row = grade.store(session, submission, timed)
            grade.count(self.metrics, answer.kind, timed)
            graded = Graded(row, stored.instance.kind.value)
            return show_graded(session, submission, rules.recounted(session), graded, timed.rows)

    def queue_code(self, access: CourseAccess, answer: HandedIn) -> Accepted:
        """Store code, with a ticket for the dispatcher in the same transaction.

        It raises what ``accept`` does.

        :raises SandboxDown: no code can be run now
        """
        reason = self.dispatcher.refusal
        self.pool.refill(answer.exercise)
        with access.handing_in() as member:
            rules = find_rules(member.session, member.membership, member.account_id, answer.exercise.slug)
            is_hidden = choice.graded_on(rules.assignment, answer.kind) is Kind.HIDDEN
            submission, is_new = accept(
                member.session,
                rules,
                answer,
                self.allowance,
                lambda seen: self.pool.lot(answer.exercise, seen) if is_hidden else None,
            )
            if is_new and reason is not None:
                raise SandboxDown(
                    f"The sandbox is down: {reason}. Nothing was kept; try again later, or send tensors, "
                    "which need no sandbox.",
                    {"Retry-After": str(RETRY_AFTER_SECONDS)},
                )
            if is_new:
                self.dispatcher.enqueue(member.session, [submission])
        return Accepted(submission, member.membership, rules)

    async def wait_for_grade(self, accepted: Accepted, seconds: float) -> SubmissionBody:
        """Return a submission once it is graded, or as it is after so many seconds."""
        return await self.follower.wait(accepted.submission.id, partial(self._read, accepted), seconds)

    def _read(self, accepted: Accepted, fresh: FreshGrade | None) -> SubmissionBody:
        with self.database.reading() as session:
            if fresh is not None:
                return show_fresh(session, accepted.submission, accepted.rules, fresh)
            return show(session, accepted.submission, accepted.student, self.dispatcher, accepted.rules)
