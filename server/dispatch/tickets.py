"""Tickets: the queue as it stands in the database, the same for every engine.

The order is fair. A ticket's rank is the second at which it came in, or, where its student has others waiting, as if it
had come in some seconds after the last of them: everybody's first comes before the seconds of those who came with them,
so that one student with five hundred delays nobody, and whoever waits is overtaken for those seconds only. A long one
counts as later, too. What is graded in the background comes after all of that.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import DateTime, Integer, Select, Update, and_, bindparam, case, insert, literal, or_, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select, update

from server.models import Grade, Submission, Ticket, TicketState, now

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # rank 0
BACKGROUND = 2_000_000_000  # the lowest rank of what no student waits for; the clock is there in sixty years
LONG_SECONDS = 1.0  # of the attempt before: who looped without end a minute ago may well do so again
MOST_TRIES = 3
GUESS_SECONDS = 0.1  # of a run, while nothing was graded that could tell
SAMPLE = 50  # newest grades that tell
LOST = "every run of it was lost together with its worker"
TAKING = 0x0D0_71  # number of the lock under which tickets are taken on PostgreSQL

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lease:
    """A ticket that is begun, for the so-manyth time: RUNNING. Or QUARANTINED, where it has had all its tries."""

    ticket_id: int
    submission_id: int
    tries: int
    state: TicketState


@dataclass(frozen=True)
class Standing:
    """Where a submission stands; ``place`` counts from 1 among those that are queued, ``estimate`` is in
    seconds until its grade. Both are None where it is not queued."""

    state: TicketState
    place: int | None
    estimate: int | None


def write(session: Session, submissions: Sequence[Submission], penalty_seconds: int, *, background: bool) -> None:
    """A ticket for each submission."""
    if background:
        rounds: Counter[int] = Counter()
        ranks = []
        for submission in submissions:
            ranks.append(BACKGROUND + 2 * rounds[submission.student_id])
            rounds[submission.student_id] += 1
        _insert(session, submissions, ranks)
    else:
        for submission in submissions:
            _insert(session, [submission], [_rank(session, submission, penalty_seconds)])


def standing(session: Session, submission_ids: Sequence[int]) -> Mapping[int, Standing]:
    """Where submissions stand; those without a ticket are left out. The estimate supposes that as many run at
    once as do now, each for as long as the newest did."""
    found = session.connection().execute(_STANDING, {"ids": submission_ids})
    return {
        id: Standing(state, place, max(1, math.ceil(place * (seconds or GUESS_SECONDS) / max(1, lanes))))
        if state is TicketState.QUEUED
        else Standing(state, None, None)
        for id, state, place, seconds, lanes in found
    }


def depth(session: Session) -> int:
    """How many are waiting or running."""
    return session.exec(select(func.count()).select_from(Ticket).where(_LIVE)).one()


def take(session: Session, lease_seconds: float) -> Lease | None:
    """Lease the first ticket that is due and whose student has nothing running. One whose runs killed their
    workers is set aside on the way."""
    if session.get_bind().dialect.name == "postgresql":  # else two workers could take two of one student
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": TAKING})
    while (lease := _begin(session, _TAKE, {"moment": now()}, lease_seconds)) is not None:
        if lease.state is TicketState.RUNNING:
            return lease
    return None


def claim(session: Session, submission_id: int, lease_seconds: float) -> Lease | None:
    """Lease the ticket of a submission; None where there is nothing to do about it (any more)."""
    lease = _begin(session, _CLAIM, {"claimed": submission_id}, lease_seconds)
    return lease if lease is not None and lease.state is TicketState.RUNNING else None


def renew(session: Session, ids: Sequence[int], lease_seconds: float) -> None:
    """Say that these are being worked on."""
    held = update(Ticket).where(col(Ticket.id).in_(ids), col(Ticket.state) == TicketState.RUNNING)
    session.exec(held.values(due_at=now() + timedelta(seconds=lease_seconds)))


def give_back(session: Session, lease: Lease, reason: str, retry_seconds: float, *, blameless: bool) -> bool:
    """Have a lost run tried again after a pause, or set it aside after the last try; whether it is tried
    again. A blameless loss is no try."""
    ticket = session.get(Ticket, lease.ticket_id)
    if ticket is None:
        return False  # another worker has graded it since
    if blameless:
        ticket.tries -= 1
    if ticket.tries >= MOST_TRIES:
        _log_aside(ticket.submission_id, reason)
        ticket.state, ticket.reason = TicketState.QUARANTINED, reason
        return False
    ticket.state = TicketState.QUEUED
    ticket.due_at = now() + timedelta(seconds=retry_seconds * ticket.tries)
    return True


def release(session: Session, submission_id: int) -> bool:
    """Back into the queue with all its tries, of one that was set aside or cancelled; whether it was."""
    ticket = _in_state(session, submission_id, TicketState.QUARANTINED, TicketState.CANCELLED)
    if ticket is None:
        return False
    ticket.state, ticket.tries, ticket.due_at, ticket.reason = TicketState.QUEUED, 0, now(), None
    return True


def cancel(session: Session, submission_id: int) -> bool:
    """Out of the queue; whether it was waiting there. What runs is not stopped: it will be over before long."""
    ticket = _in_state(session, submission_id, TicketState.QUEUED)
    if ticket is None:
        return False
    ticket.state = TicketState.CANCELLED
    return True


def _in_state(session: Session, submission_id: int, *states: TicketState) -> Ticket | None:
    wanted = select(Ticket).where(Ticket.submission_id == submission_id, col(Ticket.state).in_(states))
    return session.exec(wanted.with_for_update()).first()


def _insert(session: Session, submissions: Sequence[Submission], ranks: Sequence[int]) -> None:
    tickets = [
        Ticket(submission_id=submission.id, student_id=submission.student_id, rank=rank).model_dump(exclude={"id"})
        for submission, rank in zip(submissions, ranks, strict=True)
    ]
    if tickets:
        session.connection().execute(_INSERT, tickets)


def _rank(session: Session, submission: Submission, penalty_seconds: int) -> int:
    """Now, or a penalty after the last that the student has waiting; and one more where the attempt before took
    long."""
    which = submission.model_dump(include={"course_id", "student_id", "exercise", "attempt"})
    rank, seconds = session.connection().execute(_LAST_AND_TOOK, which).one()
    came = int((now() - EPOCH).total_seconds())
    after = came if rank is None else rank + penalty_seconds
    return max(came, after) + penalty_seconds * ((seconds or 0) > LONG_SECONDS)


def _begin(session: Session, lease: Update, which: Mapping[str, object], lease_seconds: float) -> Lease | None:
    """Count a try and lease a ticket, or set it aside where it has had them all."""
    until = now() + timedelta(seconds=lease_seconds)
    found = session.connection().execute(lease, {**which, "until": until}).first()
    if found is None:
        return None
    begun = Lease(*found)
    if begun.state is TicketState.QUARANTINED:
        _log_aside(begun.submission_id, LOST)
    return begun


def _log_aside(submission_id: int, reason: str) -> None:
    log.error("Submission %d is set aside after %d tries: %s", submission_id, MOST_TRIES, reason)


# The statements that every submission needs, put together once: that takes longer than to run them.

_LIVE: Final = col(Ticket.state).in_([TicketState.QUEUED, TicketState.RUNNING])
_INSERT: Final = insert(Ticket)


def _leasing(which: Select[Any]) -> Update:
    """Lease the one ticket that is found, if any, ``until`` then; or set it aside after its last try."""
    spent = col(Ticket.tries) >= MOST_TRIES
    return (
        update(Ticket)
        .where(col(Ticket.id) == which.scalar_subquery())
        .values(
            state=case((spent, literal(TicketState.QUARANTINED)), else_=literal(TicketState.RUNNING)),
            tries=col(Ticket.tries) + case((spent, 0), else_=1),
            due_at=bindparam("until", type_=DateTime(timezone=True)),
            reason=case((spent, literal(LOST)), else_=col(Ticket.reason)),
        )
        .returning(col(Ticket.id), col(Ticket.submission_id), col(Ticket.tries), col(Ticket.state))
    )


def _first() -> Select[Any]:
    """The first ticket that is due at a ``moment``."""
    other = aliased(Ticket)
    busy = select(other.id).where(
        other.student_id == Ticket.student_id, other.state == TicketState.RUNNING, other.id != Ticket.id
    )
    due = select(Ticket.id).where(_LIVE, Ticket.due_at <= bindparam("moment"), ~busy.exists())
    return due.order_by(col(Ticket.rank), col(Ticket.id)).limit(1).with_for_update(skip_locked=True)


def _last_and_took() -> Select[Any]:
    """The rank of the last that a student has waiting, and the seconds of their attempt before this one."""
    mine = Ticket.student_id == bindparam("student_id")
    last = select(func.max(Ticket.rank)).where(mine, _LIVE, col(Ticket.rank) < BACKGROUND)
    took = (
        select(func.max(Grade.seconds))
        .join(Submission, col(Submission.id) == Grade.submission_id)
        .where(
            Submission.course_id == bindparam("course_id"),
            Submission.student_id == bindparam("student_id"),
            Submission.exercise == bindparam("exercise"),
            Submission.attempt == bindparam("attempt", type_=Integer) - 1,
        )
    )
    return select(last.scalar_subquery(), took.scalar_subquery())


def _standing() -> Any:
    """Of these ``ids``: submission, state, place, seconds of a run, how many run."""
    before = aliased(Ticket)
    place = select(func.count()).where(
        before.state == TicketState.QUEUED,
        or_(col(before.rank) < Ticket.rank, and_(col(before.rank) == Ticket.rank, col(before.id) <= col(Ticket.id))),
    )
    newest = select(Grade.seconds).order_by(col(Grade.id).desc()).limit(SAMPLE).subquery()
    lanes = select(func.count()).where(before.state == TicketState.RUNNING)
    return select(  # type: ignore[call-overload]
        Ticket.submission_id,
        Ticket.state,
        place.scalar_subquery(),
        select(func.avg(newest.c.seconds)).scalar_subquery(),
        lanes.scalar_subquery(),
    ).where(col(Ticket.submission_id).in_(bindparam("ids", expanding=True)))


_TAKE: Final = _leasing(_first())
_CLAIM: Final = _leasing(select(Ticket.id).where(Ticket.submission_id == bindparam("claimed"), _LIVE).with_for_update())
_LAST_AND_TOOK: Final = _last_and_took()
_STANDING: Final = _standing()
