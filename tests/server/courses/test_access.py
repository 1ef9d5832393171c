"""Access to a course, and to one that is archived."""

from __future__ import annotations

from typing import Any

import pytest

from server.courses.access import Archived, require_active
from server.database.table import now
from server.tables import CourseRow


def course_of(**fields: Any) -> CourseRow:
    return CourseRow(slug="autumn", title="Autumn", **fields)


def test_an_active_course_takes_changes() -> None:
    require_active(course_of())


def test_an_archived_course_takes_none() -> None:
    course = course_of(archived_at=now())

    with pytest.raises(Archived, match="reopen it") as refused:
        require_active(course)

    assert (refused.value.status, refused.value.slug) == (403, "archived")
