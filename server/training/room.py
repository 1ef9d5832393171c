"""What routes and pages take of training: its terms, and what follows runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from server.training.follow import TrainingFollower
from server.training.runs import Terms


@dataclass(frozen=True)
class Training:
    """How this server trains, and who follows."""

    terms: Terms
    follower: TrainingFollower


async def training(request: Request) -> Training:
    """Return the application's training."""
    value = request.app.state.training
    assert isinstance(value, Training)
    return value


TheTraining = Annotated[Training, Depends(training)]
