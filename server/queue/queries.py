"""The statements of the queue, built once; most of them are compiled once, too.

docs/performance.md says how many times as long plain SQLAlchemy takes (``bench/queries.py``).
``tests/server/test_queries.py`` compares each with its plain twin.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import DateTime, Select, Update, and_, bindparam, case, insert, literal, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, func, select, update

from server.database.prepared import Prepared
from server.tables import GradeRow, SubmissionRow, TicketRow, TicketState

BACKGROUND_RANK: Final = 2_000_000_000  # the lowest rank of work that no student waits for: second 2·10⁹, in 2089
TRIES_MAX: Final = 3
SAMPLED_GRADES: Final = 50  # the newest ones, for the duration of a run
LOST_EVERY_TIME: Final = "every run of it was lost together with its worker"

IS_LIVE: Final = col(TicketRow.state).in_([TicketState.QUEUED, TicketState.RUNNING])
INSERT_TICKETS: Final = insert(TicketRow)


def _lease(ticket: Select[Any]) -> Update:
    """Lease the ticket that a query finds ``until`` a moment, or quarantine it if it has had all its tries."""
    is_spent = col(TicketRow.tries) >= TRIES_MAX
    return (
        update(TicketRow)
        .where(col(TicketRow.id) == ticket.scalar_subquery())
        .values(
            state=case((is_spent, literal(TicketState.QUARANTINED)), else_=literal(TicketState.RUNNING)),
            tries=col(TicketRow.tries) + case((is_spent, 0), else_=1),
            due_at=bindparam("until", type_=DateTime(timezone=True)),
            reason=case((is_spent, literal(LOST_EVERY_TIME)), else_=col(TicketRow.reason)),
        )
        .returning(col(TicketRow.id), col(TicketRow.submission_id), col(TicketRow.tries), col(TicketRow.state))
    )


def _first_due() -> Select[Any]:
    """Select the first ticket that is due at a ``moment`` and whose account has no other run."""
    other = aliased(TicketRow)
    other_run = select(other.id).where(
        other.account_id == TicketRow.account_id, other.state == TicketState.RUNNING, other.id != TicketRow.id
    )
    due = select(TicketRow.id).where(IS_LIVE, TicketRow.due_at <= bindparam("moment"), ~other_run.exists())
    return due.order_by(col(TicketRow.rank), col(TicketRow.id)).limit(1).with_for_update(skip_locked=True)


def _ranks_of_account() -> Any:
    """Select the last rank that an account has waiting or running, and how many tickets were put back after a look.

    These rank after this ``second``.
    """
    is_put_back = and_(
        col(TicketRow.state) == TicketState.QUEUED, col(TicketRow.tries) > 0, col(TicketRow.rank) > bindparam("second")
    )
    return select(
        func.max(case((is_put_back, None), else_=col(TicketRow.rank))), func.count().filter(is_put_back)
    ).where(TicketRow.account_id == bindparam("account_id"), IS_LIVE, col(TicketRow.rank) < BACKGROUND_RANK)


def _standings() -> Any:
    """Select submission, state, place, mean seconds of a run and number of runs, of the tickets of these ``ids``."""
    before = aliased(TicketRow)
    is_not_after = or_(
        col(before.rank) < TicketRow.rank,
        and_(col(before.rank) == TicketRow.rank, col(before.id) <= col(TicketRow.id)),
    )
    place = select(func.count()).where(before.state == TicketState.QUEUED, is_not_after)
    newest = select(GradeRow.seconds).order_by(col(GradeRow.id).desc()).limit(SAMPLED_GRADES).subquery()
    runs = select(func.count()).where(before.state == TicketState.RUNNING)
    return select(  # type: ignore[call-overload]
        TicketRow.submission_id,
        TicketRow.state,
        place.scalar_subquery(),
        select(func.avg(newest.c.seconds)).scalar_subquery(),
        runs.scalar_subquery(),
    ).where(col(TicketRow.submission_id).in_(bindparam("ids", expanding=True)))


SUBMISSION_COLUMNS: Final = SubmissionRow.column_names()
SUBMISSION: Final = Prepared(select(SubmissionRow).where(col(SubmissionRow.id) == bindparam("id")))
LEASE_FIRST_DUE: Final = Prepared(_lease(_first_due()))
LEASE_OF_SUBMISSION: Final = Prepared(
    _lease(select(TicketRow.id).where(TicketRow.submission_id == bindparam("claimed"), IS_LIVE).with_for_update())
)
RANKS_OF_ACCOUNT: Final = Prepared(_ranks_of_account())
STANDINGS: Final = _standings()
