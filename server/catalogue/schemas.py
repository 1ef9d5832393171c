"""What is sent about exercises and instances."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from server.submissions.schemas import OverrideBody


class ExerciseSummaryBody(BaseModel):
    """An exercise without its text. ``attempts``, ``passed`` and ``exact`` are the caller's own."""

    slug: str
    revision: int
    title: str
    summary: str
    attempts: int
    passed: int
    exact: int
    total: int


class ExerciseListBody(BaseModel):
    """All exercises."""

    exercises: list[ExerciseSummaryBody]


class CheckpointBody(BaseModel):
    """A checkpoint. ``lecture_start`` and ``lecture_end`` are in seconds; ``best`` is the caller's best verdict."""

    name: str
    shape: list[int]
    lecture_start: int | None
    lecture_end: int | None
    lecture_url: str | None
    best: str | None
    attempts: int
    first_passed_at: datetime | None


class ExerciseBody(ExerciseSummaryBody):
    """An exercise: ``statement`` is Markdown, ``forward`` the forward pass in Python, ``constants`` its integers.

    ``override`` are points that staff gave the caller instead of those worked out.
    """

    statement: str
    forward: str
    lecture_url: str | None
    constants: dict[str, int]
    checkpoints: list[CheckpointBody]
    override: OverrideBody | None = None


class TensorLayoutBody(BaseModel):
    """A tensor without its elements."""

    shape: list[int]
    dtype: str


class InstanceBody(BaseModel):
    """What a forward state holds. Its bytes are at ``…/instance/state``."""

    exercise: str
    revision: int
    kind: str
    digest: str
    dataset: str
    environment: str
    tensors: dict[str, TensorLayoutBody]


class ExplanationBody(BaseModel):
    """The derivation of a gradient in three lines: what flows in, the local derivative, the result."""

    checkpoint: str
    lines: list[str]
