"""What is sent about a class."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from server.courses.schemas import PersonBody


class ColumnBody(BaseModel):
    """A column of the progress table."""

    exercise: str
    checkpoint: str


class CellBody(BaseModel):
    """The best of a student at a checkpoint."""

    best: str
    attempts: int
    first_passed_at: datetime | None


class StudentProgressBody(BaseModel):
    """A row of the progress table; a cell is null if nothing was handed in."""

    student: PersonBody
    cells: list[CellBody | None]


class ProgressBody(BaseModel):
    """The progress table: students by checkpoints."""

    course: str
    columns: list[ColumnBody]
    rows: list[StudentProgressBody]


class MistakeBody(BaseModel):
    """How many students made a mistake of one kind at a checkpoint, at least once.

    ``share`` is of those who tried. ``message`` says it in a sentence. ``most_common_hint`` is the first hint that was
    given for it most often.
    """

    code: str
    students: int
    share: float
    message: str
    most_common_hint: str


class CheckpointAnalyticsBody(BaseModel):
    """How a class gets on with a checkpoint. The commonest mistake comes first.

    ``tried`` and ``passed`` count students. ``pass_rate`` is null if nobody tried, ``attempts_to_pass``, a median over
    those who passed, if nobody did.
    """

    name: str
    tried: int
    passed: int
    pass_rate: float | None
    attempts_to_pass: float | None
    mistakes: list[MistakeBody]


class ExerciseAnalyticsBody(BaseModel):
    """How a class gets on with an exercise."""

    exercise: str
    title: str
    checkpoints: list[CheckpointAnalyticsBody]


class AnalyticsBody(BaseModel):
    """``students`` counts the students' seats, whether or not anything was handed in."""

    course: str
    students: int
    exercises: list[ExerciseAnalyticsBody]
