"""A class in sections."""

from __future__ import annotations

from collections.abc import Mapping

from server.courses import courses
from server.tables import Role, SeatRow
from tests.support.servers import COURSE, SOLUTION, RunningServer, Student


def sectioned(server: RunningServer, section_by_name: Mapping[str, str], source: str | None = SOLUTION) -> Student:
    """Join students who hand a source in, each in a section; return an assistant who looks after the first section."""
    students = {name: server.join(name) for name in section_by_name}
    if source is not None:
        for student in students.values():
            student.submit_code(source)
    with server.services.database.writing() as session:
        for name, section in section_by_name.items():
            session.get_one(SeatRow, (1, students[name].id)).section = section
        course = courses.find_course(session, COURSE)
        assert course is not None
        assistant = courses.enrol(session, course, "Assistant", Role.ASSISTANT)
        session.flush()
        session.get_one(SeatRow, (1, assistant.account.id)).section = next(iter(section_by_name.values()))
    return Student(server.client, assistant.token, assistant.account.id)
