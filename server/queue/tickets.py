"""Tickets: the queue as it stands in the database, the same for every engine.

The order is fair:

1. A ticket's rank is the second at which it arrived.
2. If its student has tickets waiting, the rank is at least their last one + 10.
3. A first run is a look of 1 s. One that takes longer is put back, once, as if it had come ten minutes later; then it
   has its whole time. While it waits, its student's next ticket ranks 10 later.
4. Work in the background has a rank of 2·10⁹ or more.

So one student with 500 submissions delays nobody, and forty with endless loops delay others by forty looks. A run of
less than a second is overtaken for at most 10 s.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, func, select, update

from server.database import dialect
from server.database.prepared import Prepared
from server.database.table import now
from server.queue.queries import (
    BACKGROUND_RANK,
    INSERT_TICKETS,
    IS_LIVE,
    LEASE_FIRST_DUE,
    LEASE_OF_SUBMISSION,
    LOST_EVERY_TIME,
    RANKS_OF_ACCOUNT,
    STANDINGS,
    SUBMISSION,
    SUBMISSION_COLUMNS,
    TRIES_MAX,
)
from server.tables import AccountRow, CourseRow, SubmissionRow, TicketRow, TicketState

RANK_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # rank 0
ASSUMED_RUN_SECONDS = 0.1  # while no grade tells how long a run takes
TAKE_LOCK = 0x0D0_71  # any number, the same in every worker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lease:
    """A claimed ticket; ``tries`` counts this claim. ``state`` is RUNNING, or QUARANTINED after the last try.

    ``submission`` was read in the transaction of the claim; None of a ticket that was quarantined.
    """

    ticket_id: int
    submission_id: int
    tries: int
    state: TicketState
    submission: SubmissionRow | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Standing:
    """Where a submission stands in the queue.

    ``place`` counts from 1 among those queued, ``estimate`` is in seconds until the grade; both are None unless queued.
    """

    state: TicketState
    place: int | None
    estimate: int | None


def write(
    session: Session, submissions: Sequence[SubmissionRow], penalty_seconds: int, *, regrade_id: int | None = None
) -> None:
    """Write a ticket for each submission, in the background if it is of a regrade."""
    if regrade_id is not None:
        _insert(session, submissions, _background_ranks(submissions), regrade_id)
    else:
        for submission in submissions:
            rank = _rank(session, submission, penalty_seconds)
            values = {"submission_id": submission.id, "account_id": submission.account_id, "rank": rank}
            TicketRow.write(session, values)


def standing(session: Session, submission_ids: Sequence[int]) -> Mapping[int, Standing]:
    """Return where submissions stand, by id. Those without a ticket are left out.

    The estimate assumes as many parallel runs as now, each as long as the mean of the newest.
    """
    rows = session.connection().execute(STANDINGS, {"ids": submission_ids})
    return {
        id: Standing(state, place, max(1, math.ceil(place * (seconds or ASSUMED_RUN_SECONDS) / max(1, runs))))
        if state is TicketState.QUEUED
        else Standing(state, None, None)
        for id, state, place, seconds, runs in rows
    }


def depth(session: Session) -> int:
    """Return how many tickets wait or run."""
    return session.exec(select(func.count()).select_from(TicketRow).where(IS_LIVE)).one()


def counts(session: Session) -> Mapping[TicketState, int]:
    """Return how many tickets there are of each state. States without one are left out."""
    found = session.exec(select(TicketRow.state, func.count()).group_by(TicketRow.state)).all()
    return {TicketState(state): count for state, count in found}


def oldest(session: Session) -> datetime | None:
    """Return when the oldest waiting submission was handed in; None if none waits. Regrades do not count."""
    waiting = (
        select(func.min(SubmissionRow.created_at))
        .join(TicketRow, col(TicketRow.submission_id) == SubmissionRow.id)
        .where(TicketRow.state == TicketState.QUEUED, col(TicketRow.rank) < BACKGROUND_RANK)
    )
    return session.exec(waiting).one()


def take(session: Session, lease_seconds: float) -> Lease | None:
    """Lease the first ticket that is due and whose account has no other run; return None if there is none.

    A ticket whose runs killed their workers three times is quarantined on the way.
    """
    # Without the lock, two workers could take two tickets of one account.
    dialect.take_turns(session, TAKE_LOCK)
    while (lease := _claim(session, LEASE_FIRST_DUE, {"moment": now()}, lease_seconds)) is not None:
        if lease.state is TicketState.RUNNING:
            return lease
    return None


def claim(session: Session, submission_id: int, lease_seconds: float) -> Lease | None:
    """Lease the ticket of a submission; return None if it has none, or has had all its tries."""
    lease = _claim(session, LEASE_OF_SUBMISSION, {"claimed": submission_id}, lease_seconds)
    return lease if lease is not None and lease.state is TicketState.RUNNING else None


def is_due_late(session: Session, seconds_max: float) -> bool:
    """Return whether a live ticket is due more than ``seconds_max`` from now."""
    late = select(TicketRow.id).where(IS_LIVE, TicketRow.due_at > now() + timedelta(seconds=seconds_max))
    return session.exec(late.limit(1)).first() is not None


def make_due(session: Session, seconds_max: float) -> int:
    """Make live tickets due now that are due more than ``seconds_max`` from now; return how many there were.

    A rank is a moment, too: those of students come down to now, so that newer tickets do not overtake them.
    """
    late = (IS_LIVE, col(TicketRow.due_at) > now() + timedelta(seconds=seconds_max))
    rank = _rank_now()
    session.exec(
        update(TicketRow).where(*late, col(TicketRow.rank).between(rank, BACKGROUND_RANK - 1)).values(rank=rank)
    )
    return int(session.exec(update(TicketRow).where(*late).values(due_at=now())).rowcount)


def renew(session: Session, ids: Sequence[int], lease_seconds: float) -> None:
    """Extend the leases of running tickets."""
    running = update(TicketRow).where(col(TicketRow.id).in_(ids), col(TicketRow.state) == TicketState.RUNNING)
    session.exec(running.values(due_at=now() + timedelta(seconds=lease_seconds)))


def give_back(session: Session, lease: Lease, reason: str, retry_seconds: float, *, blameless: bool) -> bool:
    """Have a lost run tried again after a pause, or quarantine its ticket after the last try.

    :param blameless: the loss does not count as a try.
    :return: whether it is tried again.
    """
    ticket = session.get(TicketRow, lease.ticket_id)
    if ticket is None:
        return False  # another worker has graded it since
    if blameless:
        ticket.tries -= 1
    if ticket.tries >= TRIES_MAX:
        _log_quarantined(ticket.submission_id, reason)
        ticket.state, ticket.reason = TicketState.QUARANTINED, reason
        return False
    ticket.state = TicketState.QUEUED
    ticket.due_at = now() + timedelta(seconds=retry_seconds * max(1, ticket.tries))
    return True


def put_back(session: Session, lease: Lease, later_seconds: int) -> int | None:
    """Have a run that took too long wait as if it had come later; return its new rank, or None if it has no ticket.

    Work in the background keeps its rank: it comes after everybody anyway.
    """
    ticket = session.get(TicketRow, lease.ticket_id)
    if ticket is None:
        return None
    ticket.state, ticket.due_at = TicketState.QUEUED, now()
    if ticket.rank < BACKGROUND_RANK:
        ticket.rank = _rank_now() + later_seconds
    return ticket.rank


def release(session: Session, submission_id: int) -> bool:
    """Put a quarantined or cancelled ticket back with all its tries; return False if it is neither."""
    ticket = _in_state(session, submission_id, TicketState.QUARANTINED, TicketState.CANCELLED)
    if ticket is None:
        return False
    ticket.state, ticket.tries, ticket.due_at, ticket.reason = TicketState.QUEUED, 0, now(), None
    return True


def cancel(session: Session, submission_id: int) -> bool:
    """Take a ticket out of the queue; return False if it is not waiting. A run is not stopped: it is short.

    Nobody takes a submission out of a regrade: its student would choose their grade.
    """
    ticket = _in_state(session, submission_id, TicketState.QUEUED)
    if ticket is None or ticket.regrade_id is not None:
        return False
    ticket.state = TicketState.CANCELLED
    return True


def quarantined(session: Session, course_id: int | None = None) -> Sequence[tuple[TicketRow, str]]:
    """Return the quarantined tickets of a course, or of all courses, each with its exercise."""
    tickets = (
        select(TicketRow, SubmissionRow.exercise)
        .join(SubmissionRow, col(SubmissionRow.id) == TicketRow.submission_id)
        .where(TicketRow.state == TicketState.QUARANTINED)
        .order_by(col(TicketRow.id))
    )
    if course_id is not None:
        tickets = tickets.where(SubmissionRow.course_id == course_id)
    return session.exec(tickets).all()


@dataclass(frozen=True)
class QueuedSubmission:
    """A ticket with its submission's exercise, course and student, for who looks after the server."""

    ticket: TicketRow
    exercise: str
    course: str
    student: str


