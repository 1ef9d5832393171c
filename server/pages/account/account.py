"""My account: devices and tokens, another device, the theme, everything that is kept about me."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

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
MADE: Final = "dojo_made_code"  # a cookie between the request that makes a code and the page that shows it
MADE_SECONDS: Final = 60


@dataclass(frozen=True)
class MyAccount:
    """What the page of an account shows."""

    keys: list[Key]
    seats: list[tuple[CourseRow, Role]]


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
def show_account(
    page: ThePage, visitor: TheVisitor, address: TheAddress, done: Annotated[str, Query(max_length=16)] = ""
) -> Response:
    """Show the visitor's account, and the code that was just made. It is shown once: a reload hides it."""
    with visitor.reading() as signed_in:
        mine = read_account(signed_in, visitor.token)
        code = _made_code(page, signed_in, address)
        response = page.render("account/account.html", mine=mine, code=code, done=done)
    if MADE in page.request.cookies:
        response.delete_cookie(MADE, path=HERE, httponly=True, samesite="strict", secure=is_secure(page.request))
    return response


@router.post(f"{HERE}/devices")
def add_device(page: ThePage, visitor: TheVisitor, form: TheForm) -> Response:
    """Make a code that signs in another device. The next page shows it."""
    with visitor.writing() as signed_in:
        made = codes.new_code(signed_in.session, signed_in.account_id)
    response = page.go(HERE)
    attributes: Any = {"httponly": True, "samesite": "strict", "secure": is_secure(page.request)}
    response.set_cookie(MADE, made.code, max_age=MADE_SECONDS, path=HERE, **attributes)
    return response


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
    """Send everything that the server keeps about the visitor."""
    return read_archive(visitor, database)


def _made_code(page: Page, signed_in: SignedInSession, address: str) -> ShownCode | None:
    """Return the code in the browser's cookie, if it is this account's: no other one is shown as if it were."""
    made = page.request.cookies.get(MADE, "")
    ends_at = codes.end_of(signed_in.session, signed_in.account_id, made) if made else None
    if ends_at is None:
        return None
    there = f"{address.rstrip('/')}/sign-in"
    return ShownCode(made, ends_at, there, qr_code(f"{there}#{made}"))
