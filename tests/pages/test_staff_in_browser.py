"""Staff's pages in a real browser: what a term needs, by mouse, by keyboard, and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.sync_api import expect
from sqlalchemy import update
from sqlmodel import col, select

from server.assignments import changes
from server.assignments.changes import Change
from server.courses.access import Actor
from server.tables import AccountRow, ComparisonRow, CourseRow, GradeRow, LatePolicy, ProgressRow
from tests.pages.conftest import Site
from tests.support.browser import Visitor, faults
from tests.support.servers import COURSE, FULL, SOLUTION

HERE = f"/courses/{COURSE}"
ROSTER = """name,e-mail,university id,section,role
Eva Lu Ator,eva@example.org,1703,A,student
Tom Tutor,tom@example.org,,A,assistant
"""
DUE = datetime(2026, 12, 1, 22, 59, tzinfo=UTC)
# The name of what has the focus: its label, else its own text.
NAME_OF_FOCUSED = "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"

Sit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def classroom(site: Site) -> Site:
    """The course with an assignment of daily late points, and a student who handed in long ago.

    An older grader took one wrong step of hers for an exact one.
    """
    token = site.enrol("Ada Lovelace", section="A")
    with site.services.database.writing() as session:
        course = session.get_one(CourseRow, 1)
        course.time_zone = "Europe/Berlin"
        fields = {"due_at": DUE, "late_policy": LatePolicy.DAILY, "late_per_day": 0.1, "points": 26.0}
        changes.write(session, course, changes.plan_change(session, course, Change(FULL, fields)), Actor())
    _hand_in(site, token, SOLUTION.replace("dW2 = h.T @ dlogits", "dW2 = 2 * h.T @ dlogits"))
    with site.services.database.writing() as session:
        session.connection().execute(update(GradeRow).values(environment="an older one"))
        row = session.exec(select(ComparisonRow).where(col(ComparisonRow.name) == "W2")).one()
        row.verdict, row.exact, row.approximate, row.origin = "exact", True, True, None
        ada = session.exec(select(AccountRow).where(AccountRow.name == "Ada Lovelace")).one()
        progress = session.get_one(ProgressRow, (1, ada.id, FULL, "W2"))
        progress.best, progress.first_passed_at, progress.first_exact_at = "exact", DUE, DUE
    return site


def _hand_in(site: Site, token: str, source: str) -> None:
    address = f"{site.address}/api/v1{HERE}/exercises/{FULL}/submissions"
    body = {"filename": "solution.py", "source": source}
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(address, params={"wait": 30}, json=body, headers=headers, timeout=60)
    assert answer.status_code == 201, answer.text


def test_a_roster_is_seen_and_imported(classroom: Site, sit_down: Sit) -> None:
    page = sit_down(classroom.instructor_token).open(f"{HERE}/people")
    page.get_by_role("main").get_by_role("link", name="Import a roster").first.click()
    page.get_by_label("Roster", exact=True).set_input_files(
        {"name": "r.csv", "mimeType": "text/csv", "buffer": ROSTER.encode()}
    )

    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What this roster would do")
    expect(page.get_by_role("row", name="Eva Lu Ator")).to_contain_text("1703")
    assert faults(page) == []
    page.get_by_role("button", name="Add 2 people").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("The roster is imported")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the links").click()
    assert Path(saved.value.path()).read_text("utf-8-sig").count("/join#join_") == 2
    assert faults(page) == []


def test_an_extension_is_foreseen_and_granted(classroom: Site, sit_down: Sit) -> None:
    page = sit_down(classroom.instructor_token).open(f"{HERE}/extensions")
    page.get_by_label("Who").select_option(label="Ada Lovelace (A)")
    page.get_by_label("New due time").fill("2026-12-05T23:59")
    page.get_by_label("Reason").fill("was ill")

    expect(page.locator("#preview")).to_contain_text("Nothing is granted yet.")
    page.get_by_role("button", name="Grant it").click()

    expect(page.get_by_role("status")).to_have_text("The extension is granted.")
    expect(page.get_by_role("row", name="Ada Lovelace")).to_contain_text("Sat 5 Dec, 23:59")


def test_a_regrade_is_watched_and_accepted(classroom: Site, sit_down: Sit) -> None:
    page = sit_down(classroom.instructor_token).open(f"{HERE}/regrade")
    page.get_by_role("button", name="Grade again").click()

    page.get_by_role("link", name="Accept it").click()  # the page looks again by itself until it is there
    expect(page.get_by_text("0 gain, 1 lose")).to_be_visible()
    page.get_by_role("button", name="Accept it").click()

    expect(page.get_by_role("status")).to_have_text("The new grades count now.")
    expect(page.get_by_role("row", name="Ada Lovelace").first).to_contain_text("−1")
    assert faults(page) == []


def test_the_keyboard_alone_changes_an_assignment(classroom: Site, sit_down: Sit) -> None:
    page = sit_down(classroom.instructor_token).open(f"{HERE}/assignments/{FULL}")
    curve = page.locator("#preview .curve")
    before = curve.get_attribute("d")

    def tab_to(label: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate(NAME_OF_FOCUSED) == label:
                return
        raise AssertionError(f"the keyboard does not reach {label!r}")

    tab_to("Each begun day costs")
    page.keyboard.type("25")
    expect(curve).not_to_have_attribute("d", before or "")
    tab_to("Attempts")
    page.keyboard.type("0")
    tab_to("Save")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_contain_text("1 thing to mend before this can be saved.")
    assert faults(page) == []

    tab_to("Attempts")  # the link in the list on top
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_label("Attempts", exact=True)).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("7")
    tab_to("Save")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_have_text("The assignment is saved.")
    expect(page.get_by_role("row", name="Backprop through the whole thing")).to_contain_text("Each day late takes 25 %")


def test_the_gradebook_is_downloaded_without_scripts(classroom: Site, sit_down: Sit) -> None:
    page = sit_down(classroom.instructor_token, java_script_enabled=False).open(f"{HERE}/gradebook")
    expect(page.get_by_role("row", name="Ada Lovelace")).to_be_visible()

    with page.expect_download() as saved:
        page.get_by_role("link", name="Download CSV").click()

    assert saved.value.suggested_filename == f"{COURSE}-gradebook-csv.csv"
    assert "Ada Lovelace" in Path(saved.value.path()).read_text("utf-8-sig")