def list_queue(session: Session, states: Sequence[TicketState], limit: int) -> list[QueuedSubmission]:
    """Return the first tickets in these states, of all courses, in the order of the queue."""
    rows = (
        select(TicketRow, SubmissionRow.exercise, CourseRow.slug, AccountRow.name)
        .join(SubmissionRow, col(SubmissionRow.id) == TicketRow.submission_id)
        .join(CourseRow, col(CourseRow.id) == SubmissionRow.course_id)
        .join(AccountRow, col(AccountRow.id) == TicketRow.account_id)
        .where(col(TicketRow.state).in_(states))
        .order_by(col(TicketRow.rank), col(TicketRow.id))
    )
    return [QueuedSubmission(*row) for row in session.exec(rows.limit(limit))]


def _in_state(session: Session, submission_id: int, *states: TicketState) -> TicketRow | None:
    ticket = select(TicketRow).where(TicketRow.submission_id == submission_id, col(TicketRow.state).in_(states))
    return session.exec(ticket.with_for_update()).first()


def _insert(session: Session, submissions: Sequence[SubmissionRow], ranks: Sequence[int], regrade_id: int) -> None:
    tickets = [
        TicketRow(
            submission_id=submission.id, account_id=submission.account_id, rank=rank, regrade_id=regrade_id
        ).model_dump(exclude={"id"})
        for submission, rank in zip(submissions, ranks, strict=True)
    ]
    if tickets:
        session.connection().execute(INSERT_TICKETS, tickets)


