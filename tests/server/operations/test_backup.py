"""A backup is taken while the server works, and everything acknowledged before it comes back."""

from __future__ import annotations

import gzip
import hashlib
import io
import sqlite3
import stat
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url
from sqlmodel import select
from starlette.testclient import TestClient

from server import cli
from server.database import migrate, snapshot
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.database.snapshot import SnapshotError
from server.operations import backup
from server.operations.backup import BackupError
from server.settings import SECRET_FILE, Settings
from server.tables import GradeRow, SubmissionRow
from tests.support import postgres
from tests.support.application import create_app
from tests.support.servers import EXERCISES, FULL, FakeSandbox, RunningServer, Student, gradients

ONLY_SQLITE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
ACKNOWLEDGED_BEFORE = 30
STUDENTS = 3


@pytest.fixture
def empty(url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a second empty database of the same kind."""
    if url.startswith("sqlite"):
        (tmp_path / "elsewhere").mkdir()
        yield f"sqlite:///{tmp_path}/elsewhere/dojo.db"
    else:
        with postgres.database(request.getfixturevalue("postgresql")) as address:
            yield address


@pytest.fixture
def elsewhere(empty: str, settings: Settings, tmp_path: Path) -> Settings:
    """The settings of a server on the second database, with the same secret."""
    return settings.model_copy(update={"data": tmp_path / "elsewhere", "database_url": SecretStr(empty)})


class Load:
    """Students who hand in one step after the other, until told to stop."""

    def __init__(self, server: RunningServer) -> None:
        self.acknowledged: list[int] = []
        self.enough = threading.Event()
        self._stop = threading.Event()
        students = [server.join(f"Student {number}") for number in range(STUDENTS)]
        answers = {"dlogprobs": gradients(students[0].state())["dlogprobs"]}
        self._threads = [threading.Thread(target=self._work, args=(student, answers)) for student in students]

    def _work(self, student: Student, answers: dict) -> None:  # type: ignore[type-arg]
        while not self._stop.is_set():
            answer = student.submit_tensors(answers)
            if answer.status_code == 201:
                self.acknowledged.append(answer.json()["id"])
            if len(self.acknowledged) >= ACKNOWLEDGED_BEFORE:
                self.enough.set()

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        assert self.enough.wait(180)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def kept(url: str) -> dict[int, str]:
    """Submission → digest of its content, of those with a grade."""
    database = Database(url)
    with database.reading() as session:
        graded = set(session.exec(select(GradeRow.submission_id)))
        rows = session.exec(select(SubmissionRow)).all()
        found = {row.id: hashlib.sha256(row.body).hexdigest() for row in rows if row.id in graded}
    database.close()
    return found


def test_a_backup_under_load_loses_nothing_acknowledged(
    server: RunningServer, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    unlimited = settings.submissions_per_minute * STUDENTS
    assert unlimited > ACKNOWLEDGED_BEFORE

    with Load(server) as load:
        before = list(load.acknowledged)
        backup.take(settings, tmp_path / "night.tar.gz")
    backup.restore(elsewhere, tmp_path / "night.tar.gz")

    original, restored = kept(settings.url), kept(elsewhere.url)
    assert len(before) >= ACKNOWLEDGED_BEFORE
    assert {id: restored.get(id) for id in before} == {id: original[id] for id in before}
    assert restored.items() <= original.items()


def test_a_restored_server_goes_on(
    server: RunningServer, settings: Settings, elsewhere: Settings, student: Student, tmp_path: Path
) -> None:
    answers = gradients(student.state())
    assert student.submit_tensors(answers).json()["grade"]["exact"] == 26

    backup.take(settings, tmp_path / "night.tar.gz")
    backup.restore(elsewhere, tmp_path / "night.tar.gz")

    migrate.upgrade(elsewhere.url)
    with TestClient(create_app(elsewhere, FakeSandbox().code_runner())) as client:
        again = Student(client, student.token)
        assert (
            again.get(f"{EXERCISES}/{FULL}").json()["checkpoints"]
            == student.get(f"{EXERCISES}/{FULL}").json()["checkpoints"]
        )
        assert again.state() == student.state()
        assert again.submit_tensors(answers).json()["attempt"] == 2


@ONLY_SQLITE
def test_a_restored_database_is_for_its_owner_alone(
    settings: Settings, elsewhere: Settings, database: Database, tmp_path: Path
) -> None:
    backup.take(settings, tmp_path / "night.tar.gz")
    backup.restore(elsewhere, tmp_path / "night.tar.gz")

    assert stat.S_IMODE(Path(make_url(elsewhere.url).database or "").stat().st_mode) == 0o600


def test_a_restore_needs_an_empty_database(settings: Settings, database: Database, tmp_path: Path) -> None:
    backup.take(settings, tmp_path / "night.tar.gz")

    with pytest.raises(SnapshotError, match="not empty"):
        backup.restore(settings, tmp_path / "night.tar.gz")


@ONLY_SQLITE
def test_a_backup_is_private_and_never_overwritten(settings: Settings, database: Database, tmp_path: Path) -> None:
    backup.take(settings, tmp_path / "night.tar.gz")

    assert stat.S_IMODE((tmp_path / "night.tar.gz").stat().st_mode) == 0o600
    with pytest.raises(BackupError, match="never overwritten"):
        backup.take(settings, tmp_path / "night.tar.gz")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@ONLY_SQLITE
def test_a_secret_of_the_data_folder_comes_along(
    database: Database, url: str, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Settings(data=tmp_path, database_url=SecretStr(url))
    here.make_secret()
    there = Settings(data=tmp_path / "elsewhere", database_url=SecretStr(empty))

    backup.take(here, tmp_path / "night.tar.gz")
    backup.restore(there, tmp_path / "night.tar.gz")

    assert there.key == here.key
    assert stat.S_IMODE((there.data / SECRET_FILE).stat().st_mode) == 0o600


@ONLY_SQLITE
def test_another_secret_is_refused_before_anything_is_written(
    database: Database, url: str, elsewhere: Settings, tmp_path: Path
) -> None:
    here = Settings(data=tmp_path, database_url=SecretStr(url))
    here.make_secret()
    backup.take(here, tmp_path / "night.tar.gz")

    with pytest.raises(BackupError, match="another secret"):
        backup.restore(elsewhere, tmp_path / "night.tar.gz")

    assert snapshot.tables(elsewhere.url) == []


@ONLY_SQLITE
def test_a_secret_of_a_setting_stays_out_and_is_asked_for(
    settings: Settings, database: Database, empty: str, tmp_path: Path
) -> None:
    backup.take(settings, tmp_path / "night.tar.gz")
    without = Settings(data=tmp_path / "elsewhere", database_url=SecretStr(empty))

    with tarfile.open(tmp_path / "night.tar.gz") as archive:
        assert archive.getnames() == ["manifest.json", "database"]
    with pytest.raises(BackupError, match="DOJO_SECRET_FILE"):
        backup.restore(without, tmp_path / "night.tar.gz")


def damaged(archive: Path, part: str) -> Path:
    """A copy of a backup with one byte of a part changed, and otherwise well-formed."""
    copy = archive.with_name("damaged.tar.gz")
    with tarfile.open(archive) as source, tarfile.open(copy, "w:gz") as target:
        for member in source:
            content = bytearray(source.extractfile(member).read())  # type: ignore[union-attr]
            if member.name == part:
                content[len(content) // 2] ^= 1
            target.addfile(member, io.BytesIO(content))
    return copy


@ONLY_SQLITE
def test_a_damaged_backup_is_refused_before_anything_is_written(
    settings: Settings, database: Database, elsewhere: Settings, tmp_path: Path
) -> None:
    backup.take(settings, tmp_path / "night.tar.gz")
    whole = (tmp_path / "night.tar.gz").read_bytes()
    (tmp_path / "half").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text").write_text("not a backup")
    (tmp_path / "other.gz").write_bytes(gzip.compress(b"not a backup"))

    for bad in (
        damaged(tmp_path / "night.tar.gz", "database"),
        tmp_path / "half",
        tmp_path / "text",
        tmp_path / "other.gz",
    ):
        with pytest.raises(BackupError, match="damaged"):
            backup.restore(elsewhere, bad)

    assert snapshot.tables(elsewhere.url) == []


@ONLY_SQLITE
def test_a_backup_of_another_kind_or_format_is_refused(settings: Settings, database: Database, tmp_path: Path) -> None:
    backup.take(settings, tmp_path / "night.tar.gz")
    elsewhere = settings.model_copy(update={"database_url": SecretStr("postgresql://nobody@localhost:1/none")})

    with pytest.raises(BackupError, match="backup of sqlite"):
        backup.restore(elsewhere, tmp_path / "night.tar.gz")
    with pytest.raises(BackupError, match="format 2"):
        backup.Manifest.read(b'{"format": 2, "taken_at": "2026-11-26", "kind": "sqlite", "sha256": {}, "rows": {}}')
    with pytest.raises(BackupError, match="cannot be read"):
        backup.Manifest.read(b"[]")


@ONLY_SQLITE
def test_rows_that_did_not_arrive_are_noticed(
    settings: Settings, database: Database, elsewhere: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup.take(settings, tmp_path / "night.tar.gz")
    monkeypatch.setattr(snapshot, "load", lambda url, path: {})

    with pytest.raises(BackupError, match="Not every row"):
        backup.restore(elsewhere, tmp_path / "night.tar.gz")


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder on whose disk SQLite finds room for one page."""
    folder = tmp_path / "small"
    folder.mkdir()
    connect = sqlite3.connect

    def limited(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        if folder in path.parents:
            connection.execute("PRAGMA max_page_count = 1")
        return connection

    monkeypatch.setattr(sqlite3, "connect", limited)
    return folder


@ONLY_SQLITE
def test_a_full_disk_of_the_backup_is_not_the_databases(
    settings: Settings,
    database: Database,
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DOJO_DATABASE_URL", settings.url)

    assert cli.main(["backup", str(small_disk / "night.tar.gz")]) == 2

    assert "night.tar.gz cannot be written: No space left on device. Name a file" in capsys.readouterr().err
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("address", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:///{folder}/text"])
def test_a_database_that_cannot_be_used_is_no_fault_of_ours(tmp_path: Path, address: str) -> None:
    (tmp_path / "text").write_text("not a database" * 100)
    url = address.format(folder=tmp_path)

    with pytest.raises(DatabaseUnavailable):
        snapshot.save(url, tmp_path / "copy")
    with pytest.raises(DatabaseUnavailable):
        snapshot.load(url, tmp_path / "copy")


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_what_postgresql_says_reaches_the_operator(
    settings: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SnapshotError, match="pg_dump is not installed"):
        backup.take(settings, tmp_path / "night.tar.gz")

    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'server version mismatch' >&2; exit 1\n")
    (tmp_path / "pg_dump").chmod(0o755)
    with pytest.raises(SnapshotError, match="pg_dump failed: server version mismatch"):
        backup.take(settings, tmp_path / "night.tar.gz")
    assert not (tmp_path / "night.tar.gz").exists()


@ONLY_SQLITE
def test_the_commands_say_what_they_did(
    database: Database, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOJO_DATA", str(tmp_path))
    monkeypatch.setenv("DOJO_DATABASE_URL", url)
    archive = str(tmp_path / "night.tar.gz")
    assert cli.main(["init"]) == 0
    capsys.readouterr()

    assert cli.main(["backup", archive]) == 0
    assert "1 accounts, 0 submissions, 0 grades" in capsys.readouterr().out
    assert cli.main(["backup", archive]) == 2
    assert cli.main(["backup", str(tmp_path / "nowhere" / "night.tar.gz")]) == 2
    assert "night.tar.gz cannot be written: No such file or directory. Name a file" in capsys.readouterr().err
    assert cli.main(["restore", archive]) == 2
    assert "Stop the server" in capsys.readouterr().err

    monkeypatch.setenv("DOJO_DATA", str(tmp_path / "new"))
    monkeypatch.setenv("DOJO_DATABASE_URL", f"sqlite:///{tmp_path}/new/dojo.db")
    assert cli.main(["restore", archive]) == 0
    assert "Next: start the server." in capsys.readouterr().out
