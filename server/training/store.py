"""What remains to be done of training runs, as the database has it: chunks to run, to replay, and ends to measure.

A run is its own ticket (``TrainingRunRow``). Two rules bound what is kept and what is computed ahead:

1. A chunk is not begun while an earlier one than the last is still to be replayed.
2. The parameters after the last two chunks are kept, and those from which a replay starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from server.database import dialect
from server.database.table import now
from server.tables import Check, RunState, TrainingChunkRow, TrainingRunRow
from server.training.plan import Plan
from server.training.run import LIVE, plan_of

TRAINING_LOCK: Final = 0x0D0_73  # any number, the same in every process
TRIES_MAX: Final = 5
CURVE_POINTS_MAX: Final = 400

_STEP, _DUE = col(TrainingChunkRow.step), col(TrainingChunkRow.is_due)


@dataclass(frozen=True)
class Claim:
    """A claimed run: its next chunk begins at ``step``. ``start`` are the parameters there; None at the very start.

    ``claims`` and ``tries`` count this claim. ``seconds`` is what the run took before it. ``lecture_seconds`` is what a
    step takes with the lecture's backward pass; None if nobody has measured it.
    """

    run_id: int
    account_id: int
    filename: str
    source: str
    plan: Plan
    seed: int
    dataset: str
    step: int
    chunk_steps: int
    claims: int
    tries: int
    start: bytes | None
    seconds: float
    lecture_seconds: float | None

    @property
    def steps(self) -> int:
        """How many steps the chunk has."""
        return min(self.chunk_steps, self.plan.steps - self.step)


@dataclass(frozen=True)
class Duty:
    """A chunk to replay: its first step, the parameters there, and what the student's code claims at its end.

    ``has_failed`` says that an earlier chunk did not agree. ``start`` are the right gradients' parameters then.
    """

    run_id: int
    filename: str
    source: str
    plan: Plan
    seed: int
    first: int
    last: int
    start: bytes
    claimed: bytes
    has_failed: bool


@dataclass(frozen=True)
class Ending:
    """A run all of whose steps are taken, and whose chunks are replayed as far as they are to be."""

    run_id: int
    seed: int
    claims: int
    parameters: bytes


def waiting(session: Session) -> Sequence[int]:
    """Return the runs that have steps to take."""
    return session.exec(select(TrainingRunRow.id).where(*_has_steps())).all()


def is_any_live(session: Session) -> bool:
    """Return whether a run goes on."""
    return (
        session.exec(select(TrainingRunRow.id).where(col(TrainingRunRow.state).in_(LIVE)).limit(1)).first() is not None
    )


def is_due(session: Session) -> bool:
    """Return whether the next chunk of a run may be taken."""
    return session.exec(select(TrainingRunRow.id).where(*_may_go_on(), _is_due()).limit(1)).first() is not None


def claim_next(session: Session, lease_seconds: float, running_max: int) -> Claim | None:
    """Lease the run that has taken least time; None if there is none, or as many as may are leased."""
    dialect.take_turns(session, TRAINING_LOCK)
    leased = select(func.count()).where(
        TrainingRunRow.state == RunState.RUNNING, *_may_go_on(), TrainingRunRow.due_at > now()
    )
    if session.exec(leased).one() >= running_max:
        return None
    first = select(TrainingRunRow).where(*_may_go_on(), _is_due())
    turns = col(TrainingRunRow.turn_seconds), col(TrainingRunRow.due_at), col(TrainingRunRow.id)
    ordered = first.order_by(*turns).limit(1)
    row = session.exec(ordered.with_for_update(skip_locked=True)).first()
    return None if row is None else _claimed(session, row, lease_seconds)


def claim(session: Session, run_id: int, lease_seconds: float) -> Claim | None:
    """Lease a run that nobody else works on; None if its next chunk may not be taken now."""
    found = select(TrainingRunRow).where(TrainingRunRow.id == run_id, *_may_go_on())
    row = session.exec(found.with_for_update()).first()
    return None if row is None else _claimed(session, row, lease_seconds)


def least_turn_seconds(session: Session) -> float:
    """Return where the run stands that has taken least time of those that go on; 0 if none does.

    A new run begins there. From 0 it would go before all others until it has taken as much as they have.
    """
    return session.exec(select(func.min(TrainingRunRow.turn_seconds)).where(*_has_steps())).one() or 0.0


def turn_seconds(session: Session, run_id: int) -> float:
    """Return where a run stands among those that take turns."""
    return session.exec(select(TrainingRunRow.turn_seconds).where(TrainingRunRow.id == run_id)).first() or 0.0


def is_over(session: Session, run_id: int) -> bool:
    """Return whether no steps are to be taken any more."""
    found = select(TrainingRunRow.id).where(TrainingRunRow.id == run_id, *_has_steps())
    return session.exec(found).first() is None


def held(session: Session, run_id: int, claims: int) -> TrainingRunRow | None:
    """Return the row of a claimed run, held until the transaction ends; None if the claim is void."""
    row = locked(session, run_id)
    return row if row is not None and row.state is RunState.RUNNING and row.claims == claims else None


def locked(session: Session, run_id: int) -> TrainingRunRow | None:
    """Return the row of a run, held until the transaction ends; None if it is gone."""
    found = select(TrainingRunRow).where(TrainingRunRow.id == run_id).with_for_update()
    return session.exec(found, execution_options={"populate_existing": True}).first()


def claim_duty(session: Session, duty_seconds: float) -> Duty | None:
    """Lease the chunk that has waited longest for its replay; None if there is none."""
    found = (
        select(TrainingChunkRow, TrainingRunRow)
        .join(TrainingRunRow, col(TrainingRunRow.id) == TrainingChunkRow.run_id)
        .where(_DUE, TrainingChunkRow.due_at <= now(), TrainingRunRow.state == RunState.RUNNING)
        .order_by(col(TrainingChunkRow.due_at), _STEP)
        .limit(1)
        .with_for_update(skip_locked=True, of=TrainingChunkRow)
    )
    row = session.exec(found).first()
    if row is None:
        return None
    chunk, run = row
    earlier = select(TrainingChunkRow).where(TrainingChunkRow.run_id == run.id, chunk.step > _STEP)
    before = session.exec(earlier.order_by(_STEP.desc()).limit(1)).one()
    chunk.due_at = now() + timedelta(seconds=duty_seconds)
    has_failed = run.checked is Check.FAILED
    start = before.reference if has_failed and before.reference is not None else before.parameters
    return Duty(
        run.id,
        run.filename,
        run.body.decode(),
        plan_of(run),
        run.seed,
        before.step,
        chunk.step,
        start,
        chunk.parameters,
        has_failed,
    )


def claim_ending(session: Session, duty_seconds: float) -> Ending | None:
    """Lease a run whose steps are all taken, and whose chunks are replayed; None if there is none."""
    replays = select(TrainingChunkRow.step).where(TrainingChunkRow.run_id == TrainingRunRow.id, _DUE)
    found = (
        select(TrainingRunRow)
        .where(
            TrainingRunRow.state == RunState.RUNNING,
            TrainingRunRow.step == TrainingRunRow.steps,
            _is_due(),
            ~replays.exists(),
        )
        .order_by(col(TrainingRunRow.due_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.exec(found).first()
    if row is None:
        return None
    row.claims += 1
    row.due_at = now() + timedelta(seconds=duty_seconds)
    newest = session.get_one(TrainingChunkRow, (row.id, row.step))
    return Ending(row.id, row.seed, row.claims, newest.parameters)


def has_duty(session: Session) -> bool:
    """Return whether a chunk is to be replayed, or a run to be ended."""
    of_chunk = select(TrainingChunkRow.step).where(_DUE, TrainingChunkRow.due_at <= now()).limit(1)
    of_run = select(TrainingRunRow.id).where(
        TrainingRunRow.state == RunState.RUNNING, TrainingRunRow.step == TrainingRunRow.steps, _is_due()
    )
    return session.exec(of_chunk).first() is not None or session.exec(of_run.limit(1)).first() is not None


def chunk_of(session: Session, run_id: int, step: int) -> TrainingChunkRow | None:
    """Return the end of a chunk; None if it is kept no longer."""
    return session.get(TrainingChunkRow, (run_id, step), populate_existing=True)


def make_later_chunks_due(session: Session, run_id: int, step: int) -> None:
    """Have all chunks after a step replayed: from a mistake on, the right gradients' curve is its own."""
    for row in session.exec(select(TrainingChunkRow).where(TrainingChunkRow.run_id == run_id, step < _STEP)):
        row.is_due = True


