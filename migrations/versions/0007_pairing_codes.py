"""One-time codes that sign an account in on another machine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    op.create_table(
        "pairing_code",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_pairing_code_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_pairing_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_pairing_code_digest")),
    )


def downgrade() -> None:
    op.drop_table("pairing_code")
