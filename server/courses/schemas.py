"""What is sent about accounts and courses."""

from __future__ import annotations

from pydantic import BaseModel, Field

from server.tables import Role


class JoinBody(BaseModel):
    """A join code as it was typed, and the name to be known by. An account that joins has its name already."""

    code: str = Field(max_length=64)
    name: str | None = Field(default=None, max_length=400)


class PersonBody(BaseModel):
    """An account, as a list shows it."""

    id: int
    name: str


class CourseBody(BaseModel):
    """A course, as a list shows it."""

    slug: str
    title: str


class JoinedBody(BaseModel):
    """An account with a seat that it just got. A new token is shown this once; null means that the caller's is good.

    ``warning`` says what to look at: that the course has somebody of this name, or that other machines are signed out.
    """

    token: str | None
    student: PersonBody
    course: CourseBody
    warning: str | None = None


class MyCourseBody(CourseBody):
    """A course of the caller's."""

    role: Role


class MeBody(PersonBody):
    """The caller, and their courses."""

    courses: list[MyCourseBody]
