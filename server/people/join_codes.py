"""What staff do with the join codes of their course."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from server.accounts import tokens
from server.audit.log import record
from server.courses import join_codes
from server.courses.access import Actor, require_active
from server.courses.join_codes import CodeTerms
from server.courses.local_time import checked
from server.database.table import now
from server.http.problems import NotFound, Unprocessable
from server.people import rules
from server.people.people import clean_detail
from server.tables import CourseRow, JoinCodeRow


class NoSuchJoinCode(NotFound):
    """This course has no such join code."""

    title, slug = "No such join code", "no-such-join-code"


class BadEnd(Unprocessable):
    """The end of a join code is in the past."""

    title, slug = "End in the past", "bad-end"


def find(session: Session, course: CourseRow, code: int | str) -> JoinCodeRow:
    """Return a code of a course, by its number or as it is typed; it was not revoked.

    :raises NoSuchJoinCode: there is none
    """
    typed = tokens.normalise_typed_code(code) if isinstance(code, str) else None
    for row in join_codes.list_codes(session, course):
        if row.revoked_at is None and (row.id == code or row.code == typed):
            return row
    raise NoSuchJoinCode(f"{course.slug} has no join code {code}. List those that it has.")


def make(session: Session, course: CourseRow, actor: Actor, terms: CodeTerms) -> JoinCodeRow:
    """Make a further join code.

    :raises BadDetail: the section cannot be kept
    :raises BadEnd: it would have ended already
    :raises BadTime: its end is too far away for a course
    """
    require_active(course)
    _check_end(terms.expires_at)
    code = join_codes.make(session, course, replace(terms, section=clean_detail("section", terms.section)))
    record(session, rules.entry(course, actor, "join_code.make", after=_public(code)))
    return code


def change(
    session: Session, course: CourseRow, actor: Actor, id: int, changes: Mapping[str, Any], closed: bool | None = None
) -> JoinCodeRow:
    """Change the terms of a code; ``closed`` closes it now, or opens it again without an end.

    :raises NoSuchJoinCode: the course has none with this number
    :raises BadDetail: the section cannot be kept
    :raises BadEnd: it would have ended already
    :raises BadTime: its end is too far away for a course
    """
    require_active(course)
    code = find(session, course, id)
    before = _public(code)
    if closed is not None:
        code.expires_at = now() if closed else None
    for field, value in changes.items():
        setattr(code, field, clean_detail(field, value) if field == "section" else value)
    if "expires_at" in changes:
        _check_end(code.expires_at)
    session.flush()
    record(session, rules.entry(course, actor, "join_code.change", before=before, after=_public(code)))
    return code


def revoke(session: Session, course: CourseRow, actor: Actor, id: int) -> JoinCodeRow:
    """Revoke a code for ever. Nobody loses a seat.

    :raises NoSuchJoinCode: the course has none with this number
    """
    require_active(course)
    code = find(session, course, id)
    code.revoked_at = now()
    record(session, rules.entry(course, actor, "join_code.revoke", before=_public(code)))
    return code


def _check_end(moment: datetime | None) -> None:
    if moment is not None and checked(moment) <= now():
        raise BadEnd("This moment is over already. Send a later one, or close the code.")


def _public(code: JoinCodeRow) -> dict[str, Any]:
    end = code.expires_at
    return {
        "join_code": code.id,
        "section": code.section,
        "uses_max": code.uses_max,
        "expires_at": end.isoformat() if end else None,
    }
