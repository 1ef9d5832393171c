"""What is kept about a person: handed out whole, erased without a trace of the name, emptied by age."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from server.accounts import accounts
from server.courses import courses
from server.courses.seats import LastInstructor
from server.database.table import now
from server.privacy.erasure import erase
from server.privacy.retention import empty_tensors
from server.tables import (
    AccountRow,
    AuditRow,
    CommentRow,
    DraftRow,
    ExtensionRow,
    OverrideRow,
    ProgressRow,
    Role,
    SeatRow,
    SubmissionRow,
    metadata,
)
from tests.support.servers import FULL, SOLUTION, Members, RunningServer, is_problem
from tests.support.training import write_run

NAME = "Zephyrine Quillfeather"
MAIL = "zephyrine@example.org"
NUMBER = "U-777-Z"
CODE = f"# by {NAME}\n{SOLUTION}\nprint('{NAME}')\n"


@pytest.fixture
def known(server: RunningServer, here: Members) -> int:
    """A student of whom much is known, under one name that is nowhere else."""
    student = server.join(NAME)
    assert student.submit_bytes(b"\x02\0\0\0\0\0\0\0{}").status_code == 201
    address = f"{student.address}/exercises/{FULL}/submissions?wait=30"
    handed_in = student.post(address, json={"filename": f"{NAME}.py", "source": CODE}).json()["id"]
    with server.services.database.writing() as session:
        course = courses.find_course(session, here.slug)
        assert course is not None
        seat = session.get_one(SeatRow, (course.id, student.account))
        seat.email, seat.university_id, seat.section = MAIL, NUMBER, "B"
        author = here.instructor.account
        whose: dict[str, Any] = {"course_id": course.id, "account_id": student.account, "exercise": FULL}
        session.add(CommentRow(submission_id=handed_in, author_id=author, text=f"Well done, {NAME}."))
        session.add(OverrideRow(**whose, points=3, reason=f"{NAME} was ill", author_id=author))
        write_run(
            session,
            course.id,
            student.account,
            filename=f"{NAME}.py",
            body=f"# by {NAME}".encode(),
            pseudonym=NAME,
            ranked=True,
            message=f"line 1, # by {NAME}",
        )
        session.add(DraftRow(**whose, source=f"# {NAME} is still at it"))
        session.add(ExtensionRow(**whose, due_at=now(), reason=f"{NAME} was ill", granted_by_id=author))
        session.add(
            AuditRow(course_id=course.id, act="override.set", subject_id=student.account, reason=f"{NAME} was ill")
        )
    return student.account


def everything(session: Session) -> str:
    """All cells of all tables, as text."""
    tables = (session.connection().execute(text(f'SELECT * FROM "{table}"')).all() for table in metadata.tables)
    cells = (cell for rows in tables for row in rows for cell in row)
    return "\n".join(repr(bytes(cell) if isinstance(cell, memoryview) else cell) for cell in cells)


def test_the_archive_holds_all_that_is_known(server: RunningServer, known: int) -> None:
    with server.services.database.writing() as session:
        token = accounts.issue_token(session, known)

    answer = server.client.get("/api/v1/me/archive", headers={"Authorization": f"Bearer {token}"})

    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    about = json.loads(archive.read("about.json"))
    assert about["account"]["name"] == NAME
    assert (about["seats"][0]["email"], about["seats"][0]["university_id"]) == (MAIL, NUMBER)
    code = next(each for each in about["submissions"] if each["kind"] == "code")
    assert archive.read(f"submissions/{code['id']}/{NAME}.py").decode() == CODE
    assert code["comments"][0]["text"] == f"Well done, {NAME}."
    assert len(code["grades"][0]["rows"]) == 26
    assert about["overrides"][0]["reason"] == about["extensions"][0]["reason"] == f"{NAME} was ill"
    assert about["drafts"][0]["source"] == f"# {NAME} is still at it"
    assert len(about["progress"]) == 26
    (run,) = about["training runs"]
    assert (run["pseudonym"], run["course"]) == (NAME, "backprop")
    assert archive.read(f"training/{run['id']}/{NAME}.py").decode() == f"# by {NAME}"
    assert token not in archive.read("about.json").decode()


def test_who_was_merged_into_the_erased_leaves_no_name(server: RunningServer, here: Members) -> None:
    twin = server.join("Quirinus Twin")
    merged = here.instructor.post(f"{here.address}/people/{twin.id}/merge", json={"into": here.student.id})
    assert merged.status_code == 200
    with server.services.database.writing() as session:
        erase(session, session.get_one(AccountRow, here.student.id))

    with server.services.database.reading() as session:
        assert "Quirinus" not in everything(session)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_an_erased_instructor_is_no_other_instructor(server: RunningServer, here: Members) -> None:
    with server.services.database.writing() as session:
        course = courses.find_course(session, here.slug)
        assert course is not None
        erase(session, courses.enrol(session, course, "Another", Role.INSTRUCTOR).account)

        with pytest.raises(LastInstructor):
            erase(session, session.get_one(AccountRow, here.instructor.account))


def test_what_was_erased_names_nobody_and_its_statistics_stay(server: RunningServer, here: Members, known: int) -> None:
    address = f"{here.address}/analytics?exercise={FULL}"
    before = here.instructor.get(address).json()
    with server.services.database.writing() as session:
        assert NAME in everything(session)
        erase(session, session.get_one(AccountRow, known))

    with server.services.database.reading() as session:
        left = everything(session)
        assert not any(each in left for each in (NAME, NAME.split()[0], MAIL, NUMBER))
        assert len(session.exec(select(ProgressRow).where(ProgressRow.account_id == known)).all()) == 26
    assert here.instructor.get(address).json()["exercises"] == before["exercises"]
    listed = here.instructor.get(f"{here.address}/progress").json()["rows"]
    assert known not in [each["student"]["id"] for each in listed]


def test_an_erased_account_cannot_sign_in(server: RunningServer, here: Members) -> None:
    student = here.student
    assert student.get("/api/v1/me").status_code == 200
    with server.services.database.writing() as session:
        erase(session, session.get_one(AccountRow, student.account))

    assert is_problem(student.get("/api/v1/me"), 401)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_nothing_more_is_written_about_the_erased(server: RunningServer, here: Members, known: int) -> None:
    staff = here.instructor
    (handed_in, *_) = staff.get(f"{here.address}/submissions?student={known}").json()["submissions"]
    with server.services.database.writing() as session:
        erase(session, session.get_one(AccountRow, known))

    assert is_problem(staff.post(f"/api/v1/submissions/{handed_in['id']}/comments", json={"text": NAME}), 404)
    override = {"student": known, "exercise": FULL, "points": 1, "reason": NAME}
    assert is_problem(staff.post(f"{here.address}/overrides", json=override), 404)
    assert staff.get(f"{here.address}/overrides").json()["overrides"] == []


def test_only_an_admin_erases_and_types_the_name(server: RunningServer, here: Members) -> None:
    account = here.student.account
    address = f"/api/v1/accounts/{account}/erase"
    assert is_problem(here.instructor.post(address, json={"name": "Ada"}), 403)
    with server.services.database.writing() as session:
        session.get_one(AccountRow, here.instructor.account).is_admin = True
        name = session.get_one(AccountRow, account).name

    assert is_problem(here.instructor.post(address, json={"name": f"{name}x"}), 422)
    assert here.instructor.post(address, json={"name": name}).status_code == 200
    assert is_problem(here.instructor.post("/api/v1/accounts/99999/erase", json={"name": name}), 404)


def test_the_only_instructor_stays(server: RunningServer, here: Members) -> None:
    with server.services.database.writing() as session:
        account = session.get_one(AccountRow, here.instructor.account)
        with pytest.raises(LastInstructor):
            erase(session, account)
        course = courses.find_course(session, here.slug)
        assert course is not None
        courses.enrol(session, course, "Another", Role.INSTRUCTOR)
        session.flush()

        erase(session, account)

        assert account.erased_at is not None


def test_old_tensors_are_emptied_and_their_grades_stay(server: RunningServer, known: int, here: Members) -> None:
    with server.services.database.writing() as session:
        assert empty_tensors(session, now() - timedelta(days=1)) == 0
        assert empty_tensors(session, now() + timedelta(seconds=1)) == 1
        tensors, code = session.exec(
            select(SubmissionRow).where(SubmissionRow.account_id == known).order_by(SubmissionRow.id)  # type: ignore[arg-type]
        )
        assert (tensors.body, code.body.decode()) == (b"", CODE)
        id = tensors.id

    assert here.instructor.get(f"/api/v1/submissions/{id}").json()["grade"]["total"] == 26
    assert is_problem(here.instructor.get(f"/api/v1/submissions/{id}/source"), 410)
    assert is_problem(here.instructor.get(f"/api/v1/submissions/{id}/record"), 410)
