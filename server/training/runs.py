"""Starting a training run, reading it, and cancelling it."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, select

from grader.training import Trainer
from server.accounts.accounts import lock_account
from server.accounts.names import clean_name, skeleton
from server.assignments.exercises import find_exercise
from server.courses.access import Membership
from server.database import dialect
from server.database.table import now
from server.http.problems import Conflict, NotFound, TooLarge, Unprocessable
from server.rules.rules import find_rules
from server.submissions.rate_limit import TooFast
from server.tables import AccountRow, AnswerKind, RunState, SeatRow, TrainingChunkRow, TrainingRunRow
from server.training.plan import Budget, Plan
from server.training.run import LIVE, TrainingRun
from server.training.store import least_turn_seconds

PSEUDONYM_LOCK: Final = 0x0D0_74  # any number, the same in every process
EXERCISE: Final = "makemore/train"
PSEUDONYM_LENGTH_MAX: Final = 40
SOURCE_BYTES_MAX: Final = 64 * 1024
LISTED_MAX: Final = 50
RUNS_PER_DAY: Final = 100
DAY: Final = timedelta(days=1)


class UnknownRun(NotFound):
    """There is no such run, or the caller may not see it. The caller cannot tell the two apart, by design."""

    title, slug = "No such training run", "unknown-training-run"


class AlreadyTraining(Conflict):
    """The account has a run that goes on."""

    title, slug = "Already training", "already-training"


class OverBudget(Unprocessable):
    """A run of the ranking that would see more examples than it may."""

    title, slug = "Over the ranking's budget", "over-budget"


class NoPseudonym(Unprocessable):
    """A run of the ranking without a name to show, or with a long one."""

    title, slug = "No pseudonym", "no-pseudonym"


class TakenPseudonym(Conflict):
    """A pseudonym that others would read as somebody else of the course."""

    title, slug = "That is somebody else", "taken-pseudonym"


@dataclass(frozen=True)
class Order:
    """What a student asks for: their code and a plan. ``steps`` None means the server's own number."""

    filename: str
    source: str
    steps: int | None = None
    batch: int = 32
    schedule: Sequence[tuple[int, float]] | None = None
    ranked: bool = False
    pseudonym: str | None = None


@dataclass(frozen=True)
class Terms:
    """How this server trains.

    ``trainer`` returns what trains, ``announce`` tells the workers of a run once the transaction is committed. Seeds
    are derived from ``key``. ``first_chunk_steps`` is the length of a run's first chunk: nobody knows its pace yet.
    """

    budget: Budget
    key: bytes
    trainer: Callable[[], Trainer]
    announce: Callable[[Session, int], None]
    first_chunk_steps: int = 16


def start(session: Session, student: Membership, account_id: int, order: Order, terms: Terms) -> TrainingRun:
    """Start a run of a student. It raises what ``Rules.require_open`` does.

    :raises BadPlan: the server does not train by this plan
    :raises OverBudget: it is for the ranking, and sees too many examples
    :raises NoPseudonym: it is for the ranking, and has no name to show
    :raises BadName: its pseudonym holds invisible characters
    :raises TooLarge: the source is too long
    :raises AlreadyTraining: another run of the account goes on
    :raises TooFast: the account has begun as many within a day as it may
    :raises TakenPseudonym: its pseudonym is the name or pseudonym of somebody else, or looks like it
    """
    find_exercise(EXERCISE)
    find_rules(session, student, account_id, EXERCISE).require_open(AnswerKind.CODE)
    budget = terms.budget
    steps = budget.steps if order.steps is None else order.steps
    plan = Plan.made(steps, order.batch, order.schedule, budget.steps_max)
    body = order.source.encode("utf-8", "replace")
    if len(body) > SOURCE_BYTES_MAX:
        raise TooLarge(f"The code is longer than {SOURCE_BYTES_MAX // 1024} KiB. Send only your backward pass.")
    if order.ranked and plan.examples > budget.ranked_examples_max:
        raise OverBudget(
            f"{plan.steps} steps of {plan.batch} examples are {plan.examples}; a run of the ranking sees at most "
            f"{budget.ranked_examples_max}. Ask for fewer steps or a smaller minibatch."
        )
    pseudonym = _pseudonym(order)
    lock_account(session, account_id)
    _require_no_other(session, account_id)
    _require_pace(session, account_id)
    if pseudonym is not None:
        dialect.take_turns(session, PSEUDONYM_LOCK)  # nobody takes the same one in this moment
        _require_own_name(session, student.course.id, account_id, pseudonym)
    earlier = session.exec(select(func.count()).where(TrainingRunRow.account_id == account_id)).one()
    row = TrainingRunRow(
        course_id=student.course.id,
        account_id=account_id,
        filename=order.filename,
        body=body,
        steps=plan.steps,
        batch=plan.batch,
        schedule=[list(each) for each in plan.schedule],
        ranked=order.ranked,
        pseudonym=pseudonym,
        seed=_seed(terms.key, account_id, earlier),
        dataset=terms.trainer().network.dataset,
        chunk_steps=min(terms.first_chunk_steps, plan.steps),
        turn_seconds=least_turn_seconds(session),
    )
    session.add(row)
    session.flush()
    terms.announce(session, row.id)
    return TrainingRun.of(row)


