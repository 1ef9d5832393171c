"""The pages of a server, for admins."""

from __future__ import annotations

import pytest

from server.courses import courses
from server.tables import AccountRow, TicketRow, TicketState
from tests.pages.staff_desk import Desk, Office, hidden, said
from tests.support.servers import SOLUTION, Student

PAGES = ("/admin", "/admin/people", "/admin/queue", "/admin/machine")


@pytest.fixture
def admin(office: Office) -> Desk:
    """An admin."""
    return office.admin("Root Admin")


def account(office: Office, id: int) -> AccountRow:
    """An account as it is."""
    with office.services.database.reading() as session:
        return session.get_one(AccountRow, id)


def set_aside(office: Office, student: Desk) -> int:
    """Let a submission of somebody have been set aside; return its number."""
    answer = Student(office.client, student.token, student.account, course=office.slug).submit_code(SOLUTION)
    id = int(answer.json()["id"])
    ticket = TicketRow(submission_id=id, account_id=student.account, state=TicketState.QUARANTINED, tries=3)
    ticket.reason = "every run was lost"
    with office.services.database.writing() as session:
        session.add(ticket)
    return id


@pytest.mark.parametrize("page", PAGES)
def test_admins_alone_see_the_server(office: Office, admin: Desk, page: str) -> None:
    assert admin.get(page).status_code == 200
    assert office.instructor.get(page).status_code == 403
    assert "Admins only" in office.seat("Ada").get(page).text


def test_a_course_is_opened(office: Office, admin: Desk) -> None:
    form = {"slug": f"{office.slug}-new", "title": "New", "time_zone": "Europe/Berlin"}

    opened = admin.post("/admin/courses", form)
    taken = admin.post("/admin/courses", form)
    zone = admin.post("/admin/courses", {**form, "slug": "another", "time_zone": "Berlin"})

    assert opened.headers["location"] == f"/courses/{office.slug}-new/people"
    assert taken.status_code == 422 and 'id="e-slug"' in taken.text
    assert zone.status_code == 422 and 'id="e-time_zone"' in zone.text and 'value="another"' in zone.text
    assert office.instructor.post("/admin/courses", {**form, "slug": "mine"}).status_code == 403
    with office.services.database.reading() as session:
        assert courses.find_course(session, "mine") is None


def test_people_are_found_in_all_courses(office: Office, admin: Desk) -> None:
    ada = office.seat("Ada Lövelace")

    page = admin.get("/admin/people", params={"search": "lovelace"})
    number = admin.get("/admin/people", params={"search": f"#{ada.account}"})

    assert "Ada Lövelace" in page.text and "Quinn" not in page.text and f"student in {office.slug}" in said(page)
    assert "Ada Lövelace" in number.text


def test_rights_are_given_and_taken_but_not_from_oneself(office: Office, admin: Desk) -> None:
    here = f"/admin/people/{office.instructor.account}/rights"

    asked = admin.get(here)
    given = admin.post(here, hidden(asked))
    is_admin = account(office, office.instructor.account).is_admin
    admin.post(here, {"is_admin": ""})
    own = admin.post(f"/admin/people/{admin.account}/rights", {"is_admin": ""})

    assert "Make Quinn an admin?" in asked.text and given.headers["location"].endswith("?done=admin")
    assert is_admin and not account(office, office.instructor.account).is_admin
    assert own.status_code == 409 and account(office, admin.account).is_admin


def test_somebody_is_signed_out_everywhere(office: Office, admin: Desk) -> None:
    ada = office.seat("Ada")

    asked = admin.get(f"/admin/people/{ada.account}/sign-out")
    admin.post(f"/admin/people/{ada.account}/sign-out")

    assert "Sign Ada out everywhere?" in asked.text
    assert ada.get("/courses").status_code == 303


def test_an_erasure_takes_the_typed_name(office: Office, admin: Desk) -> None:
    ada = office.seat("Ada Lovelace")
    here = f"/admin/people/{ada.account}"

    other = admin.post(f"{here}/erase", {"confirm": "Ada"})
    kept = account(office, ada.account).name
    erased = admin.post(f"{here}/erase", {"confirm": "Ada Lovelace"})

    assert other.status_code == 422 and 'id="e-confirm"' in other.text and kept == "Ada Lovelace"
    assert erased.headers["location"] == "/admin/people?done=erased"
    assert account(office, ada.account).name == "(erased)"
    assert admin.get(here).status_code == 404


def test_what_was_set_aside_is_released(office: Office, admin: Desk) -> None:
    id = set_aside(office, office.seat("Ada"))

    page = admin.get("/admin/queue")
    fragment = office.client.get(
        "/admin/queue", headers={"HX-Request": "true", "Cookie": f"dojo_session={admin.token}"}
    )
    released = admin.post(f"/admin/queue/{id}/release")
    unknown = admin.post("/admin/queue/999999/cancel")

    assert "every run was lost" in page.text and f'action="/admin/queue/{id}/release"' in page.text
    assert fragment.text.startswith('<div class="stack" id="queue" data-again="3000">')
    assert released.headers["location"] == "/admin/queue?done=released"
    assert unknown.headers["location"] == "/admin/queue?done=not-cancelled"


def test_the_machine_says_how_it_is(office: Office, admin: Desk) -> None:
    page = admin.get("/admin/machine")
    examined = admin.post("/admin/machine/examine")

    assert "torch 2.13.0" in page.text and "sandbox" in page.text
    assert "Code can be graded here." in examined.text


def test_a_foreign_form_changes_nothing_on_the_server(office: Office, admin: Desk) -> None:
    ada = office.seat("Ada")

    answers = [
        admin.send("/admin/courses", {"slug": "foreign", "title": "Foreign", "time_zone": "UTC"}),
        admin.send(f"/admin/people/{ada.account}/erase", {"confirm": "Ada"}),
        admin.send(f"/admin/people/{ada.account}/rights", {"is_admin": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert account(office, ada.account).name == "Ada" and not account(office, ada.account).is_admin
