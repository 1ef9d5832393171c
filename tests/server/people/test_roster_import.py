"""Importing a roster: twice is once, and a wrong line is nothing at all."""

from __future__ import annotations

import pytest
from sqlmodel import func, select

from server.courses import courses
from server.courses.courses import RemovedFromCourse
from server.database.table import now
from server.people import invitations, people, roster_import
from server.people.invitations import UnknownInvitation
from server.people.people import Search, find_person
from server.people.roster import BadRoster, read_roster
from server.people.roster_import import Imported
from server.tables import AccountRow, InvitationRow, Role, SeatRow, TokenRow
from tests.server.people.conftest import Class

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

ADDRESS = "https://dojo.example.org/"
ROSTER = """name,email,university id,section,role
Ada,ada@example.org,17,A,student
Bob,bob@example.org,18,B,student
Tom,tom@example.org,,,assistant
"""


def imported(class_: Class, text: str, **more: bool) -> Imported:
    """Import a roster as the instructor."""
    roster = read_roster(text.encode())
    return roster_import.import_roster(class_.session, class_.course, class_.actor, roster, ADDRESS, **more)


def planned(class_: Class, text: str) -> roster_import.ImportPlan:
    """What an import would do."""
    return roster_import.plan_import(class_.session, class_.course, class_.actor, read_roster(text.encode()))


def test_an_import_adds_people_with_a_link_each(class_: Class) -> None:
    done = imported(class_, ROSTER)

    seats = {
        person.account.name: (person.seat.role, person.seat.section, person.seat.university_id, person.has_signed_in)
        for person in people.list_people(class_.session, class_.course, Search())
        if person.account.id != class_.instructor.id
    }
    assert seats == {
        "Ada": (Role.STUDENT, "A", "17", False),
        "Bob": (Role.STUDENT, "B", "18", False),
        "Tom": (Role.ASSISTANT, None, None, False),
    }
    lines = done.links_csv().splitlines()
    assert lines[0] == "\ufeffname,email,university_id,section,role,link"
    assert lines[1].startswith("Ada,ada@example.org,17,A,student,https://dojo.example.org/join#join_")
    assert len(lines) == 4
    assert class_.log == [("people.import", None)]


def test_a_repeated_import_changes_only_what_changed(class_: Class) -> None:
    imported(class_, ROSTER)
    before = class_.session.exec(select(func.count()).select_from(AccountRow)).one()

    again = imported(class_, ROSTER)
    changed = imported(class_, ROSTER.replace("18,B", "18,C").replace("Ada,", "Ada L.,").replace("Tom", "Tom T."))

    assert (again.plan.additions, again.plan.changes, again.links) == ([], [], [])
    assert len(again.plan.unchanged) == 3
    assert [(change.person.account.name, change.fields) for change in changed.plan.changes] == [
        ("Ada L.", {"name": ("Ada", "Ada L.")}),
        ("Bob", {"section": ("B", "C")}),
        ("Tom T.", {"name": ("Tom", "Tom T.")}),
    ]
    assert class_.session.exec(select(func.count()).select_from(AccountRow)).one() == before
    assert find_person(class_.session, class_.course, "bob").seat.section == "C"


@on_sqlite
def test_an_empty_cell_and_a_missing_person_leave_what_is_there(class_: Class) -> None:
    imported(class_, ROSTER)

    plan = planned(class_, "name,university id,section\nAda,17,\n")

    assert (plan.changes, len(plan.unchanged)) == ([], 1)
    assert [person.account.name for person in plan.absent] == ["Bob", "Grace Hopper", "Tom"]


@on_sqlite
def test_a_university_id_is_known_in_any_case(class_: Class) -> None:
    imported(class_, "name,university id\nAda,u17\nBob,U18\n")

    plan = planned(class_, "name,university id\nAda,U17\nBob,U18\n")

    assert plan.additions == []
    assert [change.fields for change in plan.changes] == [{"university_id": ("u17", "U17")}]


@on_sqlite
def test_a_plan_writes_nothing(class_: Class) -> None:
    plan = planned(class_, ROSTER)

    assert [line.details.name for line in plan.additions] == ["Ada", "Bob", "Tom"]
    assert class_.session.exec(select(SeatRow)).one().account_id == class_.instructor.id
    assert class_.log == []


@on_sqlite
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Grace Hopper,grace@example.org,1,,student", "Line 2: You cannot change your own role."),
        ("Root,root@example.org,2,A,student", "Line 2: Root is an admin"),
        ("Eve,root@example.org,3,A,student", "Line 2, column e-mail: It belongs to Root"),
    ],
)
def test_a_line_that_may_not_be_imported_is_told(class_: Class, line: str, expected: str) -> None:
    people.change(class_.session, class_.course, class_.actor, class_.instructor.id, {"university_id": "1"})
    root = class_.add("Root")
    people.change(
        class_.session, class_.course, class_.actor, root.id, {"university_id": "2", "email": "ROOT@example.org"}
    )
    root.is_admin = True
    class_.session.flush()

    with pytest.raises(BadRoster) as refused:
        planned(class_, f"name,email,university id,section,role\n{line}\n")

    assert refused.value.detail.startswith(expected)


