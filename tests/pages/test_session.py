"""Who sees a page, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from tests.pages.conftest import Site
from tests.support.browser import Visitor


def test_a_stranger_is_led_to_where_one_signs_in(site: Site, sit_down: Callable[..., Visitor]) -> None:
    page = sit_down().open("/courses")

    assert page.url == f"{site.address}/sign-in?next=/courses"


def test_a_member_sees_their_course_and_their_name(site: Site, sit_down: Callable[..., Visitor]) -> None:
    page = sit_down(site.enrol("Noor")).open("/")

    assert page.url == f"{site.address}/courses"
    assert page.get_by_text("Becoming a backprop ninja").is_visible()
    assert page.get_by_role("link", name="Noor").is_visible()
