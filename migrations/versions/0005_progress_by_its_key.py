"""SQLite keeps progress in the order of its key: a class is read without a look-up for every cell."""

from __future__ import annotations

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    _make_anew(with_rowid=False)


def downgrade() -> None:
    _make_anew(with_rowid=True)


def _make_anew(*, with_rowid: bool) -> None:
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("progress", recreate="always", table_kwargs={"sqlite_with_rowid": with_rowid}):
            pass
