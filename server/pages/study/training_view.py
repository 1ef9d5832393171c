"""What the pages of training show: a run with its curve, the runs before it, the ranking, and the form for another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from sqlmodel import col, select

from dojo.api.training import schedule_text, time_text
from dojo.curve import loss_text
from server.courses.access import CourseSession
from server.courses.roles import Permission
from server.pages.study.bench import refusal_of
from server.pages.study.training_curve import CurveShown, curve_shown
from server.rules.rules import find_rules
from server.submissions.drafts import find_draft
from server.tables import AnswerKind, Check, RunState, SubmissionRow, TrainingRunRow
from server.training.plan import Budget
from server.training.ranking import Place, ranking
from server.training.room import Training
from server.training.run import TrainingRun
from server.training.runs import EXERCISE, of_student

STARTER: Final = '''def backward(state):
    """Return the gradient of the loss at each of the seven parameters."""
    raise NotImplementedError
'''
WORDS: Final = {
    RunState.QUEUED: "waits for its turn",
    RunState.RUNNING: "running",
    RunState.DONE: "done",
    RunState.CANCELLED: "cancelled",
    RunState.FAILED: "failed",
    RunState.FORGED: "forged",
}
CHECKS: Final = {Check.YES: "checked", Check.NO: "not checked", Check.FAILED: "not right"}


@dataclass(frozen=True)
class RunShown:
    """A run as a page shows it."""

    run: TrainingRun

    @cached_property
    def curve(self) -> CurveShown | None:
        """Its curve; None before its first point."""
        return curve_shown(self.run)

    @property
    def status(self) -> str:
        """How far it is, in words."""
        return WORDS[self.run.state]

    @property
    def check(self) -> str:
        """Whether its chunks were replayed, in words; empty while it goes on."""
        return "" if self.run.is_live else CHECKS[self.run.checked]

    @property
    def loss(self) -> str:
        """The newest loss, or at the end that of the dev split."""
        if self.run.final is not None:
            return loss_text(self.run.final.dev)
        return loss_text(self.run.curve[-1][1]) if self.run.curve else "–"

    @property
    def time_left(self) -> str:
        """How long its steps still take; a dash while nothing tells."""
        seconds = self.run.seconds_left
        if self.run.step == self.run.plan.steps:
            return "0 s"
        return "–" if seconds is None else time_text(seconds)

    @property
    def rates(self) -> str:
        """Its learning rates, as they are typed."""
        return schedule_text(self.run.plan.schedule)


@dataclass(frozen=True)
class Ranked:
    """A place in the ranking, as a page shows it."""

    place: Place

    @property
    def loss(self) -> str:
        """Its loss on the dev split."""
        return loss_text(self.place.dev_loss)

    @property
    def rates(self) -> str:
        """Its learning rates, as they are typed."""
        return schedule_text(self.place.plan.schedule)


@dataclass(frozen=True)
class TrainingView:
    """The page of a student. ``refusal`` is why no run can be started, or None. ``source`` stands in the editor."""

    shown: RunShown | None
    runs: Sequence[RunShown]
    ranking: Sequence[Ranked]
    budget: Budget
    refusal: str | None
    source: str

    @property
    def live(self) -> TrainingRun | None:
        """The run that goes on."""
        return next((each.run for each in self.runs if each.run.is_live), None)


def read_training(member: CourseSession, training: Training) -> TrainingView:
    """Return what the page of a student shows: the newest run with its curve, and the rest."""
    session, course, account_id = member.session, member.course, member.account_id
    runs = [RunShown(each) for each in of_student(session, course.id, account_id)]
    budget = training.terms.budget
    places = ranking(session, course.id, account_id, budget.ranked_examples_max)
    return TrainingView(
        shown=runs[0] if runs else None,
        runs=runs,
        ranking=[Ranked(each) for each in places],
        budget=budget,
        refusal=_refusal(member),
        source=_source(member),
    )


def _refusal(member: CourseSession) -> str | None:
    if not member.membership.may(Permission.HAND_IN):
        return "You look at this course without a seat in it."
    rules = find_rules(member.session, member.membership, member.account_id, EXERCISE)
    return refusal_of(lambda: rules.require_open(AnswerKind.CODE))


def _source(member: CourseSession) -> str:
    """Return the code to train with: what was written, handed in or trained with last, else a beginning."""
    session, course_id, account_id = member.session, member.course.id, member.account_id
    draft = find_draft(session, course_id, account_id, EXERCISE)
    kept = [] if draft is None else [(draft.changed_at, draft.source)]
    handed_in = (
        select(SubmissionRow.created_at, SubmissionRow.body)
        .where(
            SubmissionRow.course_id == course_id,
            SubmissionRow.account_id == account_id,
            SubmissionRow.exercise == EXERCISE,
            SubmissionRow.kind == AnswerKind.CODE,
            col(SubmissionRow.emptied_at).is_(None),
        )
        .order_by(col(SubmissionRow.attempt).desc())
    )
    trained = (
        select(TrainingRunRow.created_at, TrainingRunRow.body)
        .where(
            TrainingRunRow.course_id == course_id,
            TrainingRunRow.account_id == account_id,
            col(TrainingRunRow.emptied_at).is_(None),
        )
        .order_by(col(TrainingRunRow.id).desc())
    )
    for newest in (session.exec(handed_in).first(), session.exec(trained).first()):
        if newest is not None:
            kept.append((newest[0], newest[1].decode("utf-8", "replace")))
    return max(kept, default=(None, STARTER))[1]
