"""Tickets: the submissions that wait for a grade."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text
from sqlmodel import Field

from server.database.table import Table, now, text_enum


class TicketState(StrEnum):
    """Where a submission stands in the queue."""

    QUEUED = "queued"
    RUNNING = "running"
    QUARANTINED = "quarantined"  # its runs were lost three times: set aside for staff
    CANCELLED = "cancelled"  # taken out before it was run


class TicketRow(Table, table=True):
    """A submission that waits for a grade.

    A ticket is written in the transaction of its submission and deleted in that of its grade. So this table is the
    work that remains, whatever process died in between.

    The lowest ``rank`` comes first, then the lowest ``id``; one run at a time for each account. ``tries`` counts the
    runs that were begun. From ``due_at`` on the ticket may be taken: at once if it is new, after a pause if it was
    given back, and after its lease if it is running, because the run then counts as lost. The grade of a ticket with
    ``regrade_id`` belongs to that regrade.
    """

    __tablename__ = "ticket"
    __table_args__ = (Index(None, "rank", "id", "state"),)

    id: int = Field(default=None, primary_key=True)
    submission_id: int = Field(foreign_key="submission.id", unique=True)
    account_id: int = Field(foreign_key="account.id", index=True)
    rank: int = 0
    state: TicketState = Field(default=TicketState.QUEUED, sa_type=text_enum(TicketState))
    tries: int = 0
    due_at: datetime = Field(default_factory=now)
    reason: str | None = Field(default=None, sa_type=Text)
    queued_at: datetime = Field(default_factory=now)
    regrade_id: int | None = Field(default=None, foreign_key="regrade.id", index=True)
