"""The server's secret, recognised: a database belongs to the secret from which its instances were drawn."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from sqlmodel import Session

from server.database import dialect
from server.database.engine import Database
from server.settings import SettingsError
from server.tables import InstallationRow

FINGERPRINT: Final = "secret fingerprint"


def check_secret(database: Database, secret: bytes) -> None:
    """Write down the fingerprint of the secret, or compare it with the one that is written down.

    :raises SettingsError: the database was begun with another secret
    """
    fingerprint = fingerprint_of(secret)
    with database.reading() as session:
        row = session.get(InstallationRow, FINGERPRINT)
    if row is None:
        with database.writing() as session:
            first = {"name": FINGERPRINT, "value": fingerprint}
            dialect.insert_missing(session, InstallationRow.__table__, [first])  # type: ignore[attr-defined]
            row = session.get_one(InstallationRow, FINGERPRINT)
    if not hmac.compare_digest(row.value, fingerprint):
        raise SettingsError(
            "The secret is not the one that this database was begun with, from which every student's numbers are "
            "drawn. Put the old one back. If it is lost: python -m server init --new-secret"
        )


def accept_secret(session: Session, secret: bytes) -> None:
    """Let the database belong to another secret. Numbers that were drawn already stay as they are."""
    row = session.get(InstallationRow, FINGERPRINT)
    if row is not None:
        row.value = fingerprint_of(secret)


def fingerprint_of(secret: bytes) -> str:
    """Return what tells a secret from others, and nothing of it."""
    return hmac.digest(secret, FINGERPRINT.encode(), hashlib.sha256).hex()[:32]
