"""Grades, and their rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from server.database.table import Table, now


class GradeRow(Table, table=True):
    """What a submission is worth, by one revision of the exercise in one numeric environment.

    Grades are only added: a regrade is one more row. Of those with ``counts``, the newest is the submission's grade;
    a grade of a regrade counts once the regrade is accepted. ``seconds`` is how long the grading took. ``run_…`` are
    None for tensors. ``inherited`` counts the checkpoints whose only mistake is above them, and no constant.
    """

    __tablename__ = "grade"
    __table_args__ = (
        UniqueConstraint("submission_id", "revision", "environment"),
        # Partial: a grade that no regrade made costs nothing here.
        Index(
            None,
            "regrade_id",
            sqlite_where=text("regrade_id IS NOT NULL"),
            postgresql_where=text("regrade_id IS NOT NULL"),
        ),
    )

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
    regrade_id: int | None = Field(default=None, foreign_key="regrade.id")
    counts: bool = True


class RegradeRow(Table, table=True):
    """A regrade of a course, of an exercise, of a student or of one submission: what is None is not narrowed down.

    It is open until it is accepted or discarded, and a course has one open regrade at most. Its grades count once it is
    accepted. Those of a discarded one are deleted.
    """

    __tablename__ = "regrade"

    id: int = Field(default=None, primary_key=True)
    course_id: int = Field(foreign_key="course.id", index=True)
    exercise: str | None = Field(default=None, max_length=64)
    account_id: int | None = Field(default=None, foreign_key="account.id")
    submission_id: int | None = Field(default=None, foreign_key="submission.id")
    requested_by_id: int | None = Field(default=None, foreign_key="account.id")
    created_at: datetime = Field(default_factory=now)
    accepted_at: datetime | None = None
    discarded_at: datetime | None = None


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
