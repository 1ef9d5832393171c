"""Training in a real browser: a student starts a run, sees its curve grow and its names come; and without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from exercises.registry import find
from server.tables import Check, RunState, TrainingRunRow
from tests.pages.conftest import Site
from tests.support.browser import PHONE, Visitor, faults
from tests.support.servers import COURSE

SitDown = Callable[..., Visitor]
TRAINING = f"/courses/{COURSE}/training"
CODE = find("makemore/train").solution


@pytest.fixture(autouse=True, scope="module")
def patience(site: Site) -> None:
    """A busy machine takes its time. What waits goes on waiting: the tests say how far a run is."""
    expect.set_options(timeout=60_000)
    site.services.dispatcher.stop()


def moved(site: Site, number: int, step: int, **values: Any) -> None:
    """Let a run be as far as a step."""
    with site.services.database.writing() as session:
        row = session.get_one(TrainingRunRow, number)
        row.step, row.curve = step, [[at, round(3.3 - at / 100, 4)] for at in range(0, step + 1, 10)]
        row.reference_curve, row.moved, row.examples_per_second = row.curve[:-1], row.moved + 1, 320.0
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


def begun(page: Page) -> int:
    """Start a run of 60 steps; return its number."""
    page.get_by_label("Your code").fill(CODE)
    page.get_by_label("Steps", exact=True).fill("60")
    page.get_by_role("button", name="Start the run").click()
    heading = page.locator("#run-h")
    expect(heading).to_contain_text("Run ")
    return int(heading.inner_text().removeprefix("Run "))


def test_a_student_sees_the_curve_grow_and_the_names_come(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.enrol("Noor"), reduced_motion="reduce").open(TRAINING)
    number = begun(page)
    curve = page.locator("#run-live .is-wide .curve")
    expect(page.locator("[data-live]")).to_have_text("live")
    expect(page.get_by_role("button", name="Start the run")).to_be_disabled()
    page.get_by_label("Your code").fill("# typed while it trains")

    lengths = []
    for step in (10, 30):
        moved(site, number, step, state=RunState.RUNNING)
        expect(page.locator("#run-live dd").first).to_have_text(str(step))
        lengths.append(len(curve.get_attribute("d") or ""))
    expect(page.get_by_role("img", name="Loss 3.3000 at step 0, 3.0000 at step 30 of 60.")).to_be_visible()
    expect(page.get_by_text("3 s", exact=True)).to_be_visible()
    assert faults(page) == []

    names = ["mona", "kayah", "see"]
    done = {"samples": names, "train_loss": 2.1, "dev_loss": 2.7, "checked": Check.YES}
    moved(site, number, 60, state=RunState.DONE, **done)
    expect(page.get_by_role("heading", name="Names that the network makes up")).to_be_visible()
    expect(page.locator(".names li")).to_have_text(names)
    expect(page.locator("#run [data-status]")).to_have_text("done")
    expect(page.locator("#runs tbody tr")).to_contain_text(["2.7000"])
    expect(page.get_by_role("button", name="Start the run")).to_be_enabled()
    expect(page.get_by_role("button", name="Cancel it")).to_be_hidden()
    expect(page.get_by_label("Your code")).to_have_value("# typed while it trains")
    assert lengths[0] < lengths[1] < len(curve.get_attribute("d") or "")


def test_without_a_script_one_starts_looks_again_and_cancels(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.enrol("Sam"), java_script_enabled=False, viewport=PHONE).open(TRAINING)
    number = begun(page)
    moved(site, number, 20, state=RunState.RUNNING)

    page.get_by_role("link", name="See how far it is").click()
    expect(page.locator("#run-live dd").first).to_have_text("20")
    expect(page.locator("#run-live .is-narrow")).to_be_visible()
    expect(page.locator("#run-live .is-wide")).to_be_hidden()

    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("Cancelled after 20 steps.")).to_be_visible()
    page.locator("#f-file").set_input_files({"name": "mine.py", "mimeType": "text/x-python", "buffer": CODE.encode()})
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_text("The whole script is taken.")).to_be_visible()
    expect(page.get_by_label("Your code")).to_have_value(CODE)
