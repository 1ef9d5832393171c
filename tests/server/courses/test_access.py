"""Access to a course, and to one that is archived."""

from __future__ import annotations

import pytest

from server.courses.access import Archived, require_active
from server.database.table import now
from server.tables import CourseRow


def test_an_active_course_takes_changes() -> None:
    require_active(CourseRow(slug="autumn", title="Autumn"))


def test_an_archived_course_takes_none() -> None:
    course = CourseRow(slug="autumn", title="Autumn", archived_at=now())

    with pytest.raises(Archived, match="reopen it") as refused:
        require_active(course)

    assert (refused.value.status, refused.value.slug) == (403, "archived")
