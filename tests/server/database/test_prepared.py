"""Prepared statements: the same as SQLAlchemy's own, in the session's transaction, on both databases."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import JSON, bindparam, event
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select, update

from server.courses import courses
from server.database.engine import Database
from server.database.prepared import Prepared, PreparedRows
from server.tables import AccountRow, CourseRow, Role, SeatRow, metadata

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
NAMES = Prepared(select(AccountRow.id, AccountRow.name).where(col(AccountRow.id) >= bindparam("id")).order_by("id"))
MOMENTS = Prepared(
    select(AccountRow.id, AccountRow.created_at, AccountRow.erased_at)
    .where(col(AccountRow.name).in_(["Ada", "Bob"]), col(AccountRow.created_at) <= bindparam("until"))
    .order_by(col(AccountRow.id))
)
RENAME = Prepared(update(AccountRow).where(col(AccountRow.id) == bindparam("which")).values(name=bindparam("to")))


def names(session: Session) -> list[str]:
    """The names of all accounts."""
    return [name for _, name in NAMES.rows(session, {"id": 0})]


def test_it_sees_what_the_session_has_not_written_yet(database: Database) -> None:
    with database.writing() as session:
        account = AccountRow(name="Ada")
        session.add(account)
        assert names(session) == ["Ada"]

        account.name = "Bob"
        assert names(session) == ["Bob"]


def test_the_session_sees_what_it_writes_and_both_end_together(database: Database) -> None:
    with contextlib.suppress(RuntimeError), database.writing() as session:
        AccountRow.write(session, {"name": "Ada"})
        session.add(AccountRow(name="Bob"))
        assert len(session.exec(select(AccountRow)).all()) == 2
        raise RuntimeError

    with database.reading() as session:
        assert names(session) == []

    with database.writing() as session:
        ada = AccountRow.write(session, {"name": "Ada"})
        session.add(AccountRow(name="Bob"))
    with database.reading() as session:
        assert names(session) == ["Ada", "Bob"]
        assert session.get_one(AccountRow, ada.id).name == "Ada"


def test_a_row_that_is_written_has_its_defaults(database: Database) -> None:
    before = datetime.now(UTC)

    with database.writing() as session:
        row = AccountRow.write(session, {"name": "Ada", "is_admin": True})

    with database.reading() as session:
        kept = session.get_one(AccountRow, row.id)
    assert (kept.name, kept.is_admin, kept.erased_at) == ("Ada", True, None)
    assert before <= kept.created_at == row.created_at <= datetime.now(UTC)


def test_values_go_in_and_come_out_as_pythons(database: Database) -> None:
    east = NOON.astimezone(timezone(timedelta(hours=5)))
    with database.writing() as session:
        for name, moment in (("Ada", NOON), ("Bob", east), ("Cleo", NOON), ("Ada", NOON + timedelta(hours=1))):
            AccountRow.write(session, {"name": name, "created_at": moment})

        rows = MOMENTS.rows(session, {"until": east})

    assert [row[1:] for row in rows] == [(NOON, None)] * 2
    assert all(row[1].utcoffset() == timedelta(0) for row in rows)


@pytest.mark.parametrize("value", [[], {}, [0], {"logits": 2.0}, 0, False, "", None], ids=repr)
def test_what_is_empty_stays_what_it_is(database: Database, value: object) -> None:
    echo = Prepared(select(bindparam("value", type_=JSON)))

    with database.reading() as session:
        assert repr(echo.scalar(session, {"value": value})) == repr(value)


def test_each_empty_list_is_a_list_of_its_own(database: Database) -> None:
    packs = Prepared(select(CourseRow.packs).order_by(col(CourseRow.slug)))
    with database.writing() as session:
        for slug, value in (("autumn", []), ("spring", []), ("winter", ["one"])):  # a column of any JSON
            courses.open_course(session, slug, slug.title()).packs = value  # type: ignore[assignment]

        (first,), *others = packs.rows(session, {})
        first.append("changed")

        assert others == [([],), (["one"],)]
        assert packs.first(session, {}) == ([],)


def test_a_statement_without_rows_gives_none(database: Database) -> None:
    with database.writing() as session:
        row = AccountRow.write(session, {"name": "Ada"})

        assert RENAME.rows(session, {"which": row.id, "to": "Bob"}) == []
        assert names(session) == ["Bob"]
        assert NAMES.first(session, {"id": row.id + 1}) is None
        assert NAMES.scalar(session, {"id": row.id + 1}) is None


def test_many_rows_are_one_statement_on_either_database(database: Database) -> None:
    insert = PreparedRows(metadata.tables["seat"])
    with database.writing() as session:
        course = courses.open_course(session, "autumn", "Autumn")
        ids = [AccountRow.write(session, {"name": name}).id for name in ("Ada", "Bob")]
        rows = [
            SeatRow(course_id=course.id, account_id=id, role=Role.STUDENT, created_at=NOON, section='a "b" \u2028')
            for id in ids
        ]
        asked: list[str] = []
        event.listen(database.engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))

        insert.insert(session, [row.model_dump() for row in rows])

        assert [each.split()[0] for each in asked] == ["INSERT"]
    with database.reading() as session:
        kept = session.exec(select(SeatRow).order_by(col(SeatRow.account_id))).all()
    assert [each.model_dump() for each in kept] == [each.model_dump() for each in rows]


def test_an_error_is_sqlalchemys_and_hides_the_parameters(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught, database.writing() as session:
        AccountRow.write(session, {"name": "a secret", "merged_into_id": 999})

    assert "a secret" not in str(caught.value)
    with database.reading() as session:
        assert names(session) == []


def test_who_listens_for_the_commit_is_told_after_it(database: Database) -> None:
    seen: list[list[str]] = []

    def look(_: Session) -> None:
        with database.reading() as other:
            seen.append(names(other))

    for use_session in (False, True):
        with database.writing() as session:
            event.listen(session, "after_commit", look, once=True)
            AccountRow.write(session, {"name": "Ada"})
            if use_session:
                session.exec(select(AccountRow)).all()
            assert len(seen) == use_session

    assert seen == [["Ada"], ["Ada", "Ada"]]
