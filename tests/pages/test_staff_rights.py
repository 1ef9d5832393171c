"""What each of staff's pages takes: one table, page by permission. ``test_rights.py`` asks whether they keep to it."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute

from server.courses.roles import Permission
from server.pages.admin import courses as all_courses
from server.pages.admin import machine, queue
from server.pages.admin import people as accounts
from server.pages.admin.access import admin_access
from server.pages.session import Visiting
from server.pages.teach import (
    assignment_form,
    assignments,
    audit,
    authoring,
    course_settings,
    extensions,
    gradebook,
    join_codes,
    people,
    regrade,
    roster_import,
)
from tests.pages.staff_desk import Office
from tests.pages.staff_fixtures import client, office

__all__ = ["client", "office"]

COURSE, PERSON, CODE = "/courses/{course}", "/courses/{course}/people/{account}", "/courses/{course}/join-codes/{code}"
ASSIGNMENT, ACCOUNT = "/courses/{course}/assignments/{pack}/{name}", "/admin/people/{account}"
REGRADE, EXTENSION = "/courses/{course}/regrade/{id}", "/courses/{course}/extensions/{id}"

# Page → the permission that it takes, or None for admins alone.
SEES: dict[str, Permission | None] = {
    f"{COURSE}/people": Permission.READ_ROSTER,
    f"{COURSE}/people/add": Permission.MANAGE_PEOPLE,
    f"{COURSE}/people/import": Permission.MANAGE_PEOPLE,
    PERSON: Permission.MANAGE_PEOPLE,
    f"{PERSON}/remove": Permission.MANAGE_PEOPLE,
    f"{PERSON}/merge": Permission.MANAGE_PEOPLE,
    f"{PERSON}/key": Permission.MANAGE_PEOPLE,
    f"{COURSE}/join-codes": Permission.MANAGE_PEOPLE,
    CODE: Permission.MANAGE_PEOPLE,
    f"{CODE}/revoke": Permission.MANAGE_PEOPLE,
    f"{CODE}/wall": Permission.MANAGE_PEOPLE,
    f"{COURSE}/assignments": Permission.READ_CLASS,
    f"{COURSE}/assignments/new": Permission.MANAGE_ASSIGNMENTS,
    ASSIGNMENT: Permission.MANAGE_ASSIGNMENTS,
    f"{ASSIGNMENT}/remove": Permission.MANAGE_ASSIGNMENTS,
    f"{COURSE}/extensions": Permission.EXTEND,
    f"{EXTENSION}/revoke": Permission.EXTEND,
    f"{COURSE}/regrade": Permission.REGRADE,
    f"{REGRADE}/accept": Permission.REGRADE,
    f"{REGRADE}/discard": Permission.REGRADE,
    f"{COURSE}/gradebook": Permission.READ_GRADEBOOK,
    f"{COURSE}/gradebook/{{format}}.csv": Permission.READ_GRADEBOOK,
    f"{COURSE}/audit": Permission.READ_AUDIT,
    f"{COURSE}/authoring": Permission.MANAGE_ASSIGNMENTS,
    f"{COURSE}/settings": Permission.MANAGE_COURSE,
    f"{COURSE}/settings/archive": Permission.MANAGE_COURSE,
    f"{COURSE}/settings/copy": Permission.MANAGE_COURSE,
    f"{COURSE}/settings/remove": Permission.MANAGE_COURSE,
    "/admin": None,
    "/admin/people": None,
    ACCOUNT: None,
    f"{ACCOUNT}/rights": None,
    f"{ACCOUNT}/sign-out": None,
    f"{ACCOUNT}/erase": None,
    "/admin/queue": None,
    "/admin/machine": None,
}
SENDS: dict[str, Permission | None] = {
    f"{COURSE}/people/add": Permission.MANAGE_PEOPLE,
    f"{COURSE}/people/import": Permission.MANAGE_PEOPLE,
    f"{COURSE}/people/import/confirm": Permission.MANAGE_PEOPLE,
    PERSON: Permission.MANAGE_PEOPLE,
    f"{PERSON}/remove": Permission.MANAGE_PEOPLE,
    f"{PERSON}/put-back": Permission.MANAGE_PEOPLE,
    f"{PERSON}/merge": Permission.MANAGE_PEOPLE,
    f"{PERSON}/key": Permission.MANAGE_PEOPLE,
    f"{COURSE}/join-codes": Permission.MANAGE_PEOPLE,
    CODE: Permission.MANAGE_PEOPLE,
    f"{CODE}/close": Permission.MANAGE_PEOPLE,
    f"{CODE}/revoke": Permission.MANAGE_PEOPLE,
    f"{COURSE}/assignments/order": Permission.MANAGE_ASSIGNMENTS,
    ASSIGNMENT: Permission.MANAGE_ASSIGNMENTS,
    f"{ASSIGNMENT}/remove": Permission.MANAGE_ASSIGNMENTS,
    f"{COURSE}/extensions": Permission.EXTEND,
    f"{EXTENSION}/revoke": Permission.EXTEND,
    f"{COURSE}/regrade": Permission.REGRADE,
    f"{REGRADE}/accept": Permission.REGRADE,
    f"{REGRADE}/discard": Permission.REGRADE,
    f"{COURSE}/gradebook/canvas": Permission.READ_GRADEBOOK,
    f"{COURSE}/authoring": Permission.MANAGE_ASSIGNMENTS,
    f"{COURSE}/settings": Permission.MANAGE_COURSE,
    f"{COURSE}/settings/archive": Permission.MANAGE_COURSE,
    f"{COURSE}/settings/reopen": Permission.MANAGE_COURSE,
    f"{COURSE}/settings/copy": Permission.MANAGE_COURSE,
    f"{COURSE}/settings/remove": Permission.MANAGE_COURSE,
    "/admin/courses": None,
    f"{ACCOUNT}/rights": None,
    f"{ACCOUNT}/sign-out": None,
    f"{ACCOUNT}/erase": None,
    "/admin/queue/{submission}/release": None,
    "/admin/queue/{submission}/cancel": None,
    "/admin/machine/examine": None,
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
    authoring,
    course_settings,
    all_courses,
    accounts,
    queue,
    machine,
)


@pytest.mark.parametrize(("method", "table"), [("GET", SEES), ("POST", SENDS)])
def test_each_page_and_form_takes_its_permission(method: str, table: dict[str, Permission | None]) -> None:
    routes = [route for room in ROOMS for route in room.router.routes if isinstance(route, APIRoute)]

    assert {route.path: permission_of(route) for route in routes if method in (route.methods or ())} == table


def permission_of(route: APIRoute) -> Permission | None:
    """Return the permission that a page names; None for one that asks for an admin.

    :raises LookupError: it asks for neither
    """
    for below in route.dependant.dependencies:
        if isinstance(below.call, Visiting):
            return below.call.permission
        if below.call is admin_access:
            return None
    raise LookupError(route.path)


def test_no_form_is_taken_without_its_number(office: Office) -> None:
    named = {"course": office.slug, "account": 1, "pack": "makemore", "name": "full-backward", "code": 1, "id": 1}
    admin = office.admin()
    for page in SENDS:
        answer = admin.send(page.format(**named, submission=1), {"title": "Foreign"})
        assert answer.status_code == 403 and "belongs to another session" in answer.text, page
