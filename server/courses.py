"""Courses, the people in them, and the keys they come in with."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from server import tokens
from server.models import Course, Enrolment, Role, Student, Token, now
from server.problems import NotFound, Unprocessable

COURSE_SLUG = r"^[a-z0-9][a-z0-9-]*$"
LONGEST_NAME = 100
MOST_HINT_LEVELS = 3  # the kind, the line of the forward pass, what to look at there
MOST_HINTS_AFTER = 1000
JOINERS = "\u200c\u200d"  # invisible, and part of names in Persian and Indian scripts

_LOCK: Final = select(Student.id).where(Student.id == bindparam("id")).with_for_update()


class UnknownJoinCode(NotFound):
    title, slug = "Unknown join code", "unknown-join-code"


class BadName(Unprocessable):
    title, slug = "Not a name", "bad-name"


@dataclass(frozen=True)
class Account:
    """Somebody in a course, with the token that was just made: the only moment at which it is known."""

    student: Student
    course: Course
    token: str


def open_course(session: Session, slug: str, title: str) -> Course:
    """A new course with a fresh join code."""
    course = Course(slug=slug, title=title, join_code=tokens.new_join_code())
    session.add(course)
    session.flush()
    return course


def find_course(session: Session, slug: str) -> Course | None:
    """The course of a slug."""
    return session.exec(select(Course).where(Course.slug == slug)).first()


def replace_join_code(course: Course) -> str:
    """A new join code; the old one is of no use from now on, and nobody loses a seat."""
    course.join_code = tokens.new_join_code()
    return course.join_code


def join(session: Session, code: str, name: str) -> Account:
    """A new account with a student's seat in the course of a join code.

    :raises UnknownJoinCode: no course has it
    :raises BadName: not fit to be shown in a list
    """
    course = session.exec(select(Course).where(Course.join_code == tokens.normalise_join_code(code))).first()
    if course is None:
        raise UnknownJoinCode(
            "No course has this join code; it may have been replaced. Ask your instructor for the one in use."
        )
    return enrol(session, course, name, Role.STUDENT)


def enrol(session: Session, course: Course, name: str, role: Role) -> Account:
    """A new account with a seat in a course.

    :raises BadName: not fit to be shown in a list
    """
    student = Student(name=_clean(name))
    session.add(student)
    session.flush()
    session.add(Enrolment(course_id=course.id, student_id=student.id, role=role))
    return Account(student, course, issue_token(session, student.id))


def lock_student(session: Session, student_id: int) -> None:
    """Let nobody else write for this student until the transaction ends. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "sqlite":
        return
    session.connection().execute(_LOCK, {"id": student_id}).one()


def issue_token(session: Session, student_id: int) -> str:
    """A further token for an account."""
    token = tokens.new_token()
    session.add(Token(student_id=student_id, digest=tokens.digest(token)))
    session.flush()
    return token


def revoke_tokens(session: Session, student_id: int) -> int:
    """Make every token of an account useless; how many there were."""
    valid = session.exec(select(Token).where(Token.student_id == student_id, col(Token.revoked_at).is_(None))).all()
    for token in valid:
        token.revoked_at = now()
    return len(valid)


def _clean(name: str) -> str:
    """A name in one line, composed (NFC), without what could not be seen or would change its neighbours."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadName(f"A name has 1 to {LONGEST_NAME} characters. Send the name that your instructor knows you by.")
    if any(unicodedata.category(letter).startswith("C") and letter not in JOINERS for letter in name):
        raise BadName("The name holds control characters or other invisible ones. Send it without them.")
    return name
