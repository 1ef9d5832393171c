"""Merging: everything of both accounts is kept, and the better counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from grader.compare import Verdict
from server.accounts import accounts
from server.courses import courses
from server.courses.access import OPERATOR
from server.database.table import now
from server.http.problems import Forbidden
from server.people import keys, merge, people
from server.people.merge import CannotMerge, account_columns
from server.tables import (
    CommentRow,
    DraftRow,
    ExtensionRow,
    InstanceRow,
    OverrideRow,
    ProgressRow,
    Role,
    SeatRow,
    SubmissionRow,
    TicketRow,
    TicketState,
    TokenRow,
)
from tests.server.people.conftest import EXERCISE, Class

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def test_everything_of_both_is_kept(class_: Class) -> None:
    session, course = class_.session, class_.course
    first, second = class_.add("Ada"), class_.add("Ada")
    where: dict[str, Any] = {"course_id": course.id, "exercise": EXERCISE}
    one = class_.hand_in(first, 1, Verdict.WRONG, idempotency_key="k")
    three = class_.hand_in(first, 3, Verdict.EXACT, idempotency_key="l")
    two = class_.hand_in(second, 2, Verdict.APPROXIMATE, idempotency_key="k")
    four = class_.hand_in(second, 4, Verdict.WRONG)
    session.add(TicketRow(submission_id=one.id, account_id=first.id, state=TicketState.QUEUED))
    session.add(CommentRow(submission_id=one.id, author_id=first.id, text="why?"))
    session.add(ExtensionRow(**where, account_id=first.id, due_at=now(), reason="ill"))
    session.add(OverrideRow(**where, account_id=first.id, points=3, reason="seen", author_id=class_.instructor.id))
    for account in (first, second):
        progress: dict[str, Any] = {"checkpoint": "c", "best": "wrong", "attempts": 2}
        session.add(ProgressRow(**where, account_id=account.id, **progress))
    people.change(session, course, class_.actor, first.id, {"university_id": "17", "section": "A"})

    merge.merge_people(session, course, class_.actor, first.id, second.id, "typed twice")

    session.expire_all()
    submissions = session.exec(select(SubmissionRow).order_by(col(SubmissionRow.attempt))).all()
    assert [each.id for each in submissions] == [one.id, two.id, three.id, four.id]
    assert [(each.account_id, each.attempt) for each in submissions] == [(second.id, n) for n in (1, 2, 3, 4)]
    assert [each.idempotency_key for each in submissions] == [None, "k", "l", None]
    (progress_row,) = session.exec(select(ProgressRow)).all()
    assert (progress_row.account_id, progress_row.best, progress_row.attempts) == (second.id, "exact", 4)
    assert progress_row.first_passed_at == two.created_at
    owners = [session.exec(select(row)).one() for row in (TicketRow, ExtensionRow, OverrideRow)]
    assert [row.model_dump()["account_id"] for row in owners] == [second.id] * 3
    assert session.exec(select(CommentRow)).one().author_id == second.id
    kept = session.get_one(SeatRow, (course.id, second.id))
    assert (kept.university_id, kept.section, kept.role) == ("17", "A", Role.STUDENT)
    assert session.get(SeatRow, (course.id, first.id)) is None
    assert first.merged_into_id == second.id
    valid = session.exec(select(TokenRow.account_id).where(col(TokenRow.revoked_at).is_(None))).all()
    assert first.id not in valid and second.id in valid
    assert class_.log[-1] == ("people.merge", second.id)
    assert sorted(each.account_id or 0 for each in session.exec(select(InstanceRow))) == [first.id, second.id]


def test_a_seat_elsewhere_and_ones_own_numbers_are_taken_over(class_: Class) -> None:
    first, second = class_.add("Ada"), class_.add("Ada")
    other = class_.open_course("autumn")
    class_.session.add(SeatRow(course_id=other.id, account_id=first.id, university_id="5", role=Role.ASSISTANT))
    class_.hand_in(first, 1, Verdict.EXACT)

    merge.merge_people(class_.session, class_.course, OPERATOR, first.id, second.id)

    seat = class_.session.get_one(SeatRow, (other.id, second.id))
    assert (seat.university_id, seat.role) == ("5", Role.ASSISTANT)
    assert class_.session.exec(select(InstanceRow.account_id)).all() == [second.id]


def test_every_column_of_an_account_is_handed_over_or_left_for_a_reason() -> None:
    columns = {f"{table.name}.{column.name}" for table, column in account_columns()}

    assert {"submission.account_id", "ticket.account_id", "extension.granted_by_id", "comment.author_id"} <= columns
    assert {"override.account_id", "override.author_id", "extension.account_id", "ticket.account_id"} <= columns
    assert not columns & {"seat.account_id", "token.account_id", "progress.account_id", "audit.actor_id"}


@on_sqlite
def test_what_may_not_be_merged(class_: Class) -> None:
    session, course = class_.session, class_.course
    ada, bob, alan = class_.add("Ada"), class_.add("Bob"), class_.add("Alan", Role.INSTRUCTOR)
    other = class_.open_course("autumn")
    session.add(SeatRow(course_id=other.id, account_id=ada.id))
    session.flush()

    with pytest.raises(CannotMerge, match="itself"):
        merge.merge_people(session, course, class_.actor, bob.id, bob.id)
    for merged in (ada, alan, class_.instructor):
        with pytest.raises(Forbidden):
            merge.merge_people(session, course, class_.actor, merged.id, bob.id)
    bob.is_admin = True
    with pytest.raises(Forbidden):
        merge.merge_people(session, course, class_.actor, class_.add("Bo").id, bob.id)

    bob.is_admin = False
    merge.merge_people(session, course, class_.actor, bob.id, ada.id)
    assert len(courses.seats_of(session, ada.id)) == 2
    assert accounts.revoke_tokens(session, ada.id) == 1


@on_sqlite
def test_keys_that_staff_held_end_with_a_further_course(class_: Class) -> None:
    session, course = class_.session, class_.course
    first, second, third = class_.add("Ada"), class_.add("Ada"), class_.add("Ada")
    session.add(SeatRow(course_id=class_.open_course("autumn").id, account_id=first.id))
    keys.give_token(session, course, class_.actor, second.id, revoke_old=False)

    merge.merge_people(session, course, OPERATOR, third.id, second.id)
    assert second.keys_given_at is not None
    merge.merge_people(session, course, OPERATOR, first.id, second.id)

    assert second.keys_given_at is None
    assert accounts.revoke_tokens(session, second.id) == 0


@on_sqlite
def test_the_earlier_seat_and_the_higher_role_hold(class_: Class) -> None:
    first, second = class_.add("Ada", Role.ASSISTANT), class_.add("Ada")
    early = now() - timedelta(days=9)
    class_.session.get_one(SeatRow, (class_.course.id, first.id)).created_at = early

    merge.merge_people(class_.session, class_.course, class_.actor, first.id, second.id)

    kept = class_.session.get_one(SeatRow, (class_.course.id, second.id))
    assert (kept.role, kept.created_at) == (Role.ASSISTANT, early)


@on_sqlite
def test_a_role_that_was_taken_away_is_not_given_back(class_: Class) -> None:
    first, second = class_.add("Ada", Role.ASSISTANT), class_.add("Ada")
    people.remove(class_.session, class_.course, class_.actor, first.id)

    merge.merge_people(class_.session, class_.course, class_.actor, first.id, second.id)

    assert class_.session.get_one(SeatRow, (class_.course.id, second.id)).role is Role.STUDENT


def test_of_two_overrides_the_newer_holds(class_: Class) -> None:
    first, second = class_.add("Ada"), class_.add("Ada")
    for points, account in enumerate((first, second)):
        class_.session.add(
            OverrideRow(
                course_id=class_.course.id, exercise=EXERCISE, account_id=account.id, points=points, reason="seen"
            )
        )
        class_.session.flush()

    merge.merge_people(class_.session, class_.course, class_.actor, first.id, second.id)

    class_.session.expire_all()
    overrides = class_.session.exec(select(OverrideRow).where(OverrideRow.account_id == second.id)).all()
    assert [each.points for each in overrides if each.withdrawn_at is None] == [1] and len(overrides) == 2


def test_of_two_drafts_the_newer_holds(class_: Class) -> None:
    first, second = class_.add("Ada"), class_.add("Ada")
    for hours, account, source in ((1, second, "older"), (0, first, "newer")):
        moment = now() - timedelta(hours=hours)
        where: dict[str, Any] = {"course_id": class_.course.id, "exercise": EXERCISE, "account_id": account.id}
        class_.session.add(DraftRow(**where, source=source, changed_at=moment))
    class_.session.flush()

    merge.merge_people(class_.session, class_.course, class_.actor, first.id, second.id)

    class_.session.expire_all()
    drafts = class_.session.exec(select(DraftRow)).all()
    assert [(each.account_id, each.source) for each in drafts] == [(second.id, "newer")]
