"""Progress: the best of everybody, for staff; one's own, for a student."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest
import torch
from sqlalchemy import event
from sqlmodel import Session

from server.tables import AccountRow, ProgressRow, SeatRow
from tests.support.packs import default_exercises
from tests.support.servers import FULL, Members, RunningServer, Student, csv_lines, gradients, is_problem

PROGRESS = "/api/v1/courses/backprop/progress"


def cells(student: Student, **params: str) -> dict[str, dict[str, object]]:
    """Checkpoint → cell, of the only row."""
    told = student.get(PROGRESS, params={"exercise": FULL} | params).json()
    (row,) = told["rows"]
    names = [column["checkpoint"] for column in told["columns"]]
    return dict(zip(names, row["cells"], strict=True))


def test_the_best_is_kept_and_attempts_are_counted(student: Student) -> None:
    right = gradients(student.state())["dlogits"]
    near = right + 1e-9
    for tensor in (torch.zeros(3, 5), right * 2, near, right * 2, right, near):
        student.submit_tensors({"dlogits": tensor})
    cell = cells(student)["logits"]
    third = student.get("/api/v1/courses/backprop/submissions").json()["submissions"][-3]
    assert (cell["best"], cell["attempts"]) == ("exact", 6)
    assert _moment(cell["first_passed_at"]) == _moment(third["created_at"])
    assert cells(student)["h"] is None


def _moment(text: object) -> datetime:
    assert isinstance(text, str)
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    return moment


@pytest.mark.parametrize(
    ("worse", "better"),
    [("zeros(3, 5)", "zeros(32, 27)"), ("full((32, 27), float('nan'))", "zeros(32, 27)")],
)
def test_a_better_verdict_replaces_a_worse_one(student: Student, worse: str, better: str) -> None:
    for text in (worse, better, worse):
        student.submit_tensors({"dlogits": eval(f"torch.{text}")})
    assert cells(student)["logits"]["best"] == "wrong"
    assert cells(student)["logits"]["first_passed_at"] is None


def test_staff_see_the_class_and_a_student_their_own_row(server: RunningServer, student: Student) -> None:
    bob = server.join("Bob")
    student.submit_tensors(gradients(student.state()))
    seen = server.instructor.get(PROGRESS).json()
    assert seen["course"] == "backprop"
    assert seen["columns"][0] == {"exercise": FULL, "checkpoint": "logprobs"}
    assert len(seen["columns"]) == sum(len(each.checkpoints) for each in default_exercises().values())
    assert [row["student"] for row in seen["rows"]] == [
        {"id": student.id, "name": "Ada"},
        {"id": bob.id, "name": "Bob"},
    ]
    assert seen["rows"][0]["cells"][0]["best"] == "exact"
    assert seen["rows"][1]["cells"] == [None] * len(seen["columns"])
    assert bob.get(PROGRESS).json()["rows"] == seen["rows"][1:]


def test_one_course_is_not_seen_from_another(server: RunningServer, student: Student) -> None:
    assert is_problem(student.get("/api/v1/courses/other/progress"), 404)
    assert is_problem(server.client.get(PROGRESS), 401)
    assert is_problem(student.get(PROGRESS, params={"exercise": "makemore/nothing"}), 404)
    assert is_problem(student.get(PROGRESS, params={"format": "xml"}), 422)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_class_is_of_one_course(here: Members, there: Members) -> None:
    for members in (here, there):
        members.student.submit_tensors({"dh": torch.zeros(32, 64)})

    for members in (here, there):
        address = f"{members.address}/progress"
        for reader in (members.instructor, members.student):
            rows = reader.get(address).json()["rows"]
            lines = csv_lines(reader.get(address, params={"format": "csv"}))
            assert [row["student"]["id"] for row in rows] == [members.student.id]
            assert [line["student_id"] for line in lines] == [str(members.student.id)]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_one_account_has_a_row_of_its_own_in_each_course(server: RunningServer, here: Members, there: Members) -> None:
    abroad = server.seat(here.student, there.slug)
    abroad.submit_tensors({"dh": torch.zeros(32, 64)})
    here.student.submit_tensors({"dlogits": torch.zeros(32, 27)})

    for members, mine, name in ((here, here.student, "logits"), (there, abroad, "h")):
        for reader in (members.instructor, mine):
            answer = reader.get(f"{members.address}/progress", params={"exercise": FULL, "format": "csv"})
            lines = csv_lines(answer)
            handed_in = [(line["student_id"], line["checkpoint"]) for line in lines if line["checkpoint"]]
            assert handed_in == [(str(mine.id), name)]
    best = {
        each["name"]: each["best"] for each in abroad.get(f"{abroad.address}/exercises/{FULL}").json()["checkpoints"]
    }
    assert (best["h"], best["logits"]) == ("wrong", None)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_staff_who_try_have_no_row(server: RunningServer, student: Student) -> None:
    server.instructor.submit_tensors({"dh": torch.zeros(32, 64)})
    student.submit_tensors({"dh": torch.zeros(32, 64)})

    rows = server.instructor.get(PROGRESS).json()["rows"]

    assert [row["student"]["id"] for row in rows] == [student.id]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_rows_stand_by_name_and_then_by_id(server: RunningServer) -> None:
    made = [server.join(name) for name in ("Cleo", "Ada", "Bob", "Ada")]

    rows = server.instructor.get(PROGRESS).json()["rows"]

    assert [row["student"]["id"] for row in rows] == [made[place].id for place in (1, 3, 2, 0)]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_matrix_of_one_exercise_holds_that_one_alone(server: RunningServer, student: Student) -> None:
    for slug in (FULL, "makemore/cross-entropy"):
        student.submit_tensors({"dlogits": torch.zeros(32, 27)}, exercise=slug)

    seen = server.instructor.get(PROGRESS, params={"exercise": "makemore/cross-entropy"}).json()

    assert {column["exercise"] for column in seen["columns"]} == {"makemore/cross-entropy"}
    assert [cell["attempts"] for cell in seen["rows"][0]["cells"] if cell] == [1]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_each_exercise_has_its_own_cells(student: Student) -> None:
    near = gradients(student.state())["dlogits"] + 1e-9
    student.submit_tensors({"dlogits": near})
    for _ in range(2):
        student.submit_tensors({"dlogits": torch.zeros(32, 27)}, exercise="makemore/cross-entropy")

    answer = student.get(PROGRESS, params={"format": "csv"})

    lines = csv_lines(answer)
    assert [(line["exercise"], line["best"], line["exact"], line["attempts"]) for line in lines] == [
        (FULL, "approximate", "false", "1"),
        ("makemore/cross-entropy", "wrong", "false", "2"),
    ]
    for slug, best, attempts in ((FULL, "approximate", 1), ("makemore/cross-entropy", "wrong", 2)):
        steps = {
            each["name"]: each for each in student.get(f"{student.address}/exercises/{slug}").json()["checkpoints"]
        }
        assert (steps["logits"]["best"], steps["logits"]["attempts"]) == (best, attempts)
        assert (steps["logits"]["first_passed_at"] is None) == (best == "wrong")


def test_the_csv_has_a_line_for_each_checkpoint_handed_in(server: RunningServer, student: Student) -> None:
    student.submit_tensors({"dlogits": gradients(student.state())["dlogits"], "dh": torch.zeros(32, 64)})
    answer = server.instructor.get(PROGRESS, params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    lines = csv_lines(answer)
    assert [(line["checkpoint"], line["best"], line["exact"], line["attempts"]) for line in lines] == [
        ("logits", "exact", "true", "1"),
        ("h", "wrong", "false", "1"),
    ]
    assert lines[0] | {"first_passed_at": ""} == {
        "student_id": str(student.id),
        "student": "Ada",
        "exercise": FULL,
        "checkpoint": "logits",
        "best": "exact",
        "exact": "true",
        "attempts": "1",
        "first_passed_at": "",
        "state": "working",
    }
    assert _moment(lines[0]["first_passed_at"])
    assert lines[1]["first_passed_at"] == ""


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠SUM(A1)"])
def test_a_name_that_is_a_formula_stays_a_name_in_a_spreadsheet(server: RunningServer, name: str) -> None:
    mallory = server.join(name)
    mallory.submit_tensors({"dlogits": torch.zeros(32, 27)})
    answer = server.instructor.get(PROGRESS, params={"format": "csv"})
    assert [line["student"] for line in csv_lines(answer)] == [f"'{name}"]


def test_a_class_is_read_in_as_many_queries_as_one_student(server: RunningServer, student: Student) -> None:
    student.submit_tensors(gradients(student.state()))
    few = _queries(server)
    assert few > 0
    with server.services.database.writing() as session:
        for number in range(30):
            _diligent(session, f"Student {number}")
    assert len(server.instructor.get(PROGRESS).json()["rows"]) == 31
    assert _queries(server) == few


def _diligent(session: Session, name: str) -> None:
    """A student with all of exercise 1."""
    account = AccountRow(name=name)
    session.add(account)
    session.flush()
    session.add(SeatRow(course_id=1, account_id=account.id))
    session.flush()
    for checkpoint in default_exercises()[FULL].checkpoints:
        session.add(
            ProgressRow(
                course_id=1,
                account_id=account.id,
                exercise=FULL,
                checkpoint=checkpoint.name,
                best="exact",
                attempts=1,
            )
        )


REQUEST_THREADS = "AnyIO worker thread"


def _queries(server: RunningServer) -> int:
    """How many statements the class's progress takes; threads in the background are left out."""
    seen: list[str] = []
    engine = server.services.database.engine

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if threading.current_thread().name.startswith(REQUEST_THREADS):
            seen.append(statement)

    server.instructor.get(PROGRESS)  # the token is known from here on, and that somebody was seen is written
    event.listen(engine, "before_cursor_execute", count)
    server.instructor.get(PROGRESS)
    event.remove(engine, "before_cursor_execute", count)
    return len(seen)
