"""The pages of a whole course."""

from __future__ import annotations

from datetime import UTC, datetime

from server.courses import courses
from server.tables import CourseRow, Role
from tests.pages.staff_desk import Office, hidden, said
from tests.support.servers import SOLUTION, Student

RULES = {"title": "Spring", "time_zone": "Europe/Rome", "hint_levels": "2", "hints_after": "1", "inherited_share": "0"}


def course(office: Office) -> CourseRow:
    """The course as it is."""
    with office.services.database.reading() as session:
        return office.row(session)


def test_a_course_gets_its_title_zone_and_rules(office: Office) -> None:
    answer = office.instructor.post("settings", RULES)

    row = course(office)
    assert answer.headers["location"].endswith("/settings?done=saved")
    assert (row.title, row.time_zone, row.hint_levels, row.hints_after) == ("Spring", "Europe/Rome", 2, 1)
    assert not row.counterexamples


def test_a_zone_that_is_none_is_named_at_its_field(office: Office) -> None:
    answer = office.instructor.post("settings", {**RULES, "time_zone": "Europe/Atlantis"})

    assert answer.status_code == 422
    assert (
        'id="e-time_zone"' in answer.text
        and 'value="Europe/Atlantis"' in answer.text
        and 'value="Spring"' in answer.text
    )


def test_credit_for_inherited_steps_is_agreed_to(office: Office) -> None:
    student = office.seat("Ada")
    office.assign()
    office.let_pass(student.account, datetime(2026, 11, 3, tzinfo=UTC), is_inherited=True)

    asked = office.instructor.post("settings", {**RULES, "inherited_share": "50"})
    saved = office.instructor.post("settings", {**RULES, "inherited_share": "50", "agreed": hidden(asked)["agreed"]})

    assert "The points of 1 student change: 1 gain 0.5 in all." in said(asked)
    assert saved.status_code == 303 and course(office).inherited_share == 0.5


def test_a_course_is_archived_and_reopened(office: Office) -> None:
    asked = office.instructor.get("settings/archive")
    office.instructor.post("settings/archive")
    archived = course(office).archived_at
    refused = office.instructor.post("people/add", {"name": "Eva"})
    office.instructor.post("settings/reopen")

    assert "You can reopen it at any time." in said(asked)
    assert archived is not None and course(office).archived_at is None
    assert refused.status_code == 403 and "archived" in said(refused)


def test_a_copy_moves_the_dates(office: Office) -> None:
    office.assign(due_at=datetime(2026, 12, 1, 22, 59, tzinfo=UTC))
    form = {"title": "Next", "slug": f"{office.slug}-next", "shift_days": "182"}

    answer = office.instructor.post("settings/copy", form)
    taken = office.instructor.post("settings/copy", form)

    assert answer.status_code == 200 and "Tue 1 Jun, 23:59" in answer.text
    assert taken.status_code == 422 and 'id="e-slug"' in taken.text and 'value="182"' in taken.text


def test_a_course_is_removed_by_its_typed_address(office: Office) -> None:
    ada = office.seat("Ada")
    Student(office.client, ada.token, ada.account, course=office.slug).submit_code(SOLUTION)

    asked = office.instructor.get("settings/remove")
    other = office.instructor.post("settings/remove", {"confirm": "another", "with_work": "on"})
    work = office.instructor.post("settings/remove", {"confirm": office.slug})
    gone = office.instructor.post("settings/remove", {"confirm": office.slug, "with_work": "on"})

    assert f"To confirm, type {office.slug}" in said(asked) and "Remove the 1 submissions too" in said(asked)
    assert other.status_code == 422 and 'id="e-confirm"' in other.text
    assert work.status_code == 422 and 'id="e-with_work"' in work.text
    assert gone.headers["location"] == "/courses"
    with office.services.database.reading() as session:
        assert courses.find_course(session, office.slug) is None


def test_an_assistant_changes_no_course(office: Office) -> None:
    assistant = office.seat("Tom", Role.ASSISTANT)

    for page in ("settings", "settings/copy", "settings/archive", "settings/remove"):
        assert assistant.get(page).status_code == 403
        assert assistant.post(page, RULES).status_code == 403
