"""Instances: each student's own numbers, and the hidden ones that their code is graded on."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

from sqlmodel import Session, select

from exercises.exercise import Exercise
from exercises.instance import Instance, Kind
from server.courses import lock_student
from server.db import Database
from server.models import InstanceRecord


class SpoiltInstance(RuntimeError):
    """The bytes in the database are not those that were handed out."""


@dataclass(frozen=True)
class Held:
    """An instance and the id of its row."""

    id: int
    instance: Instance


class Instances:
    """Draws an instance on first use and keeps its bytes; from then on they, and not the seed, are the
    instance.

    Seeds are HMAC-SHA256 of (kind, student, exercise, revision) under the server's secret, so that nobody
    else can draw a hidden instance.
    """

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._secret = secret
        # An instance never changes. The reference of each is kept in memory anyway, and its bytes with it.
        self._known = lru_cache(maxsize=512)(self._kept_or_drawn)

    def get(self, student_id: int, exercise: Exercise, kind: Kind) -> Held:
        """A student's instance of an exercise, drawn now if there is none."""
        return self._known(student_id, exercise, kind)

    def _kept_or_drawn(self, student_id: int, exercise: Exercise, kind: Kind) -> Held:
        with self._database.reading() as session:
            held = self.find(session, student_id, exercise, kind)
        return held or self.draw(student_id, exercise, kind)

    def find(self, session: Session, student_id: int, exercise: Exercise, kind: Kind) -> Held | None:
        """A student's instance, if it was drawn before.

        :raises SpoiltInstance: what is kept has another digest than was handed out
        """
        record = session.exec(
            select(InstanceRecord).where(
                InstanceRecord.student_id == student_id,
                InstanceRecord.exercise == exercise.slug,
                InstanceRecord.revision == exercise.revision,
                InstanceRecord.kind == kind.value,
            )
        ).first()
        if record is None:
            return None
        instance = Instance(exercise=exercise, state=record.state, kind=kind, dataset=record.dataset)
        if instance.digest != record.digest:
            raise SpoiltInstance(f"instance {record.id}: the bytes have another digest than was recorded")
        return Held(record.id, instance)

    def draw(self, student_id: int, exercise: Exercise, kind: Kind) -> Held:
        """Draw a student's instance and keep it; where another request was faster, theirs counts."""
        instance = Instance.draw(exercise, self._seed(kind, student_id, exercise), kind)
        with self._database.writing() as session:
            lock_student(session, student_id)
            held = self.find(session, student_id, exercise, kind)
            if held is not None:
                return held
            record = InstanceRecord(
                student_id=student_id,
                exercise=exercise.slug,
                revision=exercise.revision,
                kind=kind.value,
                dataset=instance.dataset,
                digest=instance.digest,
                state=instance.state,
            )
            session.add(record)
            session.flush()
            return Held(record.id, instance)

    def _seed(self, kind: Kind, student_id: int, exercise: Exercise) -> int:
        """63 bits, as torch's generators take them."""
        what = f"{kind.value}|{student_id}|{exercise.slug}|{exercise.revision}"
        return int.from_bytes(hmac.digest(self._secret, what.encode(), hashlib.sha256)[:8]) >> 1
