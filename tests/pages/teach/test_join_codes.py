"""Join codes on pages, and the code on the wall."""

from __future__ import annotations

from server.courses import join_codes
from server.courses.join_codes import CodeState, state_of
from server.pages.teach.join_codes import join_address
from server.tables import JoinCodeRow, Role
from tests.pages.staff_desk import Office, said


def newest(office: Office) -> JoinCodeRow:
    """The code of the course that was made last."""
    with office.services.database.reading() as session:
        return join_codes.list_codes(session, office.row(session))[0]


def test_a_code_is_made_with_its_terms(office: Office) -> None:
    fields = {"section": "B", "uses_max": "40", "expires_at": "2100-10-31T23:59"}

    answer = office.instructor.post("join-codes", fields)

    code = newest(office)
    assert answer.headers["location"].endswith("?done=made")
    assert (code.section, code.uses_max) == ("B", 40)
    assert code.expires_at is not None and code.expires_at.isoformat() == "2100-10-31T22:59:00+00:00"


def test_an_end_in_the_past_is_a_fault_of_the_field(office: Office) -> None:
    answer = office.instructor.post("join-codes", {"section": "B", "expires_at": "2020-01-01T10:00"})

    assert answer.status_code == 422
    assert 'id="e-expires_at"' in answer.text and 'value="B"' in answer.text


def test_uses_that_are_no_number_are_kept_and_named(office: Office) -> None:
    answer = office.instructor.post("join-codes", {"uses_max": "many"})

    assert answer.status_code == 422 and 'value="many"' in answer.text and 'id="e-uses_max"' in answer.text


def test_a_code_is_closed_opened_and_revoked(office: Office) -> None:
    here = f"join-codes/{newest(office).id}"

    office.instructor.post(f"{here}/close")
    closed = state_of(newest(office))
    office.instructor.post(f"{here}/close", {"closed": "no"})
    opened = state_of(newest(office))
    asked = office.instructor.get(f"{here}/revoke")
    office.instructor.post(f"{here}/revoke")

    assert (closed, opened, state_of(newest(office))) == (CodeState.CLOSED, CodeState.OPEN, CodeState.REVOKED)
    assert "Nobody loses a seat." in said(asked)


def test_an_untouched_end_stays_to_the_second(office: Office) -> None:
    office.instructor.post("join-codes", {"expires_at": "2100-10-31T23:59"})
    code = newest(office)
    assert code.expires_at is not None
    with office.services.database.writing() as session:
        session.get_one(JoinCodeRow, code.id).expires_at = code.expires_at.replace(second=59)

    office.instructor.post(f"join-codes/{code.id}", {"expires_at": "2100-10-31T23:59", "section": "A"})

    changed = newest(office)
    assert changed.section == "A" and changed.expires_at == code.expires_at.replace(second=59)


def test_the_wall_holds_the_code_and_a_picture_of_the_address(office: Office) -> None:
    code = newest(office)

    page = office.instructor.get(f"join-codes/{code.id}/wall")

    assert code.code in page.text and "testserver/join" in page.text
    assert "<svg" in page.text and "style=" not in page.text
    assert join_address("http://testserver/", code.code) == f"http://testserver/join?code={code.code}"


def test_an_assistant_makes_no_code(office: Office) -> None:
    assistant = office.seat("Tom", Role.ASSISTANT)

    assert assistant.get("join-codes").status_code == 403
    assert assistant.post("join-codes", {}).status_code == 403
