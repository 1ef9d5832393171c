"""Joining a course in a browser: with a join code, or with a personal link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Response
from sqlmodel import Session

from server.accounts import sessions
from server.courses import join_codes
from server.http.problems import Problem
from server.pages.account.door import HOME, TheDevice, come_in, picture
from server.pages.forms import GuestsForm, text
from server.pages.page import Page, ThePage
from server.pages.route import page_router
from server.pages.session import TheGuest
from server.pairing.routes import TheTries
from server.people import entry
from server.people.entry import KeyKind, TypedKey
from server.people.join_limits import TheJoinLimits
from server.people.joining import TheCaller
from server.people.routes import TheAddress
from server.tables import CourseRow

router = page_router()
CODE_LENGTH_MAX = 64


@dataclass(frozen=True)
class Asked:
    """What the page for joining shows: what was typed, the course that it names, and what is wrong with it."""

    code: str = ""
    name: str = ""
    course: str | None = None
    error: str | None = None


@router.get("/join")
def show_join(
    page: ThePage,
    guest: TheGuest,
    tries: TheTries,
    caller: TheCaller,
    address: TheAddress,
    code: Annotated[str, Query(max_length=CODE_LENGTH_MAX)] = "",
) -> Response:
    """Ask for a code and a name. What stands behind ``#`` is read by a script: no server sees it."""
    asked = Asked(code)
    if code:
        try:
            with tries.one(caller), guest.reading() as (session, _):
                asked = Asked(code, course=_course_of(session, code).title)
        except Problem as problem:
            asked = Asked(code, error=problem.for_page)
    with guest.reading():  # the page says who is signed in
        return _asked(page, address, asked)


@router.post("/join")
def join(
    page: ThePage,
    guest: TheGuest,
    form: GuestsForm,
    device: TheDevice,
    limits: TheJoinLimits,
    caller: TheCaller,
    address: TheAddress,
) -> Response:
    """Take a seat: for the account of the browser's session, else for a new one."""
    typed, name = TypedKey.read(text(form, "code")), text(form, "name")
    try:
        with limits.one(caller, typed.secret), guest.writing() as (session, signed_in):
            account_id = signed_in.account_id if signed_in else None
            token, note = _enter(session, typed, name, account_id)
            if token is not None:
                sessions.adopt(session, token, device)
    except Problem as problem:
        shown = "" if typed.kind is KeyKind.LINK else typed.secret
        return _asked(page, address, Asked(shown, name, error=problem.for_page), problem.status)
    return come_in(page, f"{HOME}?note={note}", token)


def _enter(session: Session, typed: TypedKey, name: str, account_id: int | None) -> tuple[str | None, str]:
    """Return the new token of who came in, None if the old one stays good, and what the next page tells them."""
    if typed.kind is KeyKind.LINK:
        opened = entry.open_link(session, typed.secret, account_id)
        return opened.token, "renewed" if account_id and opened.token else "joined"
    joined = entry.take_seat(session, typed.secret, name, account_id)
    if joined.token is not None and account_id is not None:
        return joined.token, "renewed"
    return joined.token, "namesake" if joined.has_namesake else "joined"


def _course_of(session: Session, code: str) -> CourseRow:
    return session.get_one(CourseRow, join_codes.find(session, code).course_id)


def _asked(page: Page, address: str, asked: Asked, status: int = 200) -> Response:
    server = address.rstrip("/")
    return page.render("account/join.html", status, asked=asked, server=server, picture=picture())
