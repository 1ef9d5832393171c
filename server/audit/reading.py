"""Reading the audit log of a course. The names of people are joined when it is read: the log keeps none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, or_, select

from server.tables import AccountRow, AuditRow

PAGE_MAX: Final = 500


@dataclass(frozen=True)
class Question:
    """Which entries are asked for. None stands for any.

    ``act`` is an act such as ``assignment.change``, or the word before its dot. ``person`` did it, or it is about them.
    ``before`` is the number of an entry: those before it are asked for.
    """

    act: str | None = None
    person: int | None = None
    exercise: str | None = None
    before: int | None = None
    limit: int = 100


@dataclass(frozen=True)
class NamedEntry:
    """An entry with the names of its people as they are today; None for nobody."""

    row: AuditRow
    actor: str | None
    subject: str | None


def read(session: Session, course_id: int, question: Question) -> Sequence[NamedEntry]:
    """Return entries of a course, the newest first, at most ``limit``."""
    actor, subject = aliased(AccountRow), aliased(AccountRow)
    rows = (
        select(AuditRow, actor.name, subject.name)
        .outerjoin(actor, col(actor.id) == AuditRow.actor_id)
        .outerjoin(subject, col(subject.id) == AuditRow.subject_id)
        .where(AuditRow.course_id == course_id)
        .order_by(col(AuditRow.id).desc())
        .limit(min(question.limit, PAGE_MAX))
    )
    if question.act is not None:
        of_word = col(AuditRow.act).startswith(f"{question.act}.", autoescape=True)
        rows = rows.where(or_(AuditRow.act == question.act, of_word))
    if question.person is not None:
        rows = rows.where(or_(AuditRow.actor_id == question.person, AuditRow.subject_id == question.person))
    if question.exercise is not None:
        rows = rows.where(AuditRow.exercise == question.exercise)
    if question.before is not None:
        rows = rows.where(AuditRow.id < question.before)
    return [NamedEntry(*row) for row in session.exec(rows)]
