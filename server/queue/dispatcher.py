"""The interface of the engines that have submissions graded.

A ticket is written in the transaction of its submission and deleted in that of its grade. So whatever was acknowledged
is graded at least once, whichever process dies in between; grades are unique by submission, revision and environment,
so a second time does no harm. The table of tickets is the queue of both engines. They differ in who learns of a ticket
and takes it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from grader.supervision import ThreadStatus
from server.queue import tickets
from server.queue.tickets import Standing
from server.queue.timing import Timing
from server.tables import SubmissionRow

STOPPING = "Stopping: what is running is finished first."


class Dispatcher(ABC):
    """An engine that has submissions graded."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing

    @abstractmethod
    def start(self) -> None:
        """Take up the tickets that are there, and begin."""

    @abstractmethod
    def stop(self) -> None:
        """Finish what is running and begin nothing more."""

    @abstractmethod
    def announce(self, session: Session, submission_ids: Sequence[int]) -> None:
        """Tell the workers of these submissions, once this transaction is committed."""

    @abstractmethod
    def announce_background(self, session: Session, work_id: int) -> None:
        """Tell the workers of a piece of background work, once this transaction is committed."""

    def wake(self, count: int) -> int:
        """Have so many idle workers of this process look for tickets; return for how many of these nobody was idle."""
        return count

    @property
    @abstractmethod
    def refusal(self) -> str | None:
        """Why no code can be accepted now, or None if it can."""

    @abstractmethod
    def health(self) -> dict[str, str]:
        """Return what must work so that code is graded: ``ok``, or what is wrong with it."""

    @abstractmethod
    def threads(self) -> Sequence[ThreadStatus]:
        """Return how the threads of this process go that code is graded with."""

    def enqueue(self, session: Session, submissions: Sequence[SubmissionRow], *, regrade_id: int | None = None) -> None:
        """Have submissions graded, once this transaction is committed.

        :param regrade_id: they are graded again, and wait until no student does. Otherwise the caller holds the
            account's lock.
        """
        tickets.write(session, submissions, self._timing.queue_penalty_seconds, regrade_id=regrade_id)
        self.announce(session, [submission.id for submission in submissions])

    def requeue(self, session: Session, submission_id: int) -> bool:
        """Put a quarantined or cancelled submission back into the queue; return False if it is neither."""
        is_released = tickets.release(session, submission_id)
        if is_released:
            self.announce(session, [submission_id])
        return is_released

    def cancel(self, session: Session, submission_id: int) -> bool:
        """Take a submission out of the queue; return False if it is not waiting there."""
        return tickets.cancel(session, submission_id)

    def standing(self, session: Session, submission_ids: Sequence[int]) -> Mapping[int, Standing]:
        """Return where submissions stand, by id. Those without a ticket are left out."""
        return tickets.standing(session, submission_ids)

    def depth(self, session: Session) -> int:
        """Return how many submissions wait or run."""
        return tickets.depth(session)


async def dispatcher(request: Request) -> Dispatcher:
    """Return the application's dispatcher."""
    value = request.app.state.dispatcher
    assert isinstance(value, Dispatcher)
    return value


TheDispatcher = Annotated[Dispatcher, Depends(dispatcher)]
