"""Forms: what a page sends is read once it is certain that the page was ours.

A form holds a number that only a page of the same session can know. It is masked anew for each page, so that its
compressed length tells nothing of it. A form before signing in is known by the browser's word for where it came from.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.datastructures import FormData

from server.http.problems import Forbidden, UnsupportedMedia
from server.http.token_gate import session_token

FIELD: Final = "form_token"
HEADER: Final = "X-Form-Token"
FIELDS_MAX: Final = 10_000
STRANGERS_FIELDS_MAX: Final = 100
_BYTES: Final = 32


class ForeignForm(Forbidden):
    """The request was not sent by a page of this server, or by one of another session."""

    title, slug = "Form of another page", "foreign-form"

    def __init__(self) -> None:
        super().__init__("This form belongs to another session. Load the page again, and send it again.")


def form_token(key: bytes, session: str) -> str:
    """Return the number of a session for a form, masked."""
    mask = secrets.token_bytes(_BYTES)
    return base64.urlsafe_b64encode(mask + _xor(mask, _number(key, session))).decode()


def is_form_token(key: bytes, session: str, sent: str) -> bool:
    """Return whether this is the number of a session, under any mask."""
    try:
        masked = base64.urlsafe_b64decode(sent.encode())
    except ValueError:
        return False
    mask, rest = masked[:_BYTES], masked[_BYTES:]
    return len(rest) == _BYTES and hmac.compare_digest(_xor(mask, rest), _number(key, session))


async def read_form(request: Request) -> FormData:
    """Return the fields of a form of a signed-in browser, or of JSON that a page's script sent with ``HEADER``.

    :raises ForeignForm: it is not from a page of the same session
    """
    require_same_site(request)
    form = await _fields(request, FIELDS_MAX) if _is_form(request) else FormData()
    session = session_token(request.headers)
    sent = request.headers.get(HEADER) or form.get(FIELD)
    if session is None or not isinstance(sent, str) or not is_form_token(_key(request), session, sent):
        raise ForeignForm
    return form


async def read_strangers_form(request: Request) -> FormData:
    """Return the fields of a form that needs no session.

    :raises ForeignForm: the browser says that another site sent it
    """
    require_same_site(request)
    return await _fields(request, STRANGERS_FIELDS_MAX)


async def read_guests_form(request: Request) -> FormData:
    """Return the fields of a form that a browser may send signed in or not.

    :raises ForeignForm: another site sent it, or a page of another session
    """
    signed_in = session_token(request.headers) is not None
    return await (read_form(request) if signed_in else read_strangers_form(request))


def require_same_site(request: Request) -> None:
    """Do nothing unless the browser says that another site sent a request.

    :raises ForeignForm: it does
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise ForeignForm
    elif origin is not None and origin != str(request.base_url).rstrip("/"):
        raise ForeignForm


def text(form: FormData, name: str) -> str:
    """Return a field as text without blanks around it; empty if it is not there."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


TheForm = Annotated[FormData, Depends(read_form)]
StrangersForm = Annotated[FormData, Depends(read_strangers_form)]
GuestsForm = Annotated[FormData, Depends(read_guests_form)]


async def _fields(request: Request, count_max: int) -> FormData:
    """Return the fields of a form. Of several parts, it is in UTF-8, and says nothing of that: browsers send it so.

    Starlette decodes a part as the header says, on the event loop. Python's ``punycode`` takes minutes for a megabyte.

    :raises UnsupportedMedia: the header of a form of several parts names an encoding
    """
    kind = request.headers.get("content-type", "").lower()
    if "multipart/" in kind and "charset" in kind:
        raise UnsupportedMedia("This form names an encoding of its own. Send it in UTF-8, and leave out the charset.")
    return await request.form(max_fields=count_max)


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith(("application/x-www-form-urlencoded", "multipart/"))


def _key(request: Request) -> bytes:
    key = request.app.state.page_key
    assert isinstance(key, bytes)
    return key


def _number(key: bytes, session: str) -> bytes:
    return hmac.digest(key, b"form|" + session.encode(), hashlib.sha256)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
