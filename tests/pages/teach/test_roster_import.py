"""Importing a roster on a page: seen first, then done."""

from __future__ import annotations

import base64
import zlib

import httpx2 as httpx
import pytest
from sqlmodel import select

from server.http.middleware import CSV_BYTES_MAX
from server.http.problems import Unprocessable
from server.pages.teach.roster_import import packed, unpacked
from server.tables import SeatRow
from tests.pages.staff_desk import Office, hidden, said

ROSTER = """name,e-mail,university id,section,role
Ada Lovelace,ada@example.org,1701,A,student
Tom,tom@example.org,,A,assistant
"""


def seats(office: Office) -> int:
    """How many people the course has, the removed ones too."""
    with office.services.database.reading() as session:
        return len(session.exec(select(SeatRow).where(SeatRow.course_id == office.row(session).id)).all())


def choose(office: Office, content: str) -> httpx.Response:
    """Choose a file."""
    return office.instructor.post("people/import", files={"roster": ("roster.csv", content, "text/csv")})


def test_a_roster_is_shown_before_it_is_written(office: Office) -> None:
    shown = choose(office, ROSTER)

    assert shown.status_code == 200 and seats(office) == 1
    assert "Add 2 people" in said(shown) and "ada@example.org" in shown.text

    done = office.instructor.post("people/import/confirm", hidden(shown))

    assert done.status_code == 200 and seats(office) == 3
    assert done.text.count("http://testserver/join#join_") == 2
    assert "data:text/csv;charset=utf-8;base64," in done.text


def test_what_changed_is_shown_field_by_field(office: Office) -> None:
    shown = choose(office, ROSTER)
    office.instructor.post("people/import/confirm", hidden(shown))

    moved = ROSTER.replace("1701,A", "1701,B")
    again = choose(office, moved)

    assert "Change 1 person" in said(again) and "section was A becomes B" in said(again)


def test_mistakes_stand_by_line(office: Office) -> None:
    wrong = ROSTER + "Ben,not an address,1702,B,student\nCy,cy@example.org,1703,B,professor\n"

    answer = choose(office, wrong)

    assert answer.status_code == 422 and seats(office) == 1
    assert "2 mistakes in the file. Nothing was written." in said(answer)
    assert "4 e-mail The e-mail address is none." in said(answer) and "5 role" in said(answer)


def test_a_course_that_changed_meanwhile_is_shown_again(office: Office) -> None:
    shown = choose(office, ROSTER)
    office.instructor.post("people/add", {"name": "Ada Lovelace", "email": "ada@example.org", "role": "student"})

    answer = office.instructor.post("people/import/confirm", hidden(shown))

    assert answer.status_code == 409 and "The course was changed meanwhile." in answer.text
    assert "Add 1, change 1" in said(answer) and seats(office) == 2


def test_no_file_or_a_large_one_is_a_fault_of_the_field(office: Office) -> None:
    none = office.instructor.post("people/import", files={"other": ("", b"", "text/csv")})
    large = choose(office, "x" * (CSV_BYTES_MAX + 1))

    assert none.status_code == large.status_code == 422
    assert 'id="e-roster"' in none.text and "larger than 4 MB" in large.text


def test_what_is_packed_unpacks() -> None:
    assert unpacked(packed(ROSTER.encode())) == ROSTER.encode()


@pytest.mark.parametrize("field", ["", "nothing", packed(b"x" * (CSV_BYTES_MAX + 1)), packed(b"whole")[:-8]])
def test_what_was_spoilt_or_is_too_large_is_refused(field: str) -> None:
    with pytest.raises(Unprocessable, match="did not come back whole"):
        unpacked(field)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(b"\0" * (64 * CSV_BYTES_MAX))).decode()

    with pytest.raises(Unprocessable):
        unpacked(bomb)
