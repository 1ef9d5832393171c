"""Accepting an answer: written down once, whatever is sent twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlmodel import Session

from exercises.exercise import Exercise
from grader.tensors import only_answers
from server.accounts.accounts import lock_account
from server.http.problems import Unprocessable
from server.instances.pool import POOL_SIZE
from server.rules.rules import Rules
from server.submissions import quota, rate_limit
from server.submissions.queries import LAST_ATTEMPTS, SUBMISSION_WITH_KEY
from server.tables import AnswerKind, CourseRow, SubmissionRow


class KeyReused(Unprocessable):
    """The idempotency key was used for another answer."""

    title, slug = "Idempotency key used twice", "idempotency-key-reused"


@dataclass(frozen=True)
class Allowance:
    """How often an account may hand in within a minute, and how much is kept of it; 0 means no limit."""

    per_minute: int
    quota_bytes: int


@dataclass(frozen=True)
class HandedIn:
    """An answer as it arrived: a safetensors file, or source in UTF-8. ``key`` is the Idempotency-Key, or None."""

    exercise: Exercise
    kind: AnswerKind
    body: bytes
    filename: str | None
    key: str | None = None

    @cached_property
    def kept(self) -> bytes:
        """What is kept of the body: of tensors, those that were asked for and their context."""
        return only_answers(self.exercise.checkpoints, self.body) if self.kind is AnswerKind.TENSORS else self.body

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the body, in hex."""
        return hashlib.sha256(self.body).hexdigest()


def find_earlier(session: Session, account_id: int, course: CourseRow, answer: HandedIn) -> SubmissionRow | None:
    """Return the submission that was already made with the answer's key, or None.

    :raises KeyReused: something else was handed in with this key
    """
    if answer.key is None:
        return None
    id = SUBMISSION_WITH_KEY.scalar(session, {"account_id": account_id, "key": answer.key})
    if id is None:
        return None
    earlier = session.get_one(SubmissionRow, id)
    content = (earlier.course_id, earlier.exercise, earlier.kind, earlier.filename, earlier.digest)
    if content != (course.id, answer.exercise.slug, answer.kind, answer.filename, answer.digest):
        raise KeyReused(
            f"Submission {earlier.id} came with the same Idempotency-Key and another content. "
            "Use a fresh key for each answer."
        )
    return earlier


def accept(
    session: Session,
    rules: Rules,
    answer: HandedIn,
    allowance: Allowance,
    choose_instance: Callable[[Collection[int]], int | None],
) -> tuple[SubmissionRow, bool]:
    """Write down an answer; return its submission, and whether it is new. It is not if the request was sent twice.

    It raises what ``Rules.require_open`` does. An answer that was kept in time can be sent again later.

    :param choose_instance: the instances of the account's last submissions → the one on which this one is graded, or
        None if that is chosen when it is graded. For tensors the numbers are settled, and the last one alone is told.

    :raises KeyReused: something else was handed in with this key
    :raises TooFast: the account has handed in too often
    :raises NoAttemptsLeft: the account has made all attempts
    :raises QuotaUsedUp: the account's files take as much room as it may have
    """
    lock_account(session, rules.account_id)
    earlier = find_earlier(session, rules.account_id, rules.course, answer)
    if earlier is not None:
        return earlier, False
    rules.require_open(answer.kind)
    rules.require_attempts_left(session)
    rate_limit.check(session, rules.account_id, allowance.per_minute)
    quota.check(session, rules.course.id, rules.account_id, len(answer.kept), allowance.quota_bytes)
    where: dict[str, Any] = {
        "course_id": rules.course.id,
        "account_id": rules.account_id,
        "exercise": answer.exercise.slug,
    }
    # Each instance is a look at a row of its own: 64 of them take 0.17 ms, and one 0.02 (SQLite, cold caches).
    newest = POOL_SIZE if answer.kind is AnswerKind.CODE else 1
    last = LAST_ATTEMPTS.rows(session, {**where, "newest": newest})
    values = {
        **where,
        "revision": answer.exercise.revision,
        "attempt": last[0][0] + 1 if last else 1,
        "instance_id": choose_instance({instance_id for _, instance_id in last}),
        "kind": answer.kind,
        "filename": answer.filename,
        "body": answer.kept,
        "digest": answer.digest,
        "idempotency_key": answer.key,
    }
    return SubmissionRow.write(session, values), True
