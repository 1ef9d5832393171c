"""The operator's commands for accounts: ``token`` and ``admin``."""

from __future__ import annotations

import click
from sqlmodel import Session

from server.accounts import accounts
from server.command_line import CommandError, pass_settings
from server.database.setup import prepared_database
from server.settings import Settings
from server.tables import AccountRow


@click.group()
def token() -> None:
    """Tokens of accounts."""


@token.command("new")
@click.argument("account_id", metavar="ID", type=int)
@pass_settings
def new_token(settings: Settings, account_id: int) -> None:
    """Make a further token for an account, and print it.

    ID is the account's, as the progress of a course shows it.
    """
    with prepared_database(settings).writing() as session:
        find_account(session, account_id)
        token = accounts.issue_token(session, account_id)
    click.echo(token)


@token.command("revoke")
@click.argument("account_id", metavar="ID", type=int)
@pass_settings
def revoke_tokens(settings: Settings, account_id: int) -> None:
    """Revoke every token of an account."""
    with prepared_database(settings).writing() as session:
        name = find_account(session, account_id).name
        count = accounts.revoke_tokens(session, account_id)
    click.echo(f"{name}: {count} revoked. Make a new one with: python -m server token new {account_id}")


@click.group()
def admin() -> None:
    """Admins, who may act in every course."""


@admin.command("add")
@click.argument("account_id", metavar="ID", type=int)
@pass_settings
def add_admin(settings: Settings, account_id: int) -> None:
    """Make an account an admin."""
    with prepared_database(settings).writing() as session:
        account = find_account(session, account_id)
        account.is_admin = True
        click.echo(f"{account.name} is an admin now.")


@admin.command("remove")
@click.argument("account_id", metavar="ID", type=int)
@pass_settings
def remove_admin(settings: Settings, account_id: int) -> None:
    """Take the admin's rights from an account; its seats stay."""
    with prepared_database(settings).writing() as session:
        account = find_account(session, account_id)
        account.is_admin = False
        click.echo(f"{account.name} is no admin now.")


def find_account(session: Session, id: int) -> AccountRow:
    """Return the account with this id.

    :raises CommandError: there is none
    """
    account = session.get(AccountRow, id)
    if account is None:
        raise CommandError(f"There is no account {id}. The progress of a course shows the ids of its students.")
    return account
