"""Every page by WCAG 2.2 AA, in both themes; the keyboard alone; without a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlmodel import col, select

from server.database.engine import Database
from server.tables import AccountRow, CourseRow
from tests.pages.pages import FULL, LAB, PAGES, SeenPage
from tests.support import browser as browsers
from tests.support import seeded_class
from tests.support.browser import Visitor, faults
from tests.support.migrated import Migrated
from tests.support.seeded_site import SeededSite, serve

LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff" * 2
LONG_NAMES_FOR = ("Noor", "Viktor Petrov", "Amara Diallo", "Ibrahim Traoré")
# What scrolls sideways, and has no shadow that lies still where it is cut, or a table that hides it.
# The cells of the class are cut in the middle, which shows by itself.
CUT_UNSEEN = """
[...document.querySelectorAll("body *:not(.matrix-wrap, textarea)")].filter((room) => {
  const style = getComputedStyle(room);
  if (!/auto|scroll/.test(style.overflowX) || room.scrollWidth <= room.clientWidth + 1) return false;
  const hides = [...room.children].some((inner) => getComputedStyle(inner).backgroundColor !== "rgba(0, 0, 0, 0)");
  return style.maskImage === "none" && (hides || !/local.*scroll/.test(style.backgroundAttachment));
}).map((room) => `${room.tagName} ${room.className}`)
"""
SitDown = Callable[..., Visitor]


@pytest.fixture(scope="module")
def class_site(tmp_path_factory: pytest.TempPathFactory, migrated: Migrated) -> Iterator[SeededSite]:
    """The seeded class, with some names of one long word."""
    folder: Path = tmp_path_factory.mktemp("class")
    url = f"sqlite:///{folder}/dojo.db"
    migrated.fill(url)
    database = Database(url)
    tokens = seeded_class.fill(database).tokens
    with database.writing() as session:
        for student in session.exec(select(AccountRow).where(col(AccountRow.name).in_(LONG_NAMES_FOR))):
            student.name = LONG_NAME
        for course in session.exec(select(CourseRow)):
            course.title += f", {LONG_NAME}"
    database.close()
    with serve(folder, tokens) as site:
        yield site


@pytest.fixture(scope="module")
def visitor(chromium: Browser, class_site: SeededSite) -> Iterator[Visitor]:
    """Somebody at one browser, for all pages: what goes wrong on any fails at the end."""
    with browsers.visitor(chromium, class_site.address, reduced_motion="reduce") as made:
        yield made


@pytest.mark.parametrize("seen", PAGES, ids=lambda seen: seen.name)
def test_axe_finds_nothing_in_either_theme(class_site: SeededSite, visitor: Visitor, seen: SeenPage) -> None:
    page = class_site.open(visitor, seen.path, seen.who, seen.press)

    light = faults(page)
    page.emulate_media(color_scheme="dark")
    dark = faults(page, "color-contrast")
    page.close()

    assert (light, dark, visitor.wrong) == ([], [], [])


def test_axe_finds_nothing_in_an_open_derivation(class_site: SeededSite, visitor: Visitor) -> None:
    page = class_site.open(visitor, f"{LAB}/exercises/{FULL}?step=logprobs", "student")
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("Derive dlogprobs line by line", "1. What flows in", "2. What the line does", "3. The gradient"):
        page.locator("summary", has_text=name).locator("visible=true").first.click()

    light = faults(page)
    page.emulate_media(color_scheme="dark")
    dark = faults(page, "color-contrast")
    is_seen = page.locator("math").locator("visible=true").count()
    width = page.evaluate("document.documentElement.scrollWidth")
    page.close()

    assert (light, dark, visitor.wrong) == ([], [], [])
    assert is_seen == 2  # zeros, and one entry a row
    assert width <= 390


@pytest.mark.parametrize("seen", PAGES, ids=lambda seen: seen.name)
def test_nothing_is_wider_than_a_phone(class_site: SeededSite, visitor: Visitor, seen: SeenPage) -> None:
    page = class_site.open(visitor, seen.path, seen.who, seen.press)
    page.set_viewport_size({"width": 390, "height": 844})

    width = page.evaluate("document.documentElement.scrollWidth")
    cut_unseen = page.evaluate(CUT_UNSEEN)
    page.close()

    assert width <= 390
    assert cut_unseen == []
