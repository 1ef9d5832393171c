"""Every route as every caller, against the table of permissions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlmodel import select

from server.accounts import accounts
from server.app import API_PREFIX
from server.courses import courses
from server.courses.access import Allowed
from server.courses.roles import GRANTED, Permission
from server.database.table import now
from server.submissions.access import AllowedForSubmission
from server.tables import (
    AccountRow,
    AssignmentRow,
    ExtensionRow,
    ProgressRow,
    Role,
    SeatRow,
    SubmissionRow,
    TicketRow,
    TicketState,
)
from server.training.access import AllowedForRun
from tests.support.bodies import ASSIGNMENT, COURSE, EMPTY_TENSORS, RUN, SUBMISSION, Named, sent_to
from tests.support.servers import (
    FULL,
    Members,
    RunningServer,
    Student,
    is_problem,
    open_regrade,
)
from tests.support.training import run_beside

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

EXERCISE = f"{COURSE}/exercises/{{pack}}/{{name}}"
TRAIN = "makemore/train"
DUE = datetime(2100, 12, 1, tzinfo=UTC)

# What a route takes: a permission in the course, or one of a submission's owner and one of everybody else.
ROUTES: dict[tuple[str, str], tuple[Permission, ...]] = {
    ("GET", COURSE): (Permission.READ_EXERCISES,),
    ("PATCH", COURSE): (Permission.MANAGE_COURSE,),
    ("DELETE", COURSE): (Permission.MANAGE_COURSE,),
    ("POST", f"{COURSE}/copy"): (Permission.MANAGE_COURSE,),
    ("GET", f"{COURSE}/audit"): (Permission.READ_AUDIT,),
    ("POST", f"{COURSE}/authoring"): (Permission.MANAGE_ASSIGNMENTS,),
    ("GET", f"{COURSE}/assignments"): (Permission.READ_CLASS,),
    ("PUT", f"{COURSE}/assignments"): (Permission.MANAGE_ASSIGNMENTS,),
    ("GET", f"{COURSE}/packs"): (Permission.READ_CLASS,),
    ("PUT", f"{COURSE}/packs/{{pack}}"): (Permission.MANAGE_ASSIGNMENTS,),
    ("DELETE", f"{COURSE}/packs/{{pack}}"): (Permission.MANAGE_ASSIGNMENTS,),
    ("GET", ASSIGNMENT): (Permission.READ_CLASS,),
    ("PUT", ASSIGNMENT): (Permission.MANAGE_ASSIGNMENTS,),
    ("PATCH", ASSIGNMENT): (Permission.MANAGE_ASSIGNMENTS,),
    ("DELETE", ASSIGNMENT): (Permission.MANAGE_ASSIGNMENTS,),
    ("GET", f"{COURSE}/extensions"): (Permission.EXTEND,),
    ("POST", f"{COURSE}/extensions"): (Permission.EXTEND,),
    ("DELETE", f"{COURSE}/extensions/{{id}}"): (Permission.EXTEND,),
    ("GET", f"{COURSE}/exercises"): (Permission.READ_EXERCISES,),
    ("GET", EXERCISE): (Permission.READ_EXERCISES,),
    ("GET", f"{EXERCISE}/instance"): (Permission.READ_EXERCISES,),
    ("GET", f"{EXERCISE}/instance/state"): (Permission.READ_EXERCISES,),
    ("GET", f"{EXERCISE}/checkpoints/{{checkpoint}}/explanation"): (Permission.READ_EXERCISES,),
    ("POST", f"{EXERCISE}/submissions"): (Permission.HAND_IN,),
    ("POST", f"{EXERCISE}/check"): (Permission.HAND_IN,),
    ("GET", f"{COURSE}/submissions"): (Permission.READ_OWN_WORK,),
    ("POST", f"{COURSE}/comments"): (Permission.COMMENT,),
    ("GET", f"{COURSE}/overrides"): (Permission.READ_OWN_WORK,),
    ("POST", f"{COURSE}/overrides"): (Permission.OVERRIDE,),
    ("DELETE", f"{COURSE}/overrides/{{id}}"): (Permission.OVERRIDE,),
    ("GET", f"{COURSE}/progress"): (Permission.READ_OWN_WORK,),
    ("GET", f"{COURSE}/analytics"): (Permission.READ_CLASS,),
    ("GET", f"{COURSE}/events"): (Permission.READ_CLASS,),
    ("GET", f"{COURSE}/clusters"): (Permission.READ_SUBMISSIONS,),
    ("GET", f"{COURSE}/similarity"): (Permission.READ_SUBMISSIONS,),
    ("GET", f"{COURSE}/sources"): (Permission.READ_SUBMISSIONS,),
    ("GET", f"{COURSE}/queue"): (Permission.READ_CLASS,),
    ("GET", f"{COURSE}/gradebook"): (Permission.READ_GRADEBOOK,),
    ("POST", f"{COURSE}/gradebook"): (Permission.READ_GRADEBOOK,),
    ("GET", f"{COURSE}/regrade"): (Permission.REGRADE,),
    ("POST", f"{COURSE}/regrade"): (Permission.REGRADE,),
    ("POST", f"{COURSE}/regrade/{{id}}/accept"): (Permission.REGRADE,),
    ("POST", f"{COURSE}/regrade/{{id}}/discard"): (Permission.REGRADE,),
    ("GET", f"{COURSE}/people"): (Permission.READ_ROSTER,),
    ("POST", f"{COURSE}/people"): (Permission.MANAGE_PEOPLE,),
    ("POST", f"{COURSE}/people/import"): (Permission.MANAGE_PEOPLE,),
    ("PATCH", f"{COURSE}/people/{{account}}"): (Permission.MANAGE_PEOPLE,),
    ("DELETE", f"{COURSE}/people/{{account}}"): (Permission.MANAGE_PEOPLE,),
    ("POST", f"{COURSE}/people/{{account}}/merge"): (Permission.MANAGE_PEOPLE,),
    ("POST", f"{COURSE}/people/{{account}}/token"): (Permission.MANAGE_PEOPLE,),
    ("POST", f"{COURSE}/people/{{account}}/pairing-code"): (Permission.MANAGE_PEOPLE,),
    ("GET", f"{COURSE}/join-codes"): (Permission.MANAGE_PEOPLE,),
    ("POST", f"{COURSE}/join-codes"): (Permission.MANAGE_PEOPLE,),
    ("PATCH", f"{COURSE}/join-codes/{{code}}"): (Permission.MANAGE_PEOPLE,),
    ("DELETE", f"{COURSE}/join-codes/{{code}}"): (Permission.MANAGE_PEOPLE,),
    ("GET", f"{COURSE}/training/runs"): (Permission.READ_OWN_WORK,),
    ("POST", f"{COURSE}/training/runs"): (Permission.HAND_IN,),
    ("GET", f"{COURSE}/training/ranking"): (Permission.READ_OWN_WORK,),
    ("GET", RUN): (Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS),
    ("GET", f"{RUN}/source"): (Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS),
    ("GET", f"{RUN}/events"): (Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS),
    ("POST", f"{RUN}/cancel"): (Permission.READ_OWN_WORK, Permission.CANCEL_SUBMISSIONS),
    ("GET", SUBMISSION): (Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS),
    ("GET", f"{SUBMISSION}/comments"): (Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS),
    ("POST", f"{SUBMISSION}/comments"): (Permission.COMMENT, Permission.COMMENT),
    ("DELETE", f"{SUBMISSION}/comments/{{comment}}"): (Permission.COMMENT, Permission.COMMENT),
    ("GET", f"{SUBMISSION}/source"): (Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS),
    ("GET", f"{SUBMISSION}/events"): (Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS),
    ("POST", f"{SUBMISSION}/cancel"): (Permission.READ_OWN_WORK, Permission.CANCEL_SUBMISSIONS),
    ("GET", f"{SUBMISSION}/record"): (Permission.READ_SUBMISSIONS, Permission.READ_SUBMISSIONS),
    ("POST", f"{SUBMISSION}/release"): (Permission.RELEASE_SUBMISSIONS, Permission.RELEASE_SUBMISSIONS),
}
ADMINS = {("POST", "/api/v1/courses"), ("POST", "/api/v1/accounts/{id}/erase")}
SIGNED_IN = {("GET", "/api/v1/me"), ("GET", "/api/v1/me/archive"), ("POST", "/api/v1/pairing-codes")}
CLIENT = {("GET", "/client"), ("GET", "/client.whl"), ("GET", "/client.tar.gz"), ("GET", "/client/{name}")}
ANYBODY = {
    ("POST", "/api/v1/join"),
    ("POST", "/api/v1/pair"),
    ("POST", "/api/v1/open-invitation"),
    ("GET", "/api/v1/signing-key"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    *CLIENT,
}
# 409: the caller may do it, and the submission is not in the state for it.
DONE = (200, 201, 202, 204, 307, 409)


@dataclass(frozen=True)
class Caller:
    """A caller: their headers, their roles in the course, and whether the submission is theirs."""

    name: str
    token: str | None
    roles: frozenset[Role] = frozenset()
    is_owner: bool = False
    is_known: bool = True

    def expected(self, route: tuple[str, str]) -> tuple[int, ...]:
        """Return the statuses that the table allows."""
        if route in ANYBODY:
            return DONE
        if not self.is_known:
            return (401,)
        if route in SIGNED_IN:
            return DONE
        if route in ADMINS:
            return DONE if Role.ADMIN in self.roles else (403,)
        if not self.roles:
            return (404,)
        permissions = ROUTES[route]
        if len(permissions) == 2 and not self.is_owner and self.roles.isdisjoint(GRANTED[Permission.READ_SUBMISSIONS]):
            return (404,)
        needed = permissions[0] if self.is_owner else permissions[-1]
        return (403,) if self.roles.isdisjoint(GRANTED[needed]) else DONE


@pytest.fixture
def owner(server: RunningServer, here: Members) -> Student:
    """A student here whose code waits; no worker runs."""
    server.services.dispatcher.stop()
    return here.student


@pytest.fixture
def submission_id(owner: Student) -> int:
    """A submission that waits."""
    return int(owner.submit_code("dlogits = 1", wait=0).json()["id"])


@pytest.fixture
def callers(server: RunningServer, owner: Student, here: Members, there: Members) -> list[Caller]:
    """Everybody: nobody, a bad token, each role here, each role in another course, an admin without a seat."""
    tokens: dict[tuple[str, Role], str] = {}
    with server.services.database.writing() as session:
        for slug in (here.slug, there.slug):
            course = courses.find_course(session, slug)
            assert course is not None
            for role in (Role.STUDENT, Role.ASSISTANT, Role.INSTRUCTOR):
                tokens[slug, role] = courses.enrol(session, course, f"{role} {slug}", role).token
        admin = courses.join(session, server.join_code, "Admin")
        session.delete(session.get_one(SeatRow, (1, admin.account.id)))
        session.get_one(AccountRow, admin.account.id).is_admin = True
        session.add(AssignmentRow(course_id=1, exercise=FULL, position=0, due_at=DUE))
        session.add(AssignmentRow(course_id=1, exercise=TRAIN, position=1, due_at=DUE))
        session.add(
            ExtensionRow(course_id=1, exercise=FULL, account_id=1, due_at=DUE + timedelta(days=1), reason="ill")
        )
        for seat in session.exec(select(SeatRow)).all():  # a step is explained to those who passed it
            passed: dict[str, Any] = {
                "exercise": FULL,
                "checkpoint": "h",
                "best": "exact",
                "attempts": 1,
                "first_passed_at": now(),
            }
            session.add(ProgressRow(course_id=seat.course_id, account_id=seat.account_id, **passed))
    return [
        Caller("nobody", None, is_known=False),
        Caller("a bad token", "dojo_nonsense", is_known=False),
        Caller("the owner", owner.token, frozenset({Role.STUDENT}), is_owner=True),
        *(
            Caller(f"{role} here", tokens[here.slug, role], frozenset({role}))
            for role in Role
            if role is not Role.ADMIN
        ),
        *(Caller(f"{role} there", tokens[there.slug, role]) for role in Role if role is not Role.ADMIN),
        Caller("an admin", admin.token, frozenset({Role.ADMIN})),
    ]


def ask(server: RunningServer, route: tuple[str, str], caller: Caller, submission_id: int, slug: str) -> int:
    """Return the status of a request that is right in everything but perhaps its caller."""
    method, path = route
    pack, _, name = FULL.partition("/")
    if (method, path) in CLIENT:
        name = server.client.get("/client.whl", follow_redirects=False).headers["Location"].rpartition("/")[2]
    places = {"account": server.join("Zed").id} if "{account}" in path else {}
    if "{code}" in path:
        places["code"] = server.instructor.post(f"/api/v1/courses/{slug}/join-codes", json={}).json()["id"]
    headers = {"Authorization": f"Bearer {caller.token}"} if caller.token else {}
    id, comment = _things(server, path, submission_id, headers)
    address = path.format(course=slug, name=name, id=id, checkpoint="h", pack=pack, comment=comment, **places)
    if path.endswith("/v1/join"):
        return server.client.post(address, json={"code": server.join_code, "name": "Zoe"}).status_code
    if path.endswith("/pair"):
        code = server.instructor.post("/api/v1/pairing-codes").json()["code"]
        return server.client.post(address, json={"code": code}).status_code
    if path.endswith("/open-invitation"):
        link = server.instructor.post(f"/api/v1/courses/{slug}/people", json={"name": "Zed"}).json()["link"]
        return server.client.post(address, json={"code": link.rpartition("#")[2]}).status_code
    named = Named(
        submission_id,
        student=owner_of(server, submission_id),
        slug=f"of-{caller.name.replace(' ', '-')}",
        exercises=(FULL, TRAIN),
    )
    more = sent_to(method, path, named)
    more["headers"] = headers | more.get("headers", {})
    with server.client.stream(method, address, **more) as answer:
        if answer.status_code >= 400 and answer.headers["content-type"] != "application/json":
            answer.read()
            assert is_problem(answer, answer.status_code)
        return answer.status_code


def owner_of(server: RunningServer, submission_id: int) -> int:
    """Return the account that handed a submission in."""
    with server.services.database.reading() as session:
        return session.get_one(SubmissionRow, submission_id).account_id


def _things(server: RunningServer, path: str, submission_id: int, headers: dict[str, str]) -> tuple[int, int]:
    """Return the id for an address, and the id of a comment in it; what they name is there."""
    if path.endswith("/comments/{comment}"):  # the caller's own, if they may write any
        note = {"text": "Look again."}
        made = server.client.post(f"/api/v1/submissions/{submission_id}/comments", json=note, headers=headers)
        return submission_id, made.json().get("id", 99)
    if path.endswith("/erase"):
        with server.services.database.writing() as session:
            return accounts.open_account(session, "Leaving").id, 0
    if "/regrade/{id}/" in path:
        with server.services.database.writing() as session:
            return open_regrade(session), 0
    if path.startswith(RUN):
        with server.services.database.writing() as session:
            return run_beside(session, submission_id), 0
    if path.endswith("/overrides/{id}"):
        named = Named(submission_id, student=owner_of(server, submission_id))
        sent = sent_to("POST", f"{COURSE}/overrides", named)
        return server.instructor.post("/api/v1/courses/backprop/overrides", **sent).json()["id"], 0
    return submission_id, 0


def state(server: RunningServer, submission_id: int) -> tuple[TicketState, int]:
    """Return what a refused request must not change: the ticket's state, and how many submissions there are."""
    with server.services.database.reading() as session:
        ticket = session.exec(select(TicketRow).where(TicketRow.submission_id == submission_id)).one()
        return ticket.state, len(session.exec(select(SubmissionRow.id)).all())


