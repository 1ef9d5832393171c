"""Exports of the gradebook: what people read, and the columns that Canvas and Moodle import."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import suppress

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from server.gradebook.canvas import BadBase, CanvasBase, as_canvas
from server.gradebook.exports import titles
from server.gradebook.gradebook import Cell, Column, Gradebook, Line, Student
from server.gradebook.moodle import as_moodle
from server.gradebook.people_csv import as_csv
from server.gradebook.schemas import GradebookBody

ADA = Student(1, "Ada Lovelace", "0007", "ada@uni.test", "A")
BEN = Student(2, "=cmd|' /C calc'!A0", None, "ben@uni.test", None)
CLEO = Student(3, "＝1+1", "9", None, "\tB")
COLUMNS = (Column("a/full", "Full backward", 26.0), Column("a/norm", "Batch norm", 10.0))
GRADEBOOK = Gradebook(
    "autumn",
    COLUMNS,
    (
        Line(ADA, (Cell(25.5, 2), Cell(9.0))),
        Line(BEN, (Cell(), Cell(-1.0, is_override=True))),
        Line(CLEO, (Cell(1.25, 1), Cell(10.0))),
    ),
)
# As Canvas writes it: manual posting, points possible, read-only totals, a test student, and names of its own.
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Root Account,Section,Notes,Essay (91),Batch norm (93),Full backward (92),Final Score
,,,,,,,,,Manual Posting,
    Points Possible,,,,,,,100.00,10.00,26.00,(read only)
"Noether, Emmy",901,55,emmy,uni.test,A and B,,7.00,,,12.0
"Cleopatra, C.",902,9,cleo,uni.test,B,late,,,,
"Lovelace, Ada",903,0007,AdaL,uni.test,A,,88.00,1.00,,77.0
"Student, Test",904,,7c,uni.test,A,,,,,
"B., Ben",905,,BEN@uni.test,uni.test,A,,,,,
"""


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines()))


class TestForPeople:
    def test_a_line_for_each_student(self) -> None:
        header, ada, ben, cleo = rows(as_csv(GRADEBOOK).removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))

        assert header[:7] == ["id", "student", "university id", "e-mail", "section", "points (of 36)", "days late"]
        assert header[7:10] == ["a/full (of 26)", "a/full days late", "a/full override"]
        assert ada == ["1", "Ada Lovelace", "0007", "ada@uni.test", "A", "34.5", "2", "25.5", "2", "", "9", "0", ""]
        assert ben[5:] == ["-1", "0", "0", "0", "", "-1", "0", "override"]
        assert cleo[5:7] == ["11.25", "1"]

    def test_a_spreadsheet_knows_its_encoding(self) -> None:
        assert as_csv(GRADEBOOK).encode().startswith(b"\xef\xbb\xbfid,")

    def test_no_cell_is_computed(self) -> None:
        _, _, ben, cleo = rows(as_csv(GRADEBOOK).removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))

        assert ben[1] == "'=cmd|' /C calc'!A0"
        assert (cleo[1], cleo[4]) == ("'＝1+1", "'\tB")

    def test_json_is_the_documented_body(self) -> None:
        body = GradebookBody.model_validate_json(GRADEBOOK.as_json())

        assert body.points_max == 36
        assert [line.points for line in body.lines] == [34.5, -1, 11.25]
        assert [cell.override for cell in body.lines[1].cells] == [False, True]
        assert body.lines[2].student.section == "\tB"


class TestMoodle:
    def test_who_it_is_stands_in_one_column(self) -> None:
        export = as_moodle(GRADEBOOK)

        assert rows(export.text) == [
            ["Email address", "Name", "Full backward", "Batch norm"],
            ["ada@uni.test", "Ada Lovelace", "25.5", "9"],
            ["ben@uni.test", "'=cmd|' /C calc'!A0", "0", "-1"],
        ]
        assert "map 'Email address'" in export.notes[0]

    def test_who_cannot_be_found_is_left_out_and_named(self) -> None:
        """Moodle would write the points of a line without an address to the student of the line before."""
        assert as_moodle(GRADEBOOK).notes[1].startswith("Left out, without an Email address: ＝1+1.")

    def test_the_column_is_the_one_that_more_students_have(self) -> None:
        without = Student(4, "Dora", "4", None, None)

        export = as_moodle(Gradebook("autumn", COLUMNS, (*GRADEBOOK.lines, Line(without, (Cell(), Cell())))))

        assert [line[0] for line in rows(export.text)] == ["ID number", "0007", "9", "4"]

    def test_no_line_has_an_empty_identity(self) -> None:
        export = as_moodle(Gradebook("autumn", COLUMNS, (Line(Student(1, "A", None, None, None), (Cell(), Cell())),)))

        assert len(rows(export.text)) == 1


