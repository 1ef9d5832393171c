"""Drafts: what stands in a student's editor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"


def upgrade() -> None:
    op.create_table(
        "draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("exercise", sa.String(64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_draft_account_id_account"),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name="fk_draft_course_id_course"),
        sa.PrimaryKeyConstraint("id", name="pk_draft"),
        sa.UniqueConstraint("course_id", "account_id", "exercise", name="uq_draft_course_id_account_id_exercise"),
    )
    op.create_index("ix_draft_account_id", "draft", ["account_id"])


def downgrade() -> None:
    op.drop_table("draft")
