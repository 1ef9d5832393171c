"""Accounts and seats: ``student`` becomes ``account``, ``enrolment`` becomes ``seat``, and an account may be an admin.

Names of constraints and indexes follow, so that later migrations can refer to them by the naming rule.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"

# Parents before children.
TABLES = ("student", "enrolment", "token", "instance", "submission", "ticket", "progress")
FORWARD = (("student", "account"), ("enrolment", "seat"))
BACKWARD = (("account", "student"), ("seat", "enrolment"))

CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint
    WHERE connamespace = current_schema()::regnamespace AND conrelid <> 0
"""
INDEXES_AND_SEQUENCES = """
    SELECT CASE relkind WHEN 'i' THEN 'INDEX' ELSE 'SEQUENCE' END, relname FROM pg_class
    WHERE relkind IN ('i', 'S') AND relnamespace = current_schema()::regnamespace
"""


def upgrade() -> None:
    _rename(TABLES, FORWARD)
    op.add_column("account", sa.Column("is_admin", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("account") as table:
        table.alter_column("is_admin", existing_type=sa.Boolean(), server_default=None)


def downgrade() -> None:
    # An earlier server knows neither role. An assistant keeps a seat, with fewer rights.
    op.execute("UPDATE seat SET role = 'student' WHERE role = 'assistant'")
    with op.batch_alter_table("account") as table:
        table.drop_column("is_admin")
    _rename([_replace(table, FORWARD) for table in TABLES], BACKWARD)


def _rename(tables: list[str] | tuple[str, ...], words: tuple[tuple[str, str], ...]) -> None:
    """Replace words in the names of tables, columns, constraints and indexes."""
    if op.get_bind().dialect.name == "sqlite":
        for table in tables:
            _rename_on_sqlite(table, words)
    else:
        _rename_on_postgresql(tables, words)


def _rename_on_sqlite(table: str, words: tuple[tuple[str, str], ...]) -> None:
    """Replace a table by one whose definition has the new words, as https://sqlite.org/lang_altertable.html §7 says.

    SQLite renames tables and columns itself, but no constraints.
    """
    connection = op.get_bind()
    definition = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    ).scalar_one()
    indexes = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (table,)
    ).scalars()
    made_again = [_replace(index, words) for index in indexes]
    columns = [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")]
    head, rest = definition.split("(", 1)
    connection.exec_driver_sql(f"{head.replace(table, 'renamed')}({_replace(rest, words)}")
    into = ", ".join(_replace(column, words) for column in columns)
    connection.exec_driver_sql(f"INSERT INTO renamed ({into}) SELECT {', '.join(columns)} FROM {table}")
    connection.exec_driver_sql(f"DROP TABLE {table}")
    connection.exec_driver_sql(f"ALTER TABLE renamed RENAME TO {_replace(table, words)}")
    for index in made_again:
        connection.exec_driver_sql(index)


def _rename_on_postgresql(tables: list[str] | tuple[str, ...], words: tuple[tuple[str, str], ...]) -> None:
    for table in tables:
        renamed = _replace(table, words)
        if renamed != table:
            op.rename_table(table, renamed)
        for column in sa.inspect(op.get_bind()).get_columns(renamed):
            if _replace(column["name"], words) != column["name"]:
                op.alter_column(renamed, column["name"], new_column_name=_replace(column["name"], words))
    connection = op.get_bind()
    for table, name in connection.exec_driver_sql(CONSTRAINTS).all():  # an index that makes a constraint goes along
        if _replace(name, words) != name:
            op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {name} TO {_replace(name, words)}")
    for kind, name in connection.exec_driver_sql(INDEXES_AND_SEQUENCES).all():
        if _replace(name, words) != name:
            op.execute(f"ALTER {kind} {name} RENAME TO {_replace(name, words)}")
    # A queued job keeps its place: its lock is the account's.
    (old, new), *_ = words
    op.execute(f"UPDATE procrastinate_jobs SET lock = replace(lock, '{old}-', '{new}-')")


def _replace(text: str, words: tuple[tuple[str, str], ...]) -> str:
    for old, new in words:
        text = text.replace(old, new)
    return text