def _background_ranks(submissions: Sequence[SubmissionRow]) -> list[int]:
    """Return ranks that take the accounts in turns."""
    rounds: Counter[int] = Counter()
    ranks = []
    for submission in submissions:
        ranks.append(BACKGROUND_RANK + 2 * rounds[submission.account_id])
        rounds[submission.account_id] += 1
    return ranks


def _rank_now() -> int:
    return int((now() - RANK_EPOCH).total_seconds())


def _rank(session: Session, submission: SubmissionRow, penalty_seconds: int) -> int:
    rank = _rank_now()
    which = {"account_id": submission.account_id, "second": rank}
    last_rank, put_back_count = RANKS_OF_ACCOUNT.rows(session, which)[0]
    if last_rank is not None:
        rank = max(rank, last_rank + penalty_seconds)
    return rank + penalty_seconds if put_back_count else rank


def _claim(session: Session, lease: Prepared, which: Mapping[str, object], lease_seconds: float) -> Lease | None:
    """Count a try and lease a ticket, or quarantine it if it has had all its tries."""
    until = now() + timedelta(seconds=lease_seconds)
    row = lease.first(session, {**which, "until": until})
    if row is None:
        return None
    claimed = Lease(*row)
    if claimed.state is TicketState.QUARANTINED:
        _log_quarantined(claimed.submission_id, LOST_EVERY_TIME)
        return claimed
    return replace(claimed, submission=_submission(session, claimed.submission_id))


def _submission(session: Session, id: int) -> SubmissionRow:
    (values,) = SUBMISSION.rows(session, {"id": id})
    return SubmissionRow.loaded(zip(SUBMISSION_COLUMNS, values, strict=True))


def _log_quarantined(submission_id: int, reason: str) -> None:
    log.error("Submission %d is set aside after %d tries: %s", submission_id, TRIES_MAX, reason)
