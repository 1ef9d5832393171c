"""Coming into a course over HTTP: one account for many courses, personal links, codes that end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import func, select

from server.courses import courses
from server.courses import join_codes as codes
from server.courses.access import OPERATOR
from server.courses.join_codes import ClosedJoinCode, CodeTerms
from server.database.engine import Database
from server.database.table import now
from server.people import join_codes
from server.tables import AccountRow, AuditRow, SeatRow
from tests.server.people.conftest import Class
from tests.support.servers import Members, RunningServer, Student, is_problem, join_code_of

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def code_there(server: RunningServer, there: Members) -> str:
    """The join code of the second course."""
    with server.services.database.reading() as session:
        course = courses.find_course(session, there.slug)
        assert course is not None
        return join_code_of(session, course)


def accounts_of(database: Database) -> int:
    """How many accounts there are."""
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(AccountRow)).one()


def test_joining_with_a_token_adds_one_seat(server: RunningServer, there: Members, student: Student) -> None:
    code, before = code_there(server, there), accounts_of(server.services.database)

    answers = [student.post("/api/v1/join", json={"code": code}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert (
        answers[0].json()
        == answers[1].json()
        == {
            "token": None,
            "student": {"id": student.id, "name": "Ada"},
            "course": {"slug": "autumn", "title": "Autumn"},
            "warning": None,
        }
    )
    mine = student.get("/api/v1/me").json()["courses"]
    assert [(course["slug"], course["role"]) for course in mine] == [("autumn", "student"), ("backprop", "student")]
    assert accounts_of(server.services.database) == before
    listed = there.instructor.get(f"{there.address}/join-codes").json()["join_codes"]
    assert [(each["uses"], each["state"]) for each in listed] == [(1, "open")]


@on_sqlite
def test_a_bad_token_joins_nothing(server: RunningServer) -> None:
    headers = {"Authorization": "Bearer dojo_nonsense"}
    body = {"code": server.join_code, "name": "Ada"}

    assert is_problem(server.client.post("/api/v1/join", json=body, headers=headers), 401)
    assert is_problem(server.client.post("/api/v1/join", json={"code": server.join_code}), 422)


@on_sqlite
def test_who_was_removed_is_told_so(server: RunningServer, here: Members) -> None:
    removed = here.instructor.request("DELETE", f"{here.address}/people/{here.student.id}?reason=left")
    assert removed.status_code == 200

    assert is_problem(here.student.get(f"{here.address}/exercises"), 404)
    answer = here.student.post("/api/v1/join", json={"code": server.join_code})
    assert is_problem(answer, 403)
    assert "put you back" in answer.json()["detail"]

    back = here.instructor.request("PATCH", f"{here.address}/people/{here.student.id}", json={"removed": False})
    assert (back.status_code, back.json()["person"]["removed_at"]) == (200, None)
    assert here.student.get(f"{here.address}/exercises").status_code == 200


@on_sqlite
def test_a_personal_link_is_opened_over_http(server: RunningServer, here: Members, there: Members) -> None:
    roster = b"name;e-mail;section\nEve;eve@example.org;A\nMallory;mal@example.org;A\n"
    headers = {"Content-Type": "text/csv"}
    first = here.instructor.post(f"{here.address}/people/import?dry_run=true", content=roster, headers=dict(headers))
    assert (first.json()["dry_run"], first.json()["links"], len(first.json()["added"])) == (True, [], 2)
    answer = here.instructor.post(f"{here.address}/people/import", content=roster, headers=dict(headers))
    links = {link["person"]["name"]: link["link"] for link in answer.json()["links"]}
    assert links["Eve"].startswith("http://testserver/join#join_")
    code = {name: link.rpartition("#")[2] for name, link in links.items()}

    opened = server.client.post("/api/v1/open-invitation", json={"code": code["Eve"]})
    merged = there.student.post("/api/v1/open-invitation", json={"code": code["Mallory"]})

    assert opened.json()["student"]["name"] == "Eve"
    eve = Student(server.client, opened.json()["token"])
    assert eve.get("/api/v1/me").json()["courses"][0]["slug"] == here.slug
    assert (merged.json()["token"], merged.json()["student"]["id"]) == (None, there.student.id)
    assert len(there.student.get("/api/v1/me").json()["courses"]) == 2
    assert is_problem(server.client.post("/api/v1/open-invitation", json={"code": code["Eve"]}), 404)
    page = server.client.get("/join")
    assert "dojo join" in page.text and page.headers["Referrer-Policy"] == "same-origin"
    again = here.instructor.post(f"{here.address}/people/import?format=csv", content=roster, headers=dict(headers))
    assert (again.headers["content-type"], again.text.count("\n")) == ("text/csv; charset=utf-8", 1)


@on_sqlite
def test_a_key_is_shown_with_its_owner(here: Members, there: Members) -> None:
    address = f"{here.address}/people/{here.student.id}"

    code = here.instructor.post(f"{address}/pairing-code", json={}).json()
    token = here.instructor.post(f"{address}/token", json={"revoke_old": True}).json()

    assert token["person"]["name"] == code["person"]["name"] == "Ada"
    assert (token["course"]["slug"], token["person"]["role"], token["revoked"]) == (here.slug, "student", 1)
    assert is_problem(here.student.get("/api/v1/me"), 401)
    assert Student(here.student.client, token["token"]).get("/api/v1/me").json()["id"] == here.student.id
    assert is_problem(here.student.client.post("/api/v1/pair", json={"code": code["code"]}), 404)
    assert is_problem(here.instructor.post(f"{here.address}/people/{there.student.id}/token", json={}), 404)


@on_sqlite
def test_an_assistant_sees_their_section_alone(server: RunningServer, here: Members) -> None:
    other, tom = server.join("Bob"), server.join("Tom")
    for id, change in (
        (here.student.id, {"section": "A"}),
        (other.id, {"section": "B"}),
        (tom.id, {"section": "A", "role": "assistant"}),
    ):
        answer = here.instructor.request("PATCH", f"{here.address}/people/{id}", json=change)
        assert answer.status_code == 200, answer.text

    seen = tom.get(f"{here.address}/people").json()
    assert ([person["name"] for person in seen["people"]], seen["total"]) == (["Ada", "Tom"], 2)
    assert is_problem(tom.get(f"{here.address}/people?section=B"), 403)
    page = here.instructor.get(f"{here.address}/people?limit=1&offset=1&role=student").json()
    assert ([person["name"] for person in page["people"]], page["total"]) == (["Bob"], 2)


@on_sqlite
def test_an_archived_course_takes_nobody_in(server: RunningServer, student: Student, there: Members) -> None:
    code = code_there(server, there)
    with server.services.database.writing() as session:
        course = courses.find_course(session, there.slug)
        assert course is not None
        course.archived_at = now()

    for answer in (
        student.post("/api/v1/join", json={"code": code}),
        server.client.post("/api/v1/join", json={"code": code, "name": "Eve"}),
        there.instructor.post(f"{there.address}/people", json={"name": "Eve"}),
    ):
        assert is_problem(answer, 403)
    assert accounts_of(server.services.database) == 4


# -- join codes -------------------------------------------------------------------------------------------------


def test_several_codes_have_an_end_a_limit_and_a_section(class_: Class) -> None:
    session, course = class_.session, class_.course
    limited = join_codes.make(session, course, OPERATOR, CodeTerms(section=" A ", uses_max=1))
    short = join_codes.make(session, course, OPERATOR, CodeTerms(expires_at=now() + timedelta(hours=1)))

    ada = courses.join(session, limited.code, "Ada").account
    with pytest.raises(ClosedJoinCode, match="used up"):
        courses.join(session, limited.code, "Bob")
    courses.join(session, short.code, "Bob")
    join_codes.change(session, course, OPERATOR, short.id, {}, closed=True)
    with pytest.raises(ClosedJoinCode, match="closed"):
        courses.join(session, short.code, "Cleo")
    join_codes.change(session, course, OPERATOR, short.id, {}, closed=False)
    courses.join(session, short.code, "Cleo")
    join_codes.revoke(session, course, OPERATOR, short.id)
    with pytest.raises(codes.UnknownJoinCode):
        courses.join(session, short.code, "Dan")

    assert session.get_one(SeatRow, (course.id, ada.id)).section == "A"
    states = {code.id: codes.state_of(code).value for code in codes.list_codes(session, course)}
    assert (states[limited.id], states[short.id]) == ("used up", "revoked")
    assert [act for act, _ in class_.log] == ["join_code.make"] * 2 + ["join_code.change"] * 2 + ["join_code.revoke"]


@on_sqlite
def test_an_account_in_the_course_uses_no_code_up(class_: Class) -> None:
    code = join_codes.make(class_.session, class_.course, OPERATOR, CodeTerms(uses_max=1))

    joined = courses.join_with_account(class_.session, code.code, class_.instructor.id)

    assert (joined.is_new, codes.state_of(code).value) == (False, "open")


@on_sqlite
def test_the_shown_code_is_open_and_for_everybody(class_: Class) -> None:
    first = codes.find_current(class_.session, class_.course)
    join_codes.make(class_.session, class_.course, OPERATOR, CodeTerms(section="A"))
    assert codes.find_current(class_.session, class_.course) is first

    second = codes.replace(class_.session, class_.course)

    assert codes.find_current(class_.session, class_.course) is second
    assert first is not None and first.revoked_at is not None


def test_an_end_and_a_reason_are_kept_on_both_databases(server: RunningServer, here: Members) -> None:
    terms = {"expires_at": "2030-01-01T00:00:00+05:00", "uses_max": 5}
    made = here.instructor.post(f"{here.address}/join-codes", json=terms).json()
    listed = here.instructor.get(f"{here.address}/join-codes").json()["join_codes"][0]
    assert made["id"] == listed["id"]
    assert listed["expires_at"] == "2029-12-31T19:00:00Z"

    body = {"into": here.instructor.account, "reason": "typed\0 twice"}
    assert here.instructor.post(f"{here.address}/people/{here.student.id}/merge", json=body).status_code == 200
    with server.services.database.reading() as session:
        assert session.exec(select(AuditRow.reason).where(AuditRow.act == "people.merge")).one() == "typed twice"
    too_large = f"{here.address}/people/{10**20}/merge"
    assert is_problem(here.instructor.post(too_large, json=body), 422)


@on_sqlite
def test_an_end_in_the_past_is_refused(class_: Class) -> None:
    with pytest.raises(join_codes.BadEnd):
        join_codes.make(class_.session, class_.course, OPERATOR, CodeTerms(expires_at=now()))


@on_sqlite
def test_an_end_beyond_all_terms_is_refused(here: Members) -> None:
    answer = here.instructor.post(f"{here.address}/join-codes", json={"expires_at": "9999-12-31T23:59:59-12:00"})

    assert is_problem(answer, 422)
