"""Reading rules as a request does, and counting the statements that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlmodel import select

from server.courses.access import Membership
from server.rules.rules import Rules, find_rules
from server.tables import CourseRow, Role
from tests.support.servers import RunningServer, Student


@dataclass(frozen=True)
class Read:
    """Rules, and how many statements it took to read them."""

    rules: Rules
    statements: int


def read_rules(server: RunningServer, student: Student, exercise: str) -> Read:
    """Read the rules for a student's work."""
    counted: list[str] = []

    def count(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        counted.append(statement)

    with server.services.database.reading() as session:
        course = session.exec(select(CourseRow).where(CourseRow.slug == student.course)).one()
        asking = Membership(course, frozenset({Role.STUDENT}))
        engine = server.services.database.engine
        event.listen(engine, "before_cursor_execute", count)
        try:
            rules = find_rules(session, asking, student.id, exercise)
        finally:
            event.remove(engine, "before_cursor_execute", count)
    return Read(rules, len(counted))
