"""The operator's commands: submission, override and regrade."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import col, select

from grader import numerics
from server import cli
from server.settings import Settings
from server.tables import AuditRow, TicketRow
from tests.support.servers import COURSE, FULL, SOLUTION, RunningServer, Student, eventually, is_problem

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
WRONG = SOLUTION.replace("dcounts = dprobs * counts_sum_inv + dcounts_sum", "dcounts = dprobs * counts_sum_inv")


@pytest.fixture(autouse=True)
def same_database(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands use the database of the running server."""
    monkeypatch.setenv("DOJO_DATA", str(settings.data))
    monkeypatch.setenv("DOJO_DATABASE_URL", settings.url)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Any:
    """Types a command; returns its exit code, and what it printed."""

    def type_it(*words: object) -> tuple[int, str]:
        code = cli.main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return type_it


def test_submissions_are_listed_and_shown(command: Any, server: RunningServer, student: Student) -> None:
    ids = [student.submit_tensors({}).json()["id"], student.submit_code(WRONG).json()["id"]]
    note = {"text": "Two lines,\nboth shown.", "checkpoint": "counts"}
    server.instructor.post(f"/api/v1/submissions/{ids[1]}/comments", json=note)
    command("override", "set", COURSE, student.id, FULL, "7.5", "--reason", "Ill.")

    listed, older, shown = (
        command("submission", "list", COURSE)[1],
        command("submission", "list", COURSE, "--before", ids[1], "--student", student.id, "--exercise", FULL)[1],
        command("submission", "show", ids[1])[1],
    )

    assert [line.split()[0] for line in listed.splitlines()] == [str(ids[1]), str(ids[0])]
    assert [line.split()[0] for line in older.splitlines()] == [str(ids[0])]
    assert f"{student.id:6d} Ada" in older and "0 of 26 pass" in older
    assert f"Student    Ada ({student.id})\n" in shown
    assert f"Before     {ids[0]}; after: none" in shown
    assert "counts          wrong own missing_term" in shown
    assert "    counts: missing -> wrong" in shown
    assert "Override   7.5 points: Ill." in shown
    assert "of Instructor on counts:\n    Two lines,\n    both shown.\n" in shown


def test_a_source_is_written_as_it_came(student: Student, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    id = student.submit_code("x = 1\r\n").json()["id"]

    assert cli.main(["submission", "show", str(id), "--source"]) == 0

    assert capsysbinary.readouterr().out == b"x = 1\r\n"


def test_an_unknown_submission_is_a_usage_error(command: Any, server: RunningServer) -> None:
    code, printed = command("submission", "show", 99)

    assert (code, "no submission 99" in printed) == (2, True)


def test_overrides_are_set_listed_and_withdrawn(command: Any, server: RunningServer, student: Student) -> None:
    refused = command("override", "set", COURSE, student.id, FULL, "27", "--reason", "Ill.")
    code, made = command("override", "set", COURSE, student.id, FULL, "7.5", "--reason", "Ill.")
    id = int(made.split()[0])

    assert (refused[0], "0 to 26 points" in refused[1], code) == (2, True, 0)
    assert command("override", "list", COURSE)[1] == made
    assert command("override", "withdraw", COURSE, id)[0] == 0
    assert command("override", "list", COURSE) == (0, "")
    with server.services.database.reading() as session:
        assert set(session.exec(select(AuditRow.actor_id))) == {None}


def test_a_regrade_is_begun_shown_and_accepted(
    command: Any, server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = student.submit_code(WRONG).json()["id"]
    was = numerics.environment()
    monkeypatch.setattr(numerics, "environment", lambda: f"{was} and changed")

    assert "1 wait" in command("regrade", COURSE, "--student", student.id)[1]
    assert eventually(lambda: "0 wait" in command("regrade", COURSE, "--show")[1])
    code, printed = command("regrade", COURSE, "--accept")

    assert (code, printed.splitlines()[1:]) == (0, ["No row differs."])
    grade = student.get(f"/api/v1/submissions/{id}").json()["grade"]
    assert grade["environment"].endswith("and changed")
    assert command("regrade", COURSE)[1].startswith("Nothing to grade again")
    assert command("regrade", COURSE, "--accept")[0] == 2


def test_a_regrade_names_who_loses(command: Any, server: RunningServer, student: Student) -> None:
    id = student.submit_code(SOLUTION).json()["id"]
    server.grade_again(id, "counts", verdict="wrong", exact=False, origin="own")

    printed = command("regrade", COURSE, "--show")[1]

    assert f"Ada ({student.id}) loses in {FULL}: 26 -> 25 points" in printed
    assert "    counts: exact -> wrong own" in printed


def test_a_discarded_regrade_leaves_no_ticket(
    command: Any, server: RunningServer, student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    student.submit_tensors({})
    server.services.dispatcher.stop()
    was = numerics.environment()
    monkeypatch.setattr(numerics, "environment", lambda: f"{was} and changed")
    command("regrade", COURSE)

    refused = command("regrade", COURSE, "--accept")
    code, printed = command("regrade", COURSE, "--discard")

    assert (refused[0], "1 still wait" in refused[1]) == (2, True)
    assert (code, "discarded" in printed) == (0, True)
    with server.services.database.reading() as session:
        assert session.exec(select(TicketRow).order_by(col(TicketRow.id))).all() == []
    assert is_problem(server.instructor.post(f"/api/v1/courses/{COURSE}/regrade/1/accept"), 409)
