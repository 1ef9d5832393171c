"""Signing in and out."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query, Response
from sqlmodel import Session

from server.accounts import accounts, sessions
from server.accounts.tokens import normalise_typed_code
from server.courses import join_codes
from server.courses.join_codes import UnknownJoinCode
from server.http.problems import Problem
from server.pages.account.door import ADDRESS_LENGTH_MAX, TheDevice, come_in, own_path, picture
from server.pages.forms import GuestsForm, TheForm, text
from server.pages.page import Page, ThePage
from server.pages.route import page_router
from server.pages.session import TheGuest, TheVisitor, end, is_secure
from server.pairing import codes
from server.pairing.codes import UnknownPairingCode
from server.pairing.routes import TheTries
from server.people import entry
from server.people.entry import KeyKind, TypedKey
from server.people.join_limits import TheJoinLimits
from server.people.joining import TheCaller

router = page_router()
NEXT: Final = Query(max_length=ADDRESS_LENGTH_MAX)
EMPTY: Final = "Type or paste your code, link or token first."


@router.get("/sign-in")
def show_sign_in(
    page: ThePage, guest: TheGuest, next: Annotated[str, NEXT] = "", out: Annotated[bool, Query()] = False
) -> Response:
    """Ask for a key; a visitor who is signed in is led on."""
    with guest.reading() as (_, signed_in):
        if signed_in is not None:
            return page.go(own_path(next))
        return _asked(page, next, is_out=out)


@router.post("/sign-in")
def sign_in(
    page: ThePage,
    guest: TheGuest,
    form: GuestsForm,
    device: TheDevice,
    tries: TheTries,
    limits: TheJoinLimits,
    caller: TheCaller,
) -> Response:
    """Open an account with what was typed, in a session of this browser alone."""
    next, typed = text(form, "next"), TypedKey.read(text(form, "key"))
    if not typed.secret:
        return _asked(page, next, error=EMPTY, status=422)
    one_try = limits.one(caller, typed.secret) if typed.kind is KeyKind.LINK else tries.one(caller)
    try:
        with one_try, guest.writing() as (session, before):
            token = _open(session, typed, device)
            if token is None:
                return page.go(f"/join?code={normalise_typed_code(typed.secret)}")
            if before is not None and guest.credentials is not None:
                sessions.end(session, guest.credentials.token)
    except Problem as problem:
        return _asked(page, next, error=problem.for_page, status=problem.status)
    return come_in(page, own_path(next), token)


def _open(session: Session, typed: TypedKey, device: str) -> str | None:
    """Return the token of a new session. None if what was typed is the join code of a course."""
    if typed.kind is KeyKind.TOKEN:
        return sessions.begin_with_token(session, typed.secret, device)
    if typed.kind is KeyKind.LINK:
        token = entry.open_link(session, typed.secret, None).token
        assert token is not None, "a stranger gets a token"
    else:
        try:
            _, token = codes.use_code(session, typed.secret)
        except UnknownPairingCode:
            if _is_join_code(session, typed.secret):
                return None
            raise
    sessions.adopt(session, token, device)
    return token


def _is_join_code(session: Session, typed: str) -> bool:
    try:
        join_codes.find(session, typed)
    except UnknownJoinCode:
        return False
    return True


def _asked(page: Page, next: str, *, error: str | None = None, status: int = 200, is_out: bool = False) -> Response:
    return page.render(
        "account/sign_in.html", status, next=own_path(next), error=error, is_out=is_out, picture=picture()
    )


@router.post("/sign-out")
def sign_out(page: ThePage, visitor: TheVisitor, form: TheForm) -> Response:
    """End the session of this browser; with ``where``, those of all browsers, or every key."""
    with visitor.writing() as signed_in:
        match text(form, "where"):
            case "browsers":
                sessions.end_all(signed_in.session, signed_in.account_id)
            case "all":
                accounts.revoke_tokens(signed_in.session, signed_in.account_id)
            case _:
                sessions.end(signed_in.session, visitor.token)
    response = page.go("/sign-in?out=true")
    end(response, secure=is_secure(page.request))
    return response
