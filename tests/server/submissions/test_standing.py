"""How far a student is, and what is new for them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from exercises.registry import find
from server.accounts.signin import SignedInSession
from server.courses.access import find_membership, memberships_of
from server.courses.seats import AT_WORK, Presence, count_present
from server.database.table import now
from server.feedback.news import read_news
from server.rules.rules import Rules, find_rules
from server.submissions.standing import OwnStanding, StepOutcome, read_standing
from server.tables import CourseRow, Feedback, OverrideRow, SeatRow
from tests.support.assigned import archive, assign, extend
from tests.support.servers import FULL, Members, RunningServer, gradients

HOUR = timedelta(hours=1)


def standing(server: RunningServer, here: Members) -> OwnStanding:
    """Return how far the student of the course is."""
    with server.services.database.reading() as session:
        return read_standing(session, rules(session, here), find(FULL))


def rules(session: Session, here: Members) -> Rules:
    """Return what holds for the student."""
    student = SignedInSession(session, here.student.account, "Ada", is_admin=False)
    return find_rules(session, find_membership(student, here.slug), student.account_id, FULL)


def hand_in(here: Members, **wrong: float) -> int:
    """Hand in the last of the right gradients, with some of them multiplied; return the submission."""
    right = gradients(here.student.state())
    answers = {name: right[name] * wrong.get(name, 1.0) for name in ("dlogits", "dh", "dhpreact")}
    return int(here.student.submit_tensors(answers).json()["id"])


def test_what_passed_stays_and_what_is_wrong_is_told_as_it_is_now(server: RunningServer, here: Members) -> None:
    assert standing(server, here) == OwnStanding({}, 0.0)

    hand_in(here, dh=2.0)
    first = standing(server, here)
    hand_in(here, dlogits=3.0, dh=2.0)
    second = standing(server, here)

    assert first.outcomes == {
        "logits": StepOutcome("exact"),
        "h": StepOutcome("wrong", "own"),
        "hpreact": StepOutcome("exact"),
    }
    assert second.outcomes["logits"] == StepOutcome("exact")  # it passed once
    assert (first.passed, first.points, second.passed) == (2, 2.0, 2)


def test_an_override_counts_instead(server: RunningServer, here: Members) -> None:
    assign(server, points=26.0)
    hand_in(here)
    with server.services.database.writing() as session:
        course_id = rules(session, here).course.id
        session.add(
            OverrideRow(
                course_id=course_id, account_id=here.student.account, exercise=FULL, points=7.5, reason="on paper"
            )
        )

    assert standing(server, here).points == 7.5


def test_nothing_is_told_while_feedback_is_withheld(server: RunningServer, here: Members) -> None:
    assign(server, feedback=Feedback.AFTER_DUE, due_at=now() + HOUR)
    hand_in(here)

    assert standing(server, here) == OwnStanding()


def test_a_longer_extension_counts_for_points(server: RunningServer, here: Members) -> None:
    assign(server, points=26.0, due_at=now() - HOUR, late_policy="closed")
    extend(server, here.student, 2)
    hand_in(here)

    assert standing(server, here).points == pytest.approx(3.0)


def test_a_comment_and_a_regrade_that_changed_something_are_news(server: RunningServer, here: Members) -> None:
    submission = hand_in(here)
    note = {"text": "Look again.", "checkpoint": "h"}
    here.instructor.post(f"/api/v1/submissions/{submission}/comments", json=note)
    server.grade_again(submission, "logits", verdict="wrong")
    with server.services.database.reading() as session:
        unchanged = read_news(session, here.student.account, now() - HOUR)
        others = read_news(session, here.instructor.account, now() - HOUR)

    assert [(each.author, each.checkpoint, each.submission_id) for each in unchanged] == [
        ("Instructor", "h", submission)
    ]
    assert others == []


def test_who_is_at_work_is_counted(server: RunningServer, here: Members) -> None:
    other = server.join("Bo")
    with server.services.database.writing() as session:
        course = session.get_one(CourseRow, 1)
        session.get_one(SeatRow, (1, here.student.account)).last_seen_at = now()
        session.get_one(SeatRow, (1, other.account)).last_seen_at = now() - 2 * AT_WORK
        session.flush()

        assert count_present(session, course) == Presence(students=2, at_work=1)
        assert count_present(session, course, "B") == Presence(students=0, at_work=0)


def test_memberships_are_those_of_seats(server: RunningServer, here: Members, there: Members) -> None:
    student = server.seat(here.student, there.slug)
    archive(server, there.slug)
    with server.services.database.reading() as session:
        found = memberships_of(SignedInSession(session, student.account, "Ada", is_admin=False))

    assert [(each.course.slug, section) for each, section in found] == [("autumn", None), ("backprop", None)]
