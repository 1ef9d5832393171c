"""What training runs took, so that they share by time and not by chunks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"


def upgrade() -> None:
    with op.batch_alter_table("training_run") as table:
        table.add_column(sa.Column("seconds", sa.Float(), nullable=False, server_default="0"))
        table.add_column(sa.Column("turn_seconds", sa.Float(), nullable=False, server_default="0"))
        table.add_column(sa.Column("lecture_seconds", sa.Float(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("training_run") as table:
        table.drop_column("lecture_seconds")
        table.drop_column("turn_seconds")
        table.drop_column("seconds")
