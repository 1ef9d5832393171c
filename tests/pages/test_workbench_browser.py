"""The workbench in a real browser: a student from the join link to 26 of 26, by keyboard, and without a script."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from exercises.registry import find
from server.courses import courses
from server.pages.source import setting_lines
from server.tables import AssignmentRow, Role
from tests.pages.conftest import Site
from tests.support.browser import PHONE, Visitor, faults
from tests.support.servers import COURSE, FULL, SOLUTION

SitDown = Callable[..., Visitor]
BENCH = f"/courses/{COURSE}/exercises/{FULL}"
FIRST_MISTAKE = ("dprobs = dlogprobs / probs", "dprobs = dlogprobs * probs")
SECOND_MISTAKE = (" + 2 * bndiff * dbndiff2", "")
CHECKED = re.compile("checked just now")


@pytest.fixture(autouse=True, scope="module")
def patience() -> None:
    """A busy machine takes its time; nothing here depends on how long."""
    expect.set_options(timeout=60_000)


def paste(page: Page, text: str) -> None:
    """Put text in place of all that stands in the editor, as somebody who pastes does."""
    editor = page.locator(".cm-content")  # until the script has made it, a plain text field has its name
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    editor.evaluate(
        """(element, text) => {
          const data = new DataTransfer();
          data.setData("text/plain", text);
          element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        text,
    )


def expect_step(page: Page, name: str, mark: str) -> None:
    expect(page.locator(f"#step-{name}")).to_have_attribute("data-mark", mark)


def test_a_student_goes_from_the_join_link_to_26_of_26_with_two_mistakes_on_the_way(
    site: Site, sit_down: SitDown
) -> None:
    page = sit_down().open(f"/join?code={site.join_code}")
    page.get_by_label("name", exact=False).first.fill("Noor")
    page.get_by_role("button", name=re.compile("Join|Take")).click()
    page.locator(f'a[href="{BENCH}"]').first.click()
    expect(page.get_by_role("heading", name="dlogprobs")).to_be_visible()

    paste(page, SOLUTION.replace(*FIRST_MISTAKE).replace(*SECOND_MISTAKE))
    expect_step(page, "probs", "own")
    page.locator("#summary a").click()
    expect(page.locator("#panel .sheet.is-chosen .heat")).to_be_visible()
    page.get_by_role("button", name="More hint").click()
    assert page.locator(".sheet.is-chosen .diag li:visible").count() == 2

    paste(page, SOLUTION.replace(*SECOND_MISTAKE))
    expect_step(page, "probs", "exact")
    expect_step(page, "bndiff", "own")
    expect(page.locator("#map .e-lost")).to_have_count(1)
    page.locator("#summary a").click()
    expect(page.locator("#step-bndiff .heat")).to_be_visible()

    paste(page, SOLUTION)
    expect(page.locator("#count")).to_have_text("26 of 26")
    paste(page, SOLUTION + "dhprebn = (")  # half typed: what was graded stays, at reduced strength
    expect(page.locator(".says")).to_contain_text("was never closed")
    expect(page.locator("#main")).to_have_class(re.compile("is-stale"))
    expect(page.locator("#count")).to_have_text("26 of 26")
    expect(page.locator("#summary")).to_contain_text("0 of 26 pass")

    paste(page, SOLUTION)
    expect(page.locator("[data-live]")).to_have_text(CHECKED)
    page.get_by_role("button", name="Hand in attempt 1").click()
    expect(page.get_by_text("26 of 26, exact")).to_be_visible()
    expect(page.get_by_role("button", name="Hand in attempt 2")).to_be_disabled()
    paste(page, " ")
    expect(page.get_by_text("26 of 26, exact")).to_have_count(0)
    expect(page.get_by_role("button", name="Hand in attempt 2")).to_be_disabled()

    paste(page, SOLUTION)
    expect(page.locator("[data-draft-state]")).to_have_text("draft kept just now")
    paste(page, SOLUTION + " ")
    paste(page, SOLUTION)  # what the server has already
    expect(page.locator("[data-draft-state]")).to_have_text("draft kept just now")
    page.reload()
    expect(page.locator("#source")).to_have_value(SOLUTION)


def test_code_that_stops_at_no_line_shows_why(site: Site, sit_down: SitDown, monkeypatch: pytest.MonkeyPatch) -> None:
    page = sit_down(site.enrol("Kim")).open(BENCH)
    paste(page, SOLUTION)
    expect(page.locator("#count")).to_have_text("26 of 26")

    monkeypatch.setattr(site.sandbox, "seconds", lambda job: 60.0)
    paste(page, SOLUTION + "# without an end")  # not half typed: nothing old stays
    expect(page.locator(".sheet.is-chosen")).to_contain_text("The code ran too long")
    expect(page.locator("#count")).to_have_text("0 of 26")


