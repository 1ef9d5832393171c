"""Sessions of browsers: a token that ends, and the device on which it is used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"


def upgrade() -> None:
    with op.batch_alter_table("token") as table:
        table.add_column(sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("device", sa.String(100), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("token") as table:
        table.drop_column("device")
        table.drop_column("expires_at")
