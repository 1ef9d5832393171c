"""Who may see and send each of staff's pages: one table, page by role."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from starlette.testclient import TestClient

from server.courses import courses
from server.pages.admin import courses as all_courses
from server.pages.admin import machine, queue
from server.pages.admin import people as accounts
from server.pages.teach import (
    assignment_form,
    assignments,
    audit,
    course_settings,
    extensions,
    gradebook,
    join_codes,
    people,
    regrade,
    roster_import,
)
from server.tables import Role
from tests.pages.staff_desk import Desk, Office
from tests.pages.staff_fixtures import client, office

__all__ = ["client", "office"]

STAFF = frozenset({"assistant", "instructor", "admin"})
RESPONSIBLE = frozenset({"instructor", "admin"})
ADMINS = frozenset({"admin"})
EVERYBODY = ("stranger", "student", "elsewhere", "assistant", "instructor", "admin")
COURSE, PERSON, CODE = "/courses/{course}", "/courses/{course}/people/{account}", "/courses/{course}/join-codes/{code}"
ASSIGNMENT, ACCOUNT = "/courses/{course}/assignments/{topic}/{name}", "/admin/people/{account}"
REGRADE, EXTENSION = "/courses/{course}/regrade/{id}", "/courses/{course}/extensions/{id}"

# Page → who sees it. What a form of it does takes the same, unless the table of forms says otherwise.
SEES = {
    f"{COURSE}/people": STAFF,
    f"{COURSE}/people/add": RESPONSIBLE,
    f"{COURSE}/people/import": RESPONSIBLE,
    PERSON: RESPONSIBLE,
    f"{PERSON}/remove": RESPONSIBLE,
    f"{PERSON}/merge": RESPONSIBLE,
    f"{PERSON}/key": RESPONSIBLE,
    f"{COURSE}/join-codes": RESPONSIBLE,
    CODE: RESPONSIBLE,
    f"{CODE}/revoke": RESPONSIBLE,
    f"{CODE}/wall": RESPONSIBLE,
    f"{COURSE}/assignments": STAFF,
    f"{COURSE}/assignments/new": RESPONSIBLE,
    ASSIGNMENT: RESPONSIBLE,
    f"{ASSIGNMENT}/remove": RESPONSIBLE,
    f"{COURSE}/extensions": STAFF,
    f"{EXTENSION}/revoke": STAFF,
    f"{COURSE}/regrade": RESPONSIBLE,
    f"{REGRADE}/accept": RESPONSIBLE,
    f"{REGRADE}/discard": RESPONSIBLE,
    f"{COURSE}/gradebook": STAFF,
    f"{COURSE}/gradebook/{{format}}.csv": STAFF,
    f"{COURSE}/audit": RESPONSIBLE,
    f"{COURSE}/settings": RESPONSIBLE,
    f"{COURSE}/settings/archive": RESPONSIBLE,
    f"{COURSE}/settings/copy": RESPONSIBLE,
    f"{COURSE}/settings/remove": RESPONSIBLE,
    "/admin": ADMINS,
    "/admin/people": ADMINS,
    ACCOUNT: ADMINS,
    f"{ACCOUNT}/rights": ADMINS,
    f"{ACCOUNT}/sign-out": ADMINS,
    f"{ACCOUNT}/erase": ADMINS,
    "/admin/queue": ADMINS,
    "/admin/machine": ADMINS,
}
SENDS = {
    f"{COURSE}/people/add": RESPONSIBLE,
    f"{COURSE}/people/import": RESPONSIBLE,
    f"{COURSE}/people/import/confirm": RESPONSIBLE,
    PERSON: RESPONSIBLE,
    f"{PERSON}/remove": RESPONSIBLE,
    f"{PERSON}/put-back": RESPONSIBLE,
    f"{PERSON}/merge": RESPONSIBLE,
    f"{PERSON}/key": RESPONSIBLE,
    f"{COURSE}/join-codes": RESPONSIBLE,
    CODE: RESPONSIBLE,
    f"{CODE}/close": RESPONSIBLE,
    f"{CODE}/revoke": RESPONSIBLE,
    f"{COURSE}/assignments/order": RESPONSIBLE,
    ASSIGNMENT: RESPONSIBLE,
    f"{ASSIGNMENT}/remove": RESPONSIBLE,
    f"{COURSE}/extensions": STAFF,
    f"{EXTENSION}/revoke": STAFF,
    f"{COURSE}/regrade": RESPONSIBLE,
    f"{REGRADE}/accept": RESPONSIBLE,
    f"{REGRADE}/discard": RESPONSIBLE,
    f"{COURSE}/gradebook/canvas": STAFF,
    f"{COURSE}/settings": RESPONSIBLE,
    f"{COURSE}/settings/archive": RESPONSIBLE,
    f"{COURSE}/settings/reopen": RESPONSIBLE,
    f"{COURSE}/settings/copy": RESPONSIBLE,
    f"{COURSE}/settings/remove": RESPONSIBLE,
    "/admin/courses": ADMINS,
    f"{ACCOUNT}/rights": ADMINS,
    f"{ACCOUNT}/sign-out": ADMINS,
    f"{ACCOUNT}/erase": ADMINS,
    "/admin/queue/{submission}/release": ADMINS,
    "/admin/queue/{submission}/cancel": ADMINS,
    "/admin/machine/examine": ADMINS,
}
ROOMS = (
    people,
    roster_import,
    join_codes,
    assignments,
    assignment_form,
    extensions,
    regrade,
    gradebook,
    audit,
    course_settings,
    all_courses,
    accounts,
    queue,
    machine,
)


@dataclass(frozen=True)
class Cast:
    """Somebody of each role, and the values of addresses."""

    desks: dict[str, Desk]
    values: dict[str, object]

    def address(self, page: str) -> str:
        """Return the address of a page."""
        return page.format(**self.values) + ("?exercise=makemore/full-backward" if page.endswith("/new") else "")


@pytest.fixture
def cast(office: Office) -> Cast:
    """A course with somebody of each role. What the addresses name is not there, where that decides nothing."""
    student = office.seat("Ada")
    with office.services.database.writing() as session:
        other = courses.open_course(session, f"{office.slug}-other", "Another")
        elsewhere = courses.enrol(session, other, "Eva", Role.STUDENT)
    desks = {
        "stranger": Desk(office.client, "dojo_unknown", 0, office.slug),
        "student": student,
        "elsewhere": Desk(office.client, elsewhere.token, elsewhere.account.id, office.slug),
        "assistant": office.seat("Tom", Role.ASSISTANT),
        "instructor": office.instructor,
        "admin": office.admin(),
    }
    named = {"course": office.slug, "account": student.account, "topic": "makemore", "name": "full-backward"}
    return Cast(desks, named | {"code": 999999, "id": 999999, "submission": 999999, "format": "csv"})


def refusal(role: str, page: str) -> int:
    """Return the status for somebody who may not: strangers are led to where one signs in."""
    if role == "stranger":
        return 303
    return 404 if role == "elsewhere" and page.startswith(COURSE) else 403


def test_the_tables_have_every_page_and_form() -> None:
    routes = [route for room in ROOMS for route in room.router.routes]
    pages = {route.path for route in routes if "GET" in route.methods}  # type: ignore[attr-defined]
    forms = {route.path for route in routes if "POST" in route.methods}  # type: ignore[attr-defined]

    assert pages == set(SEES)
    assert forms == set(SENDS)


def test_a_page_is_seen_by_its_roles_alone(cast: Cast) -> None:
    for page, roles in SEES.items():
        for role in EVERYBODY:
            answer = cast.desks[role].get(cast.address(page))
            if role in roles:
                assert answer.status_code not in (401, 403), (page, role)
            else:
                assert answer.status_code == refusal(role, page), (page, role)


def test_a_form_is_taken_from_its_roles_alone(cast: Cast) -> None:
    for page, roles in SENDS.items():
        for role in EVERYBODY:
            if role in roles:
                continue
            answer = cast.desks[role].post(cast.address(page))
            expected = 401 if role == "stranger" else refusal(role, page)
            assert answer.status_code == expected, (page, role)


def test_no_form_is_taken_without_its_number(cast: Cast, client: TestClient) -> None:
    for page in SENDS:
        answer = cast.desks["admin"].send(cast.address(page), {"title": "Foreign"})
        assert answer.status_code == 403 and "belongs to another session" in answer.text, page
