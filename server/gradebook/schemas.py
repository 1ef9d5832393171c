"""What is sent of the gradebook."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel

from server.gradebook.gradebook import Gradebook


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

    @classmethod
    def of(cls, gradebook: Gradebook) -> Self:
        """Return the body of a gradebook."""
        return cls.model_construct(
            course=gradebook.course,
            points_max=gradebook.points_max,
            columns=[GradebookColumnBody(**vars(column)) for column in gradebook.columns],
            lines=[
                GradebookLineBody.model_construct(
                    student=GradebookStudentBody.model_construct(**vars(line.student)),
                    points=line.points,
                    late_days=line.late_days,
                    cells=[
                        GradebookCellBody.model_construct(
                            points=cell.points, late_days=cell.late_days, override=cell.is_override
                        )
                        for cell in line.cells
                    ],
                )
                for line in gradebook.lines
            ],
        )
