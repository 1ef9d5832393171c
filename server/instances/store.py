"""The store of instances. Each student has their own; the hidden ones are a pool (``pool.py``)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session, select

from exercises.exercise import Exercise
from exercises.instance import Instance, Kind
from grader.caches.budget import INSTANCES_BYTES
from grader.caches.byte_cache import ByteCache
from server.accounts.accounts import lock_account
from server.database import dialect
from server.database.engine import Database
from server.tables import InstanceRow

OWNERS_MAX = 20_000  # whose instance's id is known: some 4 MB
CANONICAL_LOCK = 0x0D0_72  # any number, the same in every process


class CorruptInstance(RuntimeError):
    """The bytes in the database have another digest than the row says."""


@dataclass(frozen=True)
class StoredInstance:
    """An instance and the id of its row."""

    id: int
    instance: Instance


class InstanceStore:
    """Draws an instance when it is first asked for, and keeps its bytes.

    From then on the bytes are the instance, not the seed. A seed is the HMAC-SHA256 of kind, number, exercise and
    revision under the server's secret, so that nobody else can draw the instance of a student or a hidden one.

    :param bytes_max: how many bytes of instances are kept in memory
    """

    def __init__(self, database: Database, secret: bytes, bytes_max: int = INSTANCES_BYTES) -> None:
        self._database = database
        self._secret = secret
        # An instance never changes, and its reference gradients are cached too. So each is read once an evening.
        self._cached: ByteCache[Hashable, StoredInstance | None] = ByteCache(bytes_max, _weigh)
        self._ids: dict[Hashable, int] = {}

    def get(self, account_id: int, exercise: Exercise, kind: Kind) -> StoredInstance:
        """Return an account's instance of an exercise, or everybody's if it is canonical; draw it if there is none."""
        owner = None if kind is Kind.CANONICAL else account_id
        key = (owner, exercise.slug, exercise.revision, kind)
        id = self._ids.get(key)
        stored = self.load(id, exercise) if id is not None else None
        if stored is None:
            stored = self._find_or_draw(owner, exercise, kind)
            if len(self._ids) >= OWNERS_MAX:
                self._ids.clear()
            self._ids[key] = stored.id
            self._cached.get(self._key(stored.id, exercise), lambda: stored)
        return stored

    def load(self, id: int, exercise: Exercise) -> StoredInstance | None:
        """Return the instance of a row; None if it is gone, or of another revision than the exercise is today.

        :raises CorruptInstance: the stored bytes are not those that were drawn
        """
        return self._cached.get(self._key(id, exercise), lambda: self._load(id, exercise))

    @staticmethod
    def _key(id: int, exercise: Exercise) -> Hashable:
        return id, exercise.slug, exercise.revision

    def _load(self, id: int, exercise: Exercise) -> StoredInstance | None:
        with self._database.reading() as session:
            row = session.get(InstanceRow, id)
        is_of_today = row is not None and (row.exercise, row.revision) == (exercise.slug, exercise.revision)
        return _stored(row, exercise) if row is not None and is_of_today else None

    def _find_or_draw(self, account_id: int | None, exercise: Exercise, kind: Kind) -> StoredInstance:
        with self._database.reading() as session:
            stored = self.find(session, account_id, exercise, kind)
        return stored or self.draw(account_id, exercise, kind)

    def find(self, session: Session, account_id: int | None, exercise: Exercise, kind: Kind) -> StoredInstance | None:
        """Return an account's instance, or the canonical one of no account; None if it was never drawn.

        :raises CorruptInstance: the stored bytes are not those that were drawn
        """
        row = session.exec(
            select(InstanceRow).where(
                InstanceRow.account_id == account_id,
                InstanceRow.exercise == exercise.slug,
                InstanceRow.revision == exercise.revision,
                InstanceRow.kind == kind.value,
            )
        ).first()
        return _stored(row, exercise) if row else None

    def draw(self, account_id: int | None, exercise: Exercise, kind: Kind) -> StoredInstance:
        """Draw an account's instance and store it. If another request stored one first, return that.

        Without an account it is the canonical one. No unique key keeps a second one out, because its account is NULL.
        """
        if account_id is None:
            instance = Instance.canonical(exercise)
        else:
            instance = Instance.draw(exercise, self.seed(kind, account_id, exercise), kind)
        with self._database.writing() as session:
            if account_id is None:
                dialect.take_turns(session.connection(), CANONICAL_LOCK)
            else:
                lock_account(session, account_id)
            stored = self.find(session, account_id, exercise, kind)
            if stored is not None:
                return stored
            return StoredInstance(keep(session, instance, account_id), instance)

    def seed(self, kind: Kind, number: int, exercise: Exercise) -> int:
        """Return 63 bits, the range of torch's generators. The number is a student's account, or counts hidden ones."""
        what = f"{kind.value}|{number}|{exercise.slug}|{exercise.revision}"
        return int.from_bytes(hmac.digest(self._secret, what.encode(), hashlib.sha256)[:8]) >> 1


def keep(session: Session, instance: Instance, account_id: int | None = None) -> int:
    """Write an instance down, of an account or of nobody, and return the id of its row."""
    row = InstanceRow(
        account_id=account_id,
        exercise=instance.exercise.slug,
        revision=instance.exercise.revision,
        kind=instance.kind.value,
        dataset=instance.dataset,
        digest=instance.digest,
        state=instance.state,
    )
    session.add(row)
    session.flush()
    return row.id


def _stored(row: InstanceRow, exercise: Exercise) -> StoredInstance:
    instance = Instance(exercise=exercise, state=row.state, kind=Kind(row.kind), dataset=row.dataset)
    if instance.digest != row.digest:
        raise CorruptInstance(f"Instance {row.id}: its bytes have another digest than was recorded.")
    return StoredInstance(row.id, instance)


def _weigh(stored: StoredInstance | None) -> int:
    return 0 if stored is None else len(stored.instance.state)


async def instances(request: Request) -> InstanceStore:
    """Return the application's store of instances."""
    value = request.app.state.instances
    assert isinstance(value, InstanceStore)
    return value


TheInstances = Annotated[InstanceStore, Depends(instances)]
