"""The packs of a course, each pinned by its digest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0012"


def upgrade() -> None:
    with op.batch_alter_table("course") as table:
        table.add_column(sa.Column("packs", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("course") as table:
        table.drop_column("packs")
