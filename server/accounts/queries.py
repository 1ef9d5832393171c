"""The statement that every request asks, compiled once.

docs/performance.md says how many times as long plain SQLAlchemy takes (``bench/queries.py``).
``tests/server/test_queries.py`` compares it with its plain twin.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, select

from server.database.prepared import Prepared
from server.tables import AccountRow, TokenRow

# Id, name and is_admin of the account that a token with this ``digest`` opens at this ``moment``.
ACCOUNT_OF_TOKEN: Final = Prepared(
    select(AccountRow.id, AccountRow.name, AccountRow.is_admin)
    .join(TokenRow)
    .where(
        TokenRow.digest == bindparam("digest"),
        col(TokenRow.revoked_at).is_(None),
        col(TokenRow.expires_at).is_(None) | (col(TokenRow.expires_at) > bindparam("moment")),
    )
)
