"""A term: assignments and extensions, rosters and join codes, comments and overrides, regrades, an audit log.

Progress gets the first moments from which points follow, counted from the newest grade of each submission. What waits
to be graded again becomes an open regrade of its course.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"

FIRST_MOMENT = """
    SELECT min(submission.created_at)
    FROM submission
    JOIN grade ON grade.submission_id = submission.id
    JOIN comparison ON comparison.grade_id = grade.id
    WHERE submission.course_id = progress.course_id
        AND submission.account_id = progress.account_id
        AND submission.exercise = progress.exercise
        AND comparison.name = progress.checkpoint
        AND NOT EXISTS (SELECT 1 FROM grade later WHERE later.submission_id = submission.id AND later.id > grade.id)
"""
MOMENTS = {
    "first_exact_at": "comparison.verdict = 'exact'",
    "first_inherited_at": "comparison.origin = 'inherited'",
}

BACKGROUND_RANK = 2_000_000_000
REGRADE_OF_WAITING = f"""
    INSERT INTO regrade (course_id, created_at)
    SELECT submission.course_id, min(ticket.queued_at)
    FROM ticket JOIN submission ON submission.id = ticket.submission_id
    WHERE ticket.rank >= {BACKGROUND_RANK}
    GROUP BY submission.course_id
"""
REGRADE_OF_TICKET = f"""
    UPDATE ticket SET regrade_id = (
        SELECT regrade.id FROM regrade JOIN submission ON submission.course_id = regrade.course_id
        WHERE submission.id = ticket.submission_id
    ) WHERE rank >= {BACKGROUND_RANK}
"""
# A course has one code at the revision before: its newest that was not revoked.
NEWEST_CODE = """
    SELECT join_code.code
    FROM join_code
    WHERE join_code.course_id = course.id AND join_code.revoked_at IS NULL
    ORDER BY join_code.id DESC
    LIMIT 1
