"""What is sent about the queue."""

from __future__ import annotations

from pydantic import BaseModel


class QuarantinedBody(BaseModel):
    """A submission that was set aside because its runs were lost three times."""

    submission: int
    student: int
    exercise: str
    tries: int
    reason: str


class QueueBody(BaseModel):
    """``depth`` counts what waits or runs on the whole server; ``quarantined`` is of this course."""

    depth: int
    quarantined: list[QuarantinedBody]
