"""What is sent about a regrade."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from server.courses.schemas import PersonBody


class RowChangeBody(BaseModel):
    """A checkpoint whose row changed: verdict, origin and codes of diagnosis, such as ``wrong own sign``."""

    name: str
    before: str
    after: str


class DifferenceBody(BaseModel):
    """A submission whose grade changed: how many checkpoints pass, and the rows that changed."""

    submission: int
    student: PersonBody
    exercise: str
    before: int
    after: int
    rows: list[RowChangeBody]


class PointsChangeBody(BaseModel):
    """A student whose points in an assignment change, by the rules of today.

    If ``is_overridden``, points that staff set count instead, before and after.
    """

    student: PersonBody
    exercise: str
    before: float
    after: float
    is_overridden: bool


class RegradeBody(BaseModel):
    """How far a regrade is, and what it changes.

    ``status`` is open, accepted or discarded; it is none, and ``id`` null, if there was nothing to grade again.
    ``exercise``, ``student`` and ``submission`` say what it is of; what is null is not narrowed down. ``waiting`` are
    still to be graded again, ``set_aside`` could not be and keep their grade, ``regraded`` have their new grade, and
    ``changed`` are submissions whose grade changes. ``gain`` and ``lose`` are students whose points change. None of it
    counts before the regrade is accepted.
    """

    id: int | None = None
    status: str = "none"
    exercise: str | None = None
    student: int | None = None
    submission: int | None = None
    created_at: datetime | None = None
    waiting: int = 0
    set_aside: list[int] = []
    regraded: int = 0
    changed: list[DifferenceBody] = []
    gain: list[PointsChangeBody] = []
    lose: list[PointsChangeBody] = []
