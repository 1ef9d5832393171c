"""Statements that every request asks, built once: building one takes longer than running it.

``bench/queries.py`` has the ratios, and the tests have a plain twin of each, which must give the same.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, select

from server.tables import AccountRow, TokenRow

# Id, name and is_admin of the account that a token with this ``digest`` opens.
ACCOUNT_OF_TOKEN: Final = (
    select(AccountRow.id, AccountRow.name, AccountRow.is_admin)
    .join(TokenRow)
    .where(TokenRow.digest == bindparam("digest"), col(TokenRow.revoked_at).is_(None))
)
