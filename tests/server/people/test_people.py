"""Finding, adding, changing and removing people, and who may do it."""

from __future__ import annotations

import pytest
from sqlmodel import select

from server.accounts import accounts
from server.courses import courses
from server.courses.access import OPERATOR, Actor, Archived
from server.courses.courses import LooksLikeStaff
from server.courses.seats import LastInstructor
from server.database.table import now
from server.http.problems import Forbidden
from server.people import keys, merge, people
from server.people.people import BadDetail, Details, NoSuchPerson, Search, TakenId, find_person
from server.tables import AuditRow, Role, SeatRow
from tests.server.people.conftest import Class
from tests.support.servers import join_code_of

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def names(class_: Class, **search: object) -> list[str]:
    """Who is found."""
    found = people.list_people(class_.session, class_.course, Search(**search))  # type: ignore[arg-type]
    return [person.account.name for person in found]


def test_people_are_found_by_any_part_in_any_case(class_: Class) -> None:
    for name, email, id, section in (
        ("Ève Ünal", "eve@example.org", "s-1701", "A"),
        ("Bob", "bob@example.org", "s-1702", "B"),
    ):
        details = Details(name, Role.STUDENT, email, id, section)
        people.add(class_.session, class_.course, class_.actor, details)
    bob = find_person(class_.session, class_.course, "bob").account.id

    assert names(class_) == ["Bob", "Ève Ünal", "Grace Hopper"]
    assert names(class_, text="UNAL") == names(class_, text="ève") == names(class_, text="-1701") == ["Ève Ünal"]
    assert names(class_, text="BOB@") == names(class_, section="B") == ["Bob"]
    assert names(class_, role=Role.INSTRUCTOR) == ["Grace Hopper"]

    people.remove(class_.session, class_.course, class_.actor, bob)
    assert names(class_, text="bob") == []
    assert names(class_, removed=True) == ["Bob"]


@on_sqlite
def test_who_is_meant_must_be_clear(class_: Class) -> None:
    first, second = class_.add("Ada"), class_.add("ADA")
    people.change(class_.session, class_.course, class_.actor, second.id, {"university_id": str(first.id)})

    with pytest.raises(NoSuchPerson, match="may be"):
        find_person(class_.session, class_.course, "ada")
    with pytest.raises(NoSuchPerson, match="may be"):
        find_person(class_.session, class_.course, str(first.id))
    with pytest.raises(NoSuchPerson, match="Nobody"):
        find_person(class_.session, class_.course, "Zoe")
    assert find_person(class_.session, class_.course, f"#{first.id}").account is first


@on_sqlite
def test_a_change_is_in_the_log_without_names(class_: Class) -> None:
    ada = class_.add("Ada")

    people.change(
        class_.session, class_.course, class_.actor, ada.id, {"name": "Ada L.", "section": "B", "email": "a@b.c"}
    )

    (entry,) = class_.session.exec(select(AuditRow)).all()
    assert (entry.act, entry.actor_id, entry.subject_id) == ("people.change", class_.instructor.id, ada.id)
    assert (entry.before, entry.after) == (
        {"section": None, "fields": ["name"]},
        {"section": "B", "fields": ["name", "email"]},
    )
    assert "Ada" not in entry.model_dump_json() and "a@b" not in entry.model_dump_json()


@on_sqlite
def test_duplicates_and_look_alikes_are_pointed_out(class_: Class) -> None:
    class_.add("Ada")

    _, same = people.add(class_.session, class_.course, class_.actor, Details("ada", email="x@y.z"))
    _, alike = people.add(class_.session, class_.course, class_.actor, Details("Grace H0pper", email="X@y.z"))

    assert len(same) == 1 and "is also the name of Ada (number" in same[0]
    assert "is read as the name of Grace Hopper" in alike[0] and "is also the address of ada" in alike[1]


def test_a_university_id_is_of_one_person(class_: Class) -> None:
    ada, bob = class_.add("Ada"), class_.add("Bob")
    people.change(class_.session, class_.course, class_.actor, ada.id, {"university_id": " 17 "})

    with pytest.raises(TakenId, match=f"Number {ada.id}"):
        people.change(class_.session, class_.course, class_.actor, bob.id, {"university_id": "17"})


@on_sqlite
@pytest.mark.parametrize(
    "changes", [{"email": "ada"}, {"email": "a b@c"}, {"section": "x" * 65}, {"university_id": "1\u200b7"}]
)
def test_a_detail_that_cannot_be_kept_is_refused(class_: Class, changes: dict[str, str]) -> None:
    with pytest.raises(BadDetail):
        people.change(class_.session, class_.course, class_.actor, class_.add("Ada").id, changes)


# -- what staff may not do ------------------------------------------------------------------------------------


