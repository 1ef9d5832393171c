"""The operator's commands for assignments, extensions and courses: what they print, change and refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from server import cli
from server.courses import courses
from server.database import migrate
from server.database.engine import Database
from server.instances.exercises import record_revisions
from server.tables import AnswerKind, AssignmentRow, CourseRow, ExtensionRow, LatePolicy, Role, SeatRow, SubmissionRow
from tests.support.servers import FULL

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

LOSS = "makemore/cross-entropy"
Type = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def database(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database of the commands, with a course in Berlin, of one student in section A."""
    monkeypatch.setenv("DOJO_DATA", str(tmp_path))
    monkeypatch.setenv("DOJO_DATABASE_URL", url)
    migrate.upgrade(url)
    found = Database(url)
    with found.writing() as session:
        course = courses.open_course(session, "autumn", "Autumn")
        course.time_zone = "Europe/Berlin"
        student = courses.enrol(session, course, "Ada", Role.STUDENT).account
        session.flush()
        session.get_one(SeatRow, (course.id, student.id)).section = "A"
    yield found
    found.close()


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Type:
    """Type a command; returns its exit code, and what it printed."""

    def run(*words: object) -> tuple[int, str]:
        code = cli.main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


@pytest.fixture
def handed_in(database: Database) -> None:
    """A submission of the student."""
    record_revisions(database)
    key = {"course_id": 1, "account_id": 1, "exercise": FULL, "revision": 1, "attempt": 1}
    with database.writing() as session:
        session.add(SubmissionRow(**key, kind=AnswerKind.CODE, body=b"", digest=""))  # type: ignore[arg-type]


def assignments(database: Database) -> list[AssignmentRow]:
    with database.reading() as session:
        return list(session.exec(select(AssignmentRow).order_by("position")))


def test_an_assignment_is_set_moved_and_listed(database: Database, typed: Type) -> None:
    rules = ("--due", "2026-12-01 23:59", "--late", "daily", "--late-per-day", "10%", "--late-floor", "0.5")
    limits = ("--attempts", "5", "--points", "10", "--weight", "h=2", "--weight", "C=0", "--inherited", "50%")

    code, printed = typed("assignment", "set", "autumn", FULL, *rules, *limits, "--no-checks")
    assert (code, printed.splitlines()) == (
        0,
        [
            f"{FULL}: assignment 1 of autumn, version 1; opens -, due 2026-12-01 23:59 (Europe/Berlin).",
            "Each day late takes 10 % of the points, down to 50 %.",
            "It is the first assignment: the course asks for no other exercise now.",
            "Nobody's points change.",
        ],
    )
    assert typed("assignment", "set", "autumn", LOSS, "--due", "2026-12-08T23:59+01:00")[0] == 0
    assert "Nothing was changed." in typed("assignment", "set", "autumn", LOSS, "--points", "3", "--dry-run")[1]
    assert typed("assignment", "move", "autumn", LOSS, "1")[0] == 0
    cleared = ("--due", "none", "--late", "none", "--attempts", "none", "--inherited", "course", "--checks")
    assert typed("assignment", "set", "autumn", FULL, *cleared, "--version", "1")[0] == 0
    assert typed("assignment", "set", "autumn", FULL, "--points", "1", "--version", "1")[0] == 2

    loss, full = assignments(database)
    assert (loss.exercise, loss.points, full.exercise) == (LOSS, None, FULL)
    assert (full.due_at, full.late_policy, full.attempts_max, full.inherited_share) == (
        None,
        LatePolicy.NONE,
        None,
        None,
    )
    assert (full.checkpoint_points, full.points, full.checks_open, full.version) == ({"h": 2, "C": 0}, 10, True, 2)
    lines = typed("assignment", "list", "autumn")[1].splitlines()
    assert lines[1].split() == ["1", LOSS, "-", "2026-12-08", "23:59", "-", "2"]
    assert lines[2].split() == ["2", FULL, "-", "-", "10", "2"]


REFUSED = (
    (("--due", "2026-10-25 02:30"), "show 2026-10-25 02:30 twice. Say which:"),
    (("--due", "2026-03-29 02:30"), "skip 2026-03-29 02:30."),
    (("--due", "soon"), "Type it as 2026-12-01 23:59"),
    (("--late", "closed"), "The late policy 'closed' needs --due."),
    (("--late-per-day", "110%"), "Type one from 0 to 1, or from 0% to 100%."),
    (("--opens", "2026-12-02 10:00", "--due", "2026-12-01 10:00"), "Error: --opens must be before --due."),
    (("--points", "nan"), "--points must be above 0"),
    (("--weight", "h"), "Type a checkpoint and a number"),
    (("--weight", "nothing=1"), "names no checkpoint with 'nothing'"),
    (("--attempts", "0"), "--attempts must be 1 to 1000, or 'none' for any number."),
    (("--feedback", "after_attempts"), "needs --feedback-after of 1 to 1000."),
    (("--hint-levels", "9"), "--hint-levels must be 0 to 3, or 'course'."),
    (("--position", "0"), "Invalid value for '--position'"),
)


