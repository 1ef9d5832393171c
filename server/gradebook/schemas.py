"""What is sent of the gradebook."""

from __future__ import annotations

from pydantic import BaseModel


class GradebookColumnBody(BaseModel):
    """An assignment, and what it is worth."""

    exercise: str
    title: str
    points_max: float


class GradebookCellBody(BaseModel):
    """What a student has earned in an assignment, by the rules and extensions of now.

    ``late_days`` is the most of the answers that earned something. With ``override``, staff set the points.
    """

    points: float
    late_days: int
    override: bool


class GradebookStudentBody(BaseModel):
    """A student, as the roster says."""

    id: int
    name: str
    university_id: str | None
    email: str | None
    section: str | None


class GradebookLineBody(BaseModel):
    """A student with a cell for each column; ``points`` are their sum."""

    student: GradebookStudentBody
    points: float
    late_days: int
    cells: list[GradebookCellBody]


class GradebookBody(BaseModel):
    """Every student of a course, by name, with what they earned in each assignment."""

    course: str
    points_max: float
    columns: list[GradebookColumnBody]
    lines: list[GradebookLineBody]