def of_student(session: Session, course_id: int, account_id: int) -> list[TrainingRun]:
    """Return the newest runs of a student in a course, the newest first."""
    runs = (
        select(TrainingRunRow)
        .where(TrainingRunRow.course_id == course_id, TrainingRunRow.account_id == account_id)
        .options(defer(TrainingRunRow.body))  # type: ignore[arg-type]
        .order_by(col(TrainingRunRow.id).desc())
    )
    return [TrainingRun.of(row) for row in session.exec(runs.limit(LISTED_MAX))]


def find(session: Session, run_id: int) -> TrainingRun:
    """Return a run. Who may see it is not asked here.

    :raises UnknownRun: there is none with this number
    """
    row = session.get(TrainingRunRow, run_id)
    if row is None:
        raise UnknownRun(f"You have no training run {run_id}.")
    return TrainingRun.of(row)


def cancel(session: Session, run_id: int) -> TrainingRun:
    """End a run that goes on. A chunk that runs now is finished, and what it gives is dropped.

    :raises UnknownRun: there is none with this number
    :raises Conflict: it is over
    """
    find(session, run_id)
    dialect.lock_row(session, col(TrainingRunRow.id), run_id)
    row = session.get_one(TrainingRunRow, run_id, populate_existing=True)
    if row.state not in LIVE:
        raise Conflict(f"Training run {run_id} is over. Look at it, or start another one.")
    end(session, row, RunState.CANCELLED, None)
    session.flush()
    return TrainingRun.of(row)


def end(session: Session, row: TrainingRunRow, state: RunState, message: str | None) -> None:
    """End a run, whose row the caller holds. Its parameters are kept no longer."""
    row.state, row.message, row.finished_at = state, message, now()
    row.moved += 1
    session.add(row)
    session.connection().execute(delete(TrainingChunkRow).where(col(TrainingChunkRow.run_id) == row.id))


def _require_no_other(session: Session, account_id: int) -> None:
    other = select(TrainingRunRow.id).where(
        TrainingRunRow.account_id == account_id, col(TrainingRunRow.state).in_(LIVE)
    )
    running = session.exec(other).first()
    if running is not None:
        raise AlreadyTraining(f"Your training run {running} goes on. Wait for its end, or cancel it first.")


def _require_pace(session: Session, account_id: int) -> None:
    """Each run keeps its code, and has a seed of its own: who begins and cancels many would choose among seeds."""
    moments = select(TrainingRunRow.created_at).where(
        TrainingRunRow.account_id == account_id, TrainingRunRow.created_at > now() - DAY
    )
    oldest = session.exec(moments.order_by(col(TrainingRunRow.id).desc()).offset(RUNS_PER_DAY - 1).limit(1)).first()
    if oldest is not None:
        seconds = math.ceil((oldest + DAY - now()).total_seconds())
        raise TooFast(
            f"You have begun {RUNS_PER_DAY} training runs within a day, the limit of this server. "
            f"Wait {max(1, seconds // 60)} minutes, and start again.",
            {"Retry-After": str(max(1, seconds))},
        )


def _require_own_name(session: Session, course_id: int, account_id: int, pseudonym: str) -> None:
    people = (
        select(AccountRow.name)
        .join(SeatRow, col(SeatRow.account_id) == AccountRow.id)
        .where(SeatRow.course_id == course_id, AccountRow.id != account_id)
    )
    pseudonyms = select(TrainingRunRow.pseudonym).where(
        TrainingRunRow.course_id == course_id, TrainingRunRow.account_id != account_id, col(TrainingRunRow.ranked)
    )
    others = {*session.exec(people), *session.exec(pseudonyms.distinct())}
    if skeleton(pseudonym) in {skeleton(name) for name in others if name}:
        raise TakenPseudonym(
            "Somebody else in this course has that name or pseudonym, or one that looks like it. Choose another one."
        )


def _pseudonym(order: Order) -> str | None:
    """Return the name under which a run stands in the ranking; None for a run that is not ranked."""
    if not order.ranked:
        return None
    if order.pseudonym is None or len(order.pseudonym) > PSEUDONYM_LENGTH_MAX:
        raise NoPseudonym(f"The ranking shows a pseudonym of 1 to {PSEUDONYM_LENGTH_MAX} characters. Choose one.")
    return clean_name(order.pseudonym)


def _seed(key: bytes, account_id: int, ordinal: int) -> int:
    """Return the seed of an account's next run, which nobody can foresee without the server's secret."""
    digest = hmac.digest(key, f"training/{account_id}/{ordinal}".encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], "little") >> 1