"""


def upgrade() -> None:
    op.create_table(
        "assignment",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("exercise", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late_policy", sa.String(length=16), nullable=False),
        sa.Column("late_per_day", sa.Float(), nullable=False),
        sa.Column("late_floor", sa.Float(), nullable=False),
        sa.Column("grace_minutes", sa.Integer(), nullable=False),
        sa.Column("attempts_max", sa.Integer(), nullable=True),
        sa.Column("points", sa.Float(), nullable=True),
        sa.Column("checkpoint_points", sa.JSON(), nullable=False),
        sa.Column("accepts", sa.String(length=16), nullable=False),
        sa.Column("numbers", sa.String(length=16), nullable=False),
        sa.Column("on_hidden_numbers", sa.Boolean(), nullable=False),
        sa.Column("approximate_share", sa.Float(), nullable=False),
        sa.Column("inherited_share", sa.Float(), nullable=True),
        sa.Column("hint_levels", sa.Integer(), nullable=True),
        sa.Column("hints_after", sa.Integer(), nullable=True),
        sa.Column("counterexamples", sa.Boolean(), nullable=True),
        sa.Column("feedback", sa.String(length=16), nullable=False),
        sa.Column("feedback_after", sa.Integer(), nullable=False),
        sa.Column("checks_open", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_assignment_course_id_course")),
        sa.PrimaryKeyConstraint("course_id", "exercise", name=op.f("pk_assignment")),
    )
    op.create_table(
        "extension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("exercise", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("section", sa.String(length=64), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(account_id IS NULL) <> (section IS NULL)", name=op.f("ck_extension_one_recipient")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_extension_account_id_account")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_extension_course_id_course")),
        sa.ForeignKeyConstraint(["granted_by_id"], ["account.id"], name=op.f("fk_extension_granted_by_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
    )
    with op.batch_alter_table("extension") as table:
        table.create_index(table.f("ix_extension_course_id_exercise"), ["course_id", "exercise"], unique=False)

    op.create_table(
        "invitation",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_invitation_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitation_digest")),
    )
    op.create_table(
        "join_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("section", sa.String(length=64), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("uses_max", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_join_code_course_id_course")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_code")),
        sa.UniqueConstraint("code", name=op.f("uq_join_code_code")),
    )
    with op.batch_alter_table("join_code") as table:
        table.create_index(table.f("ix_join_code_course_id"), ["course_id"], unique=False)

    op.create_table(
        "override",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("exercise", sa.String(length=64), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_override_author_id_account")),
        sa.ForeignKeyConstraint(
            ["course_id", "account_id"],
            ["seat.course_id", "seat.account_id"],
            name=op.f("fk_override_course_id_account_id_seat"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override")),
    )
    with op.batch_alter_table("override") as table:
        table.create_index(
            table.f("ix_override_course_id_exercise_account_id"), ["course_id", "exercise", "account_id"], unique=False
        )

    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("exercise", sa.String(length=64), nullable=True),
        sa.Column("submission_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["account.id"], name=op.f("fk_audit_actor_id_account")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_audit_course_id_course")),
        sa.ForeignKeyConstraint(["subject_id"], ["account.id"], name=op.f("fk_audit_subject_id_account")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_audit_submission_id_submission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit") as table:
        table.create_index(table.f("ix_audit_course_id"), ["course_id"], unique=False)

    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("checkpoint", sa.String(length=64), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_comment_author_id_account")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_comment_submission_id_submission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
    )
    with op.batch_alter_table("comment") as table:
        table.create_index(table.f("ix_comment_submission_id"), ["submission_id"], unique=False)

    op.create_table(
        "regrade",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("exercise", sa.String(length=64), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("submission_id", sa.Integer(), nullable=True),
        sa.Column("requested_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_regrade_account_id_account")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_regrade_course_id_course")),
        sa.ForeignKeyConstraint(["requested_by_id"], ["account.id"], name=op.f("fk_regrade_requested_by_id_account")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_regrade_submission_id_submission")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regrade")),
    )
    with op.batch_alter_table("regrade") as table:
        table.create_index(table.f("ix_regrade_course_id"), ["course_id"], unique=False)

    with op.batch_alter_table("account") as table:
        table.add_column(sa.Column("keys_given_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        table.create_foreign_key(table.f("fk_account_merged_into_id_account"), "account", ["merged_into_id"], ["id"])

    with op.batch_alter_table("comparison") as table:
        table.add_column(sa.Column("inherits_constant", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("pattern", sa.String(length=200), nullable=True))

    with op.batch_alter_table("course") as table:
        table.add_column(sa.Column("time_zone", sa.String(length=64), nullable=False, server_default="UTC"))
        table.add_column(sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("grade") as table:
        table.add_column(sa.Column("regrade_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("counts", sa.Boolean(), nullable=False, server_default=sa.true()))
        table.create_foreign_key(table.f("fk_grade_regrade_id_regrade"), "regrade", ["regrade_id"], ["id"])
        table.create_index(
            table.f("ix_grade_regrade_id"),
            ["regrade_id"],
            unique=False,
            sqlite_where=sa.text("regrade_id IS NOT NULL"),
            postgresql_where=sa.text("regrade_id IS NOT NULL"),
        )

    with op.batch_alter_table("progress") as table:
        table.add_column(sa.Column("first_exact_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("first_inherited_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("seat") as table:
        table.add_column(sa.Column("email", sa.String(length=320), nullable=True))
        table.add_column(sa.Column("university_id", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("section", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True))
        table.create_unique_constraint(table.f("uq_seat_course_id_university_id"), ["course_id", "university_id"])

    with op.batch_alter_table("submission") as table:
        table.add_column(sa.Column("instance_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("emptied_at", sa.DateTime(timezone=True), nullable=True))
        table.create_foreign_key(table.f("fk_submission_instance_id_instance"), "instance", ["instance_id"], ["id"])
        table.create_index(
            table.f("ix_submission_course_id_exercise_account_id_created_at"),
            ["course_id", "exercise", "account_id", "created_at"],
            unique=False,
        )

    with op.batch_alter_table("ticket") as table:
        table.add_column(sa.Column("regrade_id", sa.Integer(), nullable=True))
        table.create_foreign_key(table.f("fk_ticket_regrade_id_regrade"), "regrade", ["regrade_id"], ["id"])
        table.create_index(table.f("ix_ticket_regrade_id"), ["regrade_id"], unique=False)

    with op.batch_alter_table("grade") as table:
        table.alter_column("counts", existing_type=sa.Boolean(), server_default=None)
    with op.batch_alter_table("comparison") as table:
        table.alter_column("inherits_constant", existing_type=sa.Boolean(), server_default=None)
    with op.batch_alter_table("course") as table:
        table.alter_column("time_zone", existing_type=sa.String(length=64), server_default=None)
    op.execute(
        "INSERT INTO join_code (course_id, code, uses, created_at) SELECT id, join_code, 0, created_at FROM course"
    )
    op.execute(
        "UPDATE submission SET instance_id = (SELECT min(grade.instance_id) FROM grade"
        " WHERE grade.submission_id = submission.id AND grade.revision = submission.revision)"
    )
    op.execute(REGRADE_OF_WAITING)
    op.execute(REGRADE_OF_TICKET)
    with op.batch_alter_table("course") as table:
        table.drop_constraint(table.f("uq_course_join_code"), type_="unique")
        table.drop_column("join_code")
    for column, which in MOMENTS.items():
        op.execute(f"UPDATE progress SET {column} = ({FIRST_MOMENT} AND {which})")


def downgrade() -> None:
    # An earlier server takes the newest grade for the one that counts.
    op.execute("DELETE FROM comparison WHERE grade_id IN (SELECT id FROM grade WHERE NOT counts)")
    op.execute("DELETE FROM grade WHERE NOT counts")
    with op.batch_alter_table("ticket") as table:
        table.drop_index(table.f("ix_ticket_regrade_id"))
        table.drop_constraint(table.f("fk_ticket_regrade_id_regrade"), type_="foreignkey")
        table.drop_column("regrade_id")

    with op.batch_alter_table("grade") as table:
        table.drop_index(table.f("ix_grade_regrade_id"))
        table.drop_constraint(table.f("fk_grade_regrade_id_regrade"), type_="foreignkey")
        table.drop_column("counts")
        table.drop_column("regrade_id")
    with op.batch_alter_table("course") as table:
        table.add_column(sa.Column("join_code", sa.String(length=32), nullable=False, server_default=""))
    op.execute(f"UPDATE course SET join_code = coalesce(({NEWEST_CODE}), 'NONE-' || CAST(course.id AS VARCHAR(20)))")
    with op.batch_alter_table("course") as table:
        table.alter_column("join_code", existing_type=sa.String(length=32), server_default=None)
        table.create_unique_constraint(table.f("uq_course_join_code"), ["join_code"])

    with op.batch_alter_table("submission") as table:
        table.drop_index(table.f("ix_submission_course_id_exercise_account_id_created_at"))
        table.drop_constraint(table.f("fk_submission_instance_id_instance"), type_="foreignkey")
        table.drop_column("emptied_at")
        table.drop_column("instance_id")

    with op.batch_alter_table("seat") as table:
        table.drop_constraint(table.f("uq_seat_course_id_university_id"), type_="unique")
        table.drop_column("last_seen_at")
        table.drop_column("removed_at")
        table.drop_column("section")
        table.drop_column("university_id")
        table.drop_column("email")

    with op.batch_alter_table("progress") as table:
        table.drop_column("first_inherited_at")
        table.drop_column("first_exact_at")

    with op.batch_alter_table("course") as table:
        table.drop_column("archived_at")
        table.drop_column("time_zone")

    with op.batch_alter_table("comparison") as table:
        table.drop_column("pattern")
        table.drop_column("inherits_constant")

    with op.batch_alter_table("account") as table:
        table.drop_constraint(table.f("fk_account_merged_into_id_account"), type_="foreignkey")
        table.drop_column("merged_into_id")
        table.drop_column("erased_at")
        table.drop_column("keys_given_at")

    with op.batch_alter_table("regrade") as table:
        table.drop_index(table.f("ix_regrade_course_id"))

    op.drop_table("regrade")
    with op.batch_alter_table("comment") as table:
        table.drop_index(table.f("ix_comment_submission_id"))

    op.drop_table("comment")
    with op.batch_alter_table("audit") as table:
        table.drop_index(table.f("ix_audit_course_id"))

    op.drop_table("audit")
    with op.batch_alter_table("override") as table:
        table.drop_index(table.f("ix_override_course_id_exercise_account_id"))

    op.drop_table("override")
    with op.batch_alter_table("join_code") as table:
        table.drop_index(table.f("ix_join_code_course_id"))

    op.drop_table("join_code")
    op.drop_table("invitation")
    with op.batch_alter_table("extension") as table:
        table.drop_index(table.f("ix_extension_course_id_exercise"))

    op.drop_table("extension")
    op.drop_table("assignment")
