"""What is sent about a class."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from server.courses.schemas import PersonBody
from server.reports.students import State


class ColumnBody(BaseModel):
    """A column of the progress table."""

    exercise: str
    checkpoint: str


class CellBody(BaseModel):
    """The best of a student at a checkpoint."""

    best: str
    attempts: int
    first_passed_at: datetime | None


class LiveCellBody(BaseModel):
    """The best of a student at a checkpoint, and whose mistake the newest wrong answer there is.

    ``origin`` is null once the step passed. ``code`` is the kind of the mistake, null if it was not judged.
    """

    best: str
    attempts: int
    origin: str | None
    code: str | None


class StuckBody(BaseModel):
    """A step at which a student is stuck: so many attempts, and none passed."""

    exercise: str
    checkpoint: str
    attempts: int


class StudentProgressBody(BaseModel):
    """A row of the progress table; a cell is null if nothing was handed in.

    ``passed`` and ``exact`` count steps of the columns. ``last_seen_at`` may be some minutes old.
    """

    student: PersonBody
    section: str | None
    university_id: str | None
    state: State
    passed: int
    exact: int
    submissions: int
    last_handed_in_at: datetime | None
    last_seen_at: datetime | None
    stuck: list[StuckBody]
    cells: list[CellBody | None]


class ProgressBody(BaseModel):
    """The progress table: students by checkpoints.

    ``students`` counts the rows of all pages. ``next_after`` is the ``after`` of the next page; null on the last.
    """

    course: str
    students: int
    next_after: int | None
    columns: list[ColumnBody]
    rows: list[StudentProgressBody]


class LiveRowBody(BaseModel):
    """A student in one exercise, as the class's events send it. ``cells`` are in the order of its checkpoints."""

    exercise: str
    student: PersonBody
    section: str | None
    state: State
    passed: int
    exact: int
    submissions: int
    last_handed_in_at: datetime | None
    stuck: list[StuckBody]
    cells: list[LiveCellBody | None]


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

    ``tried`` and ``passed`` count students, ``passed_at_first`` those whose first attempt passed. ``pass_rate`` is null
    if nobody tried. ``attempts_to_pass`` and ``minutes_to_pass`` are medians over those who passed, null if nobody did;
    the minutes go from a student's first hand-in of the exercise to the one that passed the step.
    ``minutes_quantiles`` are their 5th, 25th, 50th, 75th and 95th percentile. ``stuck`` counts students with many
    attempts and none passed; ``stuck_students`` names those with the most attempts.
    """

    name: str
    tried: int
    passed: int
    passed_at_first: int
    pass_rate: float | None
    attempts_to_pass: float | None
    minutes_to_pass: float | None
    minutes_quantiles: list[float] | None
    stuck: int
    stuck_students: list[PersonBody]
    mistakes: list[MistakeBody]


class StopBody(BaseModel):
    """How many students' code stopped in one way, at least once.

    ``error`` is the class of the exception, ``checkpoint`` the step whose gradient the line makes; null if there is
    none. ``share`` is of those who handed in code. ``example_submission`` is the newest one.
    """

    status: str
    error: str | None
    checkpoint: str | None
    students: int
    share: float
    message: str
    example_submission: int


class ExerciseAnalyticsBody(BaseModel):
    """How a class gets on with an exercise.

    ``ran_code`` counts the students whose code was run, ``stopped`` those whose code stopped at least once, and
    ``still_stopping`` those whose newest code stops. ``stops`` says at what, the commonest first.
    """

    exercise: str
    title: str
    ran_code: int
    stopped: int
    still_stopping: int
    stops: list[StopBody]
    checkpoints: list[CheckpointAnalyticsBody]


class AnalyticsBody(BaseModel):
    """``students`` counts the students' seats, whether or not anything was handed in."""

    course: str
    students: int
    exercises: list[ExerciseAnalyticsBody]


class MemberBody(BaseModel):
    """A student of a cluster, with their newest such submission, and whether they have passed the step by now."""

    student: PersonBody
    submission: int
    solved: bool


class ClusterBody(BaseModel):
    """Answers that are wrong alike: at the same step, in the same way.

    ``answers`` counts submissions, ``students`` who made them, ``unsolved`` those of them who have not passed the step
    yet. ``code`` is null if the kind was not judged; ``pattern`` says in short how the numbers are wrong. ``hints`` are
    the commonest ones that were given. ``example_submission`` is the newest; null if everybody in it was erased.
    """

    exercise: str
    checkpoint: str
    verdict: str
    code: str | None
    pattern: str
    answers: int
    students: int
    unsolved: int
    message: str
    hints: list[str]
    example_submission: int | None
    members: list[MemberBody]


class ClustersBody(BaseModel):
    """The clusters of a course, those of most students first. ``clusters`` counts all, ``groups`` lists the first."""

    course: str
    clusters: int
    groups: list[ClusterBody]


class LinesBody(BaseModel):
    """Lines of a submission's source, from 1."""

    submission: int
    first: int
    last: int


class PassageBody(BaseModel):
    """Lines of two students that read alike, but for names, numbers and layout."""

    one: LinesBody
    other: LinesBody


class SharedMistakeBody(BaseModel):
    """A mistake that both students made and few others: so many ``students`` in all."""

    checkpoint: str
    code: str
    students: int
    message: str
    submissions: list[int]


class SimilarPairBody(BaseModel):
    """Two students whose work has in common what few others have.

    ``fingerprints`` counts those of each student's code that the exercise does not give, ``shared_fingerprints`` those
    that both have and few others.
    """

    exercise: str
    students: list[PersonBody]
    shared_fingerprints: int
    fingerprints: list[int]
    passages: list[PassageBody]
    mistakes: list[SharedMistakeBody]


class SimilarityBody(BaseModel):
    """Pairs of students to look at, the most surprising first. ``note`` says what they are not."""

    course: str
    note: str
    pairs: list[SimilarPairBody]
