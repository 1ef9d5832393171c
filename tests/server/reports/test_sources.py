"""The archive of sources: in the layout that JPlag and Dolos read, and safe to unpack."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from typing import Any

import pytest
from sqlmodel import Session, col, select

from exercises.registry import find
from server.cli import main
from server.courses import courses
from server.database.engine import Database
from server.database.table import now
from server.instances.exercises import record_revisions
from server.reports.sources import BATCH, Selection, open_archive
from server.reports.students import EVERYBODY
from server.settings import Settings
from server.tables import AccountRow, AnswerKind, CourseRow, SeatRow, SubmissionRow
from tests.support.sections import sectioned
from tests.support.servers import FULL, SOLUTION, RunningServer, Student, is_problem

SOURCES = "/api/v1/courses/backprop/sources"


def archive(caller: Student, **params: Any) -> zipfile.ZipFile:
    answer = caller.get(SOURCES, params={"exercise": FULL} | params)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    return zipfile.ZipFile(io.BytesIO(answer.content))


def info(found: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(found.read("info.csv").decode())))


def test_it_has_a_folder_for_each_student_and_an_info_file(server: RunningServer) -> None:
    ada, bob = server.join("Ada Lovelace"), server.join("=Bob")
    for source in ("dlogits = 1", "dlogits = 2"):
        ada.submit_code(source)
    bob.submit_code(SOLUTION)

    found = archive(server.instructor)

    assert found.testzip() is None
    paths = [f"Bob_{bob.id}_attempt_1/solution.py", f"Ada_Lovelace_{ada.id}_attempt_2/solution.py"]
    assert found.namelist() == ["info.csv", *paths]
    assert [found.read(path).decode() for path in paths] == [SOLUTION, "dlogits = 2"]
    lines = info(found)
    assert list(lines[0])[:3] == ["filename", "label", "full_name"]
    assert [(line["filename"], line["full_name"], line["id"]) for line in lines] == [
        (paths[0], "'=Bob", str(bob.id)),
        (paths[1], "Ada Lovelace", str(ada.id)),
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", line["created_at"]) for line in lines)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_last_the_best_or_all(server: RunningServer, student: Student) -> None:
    for source in ("dlogits = 1", SOLUTION, "dlogits = 2"):
        student.submit_code(source)

    attempts = {
        which: [line["attempt"] for line in info(archive(server.instructor, which=which))]
        for which in ("last", "best", "all")
    }

    assert attempts == {"last": ["3"], "best": ["2"], "all": ["1", "2", "3"]}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_names_cannot_lead_out_of_the_archive(server: RunningServer) -> None:
    mallory = server.join("../../etc/Mallory")
    mallory.submit_code("dlogits = 1")
    with server.services.database.writing() as session:
        session.exec(select(SubmissionRow)).one().filename = "..\\..\\C:/x/..evil\n.ipynb"

    (_, path) = archive(server.instructor).namelist()

    assert re.fullmatch(rf"etc_Mallory_{mallory.id}_attempt_1/[\w-]+\.py", path)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_without_an_exercise_each_has_a_folder(server: RunningServer, student: Student) -> None:
    for exercise in (FULL, "makemore/cross-entropy"):
        student.submit_code("dlogits = 1", exercise=exercise)

    answer = server.instructor.get(SOURCES)

    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert {name.split("/")[0] for name in names[1:]} == {"makemore_full-backward", "makemore_cross-entropy"}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_an_assistant_of_a_section_gets_it_alone(server: RunningServer, student: Student) -> None:
    assistant = sectioned(server, {"Bob": "A", "Cleo": "B"}, "dlogits = 1")

    assert [(line["full_name"], line["label"]) for line in info(archive(assistant))] == [("Bob", "A")]
    assert is_problem(assistant.get(SOURCES, params={"section": "B"}), 403)
    assert is_problem(student.get(SOURCES), 403)


@pytest.fixture
def many(database: Database) -> Database:
    """A database with more sources than are read at once."""
    record_revisions(database)
    with database.writing() as session:
        course = courses.open_course(session, "spring", "Spring")
        _write(session, course, 2 * BATCH + 1)
    return database


def _write(session: Session, course: CourseRow, number: int) -> None:
    exercise = find(FULL)
    accounts = [AccountRow(name=f"Student {each:03d}") for each in range(number)]
    session.add_all(accounts)
    session.flush()
    session.add_all([SeatRow(course_id=course.id, account_id=each.id) for each in accounts])
    session.flush()
    fixed: dict[str, Any] = {"course_id": course.id, "exercise": FULL, "revision": exercise.revision, "attempt": 1}
    fixed |= {"kind": AnswerKind.CODE, "digest": ""}
    session.add_all([SubmissionRow(account_id=each.id, body=each.name.encode(), **fixed) for each in accounts])


def test_it_is_written_batch_by_batch(many: Database) -> None:
    with many.reading() as session:
        course = session.exec(select(CourseRow)).one()
        opened = open_archive(session, course, [find(FULL)], EVERYBODY, Selection.LAST, is_named=False)

    chunks = list(opened.chunks(many))

    found = zipfile.ZipFile(io.BytesIO(b"".join(chunks)))
    assert len(chunks) == 2 * BATCH + 2
    assert sorted(found.read(name).decode() for name in found.namelist()[1:]) == [
        f"Student {each:03d}" for each in range(2 * BATCH + 1)
    ]
    assert not [name for name in found.namelist() if "Student" in name]
    assert "Student" not in found.read("info.csv").decode()


def test_what_was_emptied_is_left_out(many: Database) -> None:
    with many.writing() as session:
        session.exec(select(SubmissionRow).order_by(col(SubmissionRow.id)).limit(1)).one().emptied_at = now()
        course = session.exec(select(CourseRow)).one()

        opened = open_archive(session, course, [find(FULL)], EVERYBODY, Selection.LAST, is_named=True)

    assert len(opened.handins) == 2 * BATCH


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_operator_writes_it_to_a_file(
    many: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOJO_DATA", str(settings.data))
    monkeypatch.setenv("DOJO_DATABASE_URL", settings.url)
    file = settings.data / "sources.zip"

    codes = [main(["sources", "spring", FULL, str(file)]) for _ in range(2)]

    assert codes == [0, 2]
    assert f"Wrote {file} with {2 * BATCH + 1} submissions." in capsys.readouterr().out
    assert len(zipfile.ZipFile(file).namelist()) == 2 * BATCH + 2
