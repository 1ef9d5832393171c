"""Dispatch: who grades the code that waits, and when.

The port. A ticket is written in the transaction of its submission and taken away in that of its grade, so
what is acknowledged is graded *at least once*, whatever dies in between; grades are unique by submission,
revision and environment, so a second time does no harm. Engines differ only in who takes the tickets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlmodel import Session

from server.models import TicketState


@dataclass(frozen=True)
class Standing:
    """Where a submission stands; ``place`` counts from 1 among those that are queued."""

    state: TicketState
    place: int | None


class Dispatcher(Protocol):
    """An engine that has submissions graded."""

    def start(self) -> None:
        """Take up what was left, and begin."""

    def stop(self) -> None:
        """Finish what is running and begin nothing more."""

    def enqueue(self, session: Session, submission_id: int) -> None:
        """Have a submission graded, once this transaction is committed."""

    def standing(self, session: Session, submission_ids: Sequence[int]) -> Mapping[int, Standing]:
        """Where submissions stand; those without a ticket are left out."""

    def depth(self, session: Session) -> int:
        """How many are waiting or running."""
