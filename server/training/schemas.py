"""What is sent about training runs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field

from server.submissions.schemas import FILENAME, CodeBody
from server.training.ranking import Place
from server.training.run import TrainingRun
from server.training.runs import Order

Point = tuple[int, float]


class TrainingOrderBody(CodeBody):
    """A backward pass, and how to train with it.

    Without ``steps`` the run has as many as the server's setting says. ``schedule`` holds pairs of a step and the
    learning rate from there on; without it the rate is 0.1, and 0.01 after half of the steps.
    """

    filename: str = Field(default="backward.py", max_length=255, pattern=FILENAME)
    steps: int | None = None
    batch: int = 32
    schedule: list[Point] | None = None
    ranked: bool = False
    pseudonym: str | None = None

    @property
    def order(self) -> Order:
        """What is asked for."""
        return Order(self.filename, self.source, self.steps, self.batch, self.schedule, self.ranked, self.pseudonym)


class LossesBody(BaseModel):
    """The losses on whole splits, as the server measured them."""

    train_loss: float
    dev_loss: float


class TrainingRunBody(BaseModel):
    """A training run.

    ``curve`` and ``reference_curve`` hold pairs of a step and the loss on a fixed part of the dev split; the second one
    is of the right gradients. ``checked`` says whether all chunks were replayed with those and agreed. ``seconds_left``
    is null while nothing tells, ``message`` while all is well. ``final`` and ``samples`` come at the end.
    """

    id: int
    status: Literal["queued", "running", "done", "cancelled", "failed", "forged"]
    step: int
    steps: int
    batch: int
    schedule: list[Point]
    curve: list[Point]
    reference_curve: list[Point]
    examples_per_second: float | None
    seconds_left: int | None
    checked: Literal["yes", "no", "failed"]
    chunk_steps: int
    message: str | None
    final: LossesBody | None
    samples: list[str]
    ranked: bool
    pseudonym: str | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, run: TrainingRun) -> Self:
        """Return the body of a run."""
        return cls(
            id=run.id,
            status=run.state.value,
            step=run.step,
            steps=run.plan.steps,
            batch=run.plan.batch,
            schedule=list(run.plan.schedule),
            curve=list(run.curve),
            reference_curve=list(run.reference_curve),
            examples_per_second=run.examples_per_second,
            seconds_left=run.seconds_left,
            checked=run.checked.value,
            chunk_steps=run.chunk_steps,
            message=run.message,
            final=None if run.final is None else LossesBody(train_loss=run.final.train, dev_loss=run.final.dev),
            samples=list(run.samples),
            ranked=run.ranked,
            pseudonym=run.pseudonym,
            created_at=run.created_at,
            finished_at=run.finished_at,
        )


class TrainingRunListBody(BaseModel):
    """Training runs, the newest first."""

    runs: list[TrainingRunBody]


class PlaceBody(BaseModel):
    """A place in the ranking. Equal losses share one; ``mine`` says that it is the caller's own."""

    place: int
    pseudonym: str
    dev_loss: float
    steps: int
    batch: int
    schedule: list[Point]
    mine: bool

    @classmethod
    def of(cls, place: Place) -> Self:
        """Return the body of a place."""
        return cls(
            place=place.place,
            pseudonym=place.pseudonym,
            dev_loss=place.dev_loss,
            steps=place.plan.steps,
            batch=place.plan.batch,
            schedule=list(place.plan.schedule),
            mine=place.is_mine,
        )


class RankingBody(BaseModel):
    """The places of the ranking, the lowest loss first."""

    places: list[PlaceBody]
