"""Coming in, in a real browser: by the keyboard alone, without a script, with a link, from another device."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from tests.pages.conftest import Site
from tests.support.browser import Visitor

SitDown = Callable[..., Visitor]


def focused(page: Page) -> str:
    """Return what has the focus: the name of a field, or the words of a link or button."""
    return str(page.evaluate("document.activeElement.name || document.activeElement.innerText.trim()"))


def tab_to(page: Page, words: str) -> None:
    """Press the tab key until something has the focus."""
    for _ in range(40):
        if focused(page).startswith(words):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tab key does not reach {words!r}")


def test_the_keyboard_alone_joins_shows_a_code_and_signs_out(site: Site, sit_down: SitDown) -> None:
    page = sit_down().open("/join")
    assert focused(page) == "code"
    page.keyboard.type(site.join_code.lower())
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    page.wait_for_url("**/courses?note=joined")
    assert page.get_by_role("status").inner_text().startswith("You are in.")

    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    tab_to(page, "A\nAda")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account")
    tab_to(page, "Show a code")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pairing-code")
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in?out=true")
    assert page.get_by_role("heading", name="You are signed out").is_visible()


def test_without_a_script_one_joins_comes_back_and_chooses_a_theme(site: Site, sit_down: SitDown) -> None:
    visitor = sit_down(java_script_enabled=False)
    page = visitor.open(f"/join?code={site.join_code}")
    page.get_by_label("Your name").fill("Bo")
    page.get_by_role("button", name="Join and begin").click()
    page.goto(site.address + "/account")
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="Show a code").click()
    code = page.locator("#pairing-code").inner_text()
    page.get_by_role("button", name="Sign out", exact=True).first.click()

    page.get_by_label("Code, personal link or token").fill(code)
    page.get_by_role("button", name="Sign in").click()

    assert page.url == f"{site.address}/courses"
    assert page.get_by_role("link", name="Bo").is_visible()


def test_a_personal_link_leaves_the_address_and_opens_the_account(site: Site, sit_down: SitDown) -> None:
    page = sit_down().open(f"/join#{site.invite('Cleo')}")

    assert page.url == f"{site.address}/join"
    assert not page.get_by_label("Your name").is_visible()
    page.get_by_role("button", name="Open my account").click()

    page.wait_for_url("**/courses?note=joined")
    assert page.get_by_role("link", name="Cleo").is_visible()


def test_a_phone_reads_the_code_of_another_device_and_a_reload_hides_it(site: Site, sit_down: SitDown) -> None:
    here = sit_down(site.enrol("Di")).open("/account")
    here.get_by_role("button", name="Show a code").click()
    code = here.locator("#pairing-code").inner_text()
    here.reload()
    assert here.url == f"{site.address}/account" and code not in here.content()

    phone = sit_down(viewport={"width": 390, "height": 844}, has_touch=True).open(f"/sign-in#{code}")
    assert phone.url == f"{site.address}/sign-in"
    phone.get_by_role("button", name="Sign in").tap()

    phone.wait_for_url("**/courses")
    assert phone.get_by_text("Becoming a backprop ninja").is_visible()


def test_the_theme_of_the_button_is_there_after_a_reload(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.enrol("Ed"), color_scheme="light").open("/courses")

    page.get_by_role("button", name="Theme").click()
    page.reload()

    assert page.locator("html").get_attribute("data-theme") == "dark"
