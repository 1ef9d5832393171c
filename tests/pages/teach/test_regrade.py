"""A regrade on pages: begun, reported, accepted."""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import col, select

from server.pages.teach.regrade import Judged, judged
from server.regrading import regrade
from server.tables import ComparisonRow, GradeRow, ProgressRow, Role, SubmissionRow
from tests.pages.staff_desk import Desk, Office, said
from tests.support.servers import SOLUTION, Student, eventually

WRONG = SOLUTION.replace("dW2 = h.T @ dlogits", "dW2 = 2 * h.T @ dlogits")


def hand_in_long_ago(office: Office) -> Desk:
    """Somebody hands in; an older grader took a wrong step for an exact one."""
    ada = office.seat("Ada Lovelace")
    answer = Student(office.client, ada.token, ada.account, course=office.slug).submit_code(WRONG)
    assert answer.status_code in (200, 201), answer.text
    with office.services.database.writing() as session:
        of_course = select(SubmissionRow.id).where(SubmissionRow.course_id == office.row(session).id)
        grades = col(GradeRow.submission_id).in_(of_course)
        session.connection().execute(update(GradeRow).where(grades).values(environment="an older one"))
        rows = select(ComparisonRow).join(GradeRow).where(grades, ~col(ComparisonRow.exact))
        row = session.exec(rows.order_by(col(ComparisonRow.position)).limit(1)).one()
        row.verdict, row.exact, row.approximate, row.origin = "exact", True, True, None
        key = (office.row(session).id, ada.account, "makemore/full-backward", row.name)
        progress, handed_in = session.get_one(ProgressRow, key), session.exec(select(SubmissionRow.created_at)).first()
        progress.best, progress.first_passed_at, progress.first_exact_at = "exact", handed_in, handed_in
    return ada


def newest(office: Office) -> int:
    """The number of the newest regrade."""
    with office.services.database.reading() as session:
        row = regrade.find_regrade(session, office.row(session), None)
        assert row is not None
        return row.id


def test_nothing_to_grade_again_is_said(office: Office) -> None:
    answer = office.instructor.post("regrade", {})

    assert answer.headers["location"].endswith("/regrade?done=none")
    assert "There is nothing to grade again" in office.instructor.get("regrade", params={"done": "none"}).text


def test_a_regrade_is_reported_and_accepted(office: Office) -> None:
    hand_in_long_ago(office)

    begun = office.instructor.post("regrade", {"exercise": "makemore/full-backward"})
    assert begun.headers["location"] == f"/courses/{office.slug}/regrade"
    assert eventually(lambda: "Accept it" in office.instructor.get("regrade").text)
    report = office.instructor.get("regrade")
    id = newest(office)
    asked = office.instructor.get(f"regrade/{id}/accept")
    accepted = office.instructor.post(f"regrade/{id}/accept")

    assert "Who loses" in report.text and "Ada Lovelace" in report.text and "data-again" not in report.text
    assert 'href="#m-exact"' in report.text and 'href="#m-own"' in report.text
    assert "1 new grade will count, all at once." in said(asked) and "0 gain, 1 lose" in said(asked)
    assert accepted.headers["location"].endswith("?done=accepted")
    again = office.instructor.post(f"regrade/{id}/accept")
    assert again.status_code == 422 and "was accepted already" in said(again)


def test_a_regrade_is_discarded(office: Office) -> None:
    hand_in_long_ago(office)
    office.instructor.post("regrade", {})
    id = newest(office)

    asked = office.instructor.get(f"regrade/{id}/discard")
    discarded = office.instructor.post(f"regrade/{id}/discard")

    assert "The old grades go on to count." in said(asked)
    assert discarded.headers["location"].endswith("?done=discarded")


def test_a_scope_that_names_nothing_is_a_fault(office: Office) -> None:
    answer = office.instructor.post("regrade", {"submission_id": "999999", "exercise": ""})

    assert answer.status_code == 422 and 'id="e-submission_id"' in answer.text


def test_an_assistant_does_not_regrade(office: Office) -> None:
    assistant = office.seat("Tom", Role.ASSISTANT)

    assert assistant.get("regrade").status_code == 403
    assert assistant.post("regrade", {}).status_code == 403


def test_lines_of_the_report_have_marks() -> None:
    assert judged("exact") == Judged("exact", "exact")
    assert judged("wrong own missing_local sign") == Judged("own", "missing local, sign")
    assert judged("wrong inherited") == Judged("inherited", "inherited")
    assert judged("shape") == Judged("own", "shape")
    assert judged("(none)") == Judged("missing", "not there")
