"""Training in a real browser: a student starts a run, sees its curve grow and its names come; and without a script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlmodel import select

from server.accounts import tokens
from server.database.table import now
from server.tables import Check, RunState, TokenRow, TrainingRunRow
from tests.pages.conftest import Site
from tests.support.backward import FUNCTION
from tests.support.browser import PHONE, Visitor, faults
from tests.support.servers import COURSE
from tests.support.training import write_run

SitDown = Callable[..., Visitor]
TRAINING = f"/courses/{COURSE}/training"


@pytest.fixture(autouse=True, scope="module")
def patience() -> None:
    """A busy machine takes its time."""
    expect.set_options(timeout=60_000)


def waiting(site: Site, token: str) -> int:
    """Write a run of 60 steps that nobody computes for a year; return its number."""
    with site.services.database.writing() as session:
        account = session.exec(select(TokenRow.account_id).where(TokenRow.digest == tokens.digest(token))).one()
        values: dict[str, Any] = {"state": RunState.RUNNING, "step": 0, "steps": 60, "finished_at": None}
        values |= {"train_loss": None, "dev_loss": None, "due_at": now() + timedelta(days=365)}
        return write_run(session, 1, account, **values)


def moved(site: Site, number: int, step: int, **values: Any) -> None:
    """Let a run be as far as a step."""
    with site.services.database.writing() as session:
        row = session.get_one(TrainingRunRow, number)
        row.step, row.curve = step, [[at, round(3.3 - at / 100, 4)] for at in range(0, step + 1, 10)]
        row.reference_curve, row.moved, row.examples_per_second = row.curve[:-1], row.moved + 1, 320.0
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


def test_a_student_trains_and_the_names_come(site: Site, sit_down: SitDown) -> None:
    page = sit_down(site.enrol("Ada")).open(f"/courses/{COURSE}/exercises/makemore/train")
    page.get_by_role("link", name="Train with it").click()
    page.get_by_label("Your code").fill(FUNCTION)
    page.get_by_label("Steps", exact=True).fill("40")
    page.get_by_role("button", name="Start the run").click()

    expect(page.get_by_role("heading", name="Names that the network makes up")).to_be_visible()
    expect(page.locator("#run-live dd").first).to_have_text("40")
    expect(page.locator("#run [data-status]")).to_have_text("done")
    assert (page.locator("#run-live .is-wide .curve").get_attribute("d") or "").count("L") > 1
    assert page.locator(".names li").count() > 5


def test_the_curve_grows_while_one_looks(site: Site, sit_down: SitDown) -> None:
    token = site.enrol("Noor")
    number = waiting(site, token)
    page = sit_down(token, reduced_motion="reduce").open(TRAINING)
    curve = page.locator("#run-live .is-wide .curve")
    expect(page.locator("[data-live]")).to_have_text("live")
    expect(page.get_by_role("button", name="Start the run")).to_be_disabled()
    page.get_by_label("Your code").fill("# typed while it trains")

    lengths = []
    for step in (10, 30):
        moved(site, number, step)
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
    expect(page.locator("[data-live]")).to_be_hidden()
    expect(page.get_by_label("Your code")).to_have_value("# typed while it trains")
    assert lengths[0] < lengths[1] < len(curve.get_attribute("d") or "")


def test_without_a_script_one_looks_again_cancels_and_opens_a_file(site: Site, sit_down: SitDown) -> None:
    token = site.enrol("Sam")
    number = waiting(site, token)
    page = sit_down(token, java_script_enabled=False, viewport=PHONE).open(TRAINING)
    moved(site, number, 20)

    page.get_by_role("link", name="See how far it is").click()
    expect(page.locator("#run-live dd").first).to_have_text("20")
    expect(page.locator("#run-live .is-narrow")).to_be_visible()
    expect(page.locator("#run-live .is-wide")).to_be_hidden()

    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("Cancelled after 20 steps.")).to_be_visible()
    page.locator("#f-file").set_input_files(
        {"name": "mine.py", "mimeType": "text/x-python", "buffer": FUNCTION.encode()}
    )
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_text("The whole script is taken.")).to_be_visible()
    expect(page.get_by_label("Your code")).to_have_value(FUNCTION)
