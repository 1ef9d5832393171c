"""My account: devices and tokens, another device, the theme, everything that is kept about me."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Query, Response
from fastapi.responses import StreamingResponse
from markupsafe import Markup

from server.accounts import sessions
from server.accounts.sessions import Key
from server.accounts.signin import SignedInSession
from server.courses import courses
from server.http.row_id import RowId
from server.http.state import TheDatabase
from server.pages import theme
from server.pages.forms import TheForm, text
from server.pages.page import Page, ThePage
from server.pages.qr import qr_code
from server.pages.route import page_router
from server.pages.session import TheVisitor, is_secure
from server.pages.theme import Theme
from server.pairing import codes
from server.people.routes import TheAddress
from server.privacy.routes import read_archive
from server.tables import CourseRow, Role

router = page_router()
HERE: Final = "/account"


@dataclass(frozen=True)
class MyAccount:
    """What the page of an account shows."""

    keys: list[Key]
    seats: list[tuple[CourseRow, Role]]

    @property
    def browsers(self) -> int:
        """The number of browsers that are signed in."""
        return sum(key.is_browser for key in self.keys)


@dataclass(frozen=True)
class ShownCode:
    """A pairing code, shown this once: in letters, and for a phone's camera."""

    code: str
    expires_at: datetime
    address: str
    qr: Markup


def read_account(signed_in: SignedInSession, token: str) -> MyAccount:
    """Return what the page of an account shows to the browser with this token."""
    session, account_id = signed_in.session, signed_in.account_id
    return MyAccount(sessions.list_keys(session, account_id, token), courses.seats_of(session, account_id))


@router.get(HERE)
def show_account(page: ThePage, visitor: TheVisitor, done: Annotated[str, Query(max_length=16)] = "") -> Response:
    """Show the account of whoever looks."""
    with visitor.reading() as signed_in:
        return _shown(page, signed_in, visitor.token, done=done)


@router.get(f"{HERE}/devices")
def show_devices(page: ThePage, visitor: TheVisitor) -> Response:
    """Lead to the account: a code that was shown is not shown again."""
    return page.go(HERE)


@router.post(f"{HERE}/devices")
def add_device(page: ThePage, visitor: TheVisitor, form: TheForm, address: TheAddress) -> Response:
    """Show a code that signs in another device, this once."""
    with visitor.writing() as signed_in:
        made = codes.new_code(signed_in.session, signed_in.account_id)
        there = f"{address.rstrip('/')}/sign-in"
        code = ShownCode(made.code, made.expires_at, there, qr_code(f"{there}#{made.code}"))
        return _shown(page, signed_in, visitor.token, code=code)


@router.post(f"{HERE}/devices/{{id}}/sign-out")
def sign_out_device(page: ThePage, visitor: TheVisitor, form: TheForm, id: RowId) -> Response:
    """Revoke one key of the account."""
    with visitor.writing() as signed_in:
        sessions.revoke_key(signed_in.session, signed_in.account_id, id)
    return page.go(f"{HERE}?done=device#devices")


@router.post(f"{HERE}/theme")
def choose_theme(page: ThePage, visitor: TheVisitor, form: TheForm) -> Response:
    """Keep the theme in this browser."""
    chosen = text(form, "theme")
    with visitor.reading():
        response = page.go(f"{HERE}#theme")
    theme.keep(response, Theme(chosen) if chosen in set(Theme) else Theme.SYSTEM, secure=is_secure(page.request))
    return response


@router.get(f"{HERE}/archive")
def download_archive(visitor: TheVisitor, database: TheDatabase) -> StreamingResponse:
    """Send everything that the server keeps about whoever asks."""
    return read_archive(visitor, database)


def _shown(
    page: Page, signed_in: SignedInSession, token: str, *, code: ShownCode | None = None, done: str = ""
) -> Response:
    return page.render("account/account.html", mine=read_account(signed_in, token), code=code, done=done)
