"""Dispatch: who grades the code that waits, and when.

The port. A ticket is written in the transaction of its submission and taken away in that of its grade, so
what is acknowledged is graded *at least once*, whatever dies in between; grades are unique by submission,
revision and environment, so a second time does no harm. Engines differ only in who hears of the tickets and
takes them: the table of tickets is the queue of both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from sqlmodel import Session

from server.dispatch import tickets
from server.dispatch.tickets import Standing
from server.models import Submission
from server.timing import Timing


class Dispatcher(ABC):
    """An engine that has submissions graded."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing

    @abstractmethod
    def start(self) -> None:
        """Take up what was left, and begin."""

    @abstractmethod
    def stop(self) -> None:
        """Finish what is running and begin nothing more."""

    @abstractmethod
    def announce(self, session: Session, submission_ids: Sequence[int]) -> None:
        """Let those who take tickets know of these, once this transaction is committed."""

    @property
    @abstractmethod
    def refusal(self) -> str | None:
        """Why no code can be taken in now; None where it can."""

    @abstractmethod
    def health(self) -> dict[str, str]:
        """What has to work so that code is graded: ``ok``, or what is wrong with it."""

    def enqueue(self, session: Session, submissions: Sequence[Submission], *, background: bool = False) -> None:
        """Have submissions graded, once this transaction is committed. One that comes by itself has its
        student locked by the caller; those in the background wait until no student does."""
        tickets.write(session, submissions, self._timing.queue_penalty_seconds, background=background)
        self.announce(session, [submission.id for submission in submissions])

    def requeue(self, session: Session, submission_id: int) -> bool:
        """Put one that was set aside or cancelled back into the queue; whether it was there."""
        released = tickets.release(session, submission_id)
        if released:
            self.announce(session, [submission_id])
        return released

    def cancel(self, session: Session, submission_id: int) -> bool:
        """Take one out of the queue that is not running yet; whether it was there."""
        return tickets.cancel(session, submission_id)

    def standing(self, session: Session, submission_ids: Sequence[int]) -> Mapping[int, Standing]:
        """Where submissions stand; those without a ticket are left out."""
        return tickets.standing(session, submission_ids)

    def depth(self, session: Session) -> int:
        """How many are waiting or running."""
        return tickets.depth(session)
