"""What is sent about submissions and grades."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from grader.compare import Origin, Verdict
from server.tables import AnswerKind


class CodeBody(BaseModel):
    """Code to hand in."""

    filename: str = Field(default="solution.py", max_length=255, pattern=r"^[^\x00-\x1f\x7f/\\]+$")
    source: str


class DiagnosisBody(BaseModel):
    """A kind of mistake, and what the student reads about it.

    Each of ``hints`` says more than the one before; ``message`` is all of them as one text.
    """

    code: str
    message: str
    hints: list[str]


class ComparisonBody(BaseModel):
    """A row of the table.

    ``maxdiff`` is null if there is no finite difference. ``origin`` is null for a row that passed or holds no tensor,
    and unknown if the gradient above was not handed in.
    """

    name: str
    verdict: Verdict
    exact: bool
    approximate: bool
    maxdiff: float | None
    ulps: int | None
    mismatched: int | None
    worst: list[int] | None
    origin: Origin | None
    diagnosis: list[DiagnosisBody]
    notes: list[str]


class RunBody(BaseModel):
    """What became of the code. ``hidden`` says that it ran, and printed, on numbers that the student has not seen."""

    status: str
    message: str
    stdout: str
    hidden: bool


class GradeSummaryBody(BaseModel):
    """A grade without its rows.

    While ``feedback`` is withheld, ``shown_when`` is a sentence that says when it shows, and ``passed``, ``exact`` and
    ``points`` are null. ``run`` is null for tensors. ``points`` are in checkpoints: 1 for each that passed, and a share
    of it, 0 by default, for each whose only mistake is above it.
    """

    feedback: Literal["shown", "withheld"] = "shown"
    shown_when: str | None = None
    run: RunBody | None
    flags: list[str]
    passed: int | None
    exact: int | None
    total: int
    points: float | None
    environment: str
    graded_at: datetime


class GradeBody(GradeSummaryBody):
    """A grade with its rows, none while feedback is withheld.

    ``handed_in`` names the checkpoints that hold an answer.
    """

    handed_in: list[str]
    checkpoints: list[ComparisonBody]


class SubmissionSummaryBody(BaseModel):
    """A submission without the rows of its grade.

    ``status`` is queued, running, quarantined, cancelled or graded. ``place`` counts from 1, and ``estimate`` is in
    seconds until the grade; both are null unless it is queued.
    """

    id: int
    course: str
    exercise: str
    revision: int
    attempt: int
    kind: AnswerKind
    filename: str | None
    status: str
    place: int | None
    estimate: int | None
    created_at: datetime
    grade: GradeSummaryBody | None


class SubmissionBody(SubmissionSummaryBody):
    """A submission, with its grade if it has one."""

    grade: GradeBody | None


class SubmissionListBody(BaseModel):
    """Submissions, the newest first."""

    submissions: list[SubmissionSummaryBody]
