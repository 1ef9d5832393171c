"""Grades, and their rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Text, UniqueConstraint
from sqlmodel import Field

from server.database.table import Table, now


class GradeRow(Table, table=True):
    """What a submission is worth, by one revision of the exercise in one numeric environment.

    Grades are only added: a regrade is one more row, and the newest counts. ``seconds`` is how long the grading took.
    ``run_…`` are None for tensors. ``inherited`` counts the checkpoints whose only mistake is above them.
    """

    __tablename__ = "grade"
    __table_args__ = (UniqueConstraint("submission_id", "revision", "environment"),)

    id: int = Field(default=None, primary_key=True)
    submission_id: int = Field(foreign_key="submission.id")
    instance_id: int = Field(foreign_key="instance.id", index=True)
    revision: int
    environment: str = Field(max_length=200)
    run_status: str | None = Field(default=None, max_length=16)
    run_message: str | None = Field(default=None, sa_type=Text)
    run_stdout: str | None = Field(default=None, sa_type=Text)
    flags: list[str] = Field(default_factory=list, sa_type=JSON)
    passed: int
    exact: int
    inherited: int = 0
    total: int
    seconds: float
    graded_at: datetime = Field(default_factory=now)


class ComparisonRow(Table, table=True):
    """One row of a grade's table, in the order of the exercise. ``name`` is the checkpoint's.

    ``inherits_constant`` says that the wrong gradient above is a constant: such a step earns no share for what is
    inherited. ``pattern`` is the same for answers that are wrong alike (``grader.diagnosis.pattern``); only reports of
    staff use it.
    """

    __tablename__ = "comparison"

    grade_id: int = Field(primary_key=True, foreign_key="grade.id")
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(max_length=64)
    verdict: str = Field(max_length=16)
    exact: bool
    approximate: bool
    maxdiff: float | None = None
    ulps: int | None = Field(default=None, sa_type=BigInteger)
    mismatched: int | None = Field(default=None, sa_type=BigInteger)
    worst: list[int] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    origin: str | None = Field(default=None, max_length=16)
    inherits_constant: bool = False
    pattern: str | None = Field(default=None, max_length=200)
    diagnosis: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    notes: list[str] = Field(default_factory=list, sa_type=JSON)
