"""The pages of people: what a form does, and what it says if it cannot."""

from __future__ import annotations

import re

from server.tables import Role
from tests.pages.staff_desk import Office, said
from tests.support.windows import without_chance


def test_the_list_finds_people_by_a_part_of_their_name(office: Office) -> None:
    office.seat("Ada Lovelace", section="A")
    office.seat("Ben Bitdiddle", section="B")

    found, section_b = (
        office.instructor.get("people", params=query) for query in ({"search": "lovel"}, {"section": "B"})
    )

    assert "Ada Lovelace" in found.text and "Ben Bitdiddle" not in found.text
    assert "Ben Bitdiddle" in section_b.text and "Ada Lovelace" not in section_b.text


def test_names_are_shown_as_text(office: Office) -> None:
    office.seat("<script>alert(1)</script>")

    page = office.instructor.get("people")

    assert "<script>alert(1)" not in page.text and "&lt;script&gt;alert(1)" in page.text


def test_somebody_is_added_with_a_link_that_is_shown_once(office: Office) -> None:
    answer = office.instructor.post(
        "people/add", {"name": "Eva Lu Ator", "role": "student", "university_id": "1703", "section": "A"}
    )

    assert answer.status_code == 200
    assert re.search(r"http://testserver/join#join_[\w-]{32}", answer.text)
    assert "join_" not in office.instructor.get("people").text


def test_a_form_keeps_what_was_typed_and_names_the_field(office: Office) -> None:
    answer = office.instructor.post("people/add", {"name": "Eva", "email": "no address", "section": "A"})

    assert answer.status_code == 422
    assert 'value="no address"' in answer.text and 'aria-describedby="e-email" aria-invalid="true"' in answer.text
    assert 'href="#f-email"' in answer.text and 'value="Eva"' in answer.text


def test_an_id_that_somebody_has_is_named_at_its_field(office: Office) -> None:
    office.instructor.post("people/add", {"name": "Eva", "university_id": "1703"})

    answer = office.instructor.post("people/add", {"name": "Other", "university_id": "1703"})

    assert answer.status_code == 422
    assert 'id="e-university_id"' in answer.text


def test_somebody_gets_another_section(office: Office) -> None:
    student = office.seat("Ada", section="A")

    answer = office.instructor.post(f"people/{student.account}", {"name": "Ada", "role": "student", "section": "B"})

    assert answer.headers["location"] == f"/courses/{office.slug}/people/{student.account}?done=changed"
    assert office.seat_of(student.account).section == "B"


def test_the_last_instructor_stays_one(office: Office) -> None:
    admin = office.admin()

    answer = admin.post(f"people/{office.instructor.account}", {"name": "Quinn", "role": "student"})

    assert answer.status_code == 422
    assert "last instructor" in said(answer)
    assert office.seat_of(office.instructor.account).role is Role.INSTRUCTOR


def test_who_is_removed_can_be_put_back(office: Office) -> None:
    student = office.seat("Ada")
    here = f"people/{student.account}"

    asked = office.instructor.get(f"{here}/remove")
    removed = office.instructor.post(f"{here}/remove", {"reason": "left"})
    shown = office.instructor.get(here)
    back = office.instructor.post(f"{here}/put-back")

    assert "Remove Ada from the course?" in asked.text
    assert removed.headers["location"].endswith("?done=removed")
    assert "Put them back" in shown.text
    assert back.headers["location"].endswith("?done=put-back")
    assert office.seat_of(student.account).removed_at is None


def test_a_merge_is_asked_for_before_it_is_done(office: Office) -> None:
    twice, ada = office.seat("Ada L."), office.seat("Ada Lovelace")
    here = f"people/{twice.account}/merge"

    asked = office.instructor.post(here, {"into": str(ada.account)})
    merged = office.instructor.post(here, {"into": str(ada.account), "is_confirmed": "yes", "reason": "twice"})

    assert asked.status_code == 200 and "This cannot be undone." in asked.text
    assert merged.headers["location"].endswith(f"people/{ada.account}?done=merged")
    assert office.instructor.post(f"people/{ada.account}/merge", {"into": ""}).status_code == 422


def test_a_key_is_shown_once_and_revokes_older_ones(office: Office) -> None:
    student = office.seat("Ada")

    answer = office.instructor.post(f"people/{student.account}/key", {"kind": "token", "revoke_old": "on"})

    token = re.search(r"<code>(dojo_[\w-]+)</code>", answer.text)
    assert answer.status_code == 200 and token is not None
    assert "They were signed out of 1 place." in said(answer)
    assert student.get("/courses").status_code == 303  # to where one signs in


def test_no_key_is_given_to_an_instructor(office: Office) -> None:
    other = office.seat("Robin", Role.INSTRUCTOR)

    answer = office.instructor.post(f"people/{other.account}/key", {"kind": "token"})

    assert answer.status_code == 422
    assert "only an admin gives them a key" in answer.text and "dojo_" not in answer.text


def test_an_assistant_sees_their_section_and_changes_nobody(office: Office) -> None:
    office.seat("Ada", section="A")
    ben = office.seat("Ben", section="B")
    assistant = office.seat("Tom", Role.ASSISTANT, section="A")

    page = assistant.get("people")

    assert "Ada" in page.text and "Ben" not in without_chance(page.text) and "Add somebody" not in page.text
    assert assistant.get("people", params={"section": "B"}).status_code == 403
    assert assistant.post(f"people/{ben.account}", {"name": "Bea"}).status_code == 403


def test_a_form_of_another_session_changes_nothing(office: Office) -> None:
    student = office.seat("Ada")
    here = f"people/{student.account}"

    without = office.instructor.send(here, {"name": "Eva"})
    other = office.instructor.send(here, {"name": "Eva", "form_token": "AAAA"})
    other_site = office.instructor.post(here, {"name": "Eva"}, headers={"Sec-Fetch-Site": "cross-site"})

    assert [answer.status_code for answer in (without, other, other_site)] == [403, 403, 403]
    assert "Ada" in office.instructor.get(here).text
