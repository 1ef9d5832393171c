"""Accounts as a list of the whole server shows them."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from server.accounts import accounts
from server.accounts.accounts import count_tokens, issue_token, open_account, search_accounts
from server.courses import courses
from server.courses.courses import enrol, open_course, seats_of_all
from server.courses.seats import list_sections
from server.database.engine import Database
from server.database.table import now
from server.tables import AccountRow, Role, SeatRow


def names(session: Session, part: str, limit: int = 10) -> tuple[list[str], int]:
    """The names that a search finds, and how many there are."""
    found, total = search_accounts(session, part, limit)
    return [account.name for account in found], total


def test_accounts_are_found_by_name_or_number(database: Database) -> None:
    with database.writing() as session:
        ada, bea, gone = (open_account(session, name) for name in ("Ada Lövelace", "bea", "Adam"))
        gone.erased_at = now()
        open_account(session, "Adele").merged_into_id = bea.id
        session.flush()

        assert names(session, "lovelace") == (["Ada Lövelace"], 1)
        assert names(session, f"#{bea.id}") == (["bea"], 1)
        assert names(session, "", limit=1) == (["Ada Lövelace"], 2)
        assert ada.id in {account.id for account in search_accounts(session, "AD", 10)[0]}


def test_keys_that_open_an_account_now_are_counted(database: Database) -> None:
    with database.writing() as session:
        ada, bea = open_account(session, "Ada"), open_account(session, "Bea")
        for end in (None, now() + timedelta(days=1), now() - timedelta(days=1)):
            issue_token(session, ada.id, expires_at=end)
        issue_token(session, bea.id)
        accounts.revoke_tokens(session, bea.id)
        session.flush()

        assert count_tokens(session, [ada.id, bea.id]) == {ada.id: 2}


def test_an_admin_is_made_and_unmade(database: Database) -> None:
    with database.writing() as session:
        ada = open_account(session, "Ada")
        accounts.set_admin(session, ada, is_admin=True)
        session.flush()
        was_admin = session.get_one(AccountRow, ada.id).is_admin
        accounts.set_admin(session, ada, is_admin=False)

        assert was_admin and not ada.is_admin


def test_seats_of_several_are_those_of_each(database: Database) -> None:
    with database.writing() as session:
        autumn, spring = open_course(session, "autumn", "Autumn"), open_course(session, "spring", "Spring")
        ada = enrol(session, spring, "Ada", Role.STUDENT).account
        session.add(SeatRow(course_id=autumn.id, account_id=ada.id, role=Role.ASSISTANT))
        bea = enrol(session, autumn, "Bea", Role.STUDENT).account
        session.flush()
        session.get_one(SeatRow, (autumn.id, bea.id)).removed_at = now()
        session.flush()

        found = seats_of_all(session, [ada.id, bea.id])

        assert found == {ada.id: courses.seats_of(session, ada.id)}
        assert [(course.slug, role) for course, role in found[ada.id]] == [
            ("autumn", "assistant"),
            ("spring", "student"),
        ]


def test_the_sections_of_a_course_are_those_of_who_is_there(database: Database) -> None:
    with database.writing() as session:
        course = open_course(session, "autumn", "Autumn")
        for name, section in (("Ada", "B"), ("Bea", "A"), ("Cy", "B"), ("Di", None)):
            enrol(session, course, name, Role.STUDENT, section)
        gone = enrol(session, course, "Eva", Role.STUDENT, "C").account
        session.flush()
        session.get_one(SeatRow, (course.id, gone.id)).removed_at = now()
        session.flush()

        assert list_sections(session, course) == ["A", "B"]
