"""Everyone in the progress table: their states, and which rows are shown in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import torch
from sqlmodel import Session

from server.reports.students import Order, RowFilter, State, StuckStep, StudentStanding, chosen
from server.tables import AccountRow, AssignmentRow, CourseRow, ExtensionRow, Feedback, ProgressRow, SeatRow
from tests.support.sections import sectioned
from tests.support.servers import FULL, RunningServer, Student, csv_lines, gradients, is_problem

PROGRESS = "/api/v1/courses/backprop/progress"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def standing(id: int, name: str, **more: Any) -> StudentStanding:
    values: dict[str, Any] = {"section": None, "university_id": None, "last_seen_at": None, "total": 2}
    return StudentStanding(id, name, **(values | more))


CLASS = [
    standing(3, "ada", passed=2, compared=2, submissions=1, last_seen_at=NOON),
    standing(1, "Bob", submissions=2, university_id="s123"),
    standing(4, "Cleo", submissions=9, compared=1, stuck=(StuckStep(FULL, "h", 8),), last_seen_at=NOON.replace(hour=1)),
    standing(2, "Dora"),
    standing(5, "Emil", submissions=1, compared=1, passed=1),
]


def names(**wanted: Any) -> list[str]:
    return [each.name for each in chosen(CLASS, RowFilter(**wanted)).standings]


def rows(caller: Student, **params: Any) -> list[dict[str, Any]]:
    answer = caller.get(PROGRESS, params={"exercise": FULL} | params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def test_a_state_chooses_rows() -> None:
    assert {each.name: each.state for each in CLASS} == {
        "ada": State.DONE,
        "Bob": State.NEVER_RAN,
        "Cleo": State.STUCK,
        "Dora": State.NEVER_STARTED,
        "Emil": State.WORKING,
    }
    assert [names(state=state) for state in State] == [["Dora"], ["Bob"], ["Cleo"], ["Emil"], ["ada"]]


def test_a_search_finds_names_and_university_ids() -> None:
    assert names(search="o") == ["Bob", "Cleo", "Dora"]
    assert names(search=" S12 ") == ["Bob"]
    assert names(search="o", state=State.STUCK) == ["Cleo"]
    assert standing(6, "José").matches("JOSE")


def test_rows_are_sorted() -> None:
    assert names(order=Order.NAME_DOWN) == ["Emil", "Dora", "Cleo", "Bob", "ada"]
    assert names(order=Order.PASSED) == ["Bob", "Cleo", "Dora", "Emil", "ada"]
    assert names(order=Order.LAST_SEEN_DOWN)[:2] == ["ada", "Cleo"]
    assert names(order=Order.LAST_SEEN)[-2:] == ["Cleo", "ada"]


@pytest.mark.parametrize("order", Order)
def test_pages_hold_everybody_once(order: Order) -> None:
    seen: list[str] = []
    after = None
    while True:
        page = chosen(CLASS, RowFilter(order=order, limit=2, after=after))
        assert page.matching == len(CLASS)
        seen += [each.name for each in page.standings]
        after = page.next_after
        if after is None:
            break

    assert seen == names(order=order)


def test_a_page_goes_on_after_somebody_who_no_longer_matches() -> None:
    assert names(state=State.NEVER_STARTED, after=1) == ["Dora"]


def test_everyone_is_in_the_table(server: RunningServer) -> None:
    never, broken, partly, done = (server.join(name) for name in ("Ada", "Bob", "Cleo", "Dora"))
    broken.submit_code("1 / 0")
    for _ in range(3):
        partly.submit_tensors({"dh": torch.zeros(32, 64)})
    done.submit_tensors(gradients(done.state()))

    found = rows(server.instructor, stuck_after=3)

    assert [(row["student"]["id"], row["state"], row["submissions"], row["passed"]) for row in found] == [
        (never.id, "never_started", 0, 0),
        (broken.id, "never_ran", 1, 0),
        (partly.id, "stuck", 3, 0),
        (done.id, "done", 1, len(found[0]["cells"])),
    ]
    assert [row["stuck"] for row in found] == [[], [], [{"exercise": FULL, "checkpoint": "h", "attempts": 3}], []]
    assert [row["exact"] for row in found] == [0, 0, 0, len(found[0]["cells"])]
    assert [row["last_handed_in_at"] is None for row in found] == [True, False, False, False]
    assert [row["state"] for row in rows(server.instructor, stuck_after=4)][2] == "working"
    assert [row["student"]["id"] for row in rows(server.instructor, state="never_ran")] == [broken.id]


def test_both_forms_of_csv_have_everyone(server: RunningServer, student: Student) -> None:
    student.submit_tensors({"dh": torch.zeros(32, 64)})
    server.join("=Bob")
    with server.services.database.writing() as session:
        session.get_one(CourseRow, 1).time_zone = "Asia/Tokyo"
        session.get_one(SeatRow, (1, student.id)).university_id = "＝1"

    cells, students = (
        csv_lines(server.instructor.get(PROGRESS, params={"format": each})) for each in ("csv", "students-csv")
    )

    assert [(line["student"], line["checkpoint"], line["state"]) for line in cells] == [
        ("'=Bob", "", "never_started"),
        ("Ada", "h", "working"),
    ]
    assert [(line["student"], line["university_id"], line["submissions"]) for line in students] == [
        ("'=Bob", "", "0"),
        ("Ada", "'＝1", "1"),
    ]
    assert students[1]["last_handed_in_at"].endswith("+09:00")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_lists_leave_out_who_was_removed_erased_or_merged(server: RunningServer) -> None:
    kept, *gone = (server.join(name) for name in ("Ada", "Bob", "Cleo", "Dora"))
    with server.services.database.writing() as session:
        session.get_one(SeatRow, (1, gone[0].id)).removed_at = NOON
        session.get_one(AccountRow, gone[1].id).erased_at = NOON
        session.get_one(AccountRow, gone[2].id).merged_into_id = kept.id

    assert [row["student"]["id"] for row in rows(server.instructor)] == [kept.id]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_an_assistant_of_a_section_sees_that_one_alone(server: RunningServer) -> None:
    assistant = sectioned(server, {"Ada": "A", "Bob": "B", "Cleo": "A"}, source=None)

    assert [row["student"]["name"] for row in rows(assistant)] == ["Ada", "Cleo"]
    assert [row["student"]["name"] for row in rows(server.instructor, section="B")] == ["Bob"]
    assert is_problem(assistant.get(PROGRESS, params={"section": "B"}), 403)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_only_what_the_course_asks_for_is_in_the_table(server: RunningServer, student: Student) -> None:
    with server.services.database.writing() as session:
        session.add(AssignmentRow(course_id=1, exercise="makemore/cross-entropy", position=1))

    columns = server.instructor.get(PROGRESS).json()["columns"]

    assert {column["exercise"] for column in columns} == {"makemore/cross-entropy"}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_student_does_not_see_what_is_withheld(server: RunningServer, student: Student) -> None:
    student.submit_tensors(gradients(student.state()))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with server.services.database.writing() as session:
        yesterday = tomorrow - timedelta(days=2)
        assignment: dict[str, Any] = {"course_id": 1, "exercise": FULL, "position": 1, "feedback": Feedback.AFTER_DUE}
        session.add(AssignmentRow(**assignment, due_at=yesterday))
        _extend(session, student.id, tomorrow)

    (row,), (seen,) = rows(student), rows(server.instructor)

    assert (row["passed"], row["submissions"], row["state"]) == (0, 1, "working")
    assert set(row["cells"]) == {None}
    assert (seen["passed"], seen["state"]) == (len(seen["cells"]), "done")


def _extend(session: Session, account_id: int, due_at: datetime) -> None:
    extension: dict[str, Any] = {"course_id": 1, "exercise": FULL, "account_id": account_id, "reason": "ill"}
    session.add(ExtensionRow(**extension, due_at=due_at))


def test_an_old_checkpoint_does_not_count(server: RunningServer, student: Student) -> None:
    with server.services.database.writing() as session:
        place: dict[str, Any] = {"course_id": 1, "account_id": student.id, "exercise": FULL}
        session.add(ProgressRow(**place, checkpoint="of an old revision", best="exact", attempts=1))

    assert rows(server.instructor)[0]["passed"] == 0
