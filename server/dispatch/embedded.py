"""The embedded dispatcher: threads of the server itself take the tickets, the oldest first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import event
from sqlmodel import Session, col, func, select, update

from server.bell import Bell
from server.db import Database
from server.dispatch import Standing
from server.grading import Grading
from server.models import Ticket, TicketState, now
from server.workshop import Workshop

# A run has 5 seconds by the wall. One that is not heard of for this long died with its worker.
LEASE = timedelta(seconds=30)
MOST_TRIES = 3
PAUSE = timedelta(seconds=2)  # before a run that was lost is tried again
LOOK_AGAIN_SECONDS = 1.0  # for tickets that became due, or that another process left
INSPECT_AGAIN_SECONDS = 5.0  # while no code can be run

log = logging.getLogger(__name__)


class EmbeddedDispatcher:
    """Grades while code can be run in the workshop; rings the bell for each submission that is done with."""

    def __init__(
        self, database: Database, grading: Grading, workshop: Workshop, bell: Bell, workers: int
    ) -> None:
        self._database = database
        self._grading = grading
        self._workshop = workshop
        self._bell = bell
        self._arrivals = threading.Semaphore(0)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}") for number in range(workers)
        ]

    def start(self) -> None:
        """Take up what a dead process had begun, and begin. Where a second server is alive on the same
        database, its runs may be made twice; that does no harm."""
        with self._database.writing() as session:
            left = update(Ticket).where(col(Ticket.state) == TicketState.RUNNING)
            session.exec(left.values(state=TicketState.QUEUED, due_at=now()))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is running and begin nothing more."""
        self._stopping.set()
        for _ in self._threads:
            self._arrivals.release()
        for thread in self._threads:
            thread.join()

    def enqueue(self, session: Session, submission_id: int) -> None:
        """Write the ticket; a worker is woken when the transaction is committed."""
        session.add(Ticket(submission_id=submission_id))
        event.listen(session, "after_commit", lambda _: self._arrivals.release(), once=True)

    def standing(self, session: Session, submission_ids: Sequence[int]) -> Mapping[int, Standing]:
        """Where submissions stand; those without a ticket are left out."""
        found = session.exec(select(Ticket).where(col(Ticket.submission_id).in_(submission_ids))).all()
        return {each.submission_id: Standing(each.state, self._place(session, each)) for each in found}

    def depth(self, session: Session) -> int:
        """How many are waiting or running."""
        waiting = select(func.count()).select_from(Ticket).where(Ticket.state != TicketState.QUARANTINED)
        return session.exec(waiting).one()

    def _place(self, session: Session, ticket: Ticket) -> int | None:
        if ticket.state is not TicketState.QUEUED:
            return None
        before = select(func.count()).select_from(Ticket)
        before = before.where(Ticket.state == TicketState.QUEUED, col(Ticket.id) <= ticket.id)
        return session.exec(before).one()

    def _work(self) -> None:
        while not self._stopping.is_set():
            if not self._workshop.ready():
                self._stopping.wait(INSPECT_AGAIN_SECONDS)
                self._workshop.inspect()
            elif not self._work_once():
                self._arrivals.acquire(timeout=LOOK_AGAIN_SECONDS)

    def _work_once(self) -> bool:
        """Take a ticket and see it through; whether there was one."""
        try:
            ticket = self._take()
        except Exception:
            log.exception("The queue cannot be read; it is tried again.")
            return False
        if ticket is None:
            return False
        try:
            self._grading.grade_submission(ticket.submission_id)
        except Exception as error:
            log.exception("Submission %d could not be graded, try %d", ticket.submission_id, ticket.tries)
            self._give_back(ticket, error)
        self._bell.ring(ticket.submission_id)
        return True

    def _take(self) -> Ticket | None:
        """Lease the oldest ticket that is due. One whose runs killed their workers is set aside instead."""
        due = select(Ticket).where(Ticket.state != TicketState.QUARANTINED, Ticket.due_at <= now())
        oldest = due.order_by(col(Ticket.id)).limit(1).with_for_update(skip_locked=True)
        with self._database.writing(durable=False) as session:
            ticket = session.exec(oldest).first()
            while ticket is not None and ticket.tries >= MOST_TRIES:
                _quarantine(ticket, "every run of it was lost together with its worker")
                session.flush()
                ticket = session.exec(oldest).first()
            if ticket is not None:
                ticket.tries += 1
                ticket.state = TicketState.RUNNING
                ticket.due_at = now() + LEASE
        return ticket

    def _give_back(self, taken: Ticket, error: Exception) -> None:
        """Try again later, a few times. A run that was lost because no code can be run does not count."""
        blameless = self._workshop.inspect() is not None
        with self._database.writing() as session:
            ticket = session.get(Ticket, taken.id)
            if ticket is None:
                return  # another worker has graded it since
            if blameless:
                ticket.tries -= 1
            if ticket.tries >= MOST_TRIES:
                _quarantine(ticket, str(error))
            else:
                ticket.state = TicketState.QUEUED
                ticket.due_at = now() + PAUSE * ticket.tries


def _quarantine(ticket: Ticket, reason: str) -> None:
    log.error("Submission %d is set aside after %d tries: %s", ticket.submission_id, ticket.tries, reason)
    ticket.state = TicketState.QUARANTINED
    ticket.reason = reason
