"""Courses: names that can be shown, and keys of the right account."""

from __future__ import annotations

import pytest
from sqlmodel import col, select

from server.accounts import accounts
from server.accounts.names import BadName
from server.courses import courses, join_codes
from server.courses.join_codes import UnknownJoinCode
from server.database.engine import Database
from server.tables import Role, SeatRow, TokenRow
from tests.support.servers import join_code_of

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  Ada\t \nLovelace ", "Ada Lovelace"),
        ("A\u00a0B", "A B"),
        ("e\N{COMBINING ACUTE ACCENT}ve", "éve"),
        ("x" * 100, "x" * 100),
        (" " + "x" * 100 + " ", "x" * 100),
        ("e\N{COMBINING ACUTE ACCENT}" * 100, "é" * 100),
        ("a\N{ZERO WIDTH JOINER}b\N{ZERO WIDTH NON-JOINER}c", "a\N{ZERO WIDTH JOINER}b\N{ZERO WIDTH NON-JOINER}c"),
        ("x", "x"),
    ],
)
def test_a_name_is_kept_in_one_composed_line(database: Database, sent: str, kept: str) -> None:
    with database.writing() as session:
        course = courses.open_course(session, "autumn", "Autumn")

        account = courses.enrol(session, course, sent, Role.STUDENT)

    assert account.account.name == kept


@pytest.mark.parametrize(
    "name",
    [
        "",
        " \n",
        "x" * 101,
        "a\0b",
        "a\x7fb",
        "a\N{SOFT HYPHEN}b",
        "a\N{ZERO WIDTH SPACE}b",
        "a\N{LEFT-TO-RIGHT OVERRIDE}b",
        "a\ue000b",
    ],
)
def test_a_name_that_cannot_be_seen_is_refused(database: Database, name: str) -> None:
    with pytest.raises(BadName), database.writing() as session:
        courses.enrol(session, courses.open_course(session, "autumn", "Autumn"), name, Role.STUDENT)


def test_a_join_code_gives_a_students_seat_in_its_course(database: Database) -> None:
    with database.writing() as session:
        autumn, spring = (courses.open_course(session, slug, slug) for slug in ("autumn", "spring"))

        account = courses.join(session, join_code_of(session, spring), "Ada")

        seats = session.exec(select(SeatRow)).all()
        assert [(each.course_id, each.account_id, each.role) for each in seats] == [
            (spring.id, account.account.id, Role.STUDENT)
        ]
        assert account.course.id == spring.id
        with pytest.raises(UnknownJoinCode):
            courses.join(session, join_code_of(session, autumn) + "A", "Eve")


def test_a_new_join_code_is_of_one_course(database: Database) -> None:
    with database.writing() as session:
        autumn, spring = (courses.open_course(session, slug, slug) for slug in ("autumn", "spring"))
        old = join_code_of(session, autumn), join_code_of(session, spring)

        new = join_codes.replace(session, autumn).code

    with database.reading() as session:
        kept = [courses.find_course(session, slug) for slug in ("autumn", "spring")]
        assert [each and join_code_of(session, each) for each in kept] == [new, old[1]]
        assert new != old[0]


def test_revoking_takes_the_tokens_of_one_account_once(database: Database) -> None:
    with database.writing() as session:
        course = courses.open_course(session, "autumn", "Autumn")
        student, bob = (courses.enrol(session, course, name, Role.STUDENT).account for name in ("Ada", "Bob"))
        accounts.issue_token(session, student.id)

    with database.writing() as session:
        assert accounts.revoke_tokens(session, student.id) == 2
    with database.reading() as session:
        first = [each.revoked_at for each in session.exec(select(TokenRow).order_by(col(TokenRow.id)))]
    with database.writing() as session:
        assert accounts.revoke_tokens(session, student.id) == 0

    with database.reading() as session:
        found = session.exec(select(TokenRow).order_by(col(TokenRow.id))).all()
    assert [(each.account_id, each.revoked_at is None) for each in found] == [
        (student.id, False),
        (bob.id, True),
        (student.id, False),
    ]
    assert [each.revoked_at for each in found] == first
