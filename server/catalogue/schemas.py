"""What is sent about exercises and instances."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from server.rules.rules import Answers
from server.submissions.schemas import OverrideBody


class ProofBody(BaseModel):
    """A signed proof that an exercise is sound. ``key`` is the public key that signed it, in hexadecimal.

    The key was right on so many ``seeds``; of its ``answers`` so many were ``exact``, equal to the last bit. Of
    ``mistakes`` made in it, so many were ``named``.
    """

    by_this_server: bool
    key: str
    seeds: int
    answers: int
    exact: int
    mistakes: int
    named: int


class ExerciseSummaryBody(BaseModel):
    """An exercise without its text. ``attempts``, ``passed`` and ``exact`` are the caller's own.

    While ``feedback`` is withheld, ``shown_when`` says when it shows, and ``passed`` and ``exact`` are null.

    ``due_at`` is the caller's, with their extensions; clocks of the course show ``time_zone``. ``late`` says in a
    sentence what becomes of late answers. ``answers`` says whether the caller's are taken: now (``open``), ``later``
    when it opens, or no more (``closed``). ``attempts_left`` is null for any number, ``points`` what the whole exercise
    is worth. ``proved`` is null without a proof that holds for the exercise as it is now. Only staff see an exercise
    with ``is_assigned`` false: the course does not ask for it.
    """

    slug: str
    revision: int
    title: str
    summary: str
    attempts: int
    feedback: Literal["shown", "withheld"] = "shown"
    shown_when: str | None = None
    passed: int | None
    exact: int | None
    total: int
    is_assigned: bool = True
    time_zone: str = "UTC"
    opens_at: datetime | None = None
    due_at: datetime | None = None
    late: str | None = None
    answers: Answers = "open"
    attempts_left: int | None = None
    points: float
    proved: ProofBody | None = None


class ExerciseListBody(BaseModel):
    """The exercises that the course asks for, in its order."""

    exercises: list[ExerciseSummaryBody]


class CheckpointBody(BaseModel):
    """A checkpoint. ``lecture_start`` and ``lecture_end`` are in seconds; ``best`` is the caller's best verdict.

    While feedback is withheld, ``best`` and ``first_passed_at`` are null.
    """

    name: str
    shape: list[int]
    lecture_start: int | None
    lecture_end: int | None
    lecture_url: str | None
    best: str | None
    attempts: int
    first_passed_at: datetime | None


class ExerciseBody(ExerciseSummaryBody):
    """An exercise: ``statement`` is Markdown, ``forward`` the forward pass in Python, ``constants`` its numbers.

    ``override`` are points that staff gave the caller instead of those worked out.
    """

    statement: str
    forward: str
    lecture_url: str | None
    constants: dict[str, bool | int | float]
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
