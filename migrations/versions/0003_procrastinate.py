"""The tables of procrastinate, on PostgreSQL.

They are made as the installed version of the library has them, and the name of its newest migration is noted as a
comment on its first table. A version that adds migrations gets a revision of its own here, which runs those after
the noted one and notes the newest: on a database that was made with that version already there are none.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import psycopg
from alembic import op
from procrastinate.schema import SchemaManager

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    newest = max(file.name for file in Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    _run(SchemaManager.get_schema())
    _run(f"COMMENT ON TABLE procrastinate_jobs IS '{newest}'")
    # "Is anybody else of this lock waiting or running" is asked of every candidate for the next turn; the library's
    # own index leads with the id.
    _run(
        "CREATE INDEX dojo_jobs_lock ON procrastinate_jobs (lock, status, priority DESC, id)"
        " WHERE status IN ('todo', 'doing')"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    _run(
        r"""
        DO $$
        DECLARE statement text;
        BEGIN
            FOR statement IN
                SELECT format('DROP FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc
                    WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'procrastinate\_%'
                UNION ALL SELECT format('DROP TABLE %I CASCADE', tablename) FROM pg_tables
                    WHERE schemaname = current_schema() AND tablename LIKE 'procrastinate\_%'
                UNION ALL SELECT format('DROP TYPE IF EXISTS %I CASCADE', typname) FROM pg_type
                    WHERE typnamespace = current_schema()::regnamespace AND typname LIKE 'procrastinate\_%'
                        AND (typtype = 'e' OR typname LIKE '%\_to\_defer\_%')
            LOOP
                EXECUTE statement;
            END LOOP;
        END $$
        """
    )


def _run(script: str) -> None:
    """Several statements at once, as only the driver takes them."""
    driver = cast("psycopg.Connection", op.get_bind().connection.driver_connection)
    driver.execute(script)
