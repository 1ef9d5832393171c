"""The operator's command."""

from __future__ import annotations

import logging
import re
import runpy
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from procrastinate.exceptions import ConnectorException
from sqlmodel import col, select

from grader import sandbox
from grader.sandbox.trusted import doctor
from grader.sandbox.trusted.doctor import Finding, Report
from server import cli, logs, serving
from server.accounts import tokens
from server.courses import commands, courses
from server.database import migrate
from server.database.engine import Database
from server.settings import Settings, SettingsError
from server.tables import (
    AnswerKind,
    CourseRow,
    ExerciseRevisionRow,
    Role,
    SeatRow,
    SubmissionRow,
    TicketRow,
    TicketState,
    TokenRow,
)
from tests.support.help_lines import cut_lines
from tests.support.servers import FakeSandbox, join_code_of

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
        assert session.exec(select(TokenRow)).one().digest == tokens.digest(token)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert cli.main(["init"]) == 0
    assert "token" not in capsys.readouterr().out
    with database.reading() as session:
        assert len(session.exec(select(CourseRow)).all()) == 1


def test_migrate_brings_the_schema_and_opens_nothing(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        assert cli.main(["migrate"]) == 0
        assert capsys.readouterr().out == "The database is up to date.\n"
    with database.reading() as session:
        assert migrate.is_current(session)
        assert session.exec(select(CourseRow)).all() == []

    monkeypatch.setenv("DOJO_SECRET", "9f3c51e07ab2d4688e1d0c5b7f92a6e4")
    assert cli.main(["migrate"]) == 2
    assert "init --new-secret" in capsys.readouterr().err


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
    assert cli.main(["token", "new", "1"]) == 2
    assert "Account 1 is Instructor: instructor in backprop." in capsys.readouterr().err
    assert cli.main(["token", "new", "1", "--yes"]) == 0
    label, token = capsys.readouterr().out.splitlines()
    assert label == "Account 1 is Instructor: instructor in backprop"
    with database.reading() as session:
        valid = [each.digest for each in session.exec(select(TokenRow)) if each.revoked_at is None]
    assert valid == [tokens.digest(token)]
    assert cli.main(["token", "new", "99", "--yes"]) == 2


def test_an_unknown_exercise_is_answered_with_those_like_it(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["submission", "list", "backprop", "--exercise", "puzzles/relus"]) == 2
    assert "Did you mean puzzles/relu? docs/exercises.md lists them all." in capsys.readouterr().err


@pytest.mark.parametrize("slug", ["", "Autumn", "a b", "-a", "x" * 65])
def test_a_slug_that_is_none_is_refused(slug: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["course", "add", slug, "Title"]) == 2
    assert "slug" in capsys.readouterr().err.lower()


def test_serving_without_a_secret_says_what_to_do(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    migrate.upgrade(url)
    assert cli.main(["serve", "--port", "0"]) == 2
    assert "python -m server init" in capsys.readouterr().err


def test_a_submission_that_was_set_aside_is_shown_and_released(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["init"])
    code = said(capsys, r"Join code +(\S+)")
    with database.writing() as session:
        student = courses.join(session, code, "Ada").account
        session.add(ExerciseRevisionRow(slug="a/b", revision=1))
        session.flush()
        submission = SubmissionRow(
            course_id=1,
            account_id=student.id,
            exercise="a/b",
            revision=1,
            attempt=1,
            kind=AnswerKind.CODE,
            body=b"",
            digest="",
        )
        session.add(submission)
        session.flush()
        ticket = TicketRow(submission_id=submission.id, account_id=student.id, tries=3)
        ticket.state, ticket.reason = TicketState.QUARANTINED, "the zygote died"
        session.add(ticket)
    assert cli.main(["queue", "show"]) == 0
    assert re.search(r"0 waiting.*\n +1  set aside after 3 tries: the zygote died", capsys.readouterr().out)
    assert cli.main(["queue", "release", "1"]) == 0
    assert cli.main(["queue", "release", "1"]) == 2
    with database.reading() as session:
        kept = session.exec(select(TicketRow)).one()
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
        course = session.exec(select(CourseRow)).one()
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
    assert cli.main(["course", *options]) == 2
    assert re.search(r"not in the range|is no share|not a valid|No such option", capsys.readouterr().err)


# -- each command does that and nothing else ------------------------------------------------------------------


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Where a server would have listened; none is started. It tells its address as a server would."""
    found: list[tuple[str, int]] = []

    def run(settings: Settings, host: str, port: int, show: Callable[[str], None]) -> None:
        found.append((host, port))
        show(f"http://{host}:{port}")

    monkeypatch.setattr(cli, "_serve", run)
    return found


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ([], ("127.0.0.2", 8001)),
        (["--port", "0"], ("127.0.0.2", 0)),
        (["--port", "9"], ("127.0.0.2", 9)),
        (["--host", "::1"], ("::1", 8001)),
    ],
)
def test_an_option_goes_before_a_variable(
    served: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, options: list[str], place: tuple[str, int]
) -> None:
    monkeypatch.setenv("DOJO_HOST", "127.0.0.2")
    monkeypatch.setenv("DOJO_PORT", "8001")

    assert cli.main(["serve", *options]) == 0

    assert served == [place]


def test_quickstart_keeps_its_token_and_opens_one_course(
    served: list[tuple[str, int]], database: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["quickstart"]) == 0
    token = said(capsys, r"token (dojo_\S+)")
    cli.main(["course", "add", "autumn", "Autumn"])
    capsys.readouterr()

    assert cli.main(["quickstart"]) == 0

    out = capsys.readouterr().out
    assert token in out and "(backprop)" in out and "dojo join http://127.0.0.1:8000" in out
    assert stat.S_IMODE((tmp_path / "instructor.token").stat().st_mode) == 0o600
    with database.reading() as session:
        assert session.exec(select(TokenRow.account_id).where(TokenRow.digest == tokens.digest(token))).all() == [1]
        assert [course.slug for course in session.exec(select(CourseRow))] == ["backprop", "autumn"]


def test_quickstart_beside_an_older_course_says_how_to_make_a_token(
    served: list[tuple[str, int]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cli.main(["init", "--course", "autumn", "--title", "Autumn"])
    capsys.readouterr()

    assert cli.main(["quickstart"]) == 0

    assert "python -m server people token autumn WHO" in capsys.readouterr().out
    assert not (tmp_path / "instructor.token").exists()


def test_the_list_counts_the_students_of_each_course(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    for slug in ("spring", "autumn", "winter"):
        cli.main(["course", "add", slug, slug.title()])
    with database.writing() as session:
        for slug, names in (("spring", ["Ada"]), ("autumn", ["Bob", "Cleo"])):
            course = courses.find_course(session, slug)
            assert course is not None
            for name in names:
                courses.enrol(session, course, name, Role.STUDENT)
        session.delete(session.exec(select(SeatRow).where(SeatRow.course_id == 3)).one())  # a course of nobody
    capsys.readouterr()

    cli.main(["course", "list"])

    listed = re.findall(r"(\w+) +\S+ +(\d+) students", capsys.readouterr().out)
    assert listed == [("autumn", "2"), ("spring", "1"), ("winter", "0")]


def test_a_course_has_an_instructor_from_the_start(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["course", "add", "autumn", "Autumn"])

    token = said(capsys, r"token (dojo_\S+)")
    with database.reading() as session:
        seat = session.exec(select(SeatRow)).one()
        owner = session.exec(select(TokenRow).where(TokenRow.digest == tokens.digest(token))).one()
    assert (seat.account_id, seat.role) == (owner.account_id, Role.INSTRUCTOR)


def test_a_join_code_is_replaced_in_one_course(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    for slug in ("autumn", "spring"):
        cli.main(["course", "add", slug, slug])
    with database.reading() as session:
        before = {course.slug: join_code_of(session, course) for course in session.exec(select(CourseRow))}
    capsys.readouterr()

    cli.main(["course", "join-code", "autumn", "--new"])

    new = capsys.readouterr().out.strip()
    with database.reading() as session:
        after = {course.slug: join_code_of(session, course) for course in session.exec(select(CourseRow))}
    assert after == before | {"autumn": new}


def test_hints_and_credit_are_set_in_one_course(database: Database) -> None:
    for slug in ("autumn", "spring"):
        cli.main(["course", "add", slug, slug])

    assert cli.main(["course", "hints", "spring", "--levels", "0", "--after", "2"]) == 0
    assert cli.main(["course", "credit", "spring", "1"]) == 0
    assert cli.main(["course", "hints", "spring", "--after", "0"]) == 0
    assert cli.main(["course", "credit", "spring", "0"]) == 0

    with database.reading() as session:
        kept = session.exec(select(CourseRow).order_by(CourseRow.slug)).all()
    assert [(course.hint_levels, course.hints_after, course.inherited_share) for course in kept] == [
        (3, 0, 0),
        (0, 0, 0),
    ]


def test_counterexamples_are_switched_off_and_on(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["course", "add", "spring", "Spring"])
    capsys.readouterr()
    switched = []
    for option in ([], ["--no-counterexamples"], ["--after", "1"], ["--counterexamples"]):
        assert cli.main(["course", "hints", "spring", *option]) == 0
        with database.reading() as session:
            kept = session.exec(select(CourseRow).where(CourseRow.slug == "spring")).one().counterexamples
        switched.append((kept, "No counterexample is shown." in capsys.readouterr().out))

    assert switched == [(True, False), (False, True), (False, True), (True, False)]


@pytest.mark.parametrize(
    ("levels", "after", "expected"),
    [
        (3, 0, False),
        (3, 1, "In the first attempt at a checkpoint, the kind alone."),
        (2, 4, "In the first 4 attempts at a checkpoint, the kind alone."),
        (1, 4, False),
        (0, 4, False),
    ],
)
def test_the_first_attempts_are_told_of_where_they_differ(
    capsys: pytest.CaptureFixture[str], levels: int, after: int, expected: str | bool
) -> None:
    cli.main(["init"])
    capsys.readouterr()

    cli.main(["course", "hints", "backprop", "--levels", str(levels), "--after", str(after)])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"backprop: {commands.HINT_SENTENCES[levels]}"
    assert [line for line in lines if "attempt" in line] == ([expected] if expected else [])


def test_tokens_of_others_stay_valid(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    for slug in ("autumn", "spring"):
        cli.main(["course", "add", slug, slug])

    assert cli.main(["token", "revoke", "2"]) == 0
    assert "Instructor: 1 revoked" in capsys.readouterr().out
    assert cli.main(["token", "revoke", "3"]) == 2

    with database.reading() as session:
        found = session.exec(select(TokenRow).order_by(col(TokenRow.id))).all()
    assert [(each.account_id, each.revoked_at is None) for each in found] == [(1, True), (2, False)]


def test_the_queue_shows_what_waits_and_what_is_aside(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["init"])
    states = [TicketState.QUEUED, TicketState.RUNNING, TicketState.QUARANTINED, TicketState.CANCELLED]
    with database.writing() as session:
        session.add(ExerciseRevisionRow(slug="a/b", revision=1))
        session.flush()
        for attempt, state in enumerate(states, 1):
            submission = SubmissionRow(
                course_id=1,
                account_id=1,
                exercise="a/b",
                revision=1,
                attempt=attempt,
                kind=AnswerKind.CODE,
                body=b"",
                digest="",
            )
            submission.insert(session)
            session.add(TicketRow(submission_id=submission.id, account_id=1, state=state, tries=attempt, reason="lost"))
    capsys.readouterr()

    cli.main(["queue", "show"])

    assert capsys.readouterr().out.splitlines() == ["2 waiting or running", "       3  set aside after 3 tries: lost"]
    assert [cli.main(["queue", "release", str(id)]) for id in (1, 2, 3, 4, 5)] == [2, 2, 0, 0, 2]


def test_a_doctor_without_a_zygote_says_so_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("DOJO_ZYGOTE", str(tmp_path / "nothing.sock"))

    assert cli.main(["doctor"]) == 1

    assert "there can be no sandbox here" in capsys.readouterr().err


@pytest.mark.parametrize(("holds", "code"), [(True, 0), (False, 1)])
def test_a_lock_that_does_not_hold_fails_the_doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], holds: bool, code: int
) -> None:
    finding = Finding("files", ok=holds, required=True, detail="")
    monkeypatch.setattr(sandbox, "Sandbox", lambda connect: FakeSandbox())
    monkeypatch.setattr(doctor, "examine", lambda sandbox: Report((finding,)))

    assert cli.main(["doctor"]) == code

    assert "files" in capsys.readouterr().out


def test_a_server_that_cannot_start_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cli.main(["init"])
    monkeypatch.setenv("DOJO_DATABASE_URL", f"sqlite:///{tmp_path}/nowhere/dojo.db")

    assert cli.main(["serve", "--port", "0"]) == 1


def test_the_exit_code_is_that_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments, code in ((["course", "list"], 0), (["token", "new", "99"], 2)):
        monkeypatch.setattr(sys, "argv", ["server", *arguments])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("server", run_name="__main__")
        assert ended.value.code == code


def test_a_longest_slug_is_taken() -> None:
    assert cli.main(["course", "add", "x" * 64, "Title"]) == 0


@pytest.mark.parametrize(("levels", "after", "share"), [("0", "0", "0"), ("3", "1000", "1")])
def test_the_ends_of_a_range_are_in_it(levels: str, after: str, share: str) -> None:
    cli.main(["init"])

    assert cli.main(["course", "hints", "backprop", "--levels", levels, "--after", after]) == 0
    assert cli.main(["course", "credit", "backprop", share]) == 0


@pytest.mark.parametrize(("descriptors", "connections"), [(65_536, 1000), (1000, 1000 - 130), (138, 8)])
def test_connections_leave_descriptors_to_the_rest(descriptors: int, connections: int) -> None:
    assert serving.connections_max(Settings(children=1), descriptors) == connections


def test_too_few_descriptors_are_said_so() -> None:
    with pytest.raises(SettingsError, match="ulimit -n 4096"):
        serving.connections_max(Settings(children=1), 137)


def test_a_wrong_port_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DOJO_PORT", "http")

    assert cli.main(["serve"]) == 2
    assert capsys.readouterr().err.startswith("Error: DOJO_PORT cannot be used: ")


def set_aside(database: Database, count: int) -> list[int]:
    """The ids of so many submissions that were set aside."""
    with database.writing() as session:
        course = session.exec(select(CourseRow)).one()
        student = courses.join(session, join_code_of(session, course), "Ben").account
        session.add(ExerciseRevisionRow(slug="a/b", revision=1))
        session.flush()
        ids = []
        for attempt in range(1, count + 1):
            which: dict[str, Any] = {"course_id": course.id, "account_id": student.id, "exercise": "a/b", "revision": 1}
            submission = SubmissionRow(**which, attempt=attempt, kind=AnswerKind.CODE, body=b"", digest="")
            submission.insert(session)
            ticket = TicketRow(submission_id=submission.id, account_id=student.id, state=TicketState.QUARANTINED)
            session.add(ticket)
            ids.append(submission.id)
    return ids


def states(database: Database) -> list[TicketState]:
    """Where all tickets stand."""
    with database.reading() as session:
        return [ticket.state for ticket in session.exec(select(TicketRow).order_by(col(TicketRow.id)))]


def test_several_submissions_are_released_or_none(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["init"])
    first, second, _ = set_aside(database, 3)
    capsys.readouterr()

    assert cli.main(["queue", "release", str(first), "99"]) == 2
    assert "Neither set aside nor cancelled: 99. Nothing was released." in capsys.readouterr().err
    assert states(database) == [TicketState.QUARANTINED] * 3

    assert cli.main(["queue", "release", str(first), str(second)]) == 0
    assert capsys.readouterr().out == f"In the queue again: {first}, {second}.\n"
    assert states(database) == [TicketState.QUEUED, TicketState.QUEUED, TicketState.QUARANTINED]


def test_everything_that_was_set_aside_is_released_at_once(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["init"])
    ids = set_aside(database, 3)
    capsys.readouterr()

    assert cli.main(["queue", "release"]) == 2
    assert cli.main(["queue", "release", "--all", "1"]) == 2
    assert cli.main(["queue", "release", "--all"]) == 0
    assert capsys.readouterr().out == f"In the queue again: {', '.join(map(str, ids))}.\n"
    assert states(database) == [TicketState.QUEUED] * 3
    assert cli.main(["queue", "release", "--all"]) == 0
    assert capsys.readouterr().out == "In the queue again: nothing, for nothing was set aside.\n"


@pytest.mark.parametrize("command", [["init"], ["quickstart"], ["queue", "show"]])
@pytest.mark.parametrize(
    ("variable", "value", "code", "sentence"),
    [
        ("DOJO_DATABASE_URL", "postgresql://dojo:hunter2@127.0.0.1:1/dojo", 1, "it cannot be reached; start it"),
        ("DOJO_DATABASE_URL", "sqlite:////dev/null/dojo.db", 1, "give the server's user the rights to it"),
        ("DOJO_DATA", "/dev/null/data", 2, "or name another one in DOJO_DATA"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(
    command: list[str],
    variable: str,
    value: str,
    code: int,
    sentence: str,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DOJO_SECRET", "0123456789abcdef" * 4)
    monkeypatch.setenv(variable, value)

    assert cli.main(command) == code
    said = capsys.readouterr().err
    assert said.startswith("Error: ") and sentence in said
    assert "Traceback" not in said and "hunter2" not in said


def test_another_secret_is_noticed_and_may_be_accepted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["init"]) == 0
    monkeypatch.setenv("DOJO_SECRET", "another secret of enough characters")

    for command in (["init"], ["serve", "--port", "0"], ["quickstart"]):
        assert cli.main(command) == 2
        assert "The secret is not the one that this database was begun with" in capsys.readouterr().err
    assert cli.main(["init", "--new-secret"]) == 0
    assert cli.main(["init"]) == 0


def test_a_database_of_a_newer_server_is_a_sentence(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init"]) == 0
    with database.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    assert cli.main(["serve", "--port", "0"]) == 2
    assert "Start the newer server, or restore a backup." in capsys.readouterr().err


def test_a_library_does_not_log_each_attempt_while_the_database_is_away() -> None:
    def logged(name: str, error: Exception) -> bool:
        record = logging.LogRecord(name, logging.ERROR, "", 1, "", (), (type(error), error, None))
        return logs.is_worth_a_line(record)

    assert not logged("procrastinate.worker", ConnectorException())
    assert logged("procrastinate.worker", RuntimeError())
    assert logged("server.queue.worker", ConnectorException())
    assert logs.is_worth_a_line(logging.LogRecord("procrastinate", logging.WARNING, "", 1, "", (), None))


def test_advice_for_the_api_is_not_given_to_a_terminal(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["course", "add", "autumn", "Autumn course"])
    capsys.readouterr()
    assert cli.main(["assignment", "set", "autumn", "basics/neuron"]) == 2
    assert capsys.readouterr().err == (
        "Error: This course does not have the pack basics. Add it to the course first.\n"
    )


def test_every_command_is_summed_up_in_a_line_of_80_characters() -> None:
    assert cut_lines(cli.server) == []
