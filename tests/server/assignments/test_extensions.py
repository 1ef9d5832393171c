"""Extensions: granted and revoked, with what they do to points, within the section of an assistant."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlmodel import Session, col, select

from server.assignments import changes, extensions
from server.assignments.changes import Change, UnknownAssignment
from server.assignments.extensions import AlreadyRevoked, BadExtension, Grant, UnknownExtension
from server.assignments.impact import Impact
from server.courses.access import OPERATOR, Actor
from server.database.engine import Database
from server.database.table import now
from server.http.problems import Forbidden, Unprocessable
from server.tables import AuditRow, ExtensionRow, LatePolicy, SeatRow
from tests.server.assignments.conftest import DAY, DUE, Class
from tests.support.servers import FULL

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def closed(database: Database, autumn: Class) -> Class:
    """The class, with an assignment that takes nothing late: Bob's answers, two days late, earn nothing."""
    with database.writing() as session:
        rules = {"due_at": DUE, "late_policy": LatePolicy.CLOSED}
        plan = changes.plan_change(session, autumn.of(session), Change(FULL, rules))
        changes.write(session, autumn.of(session), plan, OPERATOR)
    return autumn


def grant(session: Session, autumn: Class, wanted: Grant, actor: Actor = OPERATOR) -> tuple[ExtensionRow, Impact]:
    planned, impact = extensions.plan_grant(session, autumn.of(session), wanted, actor)
    return extensions.write_grant(session, autumn.of(session), planned, actor), impact


def test_an_extension_gives_points_back_and_its_revocation_takes_them(database: Database, closed: Class) -> None:
    later = DUE + 3 * DAY
    with database.writing() as session:
        row, gain = grant(session, closed, Grant(FULL, later, "ill", account_id=closed.bob))
        _, again = extensions.plan_grant(session, closed.of(session), Grant(FULL, later, "ill", None, "B"), OPERATOR)
        found, loss = extensions.plan_revocation(session, closed.of(session), row.id, OPERATOR)
        extensions.write_revocation(session, found.row, OPERATOR, "not ill")
        with pytest.raises(AlreadyRevoked):
            extensions.plan_revocation(session, closed.of(session), row.id, OPERATOR)

    assert (gain, again, loss) == (Impact(gaining=1, gained=26), Impact(), Impact(losing=1, lost=26))
    with database.reading() as session:
        entries = session.exec(select(AuditRow).order_by(col(AuditRow.id))).all()[1:]
        assert [(each.act, each.subject_id, each.exercise, each.reason) for each in entries] == [
            ("extension.grant", closed.bob, FULL, "ill"),
            ("extension.revoke", closed.bob, FULL, "not ill"),
        ]
        assert entries[0].after == {"extension": row.id, "due_at": "2026-12-04T22:00:00Z"}
        (kept,) = extensions.read_list(session, closed.of(session), OPERATOR)
        assert (kept.name, kept.section, kept.row.revoked_at is None) == ("Bob", "B", False)


REFUSED = (
    (Grant(FULL, DUE, "ill", section="B"), "must end after the due time"),
    (Grant(FULL, datetime(1999, 1, 1, tzinfo=DUE.tzinfo), "ill", section="B"), "The year 1999 is out of range"),
    (Grant(FULL, DUE + DAY, " ", section="B"), "A reason has 1 to"),
    (Grant(FULL, DUE + DAY, "a\0b", section="B"), "holds control characters"),
    (Grant(FULL, DUE + DAY, "ill", section="C"), "no such section. Choose one of: A, B."),
    (Grant(FULL, DUE + DAY, "ill"), "for one person or for one section"),
    (Grant(FULL, DUE + DAY, "ill", account_id=1, section="B"), "for one person or for one section"),
    (Grant(FULL, DUE + DAY, "ill", account_id=99), "Account 99 has no seat in this course."),
)


@on_sqlite
def test_what_is_no_extension_is_refused(database: Database, closed: Class) -> None:
    for wanted, sentence in REFUSED:
        with database.writing() as session, pytest.raises(Unprocessable, match=sentence):
            extensions.plan_grant(session, closed.of(session), wanted, OPERATOR)


@on_sqlite
def test_without_a_due_time_there_is_nothing_to_extend(database: Database, autumn: Class) -> None:
    wanted = Grant(FULL, DUE, "ill", section="B")
    with database.writing() as session:
        with pytest.raises(UnknownAssignment):
            extensions.plan_grant(session, autumn.of(session), wanted, OPERATOR)
        changes.write(
            session,
            autumn.of(session),
            changes.plan_change(session, autumn.of(session), Change(FULL)),
            OPERATOR,
        )
        with pytest.raises(BadExtension, match="has no due time"):
            extensions.plan_grant(session, autumn.of(session), wanted, OPERATOR)


def test_an_assistant_extends_and_sees_their_section_alone(database: Database, closed: Class) -> None:
    assistant = Actor(closed.assistant, "B")
    with database.writing() as session:
        ours = [
            grant(session, closed, Grant(FULL, DUE + DAY, "ill", account_id=closed.bob), assistant)[0].id,
            grant(session, closed, Grant(FULL, DUE + DAY, "fire alarm", section="B"), assistant)[0].id,
        ]
        for wanted in (Grant(FULL, DUE + DAY, "x", account_id=closed.ada), Grant(FULL, DUE + DAY, "x", section="A")):
            with pytest.raises(Forbidden, match="You look after section 'B'"):
                extensions.plan_grant(session, closed.of(session), wanted, assistant)
        theirs = grant(session, closed, Grant(FULL, DUE + DAY, "ill", account_id=closed.ada))[0].id
        with pytest.raises(UnknownExtension):
            extensions.plan_revocation(session, closed.of(session), theirs, assistant)

        seen = [each.row.id for each in extensions.read_list(session, closed.of(session), assistant)]
        assert seen == ours
        assert len(extensions.read_list(session, closed.of(session), OPERATOR, FULL)) == 3
        assert extensions.read_list(session, closed.of(session), OPERATOR, "a/b") == []
        session.get_one(SeatRow, (closed.course_id, closed.ada)).removed_at = now()
        session.flush()
        assert [each.row.id for each in extensions.read_list(session, closed.of(session), OPERATOR)] == ours
