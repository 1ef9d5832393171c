"""Writing the audit log, in the transaction of what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from server.tables import AuditRow


@dataclass(frozen=True)
class Entry:
    """An act in a course, such as ``assignment.change``.

    ``actor_id`` is the account that did it, or None for the operator; ``subject_id`` the account that it is about.
    ``before`` and ``after`` hold what changed, as JSON, and no personal data: neither names nor addresses.
    """

    course_id: int
    actor_id: int | None
    act: str
    subject_id: int | None = None
    exercise: str | None = None
    submission_id: int | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    reason: str | None = None


def record(session: Session, entry: Entry) -> None:
    """Add an entry to the log; it is there if the transaction is."""
    session.add(AuditRow(**vars(entry)))
