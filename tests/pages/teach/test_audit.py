"""The audit log in sentences."""

from __future__ import annotations

import re
from pathlib import Path

import server
from server.pages.teach.audit import ACTS
from server.tables import Role
from tests.pages.staff_desk import Office, said
from tests.support.servers import FULL


def test_the_log_says_who_did_what_with_the_values(office: Office) -> None:
    student = office.seat("Ada", section="A")
    office.instructor.post(f"people/{student.account}", {"name": "Ada", "role": "student", "section": "B"})
    rules = {"due_at": "2026-12-01T23:59", "late_policy": "none", "accepts": "both", "version": "0"}
    office.instructor.post(f"assignments/{FULL}", rules)

    page = office.instructor.get("audit")

    assert "Quinn changed what the roster says of Ada ." not in said(page)
    assert "Quinn changed what the roster says of Ada." in said(page) and "section A → B" in said(page)
    assert "Quinn set the assignment “Backprop through the whole thing”." in said(page)
    assert "due 2026-12-01 23:59" in said(page)


def test_filters_narrow_the_log(office: Office) -> None:
    student = office.seat("Ada")
    office.instructor.post(f"people/{student.account}/remove", {"reason": "left us"})
    office.instructor.post("join-codes", {"section": "B"})

    people = office.instructor.get("audit", params={"act": "people", "person": "", "exercise": "", "before": ""})
    codes = office.instructor.get("audit", params={"act": "join_code", "person": str(office.instructor.account)})
    none = office.instructor.get("audit", params={"act": "regrade"})

    assert "left us" in people.text and "made a join code" not in people.text
    assert "made a join code" in codes.text and "left us" not in codes.text
    assert "Nothing of this kind happened" in none.text


def test_every_act_has_its_sentence() -> None:
    folder = Path(server.__file__).parent
    words = {path: path.read_text() for path in folder.rglob("*.py") if "pages" not in path.relative_to(folder).parts}
    groups = {act.split(".")[0] for act in ACTS}
    written = {
        act
        for text in words.values()
        for act in re.findall(r'"([a-z_]+\.[a-z_]+)"', text)
        if act.split(".")[0] in groups and ("ntry(" in text)
    }

    columns = {act for act in written if act.endswith(".id")}
    assert written - columns == set(ACTS)


def test_the_log_is_for_instructors(office: Office) -> None:
    assert office.seat("Tom", Role.ASSISTANT).get("audit").status_code == 403
