"""The embedded dispatcher: threads of the server itself take the tickets."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from sqlalchemy import event
from sqlmodel import Session

from server.db import Database
from server.dispatch import Dispatcher, tickets
from server.dispatch.turn import Turns
from server.timing import Timing
from server.workshop import Workshop

log = logging.getLogger(__name__)


class EmbeddedDispatcher(Dispatcher):
    """Grades while code can be run in the workshop."""

    def __init__(self, database: Database, workshop: Workshop, turns: Turns, workers: int, timing: Timing) -> None:
        super().__init__(timing)
        self._database = database
        self._workshop = workshop
        self._turns = turns
        self._news = threading.Condition()
        self._announced = 0  # grows with every announcement: who has seen less looks again before it waits
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._work, name=f"worker-{number}") for number in range(workers)]

    def start(self) -> None:
        """Begin. What a dead process had begun is taken when its lease is over."""
        self._turns.begin()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is running and begin nothing more."""
        self._stopping.set()
        with self._news:
            self._news.notify_all()
        log.info("Stopping: what is running is finished first.")
        for thread in self._threads:
            thread.join()
        self._turns.end()

    def announce(self, session: Session, submission_ids: Sequence[int]) -> None:
        """Wake as many workers as there is work for, when the transaction is committed."""

        def wake(_: Session) -> None:
            with self._news:
                self._announced += 1
                self._news.notify(len(submission_ids))

        event.listen(session, "after_commit", wake, once=True)

    @property
    def refusal(self) -> str | None:
        """The workshop's trouble: where this process cannot run code, nobody can."""
        return self._workshop.trouble

    def health(self) -> dict[str, str]:
        """The sandbox is here."""
        return {"sandbox": self._workshop.health}

    def _work(self) -> None:
        while not self._stopping.is_set():
            if not self._workshop.ready():
                self._stopping.wait(self._timing.inspect_again_seconds)
                self._workshop.inspect()
                continue
            seen = self._announced
            try:
                worked = self._work_once()
            except Exception:
                # What was begun is not lost: it is taken again when its lease is over.
                log.exception("The queue cannot be reached; it is tried again.")
                worked = False
            if not worked:
                with self._news:
                    self._news.wait_for(lambda: self._is_news(seen), self._timing.look_again_seconds)  # noqa: B023

    def _is_news(self, seen: int) -> bool:
        return self._stopping.is_set() or self._announced > seen

    def _work_once(self) -> bool:
        """Take a ticket and see it through; whether there was one."""
        with self._database.writing(durable=False) as session:
            lease = tickets.take(session, self._timing.lease_seconds)
        if lease is None:
            return False
        self._turns.see_through(lease)
        return True
