"""What is sent about a regrade."""

from __future__ import annotations

from pydantic import BaseModel


class RowChangeBody(BaseModel):
    """A checkpoint whose row changed: verdict, origin and codes of diagnosis, such as ``wrong own sign``."""

    name: str
    before: str
    after: str


class DifferenceBody(BaseModel):
    """A submission whose grade changed: how many checkpoints pass, and the rows that changed."""

    submission: int
    student: int
    exercise: str
    before: int
    after: int
    rows: list[RowChangeBody]


class RegradeBody(BaseModel):
    """How far a regrade is.

    ``waiting`` are still to be graded again, ``regraded`` have more than one grade, and ``changed`` are submissions
    whose grade changed.
    """

    waiting: int
    regraded: int
    changed: list[DifferenceBody]
