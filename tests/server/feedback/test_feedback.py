"""Comments and overrides: who writes them, who reads them, and that nothing touches them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import col, select

from server.courses import courses
from server.database.table import now
from server.tables import AuditRow, CommentRow, CourseRow, OverrideRow, Role, SeatRow
from tests.support.servers import COURSE, FULL, Members, RunningServer, Student, is_problem

SQLITE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
ADDRESS = f"/api/v1/courses/{COURSE}"
POINTS = {"exercise": FULL, "points": 12.5, "reason": "Ill for a week."}


def assistant(server: RunningServer, section: str | None) -> Student:
    """An assistant who looks after a section."""
    with server.services.database.writing() as session:
        course = courses.find_course(session, COURSE)
        assert course is not None
        member = courses.enrol(session, course, f"Assistant of {section}", Role.ASSISTANT)
        session.get_one(SeatRow, (course.id, member.account.id)).section = section
    return Student(server.client, member.token, member.account.id)


def in_section(server: RunningServer, name: str, section: str) -> Student:
    """A student of a section, who has handed in nothing yet."""
    student = server.join(name)
    with server.services.database.writing() as session:
        session.get_one(SeatRow, (1, student.id)).section = section
    return student


def hand_in(student: Student) -> int:
    """A submission without any answer."""
    return int(student.submit_tensors({}).json()["id"])


def comment(author: Student, id: int, text: str = "Look at line 5.", **more: Any) -> Any:
    """Comment on a submission."""
    return author.post(f"/api/v1/submissions/{id}/comments", json={"text": text, **more})


def override(author: Student, student: Student, **changes: Any) -> Any:
    """Override a student's points."""
    return author.post(f"{ADDRESS}/overrides", json={"student": student.id, **POINTS, **changes})


def acts(server: RunningServer) -> list[tuple[str, int | None, int | None]]:
    """The acts of the audit log, each with its actor and its subject."""
    with server.services.database.reading() as session:
        entries = session.exec(select(AuditRow).order_by(col(AuditRow.id))).all()
    return [(entry.act, entry.actor_id, entry.subject_id) for entry in entries]


# -- comments ------------------------------------------------------------------------------------------------


def test_a_comment_is_read_by_its_student(server: RunningServer, student: Student) -> None:
    id, teacher = hand_in(student), server.instructor

    written = comment(teacher, id, "  Schön: d̶h.\r\n\tSee 25:07.  ", checkpoint="h")

    assert written.status_code == 201
    shown = student.get(f"/api/v1/submissions/{id}").json()["comments"]
    assert shown == [written.json()] == student.get(f"/api/v1/submissions/{id}/comments").json()["comments"]
    assert (shown[0]["text"], shown[0]["checkpoint"]) == ("Schön: d̶h.\n\tSee 25:07.", "h")
    assert shown[0]["author"] == {"id": teacher.account, "name": "Instructor"}
    assert acts(server) == [("comment.write", teacher.account, student.id)]


def test_a_withdrawn_comment_is_read_by_nobody(server: RunningServer, student: Student) -> None:
    id = hand_in(student)
    address = f"/api/v1/submissions/{id}/comments/{comment(server.instructor, id).json()['id']}"

    answers = [delete(server.instructor, address) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 404]
    assert student.get(f"/api/v1/submissions/{id}").json()["comments"] == []
    assert [act for act, _, _ in acts(server)] == ["comment.write", "comment.withdraw"]


def delete(caller: Student, address: str) -> Any:
    """DELETE as this account."""
    return caller.client.delete(address, headers={"Authorization": f"Bearer {caller.token}"})


def test_a_text_that_cannot_be_shown_is_refused(server: RunningServer, student: Student) -> None:
    id = hand_in(student)
    texts = ["", " \n ", "x" * 4001, "a\0b", "a\x1b[31mb", "a\x9bb", "right \u202e left"]

    answers = {text: comment(server.instructor, id, text) for text in texts}

    assert [text for text, answer in answers.items() if not is_problem(answer, 422)] == []
    assert acts(server) == []


@SQLITE
def test_half_a_letter_is_refused(server: RunningServer, student: Student) -> None:
    content = b'{"text": "\\ud800"}'
    headers = {"Content-Type": "application/json"}

    address = f"/api/v1/submissions/{hand_in(student)}/comments"
    answer = server.instructor.post(address, content=content, headers=headers)

    assert is_problem(answer, 422)


