"""Reading a roster: what spreadsheets write, and what is wrong in it."""

from __future__ import annotations

import codecs
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.people.people import Details
from server.people.roster import BadRoster, read_roster
from server.spreadsheet import as_csv, defused, restored
from server.tables import Role

ADA = Details("Ada Lovelace", Role.STUDENT, "ada@example.org", "17", "A")


@pytest.mark.parametrize(
    "content",
    [
        "name,email,university_id,section,role\nAda Lovelace,ada@example.org,17,A,student\n",
        "\ufeffName;E-Mail;University ID;Section\r\nAda Lovelace;ada@example.org;17;A\r\n",
        "Full Name\tStudent ID\tE-mail address\tGroup\nAda Lovelace\t17\tada@example.org\tA\n",
        '"Surname","First name","Matrikelnummer","Mail","Tutorial"\n"Lovelace","Ada","17","ada@example.org","A"',
        "\n\nNAME,ID number,email address,sections\n\n  Ada   Lovelace , 17,ada@example.org,A\n,,,\n",
        "Student,ID,SIS User ID,Email,Section\nAda Lovelace,5,17,ada@example.org,A\n",
        "Nachname;Vorname;Matrikel-Nr.;E-Mail-Adresse;Gruppe;Rolle\nLovelace;Ada;17;ada@example.org;A;Student/in\n",
        "Vollständiger Name;Nummer;E-Mail;Übungsgruppe\nAda Lovelace;17;ada@example.org;A\n",
    ],
)
def test_a_roster_is_read_however_it_is_written(content: str) -> None:
    (line,) = read_roster(content.encode()).lines

    assert line.details == ADA


@pytest.mark.parametrize(
    ("word", "role"), [("Teilnehmer/in", Role.STUDENT), ("Tutorin", Role.ASSISTANT), ("Trainer/in", Role.INSTRUCTOR)]
)
def test_a_role_may_be_german(word: str, role: Role) -> None:
    (line,) = read_roster(f"Name;E-Mail;Rolle\nEve;eve@example.org;{word}\n".encode()).lines

    assert line.details.role is role


def test_a_heading_that_is_missing_is_answered_with_the_known_ones() -> None:
    with pytest.raises(BadRoster, match=r"for the name: name, .*; for the first name: firstname, vorname, "):
        read_roster(b"Wer,E-Mail\nAda,ada@example.org\n")
    with pytest.raises(BadRoster, match=r"for the university id: universityid, .*; for the e-mail: email, mail,"):
        read_roster(b"Name,Wo\nAda,ada@example.org\n")


def test_excels_unicode_text_is_read() -> None:
    text = "Name\tE-mail\nÈve\teve@example.org\n"

    (line,) = read_roster(codecs.BOM_UTF16_LE + text.encode("utf-16-le")).lines

    assert (line.details.name, line.given) == ("Ève", frozenset({"name", "email"}))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "Line 1: The file is empty."),
        (b"email,section\na@b.c,A\n", "Line 1, column name: "),
        (b"name,section\nAda,A\n", "Line 1, column university id: "),
        (b"name,id,email\nAda,,\n", "Line 2, column university id: "),
        (b"name,email\nAda,a@b.c\nBob,bob\n", "Line 3, column e-mail: "),
        (b'name,email\n"Ada\n",a@b.c\nBob,bob\n', "Line 4, column e-mail: "),
        (b"name,email,role\nAda,a@b.c,boss\n", "Line 2, column role: 'boss' is no role."),
        (b"name,email\nA\xe2\x80\x8bda,a@b.c\n", "Line 2, column name: "),
        (b"name,email\nAda,a@b.c,more\n", "Line 2: There are 3 cells under 2 headings."),
        (b"name,id\nAda,7\nBob,7\n", "Line 3, column university id: 7 stands in line 2 already."),
        (b"name,email\nAda,a@b.c\nBob,A@B.C\n", "Line 3, column e-mail: "),
        (b"name,e-mail,email\nAda,a@b.c,a@b.c\n", "Line 1, column e-mail: The headings e-mail and email both mean it."),
        (b"name,email\n\xe9,a@b.c\n", "Line 2: This is no UTF-8."),
        (b"name,email\n\0,a@b.c\n", "Line 2: This is no CSV."),
        (b'name,email\n"Ada,a@b.c\n', "Line 2: The CSV cannot be read"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_column(content: bytes, expected: str) -> None:
    with pytest.raises(BadRoster) as refused:
        read_roster(content)

    assert refused.value.detail.startswith(expected)
    assert refused.value.detail.endswith("Nothing was written. Correct the file and import it again.")


def test_all_mistakes_are_told_and_of_many_the_first_ten() -> None:
    lines = "".join(f"Person {n},nothing\n" for n in range(12))

    with pytest.raises(BadRoster) as refused:
        read_roster(f"name,email\n{lines}".encode())

    assert len(refused.value.mistakes) == 12
    assert "Line 11, column e-mail" in refused.value.detail and "Line 12" not in refused.value.detail
    assert "And 2 more." in refused.value.detail


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", " =", "\u3000＝"])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(sign: str) -> None:
    assert defused(f"{sign}1+1") == f"'{sign}1+1"
    assert f"'{sign}1+1" in as_csv(("a",), [(f"{sign}1+1",)])


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="='+-@＝a \t", max_size=5))
def test_what_was_defused_is_restored(cell: str) -> None:
    assert restored(defused(cell)) == cell


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='name,id;"\n\r\tä1', max_size=40).map(str.encode))
def test_any_bytes_are_a_roster_or_refused(content: bytes) -> None:
    with contextlib.suppress(BadRoster):
        roster = read_roster(content)
        assert all(line.details.name and line.details.role is Role.STUDENT for line in roster.lines)
