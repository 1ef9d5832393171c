"""A page: a template and what it shows, sent so that a browser runs nothing but our own files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from server.accounts.signin import SignedInSession
from server.courses.roles import Permission
from server.http.token_gate import session_token
from server.pages import filters
from server.pages.assets import address as asset
from server.pages.compression import BYTES_MIN, PAGE_LEVEL, packed, takes_gzip
from server.pages.forms import FIELD, form_token
from server.pages.marks import WORDS, mark_of
from server.pages.theme import theme_of
from server.training.runs import EXERCISE

HERE: Final = Path(__file__).parent
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Encoding",
}


def environment() -> Environment:
    """Return what reads the templates."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(filters.ALL)
    made.globals.update(asset=asset, Permission=Permission, FORM_FIELD=FIELD, MARK_WORDS=WORDS, mark_of=mark_of)
    made.globals.update(TRAINED=EXERCISE)  # the exercise whose answer trains a network
    return made


TEMPLATES: Final = environment()


@dataclass(frozen=True)
class Page:
    """The page that a request asks for."""

    request: Request

    def render(self, template: str, /, status: int = 200, **shown: Any) -> HTMLResponse:
        """Return a template as a response. Every template sees ``visitor``, ``path`` and ``form_token``.

        ``visitor`` is the account whose transaction served the request, or None. Each page of a course also gives its
        ``membership``.
        """
        content = TEMPLATES.get_template(template).render({"membership": None, **self._common(), **shown}).encode()
        headers = dict(HEADERS)
        if len(content) >= BYTES_MIN and takes_gzip(self.request.headers.get("accept-encoding", "")):
            content = packed(content, PAGE_LEVEL)
            headers["Content-Encoding"] = "gzip"
        return HTMLResponse(content, status, headers)

    def go(self, address: str, status: int = 303) -> RedirectResponse:
        """Return a response that leads to another page of this server."""
        return RedirectResponse(address, status, {"Cache-Control": "no-store"})

    def _common(self) -> dict[str, Any]:
        visitor: SignedInSession | None = getattr(self.request.state, "account", None)
        session = session_token(self.request.headers)
        key: bytes = self.request.app.state.page_key
        return {
            "visitor": visitor,
            "path": self.request.url.path,
            "form_token": form_token(key, session) if session else "",
            "theme": theme_of(self.request),
        }


ThePage = Annotated[Page, Depends(Page)]