def test_the_longest_comment_is_kept(server: RunningServer, student: Student) -> None:
    text = "\N{FACE WITH TEARS OF JOY}" * 4000

    assert comment(server.instructor, hand_in(student), text).json()["text"] == text


@SQLITE
def test_a_comment_is_of_a_step_of_the_exercise(server: RunningServer, student: Student) -> None:
    answer = comment(server.instructor, hand_in(student), checkpoint="nonsense")
    slip = comment(server.instructor, hand_in(student), checkpint="hpreact")

    assert is_problem(answer, 422) and "It has: logprobs" in answer.json()["detail"]
    assert is_problem(slip, 422)  # it would be a comment on the whole submission


@SQLITE
def test_students_and_strangers_write_none(server: RunningServer, student: Student, there: Members) -> None:
    id = hand_in(student)

    answers = [comment(caller, id) for caller in (student, server.join("Bob"), there.instructor)]

    assert [answer.status_code for answer in answers] == [403, 404, 404]
    assert acts(server) == []


@SQLITE
def test_an_assistant_comments_in_their_section(server: RunningServer) -> None:
    ids = [hand_in(in_section(server, name, name)) for name in ("Anna", "Bela")]
    of_anna = assistant(server, "Anna")

    one_by_one = [comment(of_anna, id).status_code for id in ids]
    together = of_anna.post(f"{ADDRESS}/comments", json={"submissions": ids, "text": "Alike."})
    own = of_anna.post(f"{ADDRESS}/comments", json={"submissions": ids[:1], "text": "Alike."})

    assert one_by_one == [201, 404]
    assert is_problem(together, 404) and f"no submission {ids[1]} " in together.json()["detail"]
    assert own.status_code == 201
    assert [act for act, _, _ in acts(server)] == ["comment.write"] * 2


@SQLITE
def test_an_assistant_withdraws_only_their_own(server: RunningServer, student: Student) -> None:
    id, helper = hand_in(student), assistant(server, None)
    ids = [comment(author, id).json()["id"] for author in (server.instructor, helper, helper)]

    statuses = [
        delete(caller, f"/api/v1/submissions/{id}/comments/{each}").status_code
        for caller, each in zip((helper, helper, server.instructor), ids, strict=True)
    ]

    assert statuses == [403, 200, 200]
    assert [each["id"] for each in student.get(f"/api/v1/submissions/{id}").json()["comments"]] == ids[:1]


def test_one_comment_answers_a_cluster(server: RunningServer, student: Student, there: Members) -> None:
    ids = [hand_in(each) for each in (student, server.join("Bob"), student)]
    body = {"submissions": [*ids, ids[0]], "checkpoint": "h", "text": "A sum is missing."}
    elsewhere = hand_in(there.student)

    refused = server.instructor.post(f"{ADDRESS}/comments", json=body | {"submissions": [*ids, elsewhere]})
    written = server.instructor.post(f"{ADDRESS}/comments", json=body)

    assert is_problem(refused, 404)
    assert [each["submission"] for each in written.json()["comments"]] == ids
    with server.services.database.reading() as session:
        assert len(session.exec(select(CommentRow)).all()) == 3
    assert len(acts(server)) == 3


# -- overrides -----------------------------------------------------------------------------------------------


def test_an_override_is_seen_by_its_student_with_the_reason(server: RunningServer, student: Student) -> None:
    id, teacher = hand_in(student), server.instructor

    answer = override(teacher, student)

    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["points"], body["reason"], body["author"]["name"]) == (12.5, "Ill for a week.", "Instructor")
    assert student.get(f"/api/v1/submissions/{id}").json()["override"] == body
    assert student.get(f"{ADDRESS}/overrides").json()["overrides"] == [body]
    assert student.get(f"{ADDRESS}/exercises/{FULL}").json()["override"] == body
    assert teacher.get(f"{ADDRESS}/exercises/{FULL}").json()["override"] is None
    assert server.join("Bob").get(f"{ADDRESS}/overrides").json()["overrides"] == []
    assert acts(server) == [("override.set", teacher.account, student.id)]


