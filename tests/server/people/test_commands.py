"""The operator's commands for people: whom they name, and what they refuse."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import col, select

from server import cli
from server.accounts import tokens
from server.database.engine import Database
from server.tables import AuditRow, CourseRow, JoinCodeRow, TokenRow

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

ROSTER = "name,email,id,section\nAda,ada@example.org,17,A\n=Bob,bob@example.org,18,B\n"


@pytest.fixture
def folder(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a roster, and a server's database with a course."""
    monkeypatch.setenv("DOJO_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roster.csv").write_text(ROSTER)
    assert cli.main(["init"]) == 0
    return tmp_path


def typed(capsys: pytest.CaptureFixture[str], line: str) -> str:
    """What a command says."""
    capsys.readouterr()
    assert cli.main(["people", *line.split()]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], line: str) -> str:
    """What a command says that is refused."""
    capsys.readouterr()
    assert cli.main(["people", *line.split()]) == 2
    return capsys.readouterr().err


def test_a_roster_is_imported_with_links_in_a_private_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Line 2: Ada would be added as student." in typed(capsys, "import backprop roster.csv --dry-run")
    out = typed(capsys, "import backprop roster.csv --links links.csv --address https://d.org")

    assert out.splitlines()[-1] == "2 personal links are in links.csv. Only you can read it."
    assert stat.S_IMODE((folder / "links.csv").stat().st_mode) == 0o600
    lines = (folder / "links.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["name", "Ada", "'=Bob"]
    assert "https://d.org/join#join_" in lines[1]
    (folder / "roster.csv").write_text(ROSTER.replace("18,B", "18,C"))
    assert "changed: section B → C." in typed(capsys, "import backprop roster.csv")
    assert "links.csv is there already" in refused(capsys, "import backprop roster.csv --links links.csv")
    (folder / "roster.csv").write_text("name,email\nAda,ada\n")
    assert "Line 2, column e-mail: " in refused(capsys, "import backprop roster.csv")


def test_nobody_is_imported_whose_links_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(capsys, "import backprop roster.csv --links nowhere/links.csv")

    assert "nowhere/links.csv cannot be written: No such file or directory. Name another file." in told
    assert "2 would be added" in typed(capsys, "import backprop roster.csv --dry-run")


def test_a_token_is_printed_with_its_owner(
    folder: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(capsys, "import backprop roster.csv")

    out = typed(capsys, "token backprop 17")
    again = typed(capsys, "token backprop ada@example.org --revoke-old")

    assert re.search(r"^Name +Ada \(number 2\)\nCourse +backprop\nRole +student, section A\nToken +dojo_", out)
    assert re.search(r"^Revoked +1 older$", again, re.MULTILINE)
    with database.reading() as session:
        valid = session.exec(
            select(TokenRow.digest).where(TokenRow.account_id == 2, col(TokenRow.revoked_at).is_(None))
        ).all()
        acts = session.exec(select(AuditRow.act, AuditRow.actor_id)).all()
    assert valid == [tokens.digest(again.split()[-1])]
    assert acts == [(act, None) for act in ("course.open", "people.import", "people.token", "people.token")]


def test_who_is_not_clear_is_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        typed(capsys, "add backprop Eve")

    error = refused(capsys, "token backprop eve")

    assert "eve may be Eve (number 2, student); Eve (number 3, student)." in error
    assert "Eve" in typed(capsys, "merge backprop #2 #3")
    assert typed(capsys, "list backprop --search EVE").startswith("#3")
    assert "Nobody in backprop is Zoe." in refused(capsys, "remove backprop Zoe")
    assert "last instructor" in refused(capsys, "remove backprop Instructor")


def test_an_end_is_in_the_time_zone_of_the_course(
    folder: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.writing() as session:
        session.exec(select(CourseRow)).one().time_zone = "Asia/Tokyo"

    typed(capsys, "new-code backprop --until 2030-01-01T00:00")

    assert "Type it as 2026-12-01 23:59" in refused(capsys, "new-code backprop --until 2030-01-02")
    assert "until 2030-01-01 00:00 Asia/Tokyo" in typed(capsys, "codes backprop")
    with database.reading() as session:
        (end,) = filter(None, session.exec(select(JoinCodeRow.expires_at)))
    assert end == datetime(2029, 12, 31, 15, tzinfo=UTC)


def test_codes_are_made_closed_and_revoked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = typed(capsys, "new-code backprop --section A --uses 3").strip()

    assert typed(capsys, f"close-code backprop {code}") == f"{code} is closed now.\n"
    assert typed(capsys, f"close-code backprop {code} --reopen") == f"{code} is open now.\n"
    assert f"{code}  open     0 of 3 uses, section A" in typed(capsys, "codes backprop")
    assert typed(capsys, f"revoke-code backprop {code.lower()}") == f"{code} is revoked.\n"
    assert "has no join code" in refused(capsys, f"revoke-code backprop {code}")
