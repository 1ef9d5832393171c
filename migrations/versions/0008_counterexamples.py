"""A course may keep counterexamples back from its students."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    op.add_column("course", sa.Column("counterexamples", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("course") as table:
        table.alter_column("counterexamples", existing_type=sa.Boolean(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("course") as table:
        table.drop_column("counterexamples")
