"""The operator's command."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from server import cli, courses, schema, tokens
from server.db import Database
from server.models import AnswerKind, Course, ExerciseRevision, Submission, Ticket, TicketState, Token

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def database(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database that the command will use, still without tables."""
    monkeypatch.setenv("DOJO_DATA", str(tmp_path))
    monkeypatch.setenv("DOJO_DATABASE_URL", url)
    found = Database(url)
    yield found
    found.close()


def said(capsys: pytest.CaptureFixture[str], pattern: str) -> str:
    """What a command printed, by a pattern with one group."""
    out = capsys.readouterr().out
    found = re.search(pattern, out)
    assert found, out
    return found[1]


def test_init_makes_a_course_a_secret_and_an_instructor_once(
    database: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["init"]) == 0
    token = said(capsys, r"token (dojo_\S+)")
    with database.reading() as session:
        assert session.exec(select(Token)).one().digest == tokens.digest(token)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert cli.main(["init"]) == 0
    assert "token" not in capsys.readouterr().out
    with database.reading() as session:
        assert len(session.exec(select(Course)).all()) == 1


def test_courses_are_opened_listed_and_their_join_code_replaced(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["course", "add", "autumn", "Autumn course"]) == 0
    code = said(capsys, r"Join code +(\S+)")
    assert cli.main(["course", "add", "autumn", "Again"]) == 2
    assert "already" in capsys.readouterr().err
    with database.writing() as session:
        courses.join(session, code, "Ada")
    assert cli.main(["course", "list"]) == 0
    assert re.search(rf"autumn +{code} +1 students +Autumn course", capsys.readouterr().out)
    assert cli.main(["course", "join-code", "autumn"]) == 0
    assert capsys.readouterr().out.strip() == code
    assert cli.main(["course", "join-code", "autumn", "--new"]) == 0
    assert capsys.readouterr().out.strip() != code
    assert cli.main(["course", "join-code", "spring"]) == 2


def test_tokens_are_made_and_revoked(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["init"])
    assert cli.main(["token", "revoke", "1"]) == 0
    assert "1 revoked" in capsys.readouterr().out
    assert cli.main(["token", "new", "1"]) == 0
    token = capsys.readouterr().out.strip()
    with database.reading() as session:
        valid = [each.digest for each in session.exec(select(Token)) if each.revoked_at is None]
    assert valid == [tokens.digest(token)]
    assert cli.main(["token", "new", "99"]) == 2


@pytest.mark.parametrize("slug", ["", "Autumn", "a b", "-a", "x" * 65])
def test_a_slug_that_is_none_is_refused(slug: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["course", "add", slug, "Title"])
    assert "slug" in capsys.readouterr().err


def test_serving_without_a_secret_says_what_to_do(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    schema.upgrade(url)
    assert cli.main(["serve", "--port", "0"]) == 2
    assert "python -m server init" in capsys.readouterr().err


def test_a_submission_that_was_set_aside_is_shown_and_released(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["init"])
    code = said(capsys, r"Join code +(\S+)")
    with database.writing() as session:
        student = courses.join(session, code, "Ada").student
        session.add(ExerciseRevision(slug="a/b", revision=1))
        session.flush()
        submission = Submission(
            course_id=1,
            student_id=student.id,
            exercise="a/b",
            revision=1,
            attempt=1,
            kind=AnswerKind.CODE,
            body=b"",
            digest="",
        )
        session.add(submission)
        session.flush()
        ticket = Ticket(submission_id=submission.id, student_id=student.id, tries=3)
        ticket.state, ticket.reason = TicketState.QUARANTINED, "the zygote died"
        session.add(ticket)
    assert cli.main(["queue", "show"]) == 0
    assert re.search(r"0 waiting.*\n +1  set aside after 3 tries: the zygote died", capsys.readouterr().out)
    assert cli.main(["queue", "release", "1"]) == 0
    assert cli.main(["queue", "release", "1"]) == 2
    with database.reading() as session:
        kept = session.exec(select(Ticket)).one()
        assert (kept.state, kept.tries) == (TicketState.QUEUED, 0)


@pytest.mark.parametrize("dispatch", ["embedded", "procrastinate"])
def test_a_worker_without_its_engine_or_database_says_what_to_set(
    dispatch: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["init"])
    monkeypatch.setenv("DOJO_DISPATCH", dispatch)
    assert cli.main(["worker"]) == 2
    assert {"embedded": "DOJO_DISPATCH=procrastinate", "procrastinate": "postgresql://"}[
        dispatch
    ] in capsys.readouterr().err


def test_a_course_is_told_how_much_to_tell_and_to_pay(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init"]) == 0
    assert cli.main(["course", "hints", "backprop", "--levels", "2"]) == 0
    assert cli.main(["course", "hints", "backprop", "--after", "3"]) == 0
    assert cli.main(["course", "credit", "backprop", "0.25"]) == 0
    capsys.readouterr()
    assert cli.main(["course", "hints", "backprop"]) == 0
    assert re.search(r"the line of the forward pass\.\nIn the first 3 attempts", capsys.readouterr().out)
    assert cli.main(["course", "credit", "backprop"]) == 0
    assert "earns 0.25 of a point" in capsys.readouterr().out
    with database.reading() as session:
        course = session.exec(select(Course)).one()
    assert (course.hint_levels, course.hints_after, course.inherited_share) == (2, 3, 0.25)
    assert cli.main(["course", "hints", "spring", "--levels", "1"]) == 2
    assert cli.main(["course", "credit", "spring", "1"]) == 2


@pytest.mark.parametrize(
    "options",
    [
        ["hints", "backprop", "--levels", "4"],
        ["hints", "backprop", "--levels", "-1"],
        ["hints", "backprop", "--after", "1.5"],
        ["hints", "backprop", "--after", "1001"],
        ["credit", "backprop", "1.01"],
        ["credit", "backprop", "-0.1"],
        ["credit", "backprop", "nan"],
        ["credit", "backprop", "half"],
    ],
)
def test_a_number_out_of_range_is_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["course", *options])
    assert " is from 0 to " in capsys.readouterr().err
