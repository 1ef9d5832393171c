"""The list of assignments and the form of one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from server.assignments import changes
from server.database.table import now
from server.pages.teach.assignment_form import in_words
from server.tables import AssignmentRow, LatePolicy, Role
from tests.pages.staff_desk import Office, hidden, said
from tests.support.servers import FULL

CROSS = "makemore/cross-entropy"
DUE = "2026-12-01T23:59"
RULES = {
    "due_at": DUE,
    "late_policy": "daily",
    "late_per_day": "10",
    "late_floor": "50",
    "accepts": "both",
    "numbers": "student",
    "on_hidden_numbers": "on",
    "checks_open": "on",
    "approximate_share": "100",
    "feedback": "at_once",
}


def rules(office: Office, exercise: str = FULL) -> AssignmentRow:
    """The assignment as it is."""
    with office.services.database.reading() as session:
        return changes.find(session, office.row(session), exercise)


def test_an_assignment_is_set_with_its_rules(office: Office) -> None:
    answer = office.instructor.post(f"assignments/{FULL}", {**RULES, "version": "0", "weight.logits": "3"})

    row = rules(office)
    assert answer.headers["location"].endswith("/assignments?done=saved")
    assert row.due_at == datetime(2026, 12, 1, 22, 59, tzinfo=UTC)
    assert (row.late_policy, row.late_per_day, row.late_floor) == (LatePolicy.DAILY, 0.1, 0.5)
    assert row.checkpoint_points == {"logits": 3.0} and row.checks_open and row.hint_levels is None


def test_what_the_form_shows_saves_as_it_was(office: Office) -> None:
    office.assign(
        due_at=datetime(2026, 12, 1, 22, 59, 59, tzinfo=UTC),
        late_policy=LatePolicy.CLOSED,
        grace_minutes=30,
        attempts_max=5,
        points=26.0,
        hint_levels=2,
        counterexamples=False,
        inherited_share=0.5,
        checks_open=False,
        checkpoint_points={"logits": 0.0},
    )
    page = office.instructor.get(f"assignments/{FULL}")
    shown = _fields(page.text)

    answer = office.instructor.post(f"assignments/{FULL}", shown)

    assert answer.headers["location"].endswith("?done=same")
    assert rules(office).version == 1


def test_each_fault_stands_at_its_field_and_what_was_typed_stays(office: Office) -> None:
    wrong = {**RULES, "opens_at": "2026-12-02T10:00", "late_per_day": "", "attempts_max": "0", "points": "many"}

    answer = office.instructor.post(f"assignments/{FULL}", {**wrong, "version": "0"})

    assert answer.status_code == 422
    for field in ("opens_at", "late_per_day", "attempts_max", "points"):
        assert f'href="#f-{field}"' in answer.text and f'id="e-{field}"' in answer.text
    assert "The opening time must be before the due time." in said(answer)
    assert 'value="2026-12-02T10:00"' in answer.text


def test_a_change_of_points_is_agreed_to_before_it_is_saved(office: Office) -> None:
    office.assign(due_at=datetime(2026, 12, 1, 22, 59, tzinfo=UTC))
    student = office.seat("Ada")
    office.let_pass(student.account, datetime(2026, 12, 3, 10, 0, tzinfo=UTC))
    wanted = {**RULES, "version": "1"}

    asked = office.instructor.post(f"assignments/{FULL}", wanted)
    before = rules(office).late_policy
    saved = office.instructor.post(f"assignments/{FULL}", {**wanted, "agreed": hidden(asked)["agreed"]})

    assert asked.status_code == 200 and "The points of 1 student change: 1 lose 0.2 in all." in said(asked)
    assert before is LatePolicy.NONE
    assert saved.headers["location"].endswith("?done=saved") and rules(office).late_policy is LatePolicy.DAILY


def test_looking_saves_nothing(office: Office) -> None:
    answer = office.instructor.post(f"assignments/{FULL}", {**RULES, "version": "0", "act": "look"})

    assert answer.status_code == 200 and "Nobody's points change. Nothing is saved yet." in said(answer)
    with pytest.raises(changes.UnknownAssignment):
        rules(office)


def test_a_script_gets_the_part_beside_the_form(office: Office) -> None:
    answer = office.instructor.post(f"assignments/{FULL}", {**RULES, "version": "0"}, headers={"HX-Request": "true"})

    assert answer.status_code == 200 and "<html" not in answer.text and 'class="curve"' in answer.text


def test_what_changed_meanwhile_stands_beside_what_was_typed(office: Office) -> None:
    office.assign(points=10.0)
    office.assign(points=12.0, attempts_max=3)

    answer = office.instructor.post(f"assignments/{FULL}", {**RULES, "points": "26", "version": "1"})
    over = office.instructor.post(f"assignments/{FULL}", {**RULES, "points": "26", "version": "2"})

    assert answer.status_code == 412
    assert "Somebody changed this assignment while you had it open" in answer.text
    assert "Points 12 26" in said(answer) and "Attempts 3 –" in said(answer)
    assert hidden(answer)["version"] == "2" and 'value="26"' in answer.text
    assert over.headers["location"].endswith("?done=saved") and rules(office).points == 26.0


def test_a_time_that_the_clocks_show_twice_is_refused_in_words(office: Office) -> None:
    answer = office.instructor.post(f"assignments/{FULL}", {**RULES, "due_at": "2026-10-25T02:30", "version": "0"})

    assert answer.status_code == 422
    assert "show this time twice. Choose one an hour earlier or later." in said(answer)


def test_assignments_move_up_and_down(office: Office) -> None:
    office.assign(FULL)
    office.assign(CROSS)

    answer = office.instructor.post("assignments/order", {"order": f"{CROSS},{FULL}"})
    stale = office.instructor.post("assignments/order", {"order": FULL})

    assert answer.headers["location"].endswith("?done=ordered")
    assert rules(office, CROSS).position == 0
    assert stale.status_code == 409 and "were changed meanwhile" in stale.text


def test_an_assignment_is_removed_after_it_was_asked(office: Office) -> None:
    row = office.assign()

    asked = office.instructor.get(f"assignments/{FULL}/remove")
    old = office.instructor.post(f"assignments/{FULL}/remove", {"version": str(row.version + 1)})
    gone = office.instructor.post(f"assignments/{FULL}/remove", hidden(asked))

    assert "Nobody handed in anything." in said(asked) and "open practice" in said(asked)
    assert old.status_code == 422
    assert gone.headers["location"].endswith("?done=removed")


def test_the_dates_stand_on_a_line_and_in_words(office: Office) -> None:
    moment = now()
    office.assign(FULL, opens_at=moment - timedelta(days=9), due_at=moment + timedelta(days=3))
    office.assign(CROSS, opens_at=moment + timedelta(days=2))

    page = office.instructor.get("assignments")

    assert 'class="today"' in page.text and page.text.count('class="due"') == 2  # one is the legend's
    assert "has no due time" in page.text and "Europe/Berlin" in page.text
    assert said(page).count("open") and "planned" in said(page)


def test_an_assistant_reads_the_dates_and_sets_none(office: Office) -> None:
    office.assign()
    assistant = office.seat("Tom", Role.ASSISTANT)

    page = assistant.get("assignments")

    assert page.status_code == 200 and "Set an assignment" not in page.text and ">Change<" not in page.text
    assert assistant.get(f"assignments/{FULL}").status_code == 403
    assert assistant.post(f"assignments/{FULL}", RULES).status_code == 403
    assert office.seat("Ada").get("assignments").status_code == 403


def test_sentences_about_rules_have_the_words_of_the_page() -> None:
    assert in_words("opens_at must be before due_at.") == "The opening time must be before the due time."
    assert in_words("The late policy 'daily' needs a late_per_day above 0.") == (
        "The late policy “loses points by the day” needs a cost of a day above 0."
    )
    assert in_words("feedback_after is above attempts_max, 5: feedback would never show.") == (
        "The number of attempts before results is above the number of attempts, 5: feedback would never show."
    )


def _fields(html: str) -> dict[str, str]:
    """The fields of the form as a browser would send them."""
    found: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", html):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        is_left_out = attributes.get("type") in ("radio", "checkbox") and " checked" not in tag
        if "name" in attributes and not is_left_out and attributes["name"] != "form_token":
            found[attributes["name"]] = unescape(attributes.get("value", ""))
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', html, re.S):
        selected = re.search(r'value="([^"]*)" selected', options)
        found[name] = selected[1] if selected else ""
    return found


def test_a_pack_that_is_not_as_it_was_pinned_is_told_of(office: Office) -> None:
    before = office.instructor.get("assignments").text
    with office.services.database.writing() as session:
        office.row(session).packs = {"makemore": "0" * 64}

    after = office.instructor.get("assignments").text

    assert "The pack makemore is not as this course pinned it" in unescape(after)
    assert "pinned" not in before