def test_a_second_override_takes_the_place_of_the_first(server: RunningServer, student: Student) -> None:
    first = override(server.instructor, student).json()["id"]
    second = override(server.instructor, student, points=0).json()["id"]
    assert [each["id"] for each in student.get(f"{ADDRESS}/overrides").json()["overrides"]] == [second]

    answers = [delete(server.instructor, f"{ADDRESS}/overrides/{id}") for id in (first, second)]

    assert [answer.status_code for answer in answers] == [404, 200]
    assert student.get(f"{ADDRESS}/overrides").json()["overrides"] == []  # the first does not come back
    with server.services.database.reading() as session:
        logged = session.exec(select(AuditRow.before, AuditRow.after).order_by(col(AuditRow.id))).all()
        assert len(session.exec(select(OverrideRow)).all()) == 2
    assert logged == [
        (None, {"points": 12.5, "override": first}),
        ({"points": 12.5}, {"points": 0.0, "override": second}),
        ({"points": 0.0, "override": second}, None),
    ]


@SQLITE
def test_an_override_that_cannot_be_is_refused(server: RunningServer, student: Student) -> None:
    refused: list[dict[str, Any]] = [
        {"points": -1},
        {"points": 26.5},
        {"points": "many"},
        {"reason": " "},
        {"reason": "a\nb"},
        {"reason": "x" * 501},
    ]

    answers = [override(server.instructor, student, **changes) for changes in refused]

    assert all(is_problem(answer, 422) for answer in answers)
    assert is_problem(override(server.instructor, student, exercise="a/b"), 404)
    assert acts(server) == []


@SQLITE
def test_points_are_finite(server: RunningServer, student: Student) -> None:
    for points in ("NaN", "Infinity"):
        content = f'{{"student": {student.id}, "exercise": "{FULL}", "reason": "Ill.", "points": {points}}}'
        headers = {"Content-Type": "application/json"}

        answer = server.instructor.post(f"{ADDRESS}/overrides", content=content, headers=headers)

        assert is_problem(answer, 422)


@SQLITE
def test_only_students_have_points(server: RunningServer, student: Student, there: Members) -> None:
    with server.services.database.writing() as session:
        session.get_one(SeatRow, (1, student.id)).removed_at = now()

    answers = [override(server.instructor, each) for each in (student, there.student, assistant(server, None))]

    assert all(is_problem(answer, 404) for answer in answers)


@SQLITE
def test_a_student_asks_for_nobody_elses_override(server: RunningServer, student: Student) -> None:
    answer = server.join("Bob").get(f"{ADDRESS}/overrides", params={"student": student.id})

    assert is_problem(answer, 403)


@SQLITE
def test_an_assistant_lists_the_overrides_of_their_section(server: RunningServer) -> None:
    students = [in_section(server, name, name) for name in ("Anna", "Bela")]
    for each in students:
        assert override(server.instructor, each).status_code == 201

    found = assistant(server, "Bela").get(f"{ADDRESS}/overrides").json()["overrides"]

    assert [each["student"]["name"] for each in found] == ["Bela"]


# -- both ----------------------------------------------------------------------------------------------------


@SQLITE
def test_an_archived_course_takes_neither(server: RunningServer, student: Student) -> None:
    id = hand_in(student)
    written, given = comment(server.instructor, id).json(), override(server.instructor, student).json()
    with server.services.database.writing() as session:
        session.get_one(CourseRow, 1).archived_at = now()

    answers = [
        comment(server.instructor, id),
        server.instructor.post(f"{ADDRESS}/comments", json={"submissions": [id], "text": "Alike."}),
        delete(server.instructor, f"/api/v1/submissions/{id}/comments/{written['id']}"),
        override(server.instructor, student),
        delete(server.instructor, f"{ADDRESS}/overrides/{given['id']}"),
    ]

    assert {answer.json()["type"] for answer in answers} == {"urn:dojo:problem:archived"}
    assert student.get(f"/api/v1/submissions/{id}").json()["comments"] == [written]


def test_no_regrade_touches_them(server: RunningServer, student: Student) -> None:
    id = hand_in(student)
    comment(server.instructor, id)
    override(server.instructor, student)
    before = student.get(f"/api/v1/submissions/{id}").json()

    server.grade_again(id, "h", verdict="exact", exact=True)

    after = student.get(f"/api/v1/submissions/{id}").json()
    assert after["grade"] != before["grade"]
    assert (after["comments"], after["override"]) == (before["comments"], before["override"])
