"""What new rules of a course do to points, before it has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from server.assignments import changes
from server.assignments.assignment import list_extensions
from server.assignments.impact import CourseRules, Impact, impact
from server.courses import changing
from server.tables import CourseRow


def foresee(session: Session, course: CourseRow, fields: Mapping[str, Any]) -> Impact:
    """Return what new values of a course would do to points; raises what ``changing.checked`` does."""
    rows, extensions = changes.read(session, course), list_extensions(session, course)
    changed = CourseRow(**course.model_dump() | changing.checked(fields))
    return impact(session, course, CourseRules.of(rows, course, extensions), CourseRules.of(rows, changed, extensions))