class TestCanvas:
    def test_the_columns_are_those_that_canvas_reads(self) -> None:
        header, possible, ada, ben, _ = rows(as_canvas(GRADEBOOK).text)

        assert header == [
            "Student",
            "ID",
            "SIS User ID",
            "SIS Login ID",
            "Section",
            "Full backward",
            "Batch norm",
        ]
        assert possible == ["    Points Possible", "", "", "", "", "26", "10"]
        assert ada == ["Ada Lovelace", "", "0007", "ada@uni.test", "A", "25.5", "9"]
        assert ben[0] == "'=cmd|' /C calc'!A0"
        assert not as_canvas(GRADEBOOK).text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}")

    def test_ids_come_back_as_canvas_wrote_them(self) -> None:
        export = as_canvas(GRADEBOOK, CanvasBase.read(CANVAS.encode()))

        assert rows(export.text) == [
            [
                *("Student", "ID", "SIS User ID", "SIS Login ID", "Root Account", "Section"),
                *("Full backward (92)", "Batch norm (93)"),
            ],
            ["    Points Possible", "", "", "", "", "", "26", "10"],
            ["Cleopatra, C.", "902", "9", "cleo", "uni.test", "B", "1.25", "10"],
            ["Lovelace, Ada", "903", "0007", "AdaL", "uni.test", "A", "25.5", "9"],
            ["B., Ben", "905", "", "BEN@uni.test", "uni.test", "A", "0", "-1"],
        ]
        assert export.notes == ("2 of the gradebook of Canvas are not in this course, and left out of the file.",)

    def test_who_is_not_in_canvas_comes_last(self) -> None:
        base = CanvasBase.read("\n".join(CANVAS.splitlines()[:5]).encode())

        export = as_canvas(GRADEBOOK, base)

        ids = [(line[0], line[1], line[2]) for line in rows(export.text)[2:]]
        assert ids == [("Cleopatra, C.", "902", "9"), ("Ada Lovelace", "", "0007"), ("'=cmd|' /C calc'!A0", "", "")]
        assert export.notes[0].startswith("Not in the gradebook of Canvas, and at the end of the file: Ada Lovelace, ")

    @pytest.mark.parametrize("change", ["bom", "semicolons", "crlf", "names in two columns"])
    def test_each_form_of_an_export_is_read(self, change: str) -> None:
        text = CANVAS
        if change == "bom":
            text = "\N{ZERO WIDTH NO-BREAK SPACE}" + text
        elif change == "semicolons":
            text = "\n".join(_joined(line, ";") for line in csv.reader(text.splitlines()))
        elif change == "crlf":
            text = text.replace("\n", "\r\n")
        else:
            text = (
                text.replace("Student,ID", "LastName,FirstName,ID", 1)
                .replace('",', '",,')
                .replace("    Points Possible,", "    Points Possible,,")
                .replace("\n,,", "\n,,,")
            )

        base = CanvasBase.read(text.encode())

        assert len(base.students) == 5
        assert base.assignments["Full backward"] == ("Full backward (92)", 26.0)
        assert base.places()["0007"] == 2

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\xff\xfe",
            b"PK\x03\x04",
            b"name,points\nAda,3\n",
            b"Section,ID\nA,3\n",
            b"Student,ID,Section\nAda,3\n",
            b'Student,ID,Section\n"Ada"x,3,A\n',
        ],
    )
    def test_what_is_no_export_is_refused_with_what_to_do(self, content: bytes) -> None:
        with pytest.raises(BadBase) as refused:
            CanvasBase.read(content)
        assert refused.value.detail.endswith("Export Entire Gradebook.")

    @settings(max_examples=60, deadline=None)
    @given(
        st.binary(max_size=60)
        | st.lists(
            st.lists(st.sampled_from(["Student", "ID", "SIS User ID", "Section", "Norm (1)", "", "0007", "=1"])),
            max_size=4,
        ).map(lambda lines: "\n".join(map(",".join, lines)).encode())
    )
    def test_any_file_is_read_or_refused(self, content: bytes) -> None:
        with suppress(BadBase):
            export = as_canvas(GRADEBOOK, CanvasBase.read(content))
            assert len(rows(export.text)) == 2 + len(GRADEBOOK.lines)

    def test_an_assignment_has_its_title_or_slug_in_canvas_or_is_made_anew(self) -> None:
        base = CanvasBase.read(CANVAS.replace("Batch norm (93)", "a/norm (93)").replace("Full backward", "F").encode())

        export = as_canvas(GRADEBOOK, base)

        assert rows(export.text)[0][-2:] == ["Full backward", "a/norm (93)"]
        assert export.notes[-1] == "Canvas has no assignment of this name, and will make it: Full backward."

    def test_points_out_of_another_number_are_refused(self) -> None:
        base = CanvasBase.read(CANVAS.replace("26.00", "100.00").encode())

        with pytest.raises(BadBase, match="100 points in Canvas and 26 here"):
            as_canvas(GRADEBOOK, base)

    def test_a_title_never_ends_like_an_id_and_is_unique(self) -> None:
        columns = tuple(Column(f"a/{n}", title, 1.0) for n, title in enumerate(["Norm", "Norm", "Part (2)", "Full"]))

        assert titles(Gradebook("autumn", columns, ())) == ["Norm [a/0]", "Norm [a/1]", "Part (2) [a/2]", "Full"]


def _joined(cells: Sequence[str], separator: str) -> str:
    return separator.join(f'"{cell}"' if separator in cell or "," in cell else cell for cell in cells)
