"""Work in the background: done in pieces of a second or two, by the same workers, while no submission waits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from sqlmodel import Session

from grader.supervision import ThreadStatus
from server.queue.leases import Again


class BackgroundWork(ABC):
    """Work of which the database says what remains. Thread-safe."""

    @abstractmethod
    def start(self) -> None:
        """Begin what this process does beside its workers."""

    @abstractmethod
    def stop(self) -> None:
        """End it. Pieces that workers have begun are finished by them."""

    @abstractmethod
    def expect(self) -> None:
        """Look at the next call of ``work_next``, however long there was nothing to do."""

    @abstractmethod
    def work_next(self) -> bool:
        """Take a piece and do it; return False if there is none."""

    @abstractmethod
    def work_on(self, work_id: int) -> Again | None:
        """Do the next piece of some work; return when it goes on, or None if it is over."""

    @abstractmethod
    def waiting(self, session: Session) -> Sequence[int]:
        """Return the numbers of what is not over."""

    @property
    @abstractmethod
    def threads(self) -> Sequence[ThreadStatus]:
        """How the threads go that it has beside the workers."""
