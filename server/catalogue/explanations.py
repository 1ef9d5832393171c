"""Explaining a step that passed: its derivation, from the exercise's own text or else from derived lines."""

from __future__ import annotations

from sqlmodel import Session

from author.derive.key import derivation_of
from exercises.derivations import Derivation
from exercises.exercise import Exercise
from exercises.language.errors import Refused
from server.http.problems import Forbidden, NotFound
from server.progress import record
from server.rules.rules import Rules


class UnknownCheckpoint(NotFound):
    """The exercise has no such step."""

    title, slug = "No such step", "unknown-checkpoint"


class NotPassedYet(Forbidden):
    """The step is explained to those who passed it."""

    title, slug = "Not passed yet", "not-passed-yet"


def require_passed(session: Session, rules: Rules, exercise: Exercise, checkpoint: str) -> None:
    """Do nothing if the account has passed the step, or belongs to the staff.

    :raises UnknownCheckpoint: the exercise has no such step
    :raises FeedbackWithheld: whether it has passed shows later
    :raises NotPassedYet: the account has not passed it
    """
    if checkpoint not in {each.name for each in exercise.checkpoints}:
        names = ", ".join(each.name for each in exercise.checkpoints)
        raise UnknownCheckpoint(f"{exercise.slug} has no step {checkpoint!r}. Choose one of: {names}.")
    if rules.is_free:
        return
    rules.require_feedback()
    progress = record.of_student(session, rules.course, rules.account_id, exercise.slug)
    entry = progress.get(checkpoint)
    if entry is None or entry.first_passed_at is None:
        raise NotPassedYet(f"A step is explained once you have passed it. Hand in d{checkpoint} first.")


def of(exercise: Exercise, checkpoint: str) -> Derivation:
    """Return the derivation of a step: the author's, or else the one that the rules write.

    :raises UnknownCheckpoint: the author wrote none, and an operation has no rule
    """
    try:
        derivation = derivation_of(exercise, checkpoint)
    except Refused:
        derivation = None
    if derivation is None:
        raise UnknownCheckpoint(
            f"{exercise.slug} has no text that explains {checkpoint}. Ask your instructor how it is derived."
        )
    return derivation
