"""The accounts of a server: finding them, admins' rights, signing out, erasing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query, Response

from server.accounts import accounts
from server.accounts.signin import SignedInSession
from server.courses import courses
from server.http.problems import Conflict, Problem
from server.http.row_id import RowId
from server.pages import confirmation
from server.pages.admin.access import TheAdmin
from server.pages.confirmation import Question
from server.pages.fields import FormState
from server.pages.forms import TheForm, text
from server.pages.page import ThePage
from server.pages.route import page_router
from server.privacy.erasure import UnknownAccount, erase_confirmed, find_account
from server.tables import AccountRow, CourseRow, Role

router = page_router()
PEOPLE: Final = "/admin/people"
ACCOUNT: Final = f"{PEOPLE}/{{account}}"
LISTED_MAX: Final = 100
DONE: Final = {
    "admin": "This person is an admin now, and may act in every course.",
    "no-admin": "This person is no admin any more. Their seats stay.",
    "signed-out": "This person is signed out everywhere.",
    "erased": "The person is erased. Backups that were taken before still hold them; delete these in time.",
}


class OwnRights(Conflict):
    """An admin would take their own rights away."""

    title, slug = "Your own rights", "own-rights"


@dataclass(frozen=True)
class Listed:
    """An account with its seats, and the number of keys that open it."""

    account: AccountRow
    seats: Sequence[tuple[CourseRow, Role]]
    keys: int


@dataclass(frozen=True)
class PeoplePage:
    """The first accounts that were asked for; ``total`` counts all of them."""

    people: Sequence[Listed]
    total: int
    search: str


def read_page(signed_in: SignedInSession, search: str) -> PeoplePage:
    """Return what the page shows."""
    found, total = accounts.search_accounts(signed_in.session, search, LISTED_MAX)
    return PeoplePage(_listed(signed_in, found), total, search)


@router.get(PEOPLE)
def show_people(
    page: ThePage,
    admin: TheAdmin,
    search: Annotated[str, Query(max_length=200)] = "",
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Show the accounts of the server by name."""
    with admin.reading() as signed_in:
        shown = read_page(signed_in, search)
        return page.render("admin/people.html", shown=shown, notice=DONE.get(done, ""))


@router.get(ACCOUNT)
def show_account(
    page: ThePage, admin: TheAdmin, account: RowId, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Show an account, and what may be done with it."""
    with admin.reading() as signed_in:
        row = _find(signed_in, account)
        (listed,) = _listed(signed_in, [row])
        is_own = row.id == signed_in.account_id
        return page.render("admin/account.html", listed=listed, is_own=is_own, notice=DONE.get(done, ""))


@router.get(f"{ACCOUNT}/rights")
def ask_rights(page: ThePage, admin: TheAdmin, account: RowId) -> Response:
    """Ask whether an account is to have an admin's rights, or no longer."""
    with admin.reading() as signed_in:
        row = _find(signed_in, account)
        here = f"{PEOPLE}/{account}"
        if row.is_admin:
            question = Question(
                f"Take the admin's rights from {row.name}?",
                ("They act in no course any more but those in which they have a seat.",),
                "Take them",
                f"{here}/rights",
                here,
                hidden={"is_admin": ""},
            )
        else:
            question = Question(
                f"Make {row.name} an admin?",
                (
                    "An admin acts in every course, reads everybody's work, and may remove and erase.",
                    "Only another admin takes these rights away.",
                ),
                "Make them an admin",
                f"{here}/rights",
                here,
                hidden={"is_admin": "yes"},
                is_grave=True,
            )
        return confirmation.ask(page, question)


@router.post(f"{ACCOUNT}/rights")
def change_rights(page: ThePage, admin: TheAdmin, form: TheForm, account: RowId) -> Response:
    """Give an account an admin's rights, or take them away."""
    is_admin = text(form, "is_admin") != ""
    with admin.writing() as signed_in:
        if account == signed_in.account_id and not is_admin:
            raise OwnRights("You cannot take your own rights away: the server may have no other admin. Ask one.")
        accounts.set_admin(signed_in.session, _find(signed_in, account), is_admin=is_admin)
    return page.go(f"{PEOPLE}/{account}?done={'admin' if is_admin else 'no-admin'}")


@router.get(f"{ACCOUNT}/sign-out")
def ask_sign_out(page: ThePage, admin: TheAdmin, account: RowId) -> Response:
    """Ask whether every key of an account is to be revoked."""
    with admin.reading() as signed_in:
        row = _find(signed_in, account)
        here = f"{PEOPLE}/{account}"
        question = Question(
            f"Sign {row.name} out everywhere?",
            ("Every key of this account stops working: browsers, machines, links and codes.", "Their work stays."),
            "Sign them out",
            f"{here}/sign-out",
            here,
        )
        return confirmation.ask(page, question)


@router.post(f"{ACCOUNT}/sign-out")
def sign_out(page: ThePage, admin: TheAdmin, form: TheForm, account: RowId) -> Response:
    """Revoke every key of an account."""
    with admin.writing() as signed_in:
        row = _find(signed_in, account)
        accounts.lock_account(signed_in.session, row.id)
        accounts.revoke_tokens(signed_in.session, row.id)
    return page.go(f"{PEOPLE}/{account}?done=signed-out")


@router.get(f"{ACCOUNT}/erase")
def ask_erasure(page: ThePage, admin: TheAdmin, account: RowId) -> Response:
    """Ask whether a person is to be erased."""
    with admin.reading() as signed_in:
        return confirmation.ask(page, _erasure(_find(signed_in, account)))


@router.post(f"{ACCOUNT}/erase")
def erase_person(page: ThePage, admin: TheAdmin, form: TheForm, account: RowId) -> Response:
    """Erase a person, once their name was typed."""
    state = FormState.of(form, {"confirm": "The name"})
    try:
        with admin.writing() as signed_in:
            _find(signed_in, account)
            erase_confirmed(signed_in.session, account, text(form, "confirm"))
        return page.go(f"{PEOPLE}?done=erased")
    except Problem as problem:
        state.blame(problem, "confirm" if problem.slug == "name-differs" else "")
    with admin.reading() as signed_in:
        return confirmation.ask(page, _erasure(_find(signed_in, account)), state=state)


def _find(signed_in: SignedInSession, account_id: int) -> AccountRow:
    """Return an account that is in use.

    :raises UnknownAccount: there is none with this number, or it was erased or merged
    """
    row = find_account(signed_in.session, account_id)
    if row.erased_at is not None or row.merged_into_id is not None:
        gone = "erased" if row.erased_at is not None else f"merged into {row.merged_into_id}"
        raise UnknownAccount(f"Account {account_id} was {gone}. Search the people of the server.")
    return row


def _listed(signed_in: SignedInSession, rows: Sequence[AccountRow]) -> list[Listed]:
    ids = [row.id for row in rows]
    keys = accounts.count_tokens(signed_in.session, ids)
    seats = courses.seats_of_all(signed_in.session, ids)
    return [Listed(row, seats.get(row.id, []), keys.get(row.id, 0)) for row in rows]


def _erasure(row: AccountRow) -> Question:
    here = f"{PEOPLE}/{row.id}"
    return Question(
        f"Erase {row.name} for ever?",
        (
            "Their name, addresses, answers and what was written about them are emptied. They are signed out.",
            "Their grades stay as numbers, so that statistics stay whole. This cannot be undone.",
        ),
        "Erase this person",
        f"{here}/erase",
        here,
        typed=row.name,
        is_grave=True,
    )
