"""Who sees which page: every route of every room is asked as everybody who may not have it, and as who may.

A page of a course names its permission (``Visiting``), so it needs no row here. Another one is in a list below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from server.accounts import accounts
from server.courses import courses
from server.courses.roles import GRANTED, Permission
from server.pages.forms import HEADER
from server.pages.routes import ROOMS
from server.pages.session import Visiting
from server.tables import Role
from tests.support.servers import COURSE, RunningServer
from tests.support.windows import Window

OpenWindow = Callable[..., Window]

GUESTS = {"/", "/sign-in", "/join"}
SIGNED_IN = {
    "/courses",
    "/sign-out",
    "/account",
    "/account/devices",
    "/account/devices/{id}/sign-out",
    "/account/theme",
    "/account/archive",
}
# Their access is that of a submission or a training run: tests of those pages ask them as its owner and as others.
OF_OWNERS = ("/submissions/", "/training/")
ADMINS = "/admin"
STREAM = "/events"  # it does not end, so nobody who may see it asks here
PLACES = {"course": COURSE, "pack": "makemore", "name": "cross-entropy", "exercise": "makemore/cross-entropy"}
PLACES |= {"checkpoint": "logits", "format": "csv"}


@dataclass(frozen=True)
class PageRoute:
    """A route of a page, and the permission that it names."""

    method: str
    path: str
    permission: Permission | None
    asked: tuple[str, ...] = ()  # the parameters that its query must have

    @property
    def address(self) -> str:
        """An address that the route takes."""
        part = self.path.replace(":path", "")
        for name in [piece.partition("}")[0] for piece in part.split("{")[1:]]:
            part = part.replace(f"{{{name}}}", PLACES.get(name, "1"))
        query = "&".join(f"{name}={PLACES.get(name, '1')}" for name in self.asked)
        return f"{part}?{query}" if query else part

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes() -> Iterator[PageRoute]:
    """Yield every route of the pages."""
    for room in ROOMS:
        for route in room.router.routes:
            assert isinstance(route, APIRoute)
            for method in sorted(route.methods or ()):
                asked = tuple(each.alias for each in route.dependant.query_params if each.field_info.is_required())
                yield PageRoute(method, route.path, next(_permissions(route.dependant), None), asked)


def _permissions(dependant: Dependant) -> Iterator[Permission]:
    for below in dependant.dependencies:
        if isinstance(below.call, Visiting):
            yield below.call.permission
        yield from _permissions(below)


OF_COURSES = [route for route in routes() if route.permission is not None]
OF_ADMINS = [route for route in routes() if route.path.startswith(ADMINS)]


@pytest.fixture(scope="module")
def tokens(server: RunningServer) -> dict[str, str]:
    """The tokens of everybody: each role in the course, a student of another one, an admin without a seat."""
    with server.services.database.writing() as session:
        course = courses.find_course(session, COURSE)
        assert course is not None
        roles = (Role.STUDENT, Role.ASSISTANT, Role.INSTRUCTOR)
        found = {role.value: courses.enrol(session, course, f"{role} here", role).token for role in roles}
        elsewhere = courses.open_course(session, "elsewhere", "Elsewhere")
        found["elsewhere"] = courses.enrol(session, elsewhere, "Student there", Role.STUDENT).token
        admin = accounts.open_account(session, "Root")
        admin.is_admin = True
        found["admin"] = accounts.issue_token(session, admin.id)
    return found


def ask(window: Window, route: PageRoute) -> Any:
    """Ask for a page, or send its form without any field."""
    if route.method == "GET":
        return window.open(route.address)
    headers = {HEADER: window.form_token()} if window.session else {}
    return window.client.post(route.address, headers=headers)


def test_every_page_is_for_somebody() -> None:
    unknown = [
        str(route)
        for route in routes()
        if route.permission is None
        and route.path not in GUESTS | SIGNED_IN
        and not route.path.startswith((ADMINS, *OF_OWNERS))
    ]

    assert unknown == []


def test_a_stranger_is_led_to_sign_in_and_sends_no_form(window: OpenWindow) -> None:
    stranger = window()
    for route in routes():
        if route.path in GUESTS:
            continue
        answer = ask(stranger, route)
        if route.method == "GET" and not route.path.endswith(STREAM):
            assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?next="), route
        else:
            assert answer.status_code in (303, 401), route


@pytest.mark.parametrize("role", ["student", "assistant", "instructor", "admin", "elsewhere"])
def test_a_page_of_a_course_is_for_those_who_have_its_permission(
    window: OpenWindow, tokens: dict[str, str], role: str
) -> None:
    visitor, wrong = window(tokens[role]), []
    for route in OF_COURSES:
        assert route.permission is not None
        if role == "elsewhere":
            expected: tuple[int, ...] = (404,)
        elif Role(role) not in GRANTED[route.permission]:
            expected = (403,)
        elif route.method == "GET" and not route.path.endswith(STREAM):
            expected = (200, 303, 404)
        else:
            continue
        status = ask(visitor, route).status_code
        if status not in expected:
            wrong.append(f"{route}: {status}, and not {expected}")

    assert wrong == []


@pytest.mark.parametrize("role", ["student", "instructor"])
def test_pages_of_the_server_are_for_admins(window: OpenWindow, tokens: dict[str, str], role: str) -> None:
    visitor = window(tokens[role])
    for route in OF_ADMINS:
        assert ask(visitor, route).status_code in (403, 404), route


def test_no_page_lets_a_browser_run_or_load_anything_else(window: OpenWindow, tokens: dict[str, str]) -> None:
    visitor, stranger = window(tokens["instructor"]), window()
    pages = [ask(visitor, each) for each in OF_COURSES if each.method == "GET" and not each.path.endswith(STREAM)]
    pages += [stranger.open("/join"), stranger.open("/sign-in"), visitor.open("/account"), visitor.open("/courses")]

    for page in pages:
        if page.headers.get("content-type", "").startswith("text/html"):
            policy = page.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "*" not in policy
            assert page.headers["cache-control"] == "no-store"
            assert page.headers["x-content-type-options"] == "nosniff"
            assert " style=" not in page.text and " onclick=" not in page.text and "<style" not in page.text
            assert not re.search(r"<script(?! src=\"/static/)", page.text)


def test_an_error_page_names_nothing_of_the_course(window: OpenWindow, tokens: dict[str, str]) -> None:
    for path in (f"/courses/{COURSE}/class", f"/courses/{COURSE}/people", "/courses/none/class"):
        assert "Becoming a backprop ninja" not in window(tokens["elsewhere"]).open(path).text
