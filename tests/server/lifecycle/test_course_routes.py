"""Courses over REST: opened by admins, changed, copied, archived and removed by who is responsible."""

from __future__ import annotations

import pytest
from sqlmodel import select

from server.tables import AccountRow, CourseRow
from tests.support.servers import Members, RunningServer, Student, is_problem

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def test_an_admin_opens_a_course_and_teaches_it(server: RunningServer, here: Members) -> None:
    with server.services.database.writing() as session:
        session.get_one(AccountRow, here.instructor.account).is_admin = True
    wanted = {"slug": "spring", "title": " Spring  2027 ", "time_zone": "Europe/Berlin"}

    answer = here.instructor.post("/api/v1/courses", json=wanted)
    again = here.instructor.post("/api/v1/courses", json=wanted)

    assert answer.status_code == 201
    assert (answer.json()["title"], answer.json()["time_zone"]) == ("Spring 2027", "Europe/Berlin")
    assert is_problem(again, 409)
    assert "spring" in [each["slug"] for each in here.instructor.get("/api/v1/me").json()["courses"]]
    for wrong in ({"title": "x" * 300}, {"slug": "A b"}, {"time_zone": "Berlin"}, {"title": "a\0b"}):
        assert is_problem(here.instructor.post("/api/v1/courses", json=wanted | {"slug": "other"} | wrong), 422)


def test_a_course_is_changed_archived_and_reopened(server: RunningServer, here: Members) -> None:
    def patch(query: str = "", **body: object) -> int:
        return here.instructor.request("PATCH", f"{here.address}{query}", json=body).status_code

    assert patch(title="Backprop", time_zone="Europe/Berlin") == 200
    assert patch("?preview=true", title="Other") == 200
    assert patch(title="x" * 201) == 422
    assert patch(inherited_share=None) == 422
    assert patch(is_archived=True) == 200
    assert patch(title="Late") == 403
    assert here.instructor.request("PUT", f"{here.address}/assignments", json={"exercises": []}).status_code == 403
    read = here.student.get(here.address).json()
    assert (read["title"], read["time_zone"], read["archived_at"] is None) == ("Backprop", "Europe/Berlin", False)
    assert patch(is_archived=False, title="Late") == 200


def test_a_course_is_copied_and_its_copy_removed(server: RunningServer, here: Members) -> None:
    copied = here.instructor.post(f"{here.address}/copy", json={"slug": "spring", "shift_days": 182})
    there = Student(server.client, here.instructor.token, course="spring")

    unconfirmed = there.request("DELETE", there.address)
    removed = there.request("DELETE", f"{there.address}?confirm=spring")

    assert (copied.status_code, copied.json()["assignments"]) == (201, 0)
    assert is_problem(unconfirmed, 409)
    assert removed.status_code == 204
    assert is_problem(there.get(there.address), 404)
    with server.services.database.reading() as session:
        assert session.exec(select(CourseRow.slug)).all() == [here.slug]


def test_the_audit_log_comes_in_pages(server: RunningServer, here: Members) -> None:
    for title in ("One", "Two", "Three"):
        here.instructor.request("PATCH", here.address, json={"title": title})

    first = here.instructor.get(f"{here.address}/audit?limit=2").json()
    second = here.instructor.get(f"{here.address}/audit?limit=2&before={first['next']}").json()

    assert [each["after"]["title"] for each in first["entries"]] == ["Three", "Two"]
    assert ([each["after"]["title"] for each in second["entries"]], second["next"]) == (["One"], None)
    assert is_problem(here.instructor.get(f"{here.address}/audit?limit=0"), 422)
