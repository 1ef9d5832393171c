"""The commands ``person`` and ``retention``, as an operator types them."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlmodel import select

from server.cli import server as command
from server.database.engine import Database
from server.database.table import now
from server.settings import Settings
from server.tables import AccountRow, SubmissionRow
from tests.support.servers import RunningServer

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

Type = Callable[..., Result]


@pytest.fixture
def type_(server: RunningServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a command beside a running server."""
    monkeypatch.setenv("DOJO_DATABASE_URL", settings.url)
    return lambda *words: CliRunner().invoke(command, [str(word) for word in words])


def test_a_person_is_exported_and_erased(
    server: RunningServer, type_: Type, database: Database, tmp_path: Path
) -> None:
    ada = server.join("Ada Lovelace").account
    target = tmp_path / "ada.zip"

    exported = type_("person", "export", ada, "--out", target)
    assert exported.exit_code == 0, exported.output
    assert "everything about Ada Lovelace" in exported.output
    assert "Ada Lovelace" in zipfile.ZipFile(target).read("about.json").decode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert type_("person", "export", ada, "--out", target).exit_code == 2
    assert "Name another file." in type_("person", "export", ada, "--out", tmp_path / "none" / "ada.zip").output
    assert "not in the range" in type_("person", "export", 10**20, "--out", tmp_path / "b.zip").output

    refused = type_("person", "erase", ada, "--name", "Ada")
    assert (refused.exit_code, "Nothing was erased" in refused.output) == (2, True)
    assert type_("person", "erase", ada, "--name", "Ada Lovelace").exit_code == 0
    with database.reading() as session:
        assert session.get_one(AccountRow, ada).name == "(erased)"


def test_tensors_are_emptied_by_age(server: RunningServer, type_: Type, database: Database) -> None:
    student = server.join("Ada")
    assert student.submit_bytes(b"\x02\0\0\0\0\0\0\0{}").status_code == 201
    assert "0 files" in type_("retention", "--tensors-older-than", 30).output
    assert "not in the range" in type_("retention", "--tensors-older-than", 10**12).output
    with database.writing() as session:
        session.exec(select(SubmissionRow)).one().created_at = now() - timedelta(days=31)

    assert "1 file of tensors" in type_("retention", "--tensors-older-than", 30).output

    with database.reading() as session:
        assert session.exec(select(SubmissionRow)).one().body == b""
