"""The gradebook on a page, and its files."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.tables import OverrideRow, Role
from tests.pages.staff_desk import Office, said
from tests.support.servers import FULL
from tests.support.windows import without_chance

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Backprop through the whole thing (7)\n"
    "    Points Possible,,,,,26\n"
    "Lovelace,9001,1701,ada,A,\n"
)


@pytest.fixture
def graded(office: Office) -> Office:
    """A course with an assignment of 26 points: Ada passed a step, Ben has points that staff set."""
    ada, ben = office.seat("Ada", section="A"), office.seat("Ben", section="B")
    office.assign(points=26.0)
    office.let_pass(ada.account, datetime(2026, 11, 3, 10, 0, tzinfo=UTC))
    with office.services.database.writing() as session:
        session.add(
            OverrideRow(
                course_id=office.row(session).id, account_id=ben.account, exercise=FULL, points=8.0, reason="shown"
            )
        )
    details = {"name": "Ada", "role": "student", "section": "A", "university_id": "1701"}
    office.instructor.post(f"people/{ada.account}", details)
    return office


def test_the_table_has_everybody_with_totals(graded: Office) -> None:
    page = graded.instructor.get("gradebook")

    assert "Ada A 1 0 1" in said(page) and "Ben B 8 0 set 8" in said(page)
    assert "Mean of 2 4.5" in said(page)


def test_a_section_is_shown_alone(graded: Office) -> None:
    page = graded.instructor.get("gradebook", params={"section": "B"})

    assert "Ben" in page.text and ">Ada<" not in page.text
    assert "moodle.csv?section=B" in page.text


@pytest.mark.parametrize("format", ["csv", "canvas", "moodle"])
def test_each_format_is_a_file(graded: Office, format: str) -> None:
    answer = graded.instructor.get(f"gradebook/{format}.csv")

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].endswith(f'{graded.slug}-gradebook-{format}.csv"')


def test_an_export_of_canvas_is_filled_in(graded: Office) -> None:
    answer = graded.instructor.post("gradebook/canvas", files={"base": ("export.csv", CANVAS, "text/csv")})

    assert answer.headers["content-type"].startswith("text/csv")
    assert "Lovelace,9001,1701,ada,A,1" in answer.text


def test_what_is_no_export_of_canvas_is_said_at_the_field(graded: Office) -> None:
    answer = graded.instructor.post("gradebook/canvas", files={"base": ("x.csv", "a,b\n1,2\n", "text/csv")})
    without = graded.instructor.post("gradebook/canvas", files={"other": ("", b"", "text/csv")})

    assert answer.status_code == without.status_code == 422
    assert 'id="e-base"' in answer.text and 'id="e-base"' in without.text


def test_a_student_sees_no_gradebook_and_an_assistant_their_section(graded: Office) -> None:
    assistant = graded.seat("Tom", Role.ASSISTANT, section="A")

    assert graded.seat("Cy").get("gradebook").status_code == 403
    assert "Ben" not in without_chance(assistant.get("gradebook").text)
    assert "Ben" not in assistant.get("gradebook/csv.csv").text
    assert assistant.get("gradebook/csv.csv", params={"section": "B"}).status_code == 403
