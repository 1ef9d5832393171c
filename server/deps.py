"""What routes ask for: the services, who is calling, which exercise is meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from exercises import registry
from exercises.exercise import Exercise
from server import tokens
from server.courses import COURSE_SLUG
from server.models import Course, Enrolment, Role, Student, Token
from server.problems import Forbidden, NotFound, Unauthorised
from server.services import Services

# Every request asks these two. To put a statement together takes longer than to run it, so that is done here, once.
_STUDENT: Final = (
    select(Student.id, Student.name)
    .join(Token)
    .where(Token.digest == bindparam("digest"), col(Token.revoked_at).is_(None))
)
_SEAT: Final = (
    select(Course, Enrolment.role)
    .join(Enrolment)
    .where(Course.slug == bindparam("slug"), Enrolment.student_id == bindparam("student_id"))
)

bearer = HTTPBearer(auto_error=False, description="A token of `POST /join`, or of `python -m server token`.")


class UnknownCourse(NotFound):
    title, slug = "No such course", "unknown-course"


class UnknownExercise(NotFound):
    title, slug = "No such exercise", "unknown-exercise"


@dataclass(frozen=True)
class Seat:
    """A caller's place in a course."""

    course: Course
    role: Role

    @property
    def is_staff(self) -> bool:
        """Whether they may see the whole class."""
        return self.role is Role.INSTRUCTOR

    def require_staff(self) -> None:
        """
        :raises Forbidden: a student
        """
        if not self.is_staff:
            raise Forbidden("Only staff of the course may do this. Ask your instructor.")


@dataclass(frozen=True)
class Visit:
    """A caller, recognised, within a transaction."""

    session: Session
    student_id: int
    name: str

    def seat(self, slug: str) -> Seat:
        """
        :raises UnknownCourse: no such course, or no seat in it; which of the two is nobody's business
        """
        found = self.session.exec(_SEAT, params={"slug": slug, "student_id": self.student_id}).first()
        if found is None:
            raise UnknownCourse(f"You are in no course {slug!r}. GET /api/v1/me lists your courses.")
        return Seat(found[0], Role(found[1]))


@dataclass(frozen=True)
class Caller:
    """Somebody with a token. They are recognised inside the transaction that serves them, so that a request
    is one transaction and holds no connection between its steps."""

    services: Services
    token: str

    @contextmanager
    def reading(self) -> Iterator[Visit]:
        """Read as this caller; raises Unauthorised."""
        with self.services.database.reading() as session:
            yield self._visit(session)

    @contextmanager
    def writing(self) -> Iterator[Visit]:
        """Write as this caller; raises Unauthorised."""
        with self.services.database.writing() as session:
            yield self._visit(session)

    def _visit(self, session: Session) -> Visit:
        student = session.connection().execute(_STUDENT, {"digest": tokens.digest(self.token)}).first()
        if student is None:
            raise Unauthorised("This token is not valid here, or was revoked. Join again with your course's join code.")
        return Visit(session, *student)


async def services(request: Request) -> Services:
    """The application's services."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


TheServices = Annotated[Services, Depends(services)]


async def caller(
    services: TheServices, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Caller:
    """Who sent the request; raises Unauthorised where it has no token."""
    if credentials is None:
        raise Unauthorised("Send your token as 'Authorization: Bearer dojo_…'; POST /api/v1/join gives you one.")
    return Caller(services, credentials.credentials)


def exercise_of(slug: str) -> Exercise:
    """The exercise of a slug; raises UnknownExercise."""
    try:
        return registry.find(slug)
    except registry.NoSuchExercise:
        slugs = ", ".join(registry.exercises())
        raise UnknownExercise(f"There is no exercise {slug!r}. Choose one of: {slugs}.") from None


async def exercise(topic: str, name: str) -> Exercise:
    """The exercise that an address names; raises UnknownExercise."""
    return exercise_of(f"{topic}/{name}")


TheCaller = Annotated[Caller, Depends(caller)]
TheExercise = Annotated[Exercise, Depends(exercise)]
CourseSlug = Annotated[str, Path(pattern=COURSE_SLUG, max_length=64)]