def test_what_cannot_be_is_refused_with_a_sentence(database: Database, typed: Type) -> None:
    for options, sentence in REFUSED:
        code, printed = typed("assignment", "set", "autumn", FULL, *options)

        assert code == 2
        assert sentence in printed
    assert assignments(database) == []


@pytest.mark.usefixtures("handed_in")
def test_removing_what_has_work_asks_for_its_name(database: Database, typed: Type) -> None:
    typed("assignment", "set", "autumn", FULL)

    code, printed = typed("assignment", "remove", "autumn", FULL, "--confirm", "yes")
    assert (code, len(assignments(database))) == (2, 1)
    assert "1 answer of 1 student. It stays" in printed
    assert typed("assignment", "remove", "autumn", FULL, "--dry-run")[0] == 0
    assert len(assignments(database)) == 1
    assert typed("assignment", "remove", "autumn", FULL, "--confirm", FULL)[0] == 0
    assert assignments(database) == []


def test_an_extension_is_granted_listed_and_revoked(database: Database, typed: Type) -> None:
    typed("assignment", "set", "autumn", FULL, "--due", "2026-12-01 23:59")
    grant = ("extension", "grant", "autumn", FULL, "--due", "2026-12-03 23:59", "--reason", "ill")

    assert "Nothing was changed." in typed(*grant, "--person", 1, "--dry-run")[1]
    assert typed(*grant)[0] == 2
    assert "Extension 1: " in typed(*grant, "--person", 1)[1]
    assert "Extension 2: " in typed(*grant, "--section", "A")[1]
    assert typed("extension", "revoke", "autumn", 1, "--reason", "well again")[0] == 0
    assert typed("extension", "revoke", "autumn", 1)[0] == 2

    printed = typed("extension", "list", "autumn", "--exercise", FULL)[1]
    assert [line.split(maxsplit=4)[-1] for line in printed.splitlines()] == ["Ada (1): ill [revoked]", "section A: ill"]
    with database.reading() as session:
        assert len(session.exec(select(ExtensionRow)).all()) == 2
    audit = typed("course", "audit", "autumn", "--act", "extension", "--limit", 1)[1].splitlines()
    assert "extension.revoke by the operator, about Ada (1), in makemore/full-backward" in audit[0]
    assert audit[0].endswith("“well again”")
    assert audit[1] == "For the next page, add: --before 4"


@pytest.mark.usefixtures("handed_in")
def test_a_course_is_changed_copied_archived_and_removed(database: Database, typed: Type) -> None:
    typed("assignment", "set", "autumn", FULL, "--due", "2026-10-01 23:59")

    assert "Last autumn, times of Europe/Berlin" in typed("course", "change", "autumn", "--title", "Last autumn")[1]
    assert typed("course", "change", "autumn", "--title", "x" * 300)[0] == 2
    assert typed("course", "change", "autumn", "--time-zone", "Berlin")[0] == 2
    assert typed("course", "add", "long", "x" * 300)[0] == 2
    copied = typed("course", "copy", "autumn", "spring", "--shift-days", "182", "--instructor", 1)[1]
    assert "due 2027-04-01 23:59" in copied
    assert typed("course", "copy", "autumn", "spring")[0] == 2
    assert typed("course", "archive", "autumn")[0] == 0
    assert "archived" in typed("assignment", "set", "autumn", LOSS)[1]
    assert typed("course", "reopen", "autumn")[0] == 0
    assert typed("course", "remove", "autumn", "--confirm", "autumn")[0] == 2  # there is work
    assert typed("course", "remove", "autumn", "--with-work", "--confirm", "spring")[0] == 2
    assert typed("course", "remove", "autumn", "--with-work", "--confirm", "autumn")[0] == 0

    with database.reading() as session:
        assert session.exec(select(CourseRow.slug)).all() == ["spring"]
        assert session.exec(select(SeatRow.role)).all() == [Role.INSTRUCTOR]
        assert session.exec(select(SubmissionRow)).all() == []


def test_an_archived_course_keeps_its_join_code(typed: Type) -> None:
    code = typed("course", "join-code", "autumn")
    typed("course", "archive", "autumn")

    refused = typed("course", "join-code", "autumn", "--new")

    assert (refused[0], "archived" in refused[1]) == (2, True)
    assert typed("course", "join-code", "autumn") == code


def test_a_number_that_no_database_takes_is_refused(typed: Type) -> None:
    assert "not in the range" in typed("course", "audit", "autumn", "--person", 10**20)[1]
    grant = ("extension", "grant", "autumn", LOSS, "--due", "2030-01-01 10:00", "--reason", "ill")
    assert "not in the range" in typed(*grant, "--person", 10**20)[1]
