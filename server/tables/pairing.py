"""One-time codes that sign an account in on another machine."""

from datetime import datetime

from sqlmodel import Field

from server.database.table import Table


class PairingCodeRow(Table, table=True):
    """The pairing code of an account; a new one replaces it. Only its SHA-256 is kept, and only until it is used."""

    __tablename__ = "pairing_code"

    account_id: int = Field(primary_key=True, foreign_key="account.id")
    digest: str = Field(unique=True, max_length=64)
    expires_at: datetime
