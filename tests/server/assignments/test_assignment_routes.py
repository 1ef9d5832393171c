"""Assignments and extensions over REST: versions, previews, and a sentence for what is refused."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
import pytest

from server.tables import SeatRow
from tests.support.servers import FULL, Members, RunningServer, Student, is_problem

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

LOSS = "makemore/cross-entropy"
DUE, LATER = "2099-12-01T22:59:00Z", "2099-12-08T22:59:00Z"


def put(members: Members, exercise: str = FULL, query: str = "", **body: Any) -> httpx.Response:
    return members.instructor.request("PUT", f"{members.address}/assignments/{exercise}{query}", json=body)


def listed(caller: Student, members: Members, what: str = "assignments") -> list[dict[str, Any]]:
    body = caller.get(f"{members.address}/{what}").json()
    return list(body[what])


def test_an_assignment_is_made_changed_and_removed(here: Members) -> None:
    address = f"{here.address}/assignments/{FULL}"
    preview = put(here, query="?preview=true", due_at=DUE)
    made = put(here, due_at=DUE, late_policy="daily", late_per_day=0.1)
    changed = here.instructor.request("PATCH", address, json={"due_at": "2099-12-02T00:59:00+02:00", "points": 10})
    read = here.instructor.get(address)
    removed = here.instructor.request("DELETE", address)

    assert (preview.status_code, preview.json()["is_preview"]) == (200, True)
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    assert made.json()["impact"]["sentence"] == "Nobody's points change."
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    body = read.json()
    assert (body["due_at"], body["points"], body["version"], body["position"]) == (DUE, 10, 2, 1)
    assert body["late"] == "Each day late takes 10 % of the points."
    assert removed.status_code == 200
    assert listed(here.instructor, here) == []


def test_an_outdated_version_is_refused(here: Members) -> None:
    address = f"{here.address}/assignments/{FULL}"
    put(here)

    for headers, body, status in (
        ({"If-Match": '"2"'}, {}, 412),
        ({}, {"version": 0}, 412),
        ({"If-Match": "new"}, {}, 422),
        ({"If-Match": '"1"'}, {"points": 1}, 200),
        ({"If-Match": '"1"'}, {"points": 2}, 412),
        ({"If-Match": "*"}, {"points": 3}, 200),
    ):
        answer = here.instructor.request("PATCH", address, json=body, headers=headers)
        assert answer.status_code == status
        assert status == 200 or is_problem(answer, status)
    assert is_problem(here.instructor.request("DELETE", address, headers={"If-Match": '"1"'}), 412)


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"opens_at": LATER, "due_at": DUE}, "opens_at must be before due_at."),
    ({"points": 0}, "points must be above 0"),
    ({"position": 0}, "position counts from 1."),
    ({"checkpoint_points": {"x": 2}}, "names no checkpoint with 'x'"),
    ({"late_policy": "never"}, "body.late_policy"),
    ({"due_at": "2099-12-01T22:59:00"}, "timezone"),
    ({"due": DUE}, "body.due: Extra inputs are not permitted"),
    ({"late_policy": None}, "body.late_policy"),
)


def test_what_no_assignment_can_have_is_refused(here: Members) -> None:
    for body, sentence in REFUSED:
        answer = put(here, **body)

        assert is_problem(answer, 422)
        assert sentence in answer.json()["detail"]
    assert listed(here.instructor, here) == []


def test_the_order_is_changed_whole(here: Members) -> None:
    put(here)
    put(here, LOSS)
    address = f"{here.address}/assignments"

    moved = here.instructor.request("PUT", address, json={"exercises": [LOSS, FULL]})
    refused = here.instructor.request("PUT", address, json={"exercises": [LOSS]})

    assert [each["exercise"] for each in moved.json()["assignments"]] == [LOSS, FULL]
    assert is_problem(refused, 422)
    assert [each["exercise"] for each in listed(here.instructor, here)] == [LOSS, FULL]


def test_an_assistant_extends_within_their_section(server: RunningServer, here: Members) -> None:
    put(here, due_at=DUE)
    assistant = server.join("Zoe")
    with server.services.database.writing() as session:
        for student, role, section in ((assistant, "assistant", "B"), (here.student, "student", "A")):
            seat = session.get_one(SeatRow, (1, student.account))
            seat.role, seat.section = role, section  # type: ignore[assignment]
    wanted = {"exercise": FULL, "due_at": LATER, "reason": "ill", "person": here.student.account}
    address = f"{here.address}/extensions"

    preview = here.instructor.post(f"{address}?preview=true", json=wanted)
    refused = assistant.post(address, json=wanted)
    granted = here.instructor.post(address, json=wanted)
    revoked_by_assistant = assistant.request("DELETE", f"{address}/{granted.json()['extension']['id']}")

    assert (preview.status_code, preview.json()["extension"]) == (200, None)
    assert is_problem(refused, 403)
    extension = granted.json()["extension"]
    assert (extension["person"]["name"], extension["section"], extension["due_at"]) == ("Ada", "A", LATER)
    assert is_problem(revoked_by_assistant, 404)
    assert listed(assistant, here, "extensions") == []
    assert [each["id"] for each in listed(here.instructor, here, "extensions")] == [extension["id"]]
    (entry,) = here.instructor.get(f"{here.address}/audit?act=extension").json()["entries"]
    assert (entry["actor"]["name"], entry["subject"]["name"], entry["reason"]) == ("Instructor", "Ada", "ill")
