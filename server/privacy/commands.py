"""The operator's commands for what is kept about people: ``person`` and ``retention``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from server.accounts.commands import find_account
from server.command_line import ROW_ID, CommandError, pass_settings, private_file
from server.database.setup import prepared_database
from server.database.table import now
from server.settings import Settings

DAYS_MAX = 36_500  # a hundred years


@click.group()
def person() -> None:
    """What is kept about a person: hand it out, or erase it."""


@person.command("export")
@click.argument("account_id", metavar="ID", type=ROW_ID)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A new .zip file.")
@pass_settings
def export_person(settings: Settings, account_id: int, out: Path) -> None:
    """Write everything about an account into an archive."""
    from server.privacy.archive import archive  # imports torch

    database = prepared_database(settings)
    with database.reading() as session:
        name = find_account(session, account_id).name
    with private_file(out) as file:
        file.writelines(archive(database, account_id))
    click.echo(f"{out}: everything about {name}, {out.stat().st_size:,} bytes.")


@person.command("erase")
@click.argument("account_id", metavar="ID", type=ROW_ID)
@click.option("--name", required=True, help="The account's name, once more: this cannot be taken back.")
@pass_settings
def erase_person(settings: Settings, account_id: int, name: str) -> None:
    """Erase what names a person. Their grades stay as numbers, so that statistics stay whole.

    Backups that were taken before still hold it.
    """
    from server.privacy.erasure import erase

    with prepared_database(settings).writing() as session:
        account = find_account(session, account_id)
        if account.name != name:
            raise CommandError(f"Account {account_id} has another name. Nothing was erased; type its own.")
        erase(session, account)
    click.echo(f"Account {account_id} is erased. Backups that were taken before still hold it; delete them in time.")


@click.command()
@click.option("--tensors-older-than", "days", type=click.IntRange(1, DAYS_MAX), required=True, metavar="DAYS")
@pass_settings
def retention(settings: Settings, days: int) -> None:
    """Empty files of tensors that were handed in so many days ago. Their grades stay, and code stays."""
    from server.privacy.retention import empty_tensors

    with prepared_database(settings).writing() as session:
        emptied = empty_tensors(session, now() - timedelta(days=days))
    files = "1 file" if emptied == 1 else f"{emptied} files"
    click.echo(f"{files} of tensors emptied. Free the room: VACUUM on SQLite; PostgreSQL does it by itself.")
