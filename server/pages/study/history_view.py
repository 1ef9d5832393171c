"""What the page of a history shows: the attempts of a student in an exercise, and two of them side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exercises.exercise import Exercise
from server.courses.access import CourseSession
from server.courses.roles import Permission
from server.courses.schemas import PersonBody
from server.http.problems import Forbidden
from server.pages.marks import Mark, mark_of
from server.pages.study.difference import Pair, Unified, pairs_of, unified
from server.people.people import get_person
from server.queue.dispatcher import Dispatcher
from server.submissions.history import Attempt, Work, get_attempt, list_attempts
from server.submissions.listing import visible_account
from server.tables import AnswerKind, SubmissionRow

ATTEMPTS_SHOWN = 40
TOO_LONG = "They are too long, or repeat too much, to be compared here. Open each by its number."


@dataclass(frozen=True)
class Asked:
    """What the address of the page asks for: whose history, older attempts, and which two."""

    student: int | None = None
    before: int | None = None
    one: int | None = None
    other: int | None = None


@dataclass(frozen=True)
class StepChanged:
    """A step whose mark is another one."""

    name: str
    before: Mark
    after: Mark


@dataclass(frozen=True)
class Compared:
    """Two attempts. ``pairs`` is None if the sources cannot be compared; ``reason`` says why not."""

    one: Attempt
    other: Attempt
    changes: Sequence[StepChanged]
    pairs: Sequence[Pair] | None
    unified: Sequence[Unified]
    reason: str = ""

    @property
    def is_same(self) -> bool:
        """Whether the sources are the same."""
        return self.pairs is not None and all(
            pair.folded or (pair.one is not None and pair.other is not None and not pair.one.is_changed)
            for pair in self.pairs
        )


@dataclass(frozen=True)
class HistoryView:
    """The page. ``person`` is whose history it is, None for one's own; ``before`` asks for older attempts."""

    exercise: Exercise
    person: PersonBody | None
    attempts: Sequence[Attempt]
    before: int | None
    compared: Compared | None


def read_history(member: CourseSession, dispatcher: Dispatcher, exercise: Exercise, asked: Asked) -> HistoryView:
    """Return a history as the member may see it: their own, or a student's for staff.

    :raises Forbidden: it is another's, and the member is no staff or looks after another section
    :raises NoSuchPerson: nobody here has this number
    :raises UnknownSubmission: an attempt is not of this history
    """
    person, work = _whose(member, exercise, asked.student)
    session, reader = member.session, member.membership
    found = list_attempts(session, reader, dispatcher, work, ATTEMPTS_SHOWN + 1, asked.before)
    attempts = found[:ATTEMPTS_SHOWN]
    older = attempts[-1].summary.id if len(found) > len(attempts) else None
    one, other = asked.one, asked.other
    if one is None and other is None and len(attempts) > 1:
        one, other = attempts[1].summary.id, attempts[0].summary.id
    compared = None
    if one is not None and other is not None:
        first, second = sorted((one, other))
        compared = _compare(member, dispatcher, exercise, work, (first, second))
    return HistoryView(exercise, person, attempts, older, compared)


def _whose(member: CourseSession, exercise: Exercise, student: int | None) -> tuple[PersonBody | None, Work]:
    account_id = visible_account(member.membership, member.account_id, student) or member.account_id
    if account_id == member.account_id:
        return None, Work(account_id, exercise.slug)
    member.membership.require(Permission.READ_SUBMISSIONS)
    person = get_person(member.session, member.course, account_id, removed=True)
    member.membership.require_section(person.seat.section)
    return PersonBody(id=account_id, name=person.account.name), Work(account_id, exercise.slug)


def _compare(
    member: CourseSession, dispatcher: Dispatcher, exercise: Exercise, work: Work, ids: tuple[int, int]
) -> Compared:
    rows = [get_attempt(member.session, member.membership, work, id) for id in ids]
    one, other = (list_attempts(member.session, member.membership, dispatcher, work, 1, before=id + 1)[0] for id in ids)
    if one.summary.id != ids[0] or other.summary.id != ids[1]:
        raise Forbidden("These attempts are not shown any more. Choose two of the list.")
    pairs, reason = _sources(exercise, rows)
    return Compared(one, other, _changes(one, other), pairs, list(unified(pairs or ())), reason)


def _sources(exercise: Exercise, rows: Sequence[SubmissionRow]) -> tuple[list[Pair] | None, str]:
    if any(row.kind is not AnswerKind.CODE for row in rows):
        return None, "One of them is a file of tensors: there is no source to compare."
    if any(row.emptied_at is not None for row in rows):
        return None, "The source of one of them is kept no longer."
    one, other = (row.body.decode("utf-8", "replace") for row in rows)
    pairs = pairs_of(one, other, frozenset(each.name for each in exercise.checkpoints))
    return (
        pairs,
        ""
        if pairs is not None
        else "They are too long, or repeat too much, to be compared here. Open each by its number.",
    )


def _changes(one: Attempt, other: Attempt) -> list[StepChanged]:
    before, after = _marks(one), _marks(other)
    if not before or not after:
        return []
    return [
        StepChanged(name, before.get(name, Mark.MISSING), after.get(name, Mark.MISSING))
        for name in {**after, **before}
        if before.get(name, Mark.MISSING) != after.get(name, Mark.MISSING)
    ]


def _marks(attempt: Attempt) -> Mapping[str, Mark]:
    return {each.name: mark_of(each.verdict, each.origin) for each in attempt.steps}
