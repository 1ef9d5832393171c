"""What is sent about submissions and grades."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from grader.compare import Origin, Verdict
from server.courses.schemas import PersonBody
from server.tables import AnswerKind

# No path, no control characters, and nothing that turns the writing around.
FILENAME = r"^[^\x00-\x1f\x7f-\x9f/\\\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+$"


class CodeBody(BaseModel):
    """Code to hand in."""

    filename: str = Field(default="solution.py", max_length=255, pattern=FILENAME)
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
    and unknown if the gradient above was not handed in. A row that ``inherits_constant`` inherits no credit.
    """

    model_config = ConfigDict(frozen=True)  # answers share the rows without an answer

    name: str
    verdict: Verdict
    exact: bool
    approximate: bool
    maxdiff: float | None
    ulps: int | None
    mismatched: int | None
    worst: list[int] | None
    origin: Origin | None
    inherits_constant: bool
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
    ``points`` are null. ``run`` is null for tensors. ``points`` are what this answer earns by the rules of its
    assignment and the student's extensions of today. In open practice a checkpoint that passed is one point, and one
    whose only mistake is above it earns the course's share, 0 by default. ``late_seconds`` are after the due time and
    its grace; ``late_factor`` is what they leave of the points, 0 to 1.
    """

    feedback: Literal["shown", "withheld"] = "shown"
    shown_when: str | None = None
    run: RunBody | None
    flags: list[str]
    passed: int | None
    exact: int | None
    total: int
    points: float | None
    late_seconds: int = 0
    late_factor: float = 1.0
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


class SubmitterBody(PersonBody):
    """The student of a submission, with what the roster says of them."""

    university_id: str | None
    section: str | None


class StepChangeBody(BaseModel):
    """A checkpoint whose verdict is another one than in the submission before; null if it was not there."""

    name: str
    before: str | None
    after: str | None


class TimelineBody(BaseModel):
    """The place of a submission among those of the same student and exercise.

    ``previous`` and ``next`` are submissions, null at the ends; ``attempts`` counts all. ``changes`` are since the
    previous one, and empty while either is not graded or is not shown.
    """

    previous: int | None
    next: int | None
    attempts: int
    changes: list[StepChangeBody]


class CommentBody(BaseModel):
    """What staff say of a submission, or of one checkpoint of it. Plain text, of several lines."""

    id: int
    submission: int
    checkpoint: str | None
    author: PersonBody
    text: str
    created_at: datetime


class OverrideBody(BaseModel):
    """Points that staff gave a student for an assignment instead of those worked out.

    ``author`` is null for the operator of the server.
    """

    id: int
    student: PersonBody
    exercise: str
    points: float
    reason: str
    author: PersonBody | None
    created_at: datetime
    withdrawn_at: datetime | None


class PracticeBody(BaseModel):
    """A drill to practise with: an exercise of few lines whose only trap is a kind of mistake made twice."""

    kind: str
    exercise: str
    title: str
    lines: int


class SubmissionDetailBody(SubmissionBody):
    """A submission with its student, its place in their work, and what staff say of it.

    ``practice`` is null unless the student made a mistake of this answer before.
    """

    student: SubmitterBody
    timeline: TimelineBody
    comments: list[CommentBody]
    override: OverrideBody | None
    practice: PracticeBody | None = None


class ListedSubmissionBody(SubmissionSummaryBody):
    """A submission in a list, with its student."""

    student: SubmitterBody


class SubmissionListBody(BaseModel):
    """Submissions, the newest first. To read on, ask for those ``before`` the last id."""

    submissions: list[ListedSubmissionBody]
