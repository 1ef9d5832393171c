"""A fair queue: whose a ticket is, and its rank."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.add_column("ticket", sa.Column("student_id", sa.Integer(), nullable=True))
    op.add_column("ticket", sa.Column("rank", sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE ticket SET student_id ="
        " (SELECT submission.student_id FROM submission WHERE submission.id = ticket.submission_id)"
    )
    with op.batch_alter_table("ticket") as table:
        table.alter_column("student_id", existing_type=sa.Integer(), nullable=False)
        table.alter_column("rank", existing_type=sa.Integer(), server_default=None)
        table.create_foreign_key(op.f("fk_ticket_student_id_student"), "student", ["student_id"], ["id"])
        table.create_index(op.f("ix_ticket_student_id"), ["student_id"])
        table.create_index(op.f("ix_ticket_rank_id_state"), ["rank", "id", "state"])
    op.create_index(op.f("ix_submission_student_id_created_at"), "submission", ["student_id", "created_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_submission_student_id_created_at"), "submission")
    with op.batch_alter_table("ticket") as table:
        table.drop_index(op.f("ix_ticket_rank_id_state"))
        table.drop_index(op.f("ix_ticket_student_id"))
        table.drop_constraint(op.f("fk_ticket_student_id_student"), type_="foreignkey")
        table.drop_column("rank")
        table.drop_column("student_id")
