"""The database: transactions, the base of all tables, migrations, and what differs between SQLite and PostgreSQL."""
