"""What the operator's commands about accounts share."""

from __future__ import annotations

from sqlmodel import Session

from server.command_line import CommandError
from server.tables import AccountRow


def find_account(session: Session, id: int) -> AccountRow:
    """Return the account with this id.

    :raises CommandError: there is none, or it was merged or erased
    """
    account = session.get(AccountRow, id)
    if account is None:
        raise CommandError(f"There is no account {id}. Search: python -m server people list COURSE")
    if account.merged_into_id is not None:
        raise CommandError(f"Account {id} was merged into {account.merged_into_id}. Name that one.")
    if account.erased_at is not None:
        raise CommandError(f"Account {id} was erased. Add the person anew: python -m server people add COURSE NAME")
    return account