@on_sqlite
def test_each_route_has_a_row(server: RunningServer) -> None:
    paths = server.client.get("/openapi.json").json()["paths"]

    routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}

    assert routes == set(ROUTES) | SIGNED_IN | ADMINS | ANYBODY


@on_sqlite
def test_each_route_asks_for_the_permission_of_its_row(server: RunningServer) -> None:
    routers = [each.original_router for each in server.client.app.routes if hasattr(each, "original_router")]  # type: ignore[attr-defined]
    declared = {
        (method, API_PREFIX + route.path): _permissions(route.dependant)
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods or ()
    }

    assert {route: needed for route, needed in declared.items() if needed} == {
        r: {needed} for r, needed in ROUTES.items()
    }


def _permissions(dependant: Dependant) -> set[tuple[Permission, ...]]:
    found = {needed for each in dependant.dependencies for needed in _permissions(each)}
    if isinstance(dependant.call, Allowed):
        found.add((dependant.call.permission,))
    if isinstance(dependant.call, AllowedForSubmission | AllowedForRun):
        found.add((dependant.call.own, dependant.call.others))
    return found


@on_sqlite
def test_every_caller_is_answered_as_the_table_says(
    server: RunningServer, callers: list[Caller], submission_id: int, here: Members
) -> None:
    before = state(server, submission_id)
    refused = [
        (route, caller)
        for route in (*ROUTES, *SIGNED_IN, *ADMINS, *ANYBODY)
        for caller in callers
        if not set(caller.expected(route)) & set(DONE)
    ]

    statuses = {(route, caller.name): ask(server, route, caller, submission_id, here.slug) for route, caller in refused}

    assert {key: statuses[key] for key in statuses} == {
        (route, caller.name): caller.expected(route)[0] for route, caller in refused
    }
    assert len(statuses) > 80
    assert state(server, submission_id) == before


