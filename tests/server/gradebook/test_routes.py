"""The gradebook over HTTP and at the terminal."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

import pytest

from server import cli
from server.courses import courses
from server.tables import AssignmentRow, Role, SeatRow
from tests.support.servers import FULL, Members, RunningServer, gradients, is_problem

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

GRADEBOOK = "/api/v1/courses/backprop/gradebook"
FROM_CANVAS = "Student,ID,SIS User ID,SIS Login ID,Section,From cmp to full backward (92)\nA. L.,903,0007,al,X,\n"


@pytest.fixture
def title(server: RunningServer, here: Members) -> str:
    """Two sections with a student each; of the one assignment, Ada has two steps. Returns its title."""
    bob = server.join("Bob").account
    with server.services.database.writing() as session:
        course = courses.find_course(session, here.slug)
        assert course is not None
        session.add(AssignmentRow(course_id=course.id, exercise=FULL, position=0, points=52.0))
        for account_id, section, university_id in ((here.student.account, "A", "0007"), (bob, "B", None)):
            seat = session.get_one(SeatRow, (course.id, account_id))
            seat.section, seat.university_id, seat.email = section, university_id, f"{section}@uni.test"
    right = gradients(here.student.state())
    here.student.submit_tensors({name: right[name] for name in ("dh", "db2")})
    exercises = here.student.get(f"{here.student.address}/exercises").json()["exercises"]
    return str(next(each["title"] for each in exercises if each["slug"] == FULL))


def test_each_format_has_everybody(here: Members, title: str) -> None:
    body = here.instructor.get(GRADEBOOK).json()
    files = {
        format: here.instructor.get(GRADEBOOK, params={"format": format}) for format in ("csv", "canvas", "moodle")
    }

    assert [(line["student"]["name"], line["points"]) for line in body["lines"]] == [("Ada", 4), ("Bob", 0)]
    assert body["columns"] == [{"exercise": FULL, "title": title, "points_max": 52}]
    for format, answer in files.items():
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert f"backprop-gradebook-{format}.csv" in answer.headers["content-disposition"]
        assert "Ada" in answer.text and "Bob" in answer.text
    assert files["csv"].content.startswith(b"\xef\xbb\xbf")
    assert is_problem(here.instructor.get(GRADEBOOK, params={"format": "xlsx"}), 422)


def test_canvas_gets_its_ids_back(here: Members, title: str) -> None:
    base = FROM_CANVAS.replace("From cmp to full backward", title)

    answer = here.instructor.post(GRADEBOOK, content=base, headers={"Content-Type": "text/csv"})

    header, _, ada, bob = csv.reader(answer.text.splitlines())
    assert header[-1] == f"{title} (92)"
    assert ada == ["A. L.", "903", "0007", "al", "X", "4"]
    assert bob == ["Bob", "", "", "B@uni.test", "B", "0"]
    assert is_problem(here.instructor.post(GRADEBOOK, json={}), 415)
    assert is_problem(here.instructor.post(GRADEBOOK, content="a,b", headers={"Content-Type": "text/csv"}), 422)


def test_an_assistant_of_a_section_sees_that_section_alone(server: RunningServer, here: Members, title: str) -> None:
    tutor = server.join("Tutor")
    with server.services.database.writing() as session:
        course = courses.find_course(session, here.slug)
        assert course is not None
        seat = session.get_one(SeatRow, (course.id, tutor.account))
        seat.role, seat.section = Role.ASSISTANT, "B"

    def names(section: str | None) -> list[str]:
        answer = tutor.get(GRADEBOOK, params={"section": section} if section else {})
        return [line["student"]["name"] for line in answer.json()["lines"]]

    assert names(None) == names("B") == ["Bob"]
    assert is_problem(tutor.get(GRADEBOOK, params={"section": "A"}), 403)
    assert is_problem(here.student.get(GRADEBOOK), 403)


def test_the_command_writes_the_same(
    server: RunningServer,
    here: Members,
    title: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DOJO_DATA", str(tmp_path))
    monkeypatch.setenv("DOJO_DATABASE_URL", server.services.settings.url)
    base, out = tmp_path / "canvas.csv", tmp_path / "grades.csv"
    base.write_text(FROM_CANVAS.replace("From cmp to full backward", title))

    assert cli.main(["gradebook", "backprop", "--format", "json", "--section", "A"]) == 0
    (line,) = json.loads(capsys.readouterr().out)["lines"]
    assert cli.main(["gradebook", "backprop", "--out", str(out)]) == 0
    assert capsys.readouterr().err == f"Wrote 2 students to {out}.\n"
    assert cli.main(["gradebook", "backprop", "--format", "canvas", "--base", str(base)]) == 0
    canvas = capsys.readouterr()

    assert line["points"] == 4
    assert out.read_bytes() == here.instructor.get(GRADEBOOK, params={"format": "csv"}).content
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "A. L.,903,0007,al,X,4" in canvas.out and "at the end of the file: Bob." in canvas.err


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["spring"], "python -m server course list"),
        (["backprop", "--out", "."], ""),
        (["backprop", "--out", "there.csv"], "Name another file."),
        (["backprop", "--base", "there.csv"], "--format canvas"),
        (["backprop", "--base", "there.csv", "--format", "canvas"], "Export Entire Gradebook."),
    ],
)
def test_what_the_command_cannot_do_it_says(
    server: RunningServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    advice: str,
) -> None:
    monkeypatch.setenv("DOJO_DATA", str(tmp_path))
    monkeypatch.setenv("DOJO_DATABASE_URL", server.services.settings.url)
    monkeypatch.chdir(tmp_path)
    Path("there.csv").write_text("a,b\n")

    assert cli.main(["gradebook", *arguments]) == 2

    assert advice in capsys.readouterr().err
    assert Path("there.csv").read_text() == "a,b\n"
