"""Join codes: a course has as many as it needs, each with its end, its number of uses and its section."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from server.accounts import tokens
from server.database.table import now
from server.http.problems import Forbidden, NotFound
from server.tables import CourseRow, JoinCodeRow


class UnknownJoinCode(NotFound):
    """No course has this join code."""

    title, slug = "Unknown join code", "unknown-join-code"


class ClosedJoinCode(Forbidden):
    """The join code takes nobody in now."""

    title, slug = "Join code closed", "join-code-closed"


class CodeState(StrEnum):
    """Whether a join code takes people in; if not, why."""

    OPEN = "open"
    CLOSED = "closed"
    USED_UP = "used up"
    REVOKED = "revoked"


@dataclass(frozen=True)
class CodeTerms:
    """How long, how often and for which section a join code works; None means without an end, a limit, a section."""

    section: str | None = None
    uses_max: int | None = None
    expires_at: datetime | None = None


ANYBODY = CodeTerms()


def make(session: Session, course: CourseRow, terms: CodeTerms = ANYBODY) -> JoinCodeRow:
    """Make a further join code for a course."""
    code = JoinCodeRow(course_id=course.id, code=tokens.new_typed_code(), **vars(terms))
    session.add(code)
    session.flush()
    return code


def state_of(code: JoinCodeRow) -> CodeState:
    """Return whether a code takes people in at this moment."""
    if code.revoked_at is not None:
        return CodeState.REVOKED
    if code.expires_at is not None and code.expires_at <= now():
        return CodeState.CLOSED
    return CodeState.USED_UP if code.uses_max is not None and code.uses >= code.uses_max else CodeState.OPEN


def list_codes(session: Session, course: CourseRow) -> list[JoinCodeRow]:
    """Return the join codes of a course, the newest first."""
    return list(
        session.exec(select(JoinCodeRow).where(JoinCodeRow.course_id == course.id).order_by(col(JoinCodeRow.id).desc()))
    )


def find_current(session: Session, course: CourseRow) -> JoinCodeRow | None:
    """Return the code to show to a class: the newest open one, rather one for all sections. None if none is open."""
    codes = [code for code in list_codes(session, course) if state_of(code) is CodeState.OPEN]
    return min(codes, key=lambda code: code.section is not None, default=None)


def replace(session: Session, course: CourseRow) -> JoinCodeRow:
    """Revoke the code that is shown to a class, and make another for everybody. Nobody loses a seat."""
    current = find_current(session, course)
    if current is not None:
        current.revoked_at = now()
    return make(session, course)


def find(session: Session, typed: str) -> JoinCodeRow:
    """Return a code, from what a person typed. It may be closed.

    :raises UnknownJoinCode: no course has it, or it was revoked
    """
    code = session.exec(select(JoinCodeRow).where(JoinCodeRow.code == tokens.normalise_typed_code(typed))).first()
    if code is None or code.revoked_at is not None:
        raise UnknownJoinCode(
            "No course has this join code; it may have been replaced. Ask your instructor for the current one."
        )
    return code


def use(session: Session, code: JoinCodeRow) -> None:
    """Count a use of a code.

    :raises ClosedJoinCode: it takes nobody in now
    """
    # One statement, so that of two requests only one gets the last use.
    counted = session.connection().execute(
        update(JoinCodeRow)
        .where(
            col(JoinCodeRow.id) == code.id,
            col(JoinCodeRow.revoked_at).is_(None),
            or_(col(JoinCodeRow.expires_at).is_(None), col(JoinCodeRow.expires_at) > now()),
            or_(col(JoinCodeRow.uses_max).is_(None), col(JoinCodeRow.uses) < col(JoinCodeRow.uses_max)),
        )
        .values(uses=col(JoinCodeRow.uses) + 1)
    )
    if not counted.rowcount:
        session.refresh(code)
        raise ClosedJoinCode(f"This join code is {state_of(code)}. Ask your instructor for another one.")
