"""A submission with its student and its place in their work, and lists of submissions."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from sqlalchemy import event

from server.courses import courses
from server.database.table import now
from server.tables import Role, SeatRow
from tests.support.servers import COURSE, FULL, Members, RunningServer, Student, is_problem

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
LIST = f"/api/v1/courses/{COURSE}/submissions"


def seat(server: RunningServer, account_id: int, **values: Any) -> None:
    """Change the seat of an account."""
    with server.services.database.writing() as session:
        row = session.get_one(SeatRow, (1, account_id))
        for name, value in values.items():
            setattr(row, name, value)


def assistant(server: RunningServer, section: str) -> Student:
    """An assistant who looks after a section."""
    with server.services.database.writing() as session:
        course = courses.find_course(session, COURSE)
        assert course is not None
        member = courses.enrol(session, course, f"Assistant of {section}", Role.ASSISTANT)
        session.get_one(SeatRow, (course.id, member.account.id)).section = section
    return Student(server.client, member.token, member.account.id)


def listed(caller: Student, **query: Any) -> list[int]:
    """The ids of a list, the newest first."""
    answer = caller.get(LIST, params=query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["submissions"]]


def test_staff_and_author_read_it_with_its_student(server: RunningServer, student: Student) -> None:
    seat(server, student.id, university_id="s-17", section="Tuesday")
    id = student.submit_tensors({}).json()["id"]

    bodies = [caller.get(f"/api/v1/submissions/{id}").json() for caller in (server.instructor, student)]

    expected = {"id": student.id, "name": "Ada", "university_id": "s-17", "section": "Tuesday"}
    assert [body["student"] for body in bodies] == [expected, expected]


def test_a_timeline_tells_what_changed(server: RunningServer, student: Student) -> None:
    zeros = {"dcounts": torch.zeros(32, 27), "dprobs": torch.zeros(32, 27)}
    first = student.submit_tensors(zeros).json()["id"]
    server.join("Bob").submit_tensors({})
    student.submit_tensors({"dlogits": torch.zeros(32, 27)}, exercise="makemore/cross-entropy")
    second = student.submit_tensors({"dcounts": torch.zeros(32, 27), "dh": torch.zeros(32, 64)}).json()["id"]
    third = student.submit_tensors({}).json()["id"]

    shown = [student.get(f"/api/v1/submissions/{id}").json()["timeline"] for id in (first, second, third)]

    assert [(each["previous"], each["next"], each["attempts"]) for each in shown] == [
        (None, second, 3),
        (first, third, 3),
        (second, None, 3),
    ]
    assert shown[0]["changes"] == []
    assert shown[1]["changes"] == [
        {"name": "probs", "before": "wrong", "after": "missing"},
        {"name": "h", "before": "missing", "after": "wrong"},
    ]


def test_reading_one_reads_its_diagnoses_once(server: RunningServer, student: Student) -> None:
    for _ in range(2):
        id = student.submit_tensors({"dcounts": torch.zeros(32, 27)}).json()["id"]
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)

    event.listen(server.services.database.engine, "before_cursor_execute", note)
    student.get(f"/api/v1/submissions/{id}")
    event.remove(server.services.database.engine, "before_cursor_execute", note)

    assert [sum(column in each for each in asked) for column in ("comparison.verdict", "diagnosis")] == [2, 1]
    assert sum(not each.startswith("BEGIN") for each in asked) == 10


def test_what_waits_has_a_timeline_without_changes(server: RunningServer, student: Student) -> None:
    first = student.submit_tensors({}).json()["id"]
    server.services.dispatcher.stop()
    id = student.submit_code("dlogits = 1", wait=0).json()["id"]

    shown = student.get(f"/api/v1/submissions/{id}").json()["timeline"]

    assert shown == {"previous": first, "next": None, "attempts": 2, "changes": []}


def test_staff_list_everybodys_submissions(server: RunningServer, student: Student, there: Members) -> None:
    bob = server.join("Bob")
    ids = [each.submit_tensors({}).json()["id"] for each in (student, bob, student)]
    ids.append(bob.submit_tensors({}, exercise="makemore/cross-entropy").json()["id"])
    there.student.submit_tensors({})
    teacher = server.instructor

    assert listed(teacher) == ids[::-1]
    assert listed(teacher, student=bob.id) == [ids[3], ids[1]]
    assert listed(teacher, student=bob.id, exercise=FULL) == [ids[1]]
    assert listed(teacher, before=ids[2]) == [ids[1], ids[0]]
    assert listed(teacher, before=ids[3], limit=2) == [ids[2], ids[1]]
    assert listed(teacher, student="me") == []
    assert teacher.get(LIST).json()["submissions"][0]["student"]["name"] == "Bob"


def test_a_student_lists_their_own(server: RunningServer, student: Student) -> None:
    bob = server.join("Bob")
    ids = [each.submit_tensors({}).json()["id"] for each in (student, bob)]

    assert listed(bob) == listed(bob, student=bob.id) == listed(bob, student="me") == ids[1:]
    assert is_problem(bob.get(LIST, params={"student": student.id}), 403)


def test_an_assistant_lists_their_section(server: RunningServer, student: Student) -> None:
    bob = server.join("Bob")
    seat(server, bob.id, section="Tuesday")
    ids = [each.submit_tensors({}).json()["id"] for each in (student, bob)]
    helper = assistant(server, "Tuesday")

    assert listed(helper) == ids[1:]
    assert listed(helper, student=student.id) == []
    assert is_problem(helper.get(f"/api/v1/submissions/{ids[0]}"), 404)


def test_who_was_removed_is_in_no_list(server: RunningServer, student: Student) -> None:
    id = student.submit_tensors({}).json()["id"]
    seat(server, student.id, removed_at=now())

    assert listed(server.instructor) == []
    assert server.instructor.get(f"/api/v1/submissions/{id}").status_code == 200


def test_a_file_name_that_cannot_be_shown_is_refused(student: Student) -> None:
    address = f"/api/v1/courses/{COURSE}/exercises/{FULL}/submissions"
    for name in ("a\x85b.py", "a\u202eyp.b", "a\u2028b.py", "\ufeffa.py", "x" * 256, ""):
        answer = student.post(address, json={"filename": name, "source": ""})

        assert is_problem(answer, 422), ascii(name)