def drop_old_chunks(session: Session, run_id: int) -> None:
    """Keep the last two chunks, and those from which a replay starts."""
    session.flush()
    rows = session.exec(select(TrainingChunkRow).where(TrainingChunkRow.run_id == run_id).order_by(_STEP.desc())).all()
    kept = 2
    for place, row in enumerate(rows):
        if row.is_due:
            kept = max(kept, place + 2)
    for row in rows[kept:]:
        session.delete(row)


def with_point(curve: Sequence[Any], step: int, loss: float) -> list[Any]:
    """Return a curve with one more point. If it has very many, every other one goes; the first one stays."""
    points = [*curve, [step, loss]]
    if len(points) > CURVE_POINTS_MAX:
        points = [point for place, point in enumerate(points) if place % 2 == 0 or place == len(points) - 1]
    return points


def _has_steps() -> tuple[ColumnElement[bool], ...]:
    return col(TrainingRunRow.state).in_(LIVE), col(TrainingRunRow.step) < col(TrainingRunRow.steps)


def _may_go_on() -> tuple[ColumnElement[bool], ...]:
    """Whether a run has steps to take, and no chunk but the last is to be replayed."""
    behind = select(TrainingChunkRow.step).where(
        TrainingChunkRow.run_id == TrainingRunRow.id, _DUE, col(TrainingRunRow.step) > _STEP
    )
    return *_has_steps(), ~behind.exists()


def _is_due() -> ColumnElement[bool]:
    return col(TrainingRunRow.due_at) <= now()


def _claimed(session: Session, row: TrainingRunRow, lease_seconds: float) -> Claim:
    row.claims += 1
    row.tries += 1
    row.moved += row.state is RunState.QUEUED
    row.state = RunState.RUNNING
    row.due_at = now() + timedelta(seconds=lease_seconds)
    newest = session.get(TrainingChunkRow, (row.id, row.step)) if row.step else None
    return Claim(
        row.id,
        row.account_id,
        row.filename,
        row.body.decode(),
        plan_of(row),
        row.seed,
        row.dataset,
        row.step,
        row.chunk_steps,
        row.claims,
        row.tries,
        None if newest is None else newest.parameters,
        row.seconds,
        row.lecture_seconds,
    )