def test_the_last_instructor_stays(class_: Class) -> None:
    session, course, grace = class_.session, class_.course, class_.instructor.id

    with pytest.raises(LastInstructor):
        people.remove(session, course, OPERATOR, grace)
    with pytest.raises(LastInstructor):
        people.change(session, course, OPERATOR, grace, {"role": Role.STUDENT})

    second = class_.add("Alan", Role.INSTRUCTOR)
    people.remove(session, course, class_.actor, second.id)
    with pytest.raises(LastInstructor):
        people.remove(session, course, OPERATOR, grace)
    people.put_back(session, course, class_.actor, second.id)
    people.change(session, course, OPERATOR, grace, {"role": Role.ASSISTANT})


@on_sqlite
def test_an_erased_instructor_is_none(class_: Class) -> None:
    second = class_.add("Alan", Role.INSTRUCTOR)
    second.erased_at = now()
    class_.session.flush()

    with pytest.raises(LastInstructor):
        people.remove(class_.session, class_.course, OPERATOR, class_.instructor.id)


def test_a_change_of_nobody_is_refused(class_: Class) -> None:
    with pytest.raises(NoSuchPerson):
        people.change(class_.session, class_.course, class_.actor, 99_999, {"section": "A"})


@on_sqlite
def test_nobody_changes_their_own_role(class_: Class) -> None:
    class_.add("Alan", Role.INSTRUCTOR)

    with pytest.raises(Forbidden, match="your own role"):
        people.change(class_.session, class_.course, class_.actor, class_.instructor.id, {"role": Role.STUDENT})


@on_sqlite
def test_only_admins_touch_admins(class_: Class) -> None:
    admin = class_.add("Root")
    admin.is_admin = True
    class_.session.flush()

    for act in (
        lambda: people.change(class_.session, class_.course, class_.actor, admin.id, {"section": "A"}),
        lambda: people.remove(class_.session, class_.course, class_.actor, admin.id),
        lambda: keys.give_token(class_.session, class_.course, class_.actor, admin.id, revoke_old=False),
    ):
        with pytest.raises(Forbidden, match="admin"):
            act()
    assert people.remove(class_.session, class_.course, Actor(admin.id, is_admin=True), admin.id).seat.removed_at


@on_sqlite
def test_staff_get_no_key_to_an_account_that_is_used_elsewhere(class_: Class) -> None:
    other = class_.open_course("autumn")
    ada, bob, alan = class_.add("Ada"), class_.add("Bob"), class_.add("Alan", Role.INSTRUCTOR)
    class_.session.add(SeatRow(course_id=other.id, account_id=ada.id, removed_at=now()))
    class_.session.flush()

    for give in (keys.give_token, keys.give_pairing_code):
        for account in (ada, alan):
            with pytest.raises(Forbidden):
                give(class_.session, class_.course, class_.actor, account.id, revoke_old=True)
            give(class_.session, class_.course, OPERATOR, account.id, revoke_old=False)
    with pytest.raises(Forbidden, match="renames"):
        people.change(class_.session, class_.course, class_.actor, ada.id, {"name": "Eve"})

    given = keys.give_token(class_.session, class_.course, class_.actor, bob.id, revoke_old=True)
    assert (given.person.account.name, given.revoked) == ("Bob", 1)


@on_sqlite
def test_who_is_demoted_first_gives_no_key_either(class_: Class) -> None:
    session, course, actor = class_.session, class_.course, class_.actor
    alan = class_.add("Alan", Role.INSTRUCTOR)
    people.change(session, course, actor, alan.id, {"role": Role.STUDENT})

    with pytest.raises(Forbidden, match="was an instructor"):
        keys.give_token(session, course, actor, alan.id, revoke_old=False)
    with pytest.raises(Forbidden, match="was an instructor"):
        merge.merge_people(session, course, actor, alan.id, class_.add("Ada").id)
    assert keys.give_token(session, course, OPERATOR, alan.id, revoke_old=False).token


def test_keys_that_staff_held_end_with_the_next_course(class_: Class) -> None:
    other = class_.open_course("autumn")
    ada, bob = class_.add("Ada"), class_.add("Bob")
    keys.give_token(class_.session, class_.course, class_.actor, ada.id, revoke_old=False)

    joined = courses.join_with_account(class_.session, join_code_of(class_.session, other), ada.id)
    quiet = courses.join_with_account(class_.session, join_code_of(class_.session, other), bob.id)

    assert joined.token is not None and quiet.token is None
    assert accounts.revoke_tokens(class_.session, ada.id) == 1  # the new one alone
    assert accounts.revoke_tokens(class_.session, bob.id) == 1


@on_sqlite
def test_a_student_takes_no_name_of_staff(class_: Class) -> None:
    code = join_code_of(class_.session, class_.course)

    with pytest.raises(LooksLikeStaff):
        courses.join(class_.session, code, "Grасe Hopper")  # two Cyrillic letters
    assert courses.join(class_.session, code, "Grace Hooper").has_namesake is False
    assert courses.join(class_.session, code, "GRACE HOOPER").has_namesake is True


@on_sqlite
def test_an_archived_course_takes_no_people(class_: Class) -> None:
    class_.course.archived_at = now()

    with pytest.raises(Archived):
        people.add(class_.session, class_.course, class_.actor, Details("Ada"))