@on_sqlite
def test_every_caller_whom_the_table_allows_is_served(
    server: RunningServer, callers: list[Caller], submission_id: int, here: Members
) -> None:
    with server.services.database.writing() as session:  # so that following it ends
        session.exec(select(TicketRow)).one().state = TicketState.CANCELLED
    served = [
        (route, caller)
        for route in (*ROUTES, *SIGNED_IN, *ADMINS, *ANYBODY)
        for caller in callers
        if caller.expected(route) == DONE
    ]
    served.sort(key=lambda each: each[0][1].endswith("/release"))  # last: the submission waits again

    statuses = {}
    for route, caller in served:
        if route[1].endswith("/events"):
            with server.services.database.writing() as session:
                session.exec(select(TicketRow)).one().state = TicketState.CANCELLED
        statuses[route, caller.name] = ask(server, route, caller, submission_id, here.slug)

    unserved = {key: status for key, status in statuses.items() if status not in (*DONE, 503)}
    assert unserved == {}
    assert [key for key, status in statuses.items() if status == 503 and key[0][1] != "/readyz"] == []
    assert len(statuses) > 80


def test_the_manual_has_the_table() -> None:
    text = (Path(__file__).parents[3] / "docs" / "instructor.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    table = {tuple(line) for line in lines}

    for permission, roles in GRANTED.items():
        assert (permission.value, *("yes" if role in roles else "–" for role in Role)) in table


@on_sqlite
def test_an_admin_with_a_seat_may_hand_in(server: RunningServer, here: Members) -> None:
    with server.services.database.writing() as session:
        session.get_one(AccountRow, here.student.account).is_admin = True

    answer = here.student.submit_bytes(EMPTY_TENSORS)

    assert answer.status_code == 201
    assert here.student.get(f"{here.address}/analytics").status_code == 200


@on_sqlite
def test_a_refusal_names_the_roles(server: RunningServer, here: Members) -> None:
    answer = here.student.post(f"{here.address}/regrade")

    assert is_problem(answer, 403)
    assert "it takes an admin or an instructor" in answer.json()["detail"]
