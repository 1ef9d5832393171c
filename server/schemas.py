"""What goes over the wire. Names and shapes are those of the REST contract; clients depend on them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from server.models import AnswerKind, Role


class Join(BaseModel):
    code: str = Field(max_length=64)
    name: str = Field(max_length=400)


class Student(BaseModel):
    id: int
    name: str


class CourseName(BaseModel):
    slug: str
    title: str


class Joined(BaseModel):
    """The token is shown this once."""

    token: str
    student: Student
    course: CourseName


class MyCourse(CourseName):
    role: Role


class Me(Student):
    courses: list[MyCourse]


class ExerciseSummary(BaseModel):
    """``attempts``, ``passed`` and ``exact`` are the caller's own."""

    slug: str
    revision: int
    title: str
    summary: str
    due: datetime | None = None
    attempts: int
    passed: int
    exact: int
    total: int


class ExerciseList(BaseModel):
    exercises: list[ExerciseSummary]


class Checkpoint(BaseModel):
    """``lecture_start`` and ``lecture_end`` are in seconds; ``best`` is the caller's best verdict."""

    name: str
    shape: list[int]
    lecture_start: int | None
    lecture_end: int | None
    lecture_url: str | None
    best: str | None
    attempts: int
    first_passed_at: datetime | None


class Exercise(ExerciseSummary):
    """``statement`` is Markdown; ``forward`` is the forward pass as Python; ``constants`` are its plain
    numbers."""

    statement: str
    forward: str
    lecture_url: str | None
    constants: dict[str, int]
    checkpoints: list[Checkpoint]


class TensorLayout(BaseModel):
    shape: list[int]
    dtype: str


class Instance(BaseModel):
    """What the forward state holds; its bytes are at ``…/instance/state``."""

    exercise: str
    revision: int
    kind: str
    digest: str
    dataset: str
    environment: str
    tensors: dict[str, TensorLayout]


class Code(BaseModel):
    filename: str = Field(default="solution.py", max_length=255, pattern=r"^[^\x00-\x1f\x7f/\\]+$")
    source: str


class Diagnosis(BaseModel):
    code: str
    message: str


class Comparison(BaseModel):
    """A row of the table. ``maxdiff`` is null where there is no finite difference."""

    name: str
    verdict: str
    exact: bool
    approximate: bool
    maxdiff: float | None
    ulps: int | None
    mismatched: int | None
    worst: list[int] | None
    origin: str | None
    diagnosis: list[Diagnosis]
    notes: list[str]


class Run(BaseModel):
    """What became of the code."""

    status: str
    message: str
    stdout: str


class GradeSummary(BaseModel):
    """``run`` is null for tensors. ``points`` are in checkpoints: 1 for each that passed, and the course's share of
    it for each that only inherits a mistake, which is 0 unless the course says otherwise."""

    run: Run | None
    flags: list[str]
    passed: int
    exact: int
    total: int
    points: float
    environment: str
    graded_at: datetime


class Grade(GradeSummary):
    checkpoints: list[Comparison]


class SubmissionSummary(BaseModel):
    """``status`` is queued, running, quarantined, cancelled or graded. ``place`` counts from 1, ``estimate``
    is in seconds until the grade; both are null when not queued."""

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
    grade: GradeSummary | None


class Submission(SubmissionSummary):
    grade: Grade | None


class SubmissionList(BaseModel):
    submissions: list[SubmissionSummary]


class Quarantined(BaseModel):
    """A submission that was set aside because its runs were lost again and again."""

    submission: int
    student: int
    exercise: str
    tries: int
    reason: str


class Queue(BaseModel):
    depth: int
    quarantined: list[Quarantined]


class RowChange(BaseModel):
    """A checkpoint whose row a regrade changed: verdict, origin and codes of diagnosis, as "wrong own sign"."""

    name: str
    before: str
    after: str


class Difference(BaseModel):
    """A submission that got another grade: how many checkpoints pass, and the rows that are not what they were."""

    submission: int
    student: int
    exercise: str
    before: int
    after: int
    rows: list[RowChange]


class Regrade(BaseModel):
    """``waiting`` are still to be graded again; ``regraded`` have an older grade beside the newest; ``changed`` are
    those of them that came out otherwise."""

    waiting: int
    regraded: int
    changed: list[Difference]


class Column(BaseModel):
    exercise: str
    checkpoint: str


class Cell(BaseModel):
    best: str
    attempts: int
    first_passed_at: datetime | None


class Row(BaseModel):
    student: Student
    cells: list[Cell | None]


class Progress(BaseModel):
    """Students by checkpoints; a cell is null where nothing was handed in."""

    course: str
    columns: list[Column]
    rows: list[Row]


class Mistake(BaseModel):
    """How many students made a mistake of one kind at a checkpoint, at least once, and which share they are of those
    who tried; ``message`` says it as a sentence. ``told`` is the first hint that was most often given for it."""

    code: str
    students: int
    share: float
    message: str
    told: str


class CheckpointAnalytics(BaseModel):
    """``tried`` and ``passed`` are students; ``pass_rate`` is null where nobody tried, and ``attempts_to_pass``, a
    median over those who passed, where nobody did. The commonest mistake comes first."""

    name: str
    tried: int
    passed: int
    pass_rate: float | None
    attempts_to_pass: float | None
    mistakes: list[Mistake]


class ExerciseAnalytics(BaseModel):
    exercise: str
    title: str
    checkpoints: list[CheckpointAnalytics]


class Analytics(BaseModel):
    """``students`` have a seat in the course, whether or not they have handed in."""

    course: str
    students: int
    exercises: list[ExerciseAnalytics]


class Health(BaseModel):
    """Each check is ``ok`` or says what is wrong."""

    status: str
    checks: dict[str, str]
