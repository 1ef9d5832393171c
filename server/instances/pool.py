"""The pool of hidden instances, on which code is graded.

One is drawn by lot for each submission, and a student gets none twice as long as there is another. So numbers that were
printed once are of no use the next time. A source cannot hold the answers for all: it has 64 KiB, and the gradient of
the smallest exercise alone 3.4 KiB for each of ``POOL_SIZE`` instances.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from exercises.exercise import Exercise
from exercises.instance import Instance, Kind
from server.database import dialect
from server.database.engine import Database
from server.database.table import now
from server.instances.store import InstanceStore, keep
from server.tables import InstanceRow

POOL_SIZE = 64
LIFETIME = timedelta(days=1)  # an instance is drawn no more after that
POOL_LOCK = 20260926  # of the database, between processes that draw at once


class HiddenPool:
    """The hidden instances of each exercise revision. Thread-safe; processes share them through the database.

    It grows by one with each submission until it has ``size``, and so begins anew when its instances grow old.
    """

    def __init__(
        self,
        database: Database,
        instances: InstanceStore,
        size: int = POOL_SIZE,
        lifetime: timedelta = LIFETIME,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.size = size
        self._database = database
        self._instances = instances
        self._lifetime = lifetime
        self._clock = clock
        self._drawn: dict[tuple[str, int], dict[int, datetime]] = {}  # id → when it was drawn

    def refill(self, exercise: Exercise) -> None:
        """Draw one more instance of an exercise unless there are enough. Call it before ``lot``, in no transaction."""
        if len(self._young(exercise)) >= self.size:
            return
        # A submission that names the instance is durable, and with it everything that was committed before.
        with self._database.writing(durable=False) as session:
            dialect.take_turns(session.connection(), POOL_LOCK)
            drawn = self._read(session, exercise)
            if len(drawn) < self.size:
                seed = self._instances.seed(Kind.HIDDEN, self._count(session, exercise), exercise)
                drawn[keep(session, Instance.draw(exercise, seed, Kind.HIDDEN))] = self._clock()
        self._drawn[exercise.slug, exercise.revision] = drawn

    def lot(self, exercise: Exercise, seen: Collection[int]) -> int:
        """Return the id of an instance that was drawn by lot, if possible of one that is not among those seen."""
        young = self._young(exercise)
        drawn = list(self._drawn[exercise.slug, exercise.revision])  # where all have just grown old
        return secrets.choice([id for id in young if id not in seen] or young or drawn)

    def _young(self, exercise: Exercise) -> list[int]:
        oldest = self._clock() - self._lifetime
        drawn = self._drawn.get((exercise.slug, exercise.revision), {})
        return [id for id, drawn_at in drawn.items() if drawn_at > oldest]

    def _read(self, session: Session, exercise: Exercise) -> dict[int, datetime]:
        """Return the instances that are young enough, those of other processes too."""
        rows = select(InstanceRow.id, InstanceRow.created_at).where(
            *_hidden(exercise), InstanceRow.created_at > self._clock() - self._lifetime
        )
        return dict(session.exec(rows).all())

    def _count(self, session: Session, exercise: Exercise) -> int:
        """Return how many were ever drawn."""
        return session.exec(select(func.count()).select_from(InstanceRow).where(*_hidden(exercise))).one()


def _hidden(exercise: Exercise) -> tuple[ColumnElement[bool], ...]:
    return (
        col(InstanceRow.account_id).is_(None),
        col(InstanceRow.exercise) == exercise.slug,
        col(InstanceRow.revision) == exercise.revision,
        col(InstanceRow.kind) == Kind.HIDDEN.value,
    )
