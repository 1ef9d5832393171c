"""What a course tells and pays: levels of hints, and a share for steps that only inherit a mistake."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    op.add_column("course", sa.Column("hint_levels", sa.Integer(), nullable=False, server_default="3"))
    op.add_column("course", sa.Column("hints_after", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("course", sa.Column("inherited_share", sa.Float(), nullable=False, server_default="0"))
    op.add_column("grade", sa.Column("inherited", sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE grade SET inherited = (SELECT count(*) FROM comparison"
        " WHERE comparison.grade_id = grade.id AND comparison.origin = 'inherited')"
    )
    with op.batch_alter_table("course") as table:
        table.alter_column("hint_levels", existing_type=sa.Integer(), server_default=None)
        table.alter_column("hints_after", existing_type=sa.Integer(), server_default=None)
        table.alter_column("inherited_share", existing_type=sa.Float(), server_default=None)
    with op.batch_alter_table("grade") as table:
        table.alter_column("inherited", existing_type=sa.Integer(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("grade") as table:
        table.drop_column("inherited")
    with op.batch_alter_table("course") as table:
        table.drop_column("inherited_share")
        table.drop_column("hints_after")
        table.drop_column("hint_levels")
