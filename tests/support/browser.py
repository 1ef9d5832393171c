"""A real browser: Debian's Chromium, driven by Playwright. Whatever a page does wrong there fails the test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from server.http.token_gate import SESSION_COOKIE

PATIENCE_MS: Final = 30_000  # a busy machine is slow, and not wrong
PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
AXE: Final = Path(__file__).parent / "axe" / "axe.min.js"
WCAG: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
DESK: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
# A violation of the policy is an event of the document; it is kept where the test finds it.
WATCH_POLICY: Final = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


class BrowserMissing(RuntimeError):
    """There is no Chromium on this machine."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser without a window.

    :raises BrowserMissing: there is none on this machine
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise BrowserMissing("there is no Chromium on this machine")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            # A container's /dev/shm may be too small for a browser.
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Somebody at a browser of their own, and what went wrong in it."""

    context: BrowserContext
    address: str
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open a page in a new tab."""
        page = self.context.new_page()
        page.goto(self.address + path)
        return page

    def sign_in(self, token: str) -> None:
        """Give the browser a session with this token, as signing in does."""
        self.context.add_cookies(
            [{"name": SESSION_COOKIE, "value": token, "url": self.address, "httpOnly": True, "sameSite": "Lax"}]
        )

    def watch(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("request", self._sent)

    def _heard(self, message: ConsoleMessage) -> None:
        # A refused form is told with its status by the browser, too; the test looks at the page itself.
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            self.wrong.append(f"console: {message.text}")

    def _sent(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"request to another place: {request.url}")


@contextmanager
def visitor(browser: Browser, address: str, **options: Any) -> Iterator[Visitor]:
    """Sit somebody down at a browser; at the end nothing may have gone wrong in it."""
    context = browser.new_context(**{"viewport": DESK, "timezone_id": "Europe/Berlin", **options})
    context.add_init_script(WATCH_POLICY)
    made = Visitor(context, address)
    context.on("page", made.watch)
    try:
        yield made
        assert made.wrong == []
    finally:
        context.close()


def faults(page: Page, *rules: str) -> list[str]:
    """Return what axe-core finds wrong on a page, by WCAG 2.2 AA and best practice, or by some rules alone.

    It is evaluated as the browser's own tools do it, so the policy of the page holds for the page alone.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8") + "\n;null")
    run = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": WCAG}
    found = page.evaluate("(runOnly) => axe.run(document, { runOnly, resultTypes: ['violations'] })", run)
    return [
        f"{each['id']}: {node['target']} {node.get('failureSummary', '')}"
        for each in found["violations"]
        for node in each["nodes"][:3]
    ]
