"""The ranking: who chose the best plan within the budget of examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from server.tables import Check, RunState, TrainingRunRow
from server.training.plan import Plan
from server.training.run import plan_of

RANKED_MAX = 200
# A run's code alone may take 64 KiB, and every run of a course is read.
_LARGE: Final[tuple[Any, ...]] = (
    TrainingRunRow.body,
    TrainingRunRow.curve,
    TrainingRunRow.reference_curve,
    TrainingRunRow.samples,
)


@dataclass(frozen=True)
class Place:
    """A place in the ranking, under a pseudonym. ``is_mine`` says that it is the reader's own."""

    place: int
    pseudonym: str
    dev_loss: float
    plan: Plan
    is_mine: bool


def ranking(session: Session, course_id: int, reader_id: int, examples_max: int) -> list[Place]:
    """Return the best checked run of each student of a course who takes part, the lowest loss first.

    Equal losses share a place. Runs that saw more than ``examples_max`` examples are left out.
    """
    runs = (
        select(TrainingRunRow)
        .where(
            TrainingRunRow.course_id == course_id,
            col(TrainingRunRow.ranked),
            TrainingRunRow.state == RunState.DONE,
            TrainingRunRow.checked == Check.YES,
            col(TrainingRunRow.steps) * col(TrainingRunRow.batch) <= examples_max,
            col(TrainingRunRow.emptied_at).is_(None),
        )
        .options(*map(defer, _LARGE))
        .order_by(col(TrainingRunRow.dev_loss), col(TrainingRunRow.id))
    )
    best: dict[int, TrainingRunRow] = {}
    for row in session.exec(runs):
        best.setdefault(row.account_id, row)
    places: list[Place] = []
    for number, row in enumerate(list(best.values())[:RANKED_MAX], start=1):
        assert row.dev_loss is not None and row.pseudonym is not None
        shared = places[-1].place if places and places[-1].dev_loss == row.dev_loss else number
        places.append(Place(shared, row.pseudonym, row.dev_loss, plan_of(row), row.account_id == reader_id))
    return places
