"""What is sent about accounts and courses."""

from __future__ import annotations

from pydantic import BaseModel, Field

from server.tables import Role


class JoinBody(BaseModel):
    """A join code as it was typed, and the name to be known by."""

    code: str = Field(max_length=64)
    name: str = Field(max_length=400)


class PersonBody(BaseModel):
    """An account, as a list shows it."""

    id: int
    name: str


class CourseBody(BaseModel):
    """A course, as a list shows it."""

    slug: str
    title: str


class JoinedBody(BaseModel):
    """A new account. Its token is shown this once.

    ``warning`` says that the course has somebody of this name, and how to go back to an account; else it is null.
    """

    token: str
    student: PersonBody
    course: CourseBody
    warning: str | None = None


class MyCourseBody(CourseBody):
    """A course of the caller's."""

    role: Role


class MeBody(PersonBody):
    """The caller, and their courses."""

    courses: list[MyCourseBody]