@on_sqlite
def test_who_was_removed_stays_removed(class_: Class) -> None:
    imported(class_, ROSTER)
    people.remove(
        class_.session, class_.course, class_.actor, find_person(class_.session, class_.course, "Bob").account.id
    )

    plan = planned(class_, ROSTER)

    assert (plan.additions, plan.changes) == ([], [])
    assert dict(plan.notes)[3].endswith("To undo that, put them back.")


@on_sqlite
def test_one_name_twice_is_pointed_out(class_: Class) -> None:
    class_.add("Ada")

    plan = planned(class_, "name,id\nADA,1\nEve,2\neve,3\nGrace H0pper,4\n")

    assert [line for line, _ in plan.notes] == [2, 4, 5]
    assert plan.notes[1][1].startswith("Line 3 has the same name.")


# -- links ------------------------------------------------------------------------------------------------------


def code_of(done: Imported, name: str) -> str:
    """The code in somebody's link."""
    (link,) = (link.link for link in done.links if link.person.account.name == name)
    return link.rpartition("#")[2]


def test_a_link_opens_its_account_once(class_: Class) -> None:
    code = code_of(imported(class_, ROSTER), "Ada")

    opened = invitations.open_invitation(class_.session, code)

    assert (opened.account.name, opened.course.slug) == ("Ada", "backprop")
    assert opened.token is not None
    with pytest.raises(UnknownInvitation):
        invitations.open_invitation(class_.session, code)


def test_a_link_opened_while_signed_in_gives_the_seat_to_that_account(class_: Class) -> None:
    other = class_.open_course("autumn")
    ada = class_.add("Ada B.", course=other)
    code = code_of(imported(class_, ROSTER), "Tom")

    opened = invitations.open_with_account(class_.session, code, ada.id)

    assert (opened.account.id, opened.token) == (ada.id, None)
    seat = class_.session.get_one(SeatRow, (class_.course.id, ada.id))
    assert (seat.role, seat.email) == (Role.ASSISTANT, "tom@example.org")
    assert {course.slug for course, _ in courses.seats_of(class_.session, ada.id)} == {"autumn", "backprop"}
    assert class_.log[-1] == ("people.merge", ada.id)


@on_sqlite
def test_an_instructor_gets_no_way_into_an_account_from_before(class_: Class) -> None:
    other = class_.open_course("autumn")
    ada = class_.add("Ada", course=other)
    class_.session.get_one(SeatRow, (other.id, ada.id)).email = "ada@example.org"
    tokens = class_.session.exec(select(TokenRow).where(TokenRow.account_id == ada.id)).all()

    opened = invitations.open_invitation(class_.session, code_of(imported(class_, ROSTER), "Ada"))

    assert opened.account.id != ada.id
    assert class_.session.exec(select(TokenRow).where(TokenRow.account_id == ada.id)).all() == tokens


@on_sqlite
def test_a_link_that_is_too_old_or_of_somebody_removed_opens_nothing(class_: Class) -> None:
    done = imported(class_, ROSTER)
    ada, bob = (find_person(class_.session, class_.course, name).account.id for name in ("Ada", "Bob"))
    class_.session.get_one(InvitationRow, ada).expires_at = now()
    people.remove(class_.session, class_.course, class_.actor, bob)
    people.put_back(class_.session, class_.course, class_.actor, bob)

    for name in ("Ada", "Bob"):
        with pytest.raises(UnknownInvitation):
            invitations.open_invitation(class_.session, code_of(done, name))


@on_sqlite
def test_who_was_removed_does_not_come_back_by_another_link(class_: Class) -> None:
    ada = class_.add("Ada B.")
    people.remove(class_.session, class_.course, class_.actor, ada.id)

    with pytest.raises(RemovedFromCourse, match="put you back"):
        invitations.open_with_account(class_.session, code_of(imported(class_, ROSTER), "Ada"), ada.id)


@on_sqlite
def test_renewing_gives_links_to_those_who_never_signed_in(class_: Class) -> None:
    first = imported(class_, ROSTER)
    invitations.open_invitation(class_.session, code_of(first, "Ada"))

    again = imported(class_, ROSTER, renew=True)

    assert [link.person.account.name for link in again.links] == ["Bob", "Tom"]
    with pytest.raises(UnknownInvitation):
        invitations.open_invitation(class_.session, code_of(first, "Bob"))
    assert invitations.open_invitation(class_.session, code_of(again, "Bob")).account.name == "Bob"
