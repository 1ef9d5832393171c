"""Training runs, and the ends of their chunks."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, LargeBinary, Text
from sqlmodel import Field

from server.database.table import Table, now, text_enum


class RunState(StrEnum):
    """How far a training run is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"  # the student's code raised or met a limit, or we lost it too often; the message says which
    FORGED = "forged"  # its parameters are not what the student's ``backward`` gives


class Check(StrEnum):
    """Whether a run's chunks were replayed with the right gradients."""

    NO = "no"  # not all of them
    YES = "yes"  # all of them, and each agreed
    FAILED = "failed"  # one did not agree


class TrainingRunRow(Table, table=True):
    """A run that trains the lecture's network with a student's backward pass.

    ``body`` is the source in UTF-8. ``schedule`` is a list of [step, learning rate]. ``seed`` and the number of a step
    decide its minibatch, whatever the chunks are. ``curve`` and ``reference_curve`` are lists of [step, loss].

    The row is its own ticket. Work on it may begin from ``due_at`` on: at once, after a pause, or after a lease that
    was not renewed. ``claims`` counts the leases, and who holds an older one stores nothing. ``tries`` counts those
    that were lost since the last chunk. ``moved`` counts the changes that people see.

    ``seconds`` is what its chunks took in the sandbox. ``turn_seconds`` is the same, and begins with that of the run
    that had least then: who has least goes on first. ``lecture_seconds`` is what a step takes with the lecture's
    backward pass, as it was measured for this run; None before that.
    """

    __tablename__ = "training_run"
    __table_args__ = (
        ForeignKeyConstraint(["course_id", "account_id"], ["seat.course_id", "seat.account_id"]),
        Index(None, "course_id", "account_id", "id"),
        Index(None, "state", "due_at"),
    )

    id: int = Field(default=None, primary_key=True)
    course_id: int
    account_id: int
    filename: str = Field(max_length=255)
    body: bytes = Field(sa_type=LargeBinary)
    steps: int
    batch: int
    schedule: list[Any] = Field(sa_type=JSON)
    ranked: bool = False
    pseudonym: str | None = Field(default=None, max_length=40)
    seed: int = Field(sa_type=BigInteger)
    dataset: str = Field(max_length=64)
    state: RunState = Field(default=RunState.QUEUED, sa_type=text_enum(RunState))
    message: str | None = Field(default=None, sa_type=Text)
    step: int = 0
    chunk_steps: int
    examples_per_second: float | None = None
    curve: list[Any] = Field(default_factory=list, sa_type=JSON)
    reference_curve: list[Any] = Field(default_factory=list, sa_type=JSON)
    checked: Check = Field(default=Check.NO, sa_type=text_enum(Check))
    replayed_chunks: int = 0
    chunks: int = 0
    train_loss: float | None = None
    dev_loss: float | None = None
    samples: list[Any] = Field(default_factory=list, sa_type=JSON)
    moved: int = 0
    claims: int = 0
    tries: int = 0
    due_at: datetime = Field(default_factory=now)
    seconds: float = 0.0
    turn_seconds: float = 0.0
    lecture_seconds: float | None = None
    emptied_at: datetime | None = None
    created_at: datetime = Field(default_factory=now)
    finished_at: datetime | None = None


class TrainingChunkRow(Table, table=True):
    """The end of a chunk of a training run: the parameters after so many steps, as a safetensors file.

    Those of the last two are kept. ``is_due`` says that the chunk that ends here is still to be replayed, from
    ``due_at`` on. ``reference`` are the parameters that the right gradients would have given, kept where they differ.
    """

    __tablename__ = "training_chunk"
    __table_args__ = (Index(None, "is_due", "due_at"),)

    run_id: int = Field(primary_key=True, foreign_key="training_run.id")
    step: int = Field(primary_key=True)
    parameters: bytes = Field(sa_type=LargeBinary)
    reference: bytes | None = Field(default=None, sa_type=LargeBinary)
    is_due: bool = False
    due_at: datetime = Field(default_factory=now)