def test_on_a_phone_a_stop_shows_where_one_types(
    site: Site, sit_down: SitDown, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = sit_down(site.enrol("Toni"), viewport=PHONE).open(BENCH)
    above = page.locator("#above")
    paste(page, "x = (\n" + SOLUTION)
    expect(above).to_contain_text("was never closed")
    expect(above).to_be_in_viewport(ratio=1)

    above.get_by_role("button", name="Go to line 1").click()
    expect(page.locator(".says")).to_be_in_viewport()
    expect(page.get_by_role("textbox", name="Your code")).to_be_focused()

    paste(page, SOLUTION)
    expect(above).to_be_empty()
    monkeypatch.setattr(site.sandbox, "seconds", lambda job: 60.0)
    paste(page, SOLUTION + "# without an end")
    expect(above).to_contain_text("The code ran too long")
    above.get_by_role("button", name="Look").click()
    expect(page.locator(".sheet.is-chosen .diag")).to_be_in_viewport()


def test_on_a_phone_the_result_and_what_comes_next_are_seen_at_once(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.enrol("Robin"), viewport=PHONE).open(BENCH)
    for attempt, code in enumerate((SOLUTION.replace(*FIRST_MISTAKE), SOLUTION), start=1):
        paste(page, code)
        page.get_by_role("button", name=f"Hand in attempt {attempt}").click()
        expect(page.get_by_text(f"Attempt {attempt} is in,")).to_be_in_viewport()

    expect(page.locator("#notices .done")).to_be_focused()
    expect(page.get_by_role("link", name="Next: ")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("heading", name=re.compile("^d"))).to_be_in_viewport()  # not below a list of 25 steps


def test_on_a_phone_the_tab_key_goes_as_the_eye_does(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.enrol("Nour"), viewport=PHONE).open(BENCH)
    expect(page.locator(".cm-content")).to_be_visible()

    page.locator(".bench-head a").first.focus()
    rooms: list[str] = []
    while not rooms or "editor" not in rooms[-1]:
        page.keyboard.press("Tab")
        rooms.append(page.evaluate("document.activeElement.closest('.pane, .bench-head').className"))

    assert [room for room in dict.fromkeys(rooms) if room != "bench-head"] == ["pane step", "pane map", "pane editor"]


def test_a_link_brings_the_chosen_step_into_sight(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.enrol("Jo"), viewport=PHONE).open(BENCH)
    paste(page, SOLUTION.replace(*FIRST_MISTAKE))
    link = page.locator("#summary a")
    link.click()
    expect(page.locator("#step-probs .diag")).to_be_in_viewport()

    page.locator(".cm-content").scroll_into_view_if_needed()
    page.mouse.wheel(0, 2000)
    expect(page.locator("#step-probs .diag")).not_to_be_in_viewport()
    link.click()
    expect(page.locator("#step-probs .diag")).to_be_in_viewport()


def test_a_draft_survives_a_reload_and_a_notebook_can_be_dropped(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.enrol("Mika")).open(BENCH)
    paste(page, "dlogprobs = logprobs * 0\n")
    expect_step(page, "logprobs", "own")
    page.reload()
    expect(page.locator("#source")).to_have_value("dlogprobs = logprobs * 0\n")
    expect_step(page, "logprobs", "own")

    cells = [{"cell_type": "code", "source": SOLUTION, "metadata": {}, "outputs": []}]
    notebook = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    page.locator(".editor").evaluate(
        """(element, text) => {
          const data = new DataTransfer();
          data.items.add(new File([text], "mine.ipynb"));
          element.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        notebook,
    )
    expect(page.get_by_role("heading", name="mine.ipynb")).to_be_focused()
    expect(page.locator("#taken .code")).to_contain_text("dlogprobs")
    page.get_by_role("button", name="Put it into the editor").click()
    expect(page.locator("#count")).to_have_text("26 of 26")


def test_a_draft_reaches_the_server_when_the_connection_is_back(site: Site, sit_down: SitDown) -> None:
    visitor = sit_down(site.enrol("Nik"))
    page = visitor.open(BENCH)
    visitor.context.set_offline(True)
    paste(page, SOLUTION)
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/draft")):
        expect(page.locator("[data-draft-state]")).to_have_text("draft kept in this browser")

    visitor.context.set_offline(False)
    expect(page.locator("[data-draft-state]")).to_have_text("draft kept just now")
    visitor.wrong.clear()  # the browser tells of what it could not send


def test_without_live_checks_one_writes_and_hands_in(site: Site, sit_down: SitDown) -> None:
    with site.services.database.writing() as session:
        course = courses.open_course(session, "by-hand", "By hand")
        session.add(AssignmentRow(course_id=course.id, exercise=FULL, position=0, checks_open=False))
        token = courses.enrol(session, course, "Rio", Role.STUDENT).token
    page = sit_down(token).open(f"/courses/by-hand/exercises/{FULL}")
    expect(page.get_by_role("heading", name="This one is by hand")).to_be_visible()
    expect(page.get_by_role("button", name="Hand in attempt 1")).to_be_disabled()

    paste(page, SOLUTION)
    page.get_by_role("button", name="Hand in attempt 1").click()

    expect(page.get_by_text("26 of 26, exact")).to_be_visible()


def test_the_editor_finds_the_steps_that_lines_set_as_the_server_does(site: Site, sit_down: SitDown) -> None:
    lines = [
        "dlogits = None",
        "x = dh",
        "dprobs[range(n), Yb] += 1",
        "# dW2 = 1",
        "    demb -= 1  # dC = 2",
        "dcounts, db2 = f(dh)",
        "f(dhpreact=1, x=2)",
        "x = 1; dbnraw = 2",
        "dC.index_add_(0, Xb, demb)",
        "cmp('h', dh, h) == dbnvar",
        "dW1 = db1 = 1",
    ]
    page = sit_down(site.enrol("Ute")).open(BENCH)
    paste(page, "\n".join(lines))

    steps = {each.name for each in find(FULL).checkpoints}
    expected = [number for number, line in enumerate(lines) if setting_lines(line, steps)]
    expect(page.locator(".cm-line:has(.answer)")).to_have_text([lines[number] for number in expected])


def test_the_keyboard_alone_goes_everywhere(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.enrol("Kim")).open(BENCH)
    paste(page, SOLUTION.replace(*SECOND_MISTAKE))
    expect_step(page, "bndiff", "own")
    expect(page.locator("[data-live]")).to_have_text(CHECKED)

    page.locator('#map a[aria-current="true"]').focus()
    page.keyboard.press("ArrowUp")
    chosen = page.locator('#map a[aria-current="true"]')
    expect(chosen).to_be_focused()
    name = chosen.get_attribute("data-step")
    expect(page.get_by_role("heading", name=f"d{name}", exact=True)).to_be_visible()

    page.get_by_role("textbox", name="Your code").focus()
    page.keyboard.press("ControlOrMeta+Home")
    page.keyboard.press("Tab")  # indents
    assert page.locator("#source").input_value().startswith("    ")
    page.keyboard.press("ControlOrMeta+z")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")  # leaves
    assert page.evaluate("!document.activeElement.matches('[data-editor]')")
    page.get_by_role("tab", name="solution.py").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("table", name="The forward pass with shapes")).to_be_visible()


def test_live_marks_and_a_picture_break_no_rule_of_accessibility(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.enrol("Lou"), reduced_motion="reduce").open(BENCH)
    paste(page, SOLUTION.replace(*SECOND_MISTAKE))
    expect_step(page, "bndiff", "own")
    page.locator("#summary a").click()
    expect(page.locator("#step-bndiff .heat")).to_be_visible()
    assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults(page, "color-contrast") == []


def test_without_a_script_one_reads_uploads_hands_in_and_asks_for_hints(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.enrol("Sam"), java_script_enabled=False, viewport=PHONE).open(BENCH)
    expect(page.get_by_role("table", name="The forward pass with shapes")).to_be_visible()

    page.locator("#source").fill(SOLUTION.replace(*SECOND_MISTAKE))
    page.get_by_role("button", name="Hand in attempt 1").click()
    expect(page.get_by_text("Attempt 1 is in", exact=False).first).to_be_visible()
    page.get_by_role("button", name="More hint").click()
    expect(page.get_by_text("Look at the line")).to_be_visible()
    page.locator("#map a[data-step=probs]").click()
    expect(page.get_by_role("heading", name="dprobs")).to_be_visible()

    page.locator(".file-input").set_input_files(
        {"name": "mine.py", "mimeType": "text/x-python", "buffer": SOLUTION.encode()}
    )
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_text("The whole script is taken.")).to_be_visible()
    page.get_by_role("button", name="Hand this in as attempt 2").click()
    expect(page.get_by_text("26 of 26, exact")).to_be_visible()
