"""The class, the wall, a submission and a history in a real browser, while somebody hands in from elsewhere."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from server.tables import AccountRow
from tests.pages.conftest import Site
from tests.support.browser import PHONE, Visitor
from tests.support.servers import COURSE, FULL, SOLUTION
from tests.support.windows import without_chance

HERE: Final = f"/courses/{COURSE}"
ONE_PATH: Final = SOLUTION.replace(" + dcounts_sum  #", "  #")
LIVE_MS: Final = 20_000
# Cells are outlined for a while; a slow test could look too late.
COUNT_OUTLINED: Final = """() => {
  window.outlined = 0;
  const count = () => { outlined = Math.max(outlined, document.querySelectorAll("td.fresh").length); };
  new MutationObserver(count).observe(document.querySelector("[data-matrix]"), {
    subtree: true, childList: true, attributes: true });
}"""
# What a browser tells a page whose tab is looked at, or is not.
SHOW: Final = """(shown) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => !shown });
  document.dispatchEvent(new Event("visibilitychange"));
}"""

SitDown = Callable[..., Visitor]


@dataclass(frozen=True)
class Learner:
    """A student who hands in from a program of their own."""

    site: Site
    id: int
    token: str

    def hand_in(self, source: str) -> int:
        """Hand in code, and return its submission once it is graded."""
        request = urllib.request.Request(
            f"{self.site.address}/api/v1/courses/{COURSE}/exercises/{FULL}/submissions?wait=20",
            json.dumps({"source": source}).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            id: int = json.load(answer)["id"]
        return id


@pytest.fixture
def enrol(site: Site) -> Callable[[str], Learner]:
    """Seat a student in section A."""

    def seat(name: str) -> Learner:
        token = site.enrol(name, section="A")
        with site.services.database.reading() as session:
            id = session.exec(select(AccountRow.id).where(AccountRow.name == name)).one()
        return Learner(site, id, token)

    return seat


def live(page: Page) -> None:
    expect(page.locator("[data-live]")).to_have_text("live", timeout=LIVE_MS)


def test_the_class_fills_while_it_works(site: Site, sit_down: SitDown, enrol: Callable[[str], Learner]) -> None:
    ada, ben = enrol("Ada"), enrol("Ben")
    page = sit_down(site.instructor_token).open(f"{HERE}/class?exercise={FULL}&sort=name")
    live(page)
    row = page.locator(f"#s{ada.id}")
    expect(row).to_have_class("never")
    page.evaluate(COUNT_OUTLINED)

    ada.hand_in(ONE_PATH)

    counts = row.locator("td").nth(4)
    expect(counts).to_have_class(re.compile(r"^o\b"), timeout=LIVE_MS)
    expect(counts).to_have_attribute("aria-label", "own mistake, 1 attempt")
    expect(row.locator(".sum")).to_have_text("5")
    expect(page.locator("[data-figure='working stuck']")).to_have_text("1")
    expect(page.locator(".rates td").first).to_have_text("1")
    feed = page.locator("[data-feed] li")
    expect(feed.nth(0)).to_contain_text("Ada, counts, attempt 1")
    expect(feed.nth(1)).to_contain_text("Ada, 5 steps, down to b1")
    assert page.evaluate("outlined") == 26

    page.evaluate(SHOW, False)
    ben.hand_in(SOLUTION)
    page.evaluate(SHOW, True)
    expect(page.locator("[data-figure='done']")).to_have_text("1", timeout=LIVE_MS)

    page.locator("tbody th a").first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Home", "ArrowUp", "End", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.className") == "sum"
    ada.hand_in(ONE_PATH)
    expect(counts).to_have_text("2", timeout=LIVE_MS)
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.parentElement.id") == f"s{ada.id}"
    assert page.evaluate("document.querySelectorAll('tbody [tabindex=\"0\"]').length") == 1
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/students/{ada.id}?exercise={FULL}&step=C")
    expect(page.get_by_role("heading", name="Ada", exact=True)).to_be_visible()


def test_an_empty_class_shows_its_first_student(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.instructor_token).open(f"{HERE}/class?exercise={FULL}&section=Z")
    expect(page.get_by_role("heading", name="No student is in section Z yet")).to_be_visible()
    live(page)

    Learner(site, 0, site.enrol("Zoe", section="Z")).hand_in(ONE_PATH)

    expect(page.locator("[data-matrix] tbody th a").first).to_have_text("Zoe", timeout=LIVE_MS)


def test_the_wall_moves_and_turns_by_keys(site: Site, sit_down: SitDown, enrol: Callable[[str], Learner]) -> None:
    cy = enrol("Cy")
    page = sit_down(site.instructor_token).open(f"{HERE}/lecture/{FULL}/counts")
    live(page)
    before = int(page.locator(".huge").inner_text().partition("of")[0])

    cy.hand_in(SOLUTION)

    expect(page.locator(".huge")).to_have_text(f"{before + 1}of {page.locator('.waffle .mark').count()} have it")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/norm_logits")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/counts")
    assert "Cy" not in without_chance(page.content())


def test_a_comment_an_override_and_a_history(site: Site, sit_down: SitDown, enrol: Callable[[str], Learner]) -> None:
    dana = enrol("Dana")
    first, _ = dana.hand_in(ONE_PATH), dana.hand_in(SOLUTION)

    page = sit_down(site.instructor_token).open(f"/submissions/{first}")
    page.get_by_label("Your comment").fill("How many lines read counts?")
    page.get_by_role("button", name="Send the comment").click()
    expect(page.locator(".thread")).to_contain_text("How many lines read counts?")
    page.get_by_label("Points for").fill("4.5")
    page.get_by_label("Reason").fill("Shown on paper")
    page.get_by_role("button", name="Give these points").click()
    expect(page.locator("#override")).to_contain_text("4.5 points by Quinn")

    student = sit_down(dana.token, viewport=PHONE)
    page = student.open(f"/submissions/{first}")
    expect(page.locator(".thread")).to_contain_text("How many lines read counts?")
    page.goto(f"{site.address}{HERE}/exercises/{FULL}/history")
    expect(page.locator(".diff.as-one .del").last).to_contain_text("dcounts = dprobs * counts_sum_inv")
    assert not page.locator(".diff.beside").is_visible()
    page.set_viewport_size({"width": 1200, "height": 800})
    assert page.locator(".diff.beside").is_visible()
    page.get_by_label("Compare from attempt 2").check()
    page.get_by_label("Compare to attempt 1").check()
    expect(page.get_by_role("heading", name="From attempt 1 to attempt 2")).to_be_visible()
