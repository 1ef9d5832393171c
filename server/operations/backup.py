"""Backup and restore: everything that a server keeps, in one file.

A backup is a tar archive with ``manifest.json``, a snapshot of the database, and the secret where it lies in the data
folder. It holds students' work and every token's digest, so it is written for its owner alone. The manifest has the
digest of each part and the number of rows of each table: a restore checks both.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from server.database import snapshot
from server.database.table import now
from server.settings import SECRET_FILE, Settings, write_private

FORMAT: Final = 1
MANIFEST, DATABASE = "manifest.json", "database"
MANIFEST_BYTES_MAX: Final = 1024 * 1024


class BackupError(RuntimeError):
    """A backup cannot be made or read. The message says what to do."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    ``kind`` is ``sqlite`` or ``postgresql``. ``sha256`` maps each part to its digest, ``rows`` each table to its number
    of rows.
    """

    format: int
    taken_at: str
    kind: str
    sha256: dict[str, str]
    rows: dict[str, int]

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read a manifest.

        :raises BackupError: it is none, or one of a newer server
        """
        try:
            values: dict[str, Any] = json.loads(content)
            manifest = cls(**values)
            datetime.fromisoformat(manifest.taken_at)
        except (ValueError, TypeError):
            raise BackupError("The manifest cannot be read. Restore another backup.") from None
        if manifest.format != FORMAT:
            raise BackupError(f"The backup has format {manifest.format}. Restore it with the server that wrote it.")
        return manifest

    def summary(self) -> str:
        """Return what a person wants to know of it."""
        words = (("account", "accounts"), ("submission", "submissions"), ("grade", "grades"))
        counted = ", ".join(f"{self.rows.get(table, 0)} {word}" for table, word in words)
        return f"{self.kind}, {counted}, of {self.taken_at}"


def take(settings: Settings, to: Path) -> Manifest:
    """Write a backup into a new file while the server goes on.

    Everything that the server acknowledged before this call is in it.

    :raises BackupError: there is such a file already
    :raises SnapshotError: the database cannot be copied
    """
    if to.exists():
        raise BackupError(f"{to} exists already. Name a new file; a backup is never overwritten.")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=to.absolute().parent) as folder:
        parts = {DATABASE: Path(folder) / DATABASE}
        rows = snapshot.save(settings.url, parts[DATABASE])
        if settings.secret is None:
            parts[SECRET_FILE] = settings.data / SECRET_FILE
        digests = {name: _digest(path) for name, path in parts.items()}
        manifest = Manifest(FORMAT, now().isoformat(timespec="seconds"), snapshot.kind(settings.url), digests, rows)
        (Path(folder) / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2))
        archive = Path(folder) / "archive"
        _pack({MANIFEST: Path(folder) / MANIFEST, **parts}, archive)
        archive.rename(to)  # whole, or not there at all
    return manifest


def restore(settings: Settings, archive: Path) -> Manifest:
    """Put a backup into an empty database, and its secret into the data folder.

    :raises BackupError: the archive is damaged or does not fit these settings
    :raises SnapshotError: the database is not empty, or cannot be written
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=settings.data) as folder:
        manifest = _unpack(archive, Path(folder))
        if manifest.kind != snapshot.kind(settings.url):
            raise BackupError(
                f"This is a backup of {manifest.kind}, and the database here is {snapshot.kind(settings.url)}. "
                "Set DOJO_DATABASE_URL to a database of that kind."
            )
        secret = _secret(settings, Path(folder) / SECRET_FILE)
        rows = snapshot.load(settings.url, Path(folder) / DATABASE)
        if rows != manifest.rows:
            raise BackupError("Not every row arrived. Empty the database, and restore the backup again.")
        if secret is not None:
            write_private(settings.data / SECRET_FILE, secret)
    return manifest


def _secret(settings: Settings, kept: Path) -> str | None:
    """Return the secret to write; None if it is there already, or comes from a setting.

    :raises BackupError: there would be another secret than the backup's, or none
    """
    present = settings.data / SECRET_FILE
    if not kept.exists():
        if settings.secret is None and not present.exists():
            raise BackupError(
                "The backup holds no secret: the server had it from DOJO_SECRET_FILE. Set DOJO_SECRET_FILE again, to "
                "a file with the same secret."
            )
        return None
    secret = kept.read_text().strip()
    if settings.secret is not None or present.exists():
        here = settings.key.decode()
        if here != secret:
            raise BackupError(
                f"The backup has another secret than this server. Move {present} away and unset DOJO_SECRET and "
                "DOJO_SECRET_FILE; the backup brings its own."
            )
        return None
    return secret


def _pack(parts: dict[str, Path], archive: Path) -> None:
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as tar:
            for name, path in parts.items():
                tar.add(path, name)
        file.flush()
        os.fsync(file.fileno())


def _unpack(archive: Path, folder: Path) -> Manifest:
    """Extract the parts that the manifest names, and compare their digests."""
    try:
        with tarfile.open(archive) as tar:
            first = tar.next()
            if first is None or first.name != MANIFEST or first.size > MANIFEST_BYTES_MAX:
                raise BackupError(f"{archive} is not a backup of this server. Name a file that `backup` wrote.")
            content = tar.extractfile(first)
            manifest = Manifest.read(content.read() if content else b"")
            for name in (DATABASE, SECRET_FILE):
                if name in manifest.sha256:
                    _extract(tar, name, folder / name)
    except (OSError, EOFError, tarfile.TarError, zlib.error, KeyError) as error:
        raise BackupError(
            f"{archive} is no backup, or is damaged ({type(error).__name__}). Restore another one."
        ) from None
    for name, digest in manifest.sha256.items():
        if _digest(folder / name) != digest:
            raise BackupError(f"{name} in {archive} is damaged: its digest is another. Restore another backup.")
    return manifest


def _extract(tar: tarfile.TarFile, name: str, to: Path) -> None:
    """Write a member's bytes to a path of ours; what its header says of names, owners and links does not count."""
    content = tar.extractfile(name)
    if content is None:
        raise KeyError(f"{name} is no file in it")
    with to.open("wb") as file:
        shutil.copyfileobj(content, file)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
