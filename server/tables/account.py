"""Accounts, and the tokens that open them."""

from datetime import datetime

from sqlmodel import Field

from server.database.table import Table, now


class AccountRow(Table, table=True):
    """A person on this server. Seats say what they may do in a course; an admin may act in every course.

    At ``keys_given_at`` staff of a course last held a key of this account: a token, a code or a link to pass on. The
    account's next course must not be theirs to enter, so joining it makes new keys.

    An erased account keeps its number, so that statistics stay whole, and nothing that names the person. One that was
    merged into another has no seat and no token.
    """

    __tablename__ = "account"

    id: int = Field(default=None, primary_key=True)
    name: str = Field(max_length=100)
    is_admin: bool = False
    created_at: datetime = Field(default_factory=now)
    keys_given_at: datetime | None = None
    erased_at: datetime | None = None
    merged_into_id: int | None = Field(default=None, foreign_key="account.id")


class TokenRow(Table, table=True):
    """A key to an account. Only its SHA-256 is kept.

    ``device`` says where it is used, as far as that is known. A session of a browser ends at ``expires_at``.
    """

    __tablename__ = "token"

    id: int = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", index=True)
    digest: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(default_factory=now)
    revoked_at: datetime | None = None
    expires_at: datetime | None = None
    device: str | None = Field(default=None, max_length=100)
