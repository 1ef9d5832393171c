"""Drafts: the last one holds, and says what it replaced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.courses import courses
from server.courses.access import Archived, CourseSession, Membership
from server.database.engine import Database
from server.database.table import now
from server.http.middleware import SOURCE_BYTES_MAX
from server.http.problems import TooLarge
from server.submissions.drafts import find_draft, keep_draft
from server.tables import Role
from tests.support.servers import FULL


@pytest.fixture
def member(database: Database) -> Iterator[CourseSession]:
    """A student, in one transaction."""
    with database.writing() as session:
        course = courses.open_course(session, "autumn", "Autumn")
        account = courses.enrol(session, course, "Ada", Role.STUDENT).account
        yield CourseSession(session, account.id, Membership(course, frozenset({Role.STUDENT})))


def test_the_last_draft_holds(member: CourseSession) -> None:
    first = keep_draft(member, FULL, "dh = 1", None)
    second = keep_draft(member, FULL, "dh = 2", first.changed_at)

    assert (first.overwrote, second.overwrote) == (None, None)
    found = find_draft(member.session, member.course.id, member.account_id, FULL)
    assert found is not None
    assert found.source == "dh = 2"


def test_a_draft_that_was_changed_elsewhere_is_replaced_and_said(member: CourseSession) -> None:
    elsewhere = keep_draft(member, FULL, "dh = 1", None)

    kept = keep_draft(member, FULL, "dh = 2", None)

    assert kept.overwrote == elsewhere.changed_at


def test_the_same_text_again_changes_nothing(member: CourseSession) -> None:
    first = keep_draft(member, FULL, "dh = 1", None)

    assert keep_draft(member, FULL, "dh = 1", None) == first


def test_what_is_too_long_or_of_an_archived_course_is_refused(member: CourseSession) -> None:
    with pytest.raises(TooLarge):
        keep_draft(member, FULL, "x" * (SOURCE_BYTES_MAX + 1), None)

    member.course.archived_at = now()
    with pytest.raises(Archived):
        keep_draft(member, FULL, "dh = 1", None)
