"""Showing exercises, with what a student has done in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlmodel import func, select
from torch import Tensor

from exercises import registry
from exercises.exercise import Checkpoint, Exercise
from exercises.instance import Instance
from exercises.tape import constants
from grader import numerics
from server.assignments.assignment import all_extensions_of
from server.assignments.lateness import late_sentence
from server.assignments.points import points_max
from server.catalogue.schemas import (
    CheckpointBody,
    ExerciseBody,
    ExerciseSummaryBody,
    InstanceBody,
    TensorLayoutBody,
)
from server.courses.access import CourseSession
from server.progress import record
from server.rules.rules import Rules
from server.tables import ProgressRow, SubmissionRow


def summaries(member: CourseSession, rules: Iterable[Rules]) -> list[ExerciseSummaryBody]:
    """Return the exercises of some rules with what their student has done in them.

    Three queries, and one more for each exercise with a limit of attempts.
    """
    attempts = dict(
        member.session.exec(
            select(SubmissionRow.exercise, func.max(SubmissionRow.attempt))
            .where(SubmissionRow.course_id == member.course.id, SubmissionRow.account_id == member.account_id)
            .group_by(SubmissionRow.exercise)
        ).all()
    )
    counts = record.passed_counts(member.session, member.course, member.account_id)
    extensions = all_extensions_of(member.session, member.course, member.account_id)
    return [
        _summary(
            each,
            attempts.get(each.exercise, 0),
            counts.get(each.exercise, (0, 0)),
            each.assignment.due_for(extensions.get(each.exercise, [])),
            each.attempts_left(member.session),
        )
        for each in rules
    ]


def _summary(
    rules: Rules, attempts: int, counts: tuple[int, int], due_at: datetime | None, attempts_left: int | None
) -> ExerciseSummaryBody:
    exercise, assignment = registry.find(rules.exercise), rules.assignment
    passed, exact = counts if rules.withheld is None else (None, None)
    return ExerciseSummaryBody(
        slug=exercise.slug,
        revision=exercise.revision,
        title=exercise.title,
        summary=exercise.summary,
        attempts=attempts,
        feedback="shown" if rules.withheld is None else "withheld",
        shown_when=rules.withheld,
        passed=passed,
        exact=exact,
        total=len(exercise.checkpoints),
        is_assigned=rules.is_assigned,
        time_zone=rules.course.time_zone,
        opens_at=assignment.opens_at,
        due_at=due_at,
        late=late_sentence(assignment),
        answers=rules.answers,
        attempts_left=attempts_left,
        points=points_max(assignment, [each.name for each in exercise.checkpoints]),
    )


def exercise_body(
    exercise: Exercise, summary: ExerciseSummaryBody, progress: dict[str, ProgressRow], instance: Instance
) -> ExerciseBody:
    """Return an exercise with its text, its shapes and a student's progress, as far as feedback shows."""
    is_shown = summary.feedback == "shown"
    tensors = instance.tensors()
    return ExerciseBody(
        **summary.model_dump(),
        statement=exercise.statement,
        forward=exercise.forward.text,
        lecture_url=exercise.lecture,
        constants=constants(tensors),
        checkpoints=checkpoint_bodies(exercise, tensors, progress, is_shown=is_shown),
    )


def checkpoint_bodies(
    exercise: Exercise, tensors: Mapping[str, Tensor], progress: Mapping[str, ProgressRow], *, is_shown: bool
) -> list[CheckpointBody]:
    """Return the checkpoints of an exercise with their shapes, and a student's progress as far as feedback shows."""
    return [
        _checkpoint(exercise, each, list(tensors[each.name].shape), progress.get(each.name), is_shown)
        for each in exercise.checkpoints
    ]


def instance_body(instance: Instance) -> InstanceBody:
    """Return what an instance holds, without its bytes."""
    return InstanceBody(
        exercise=instance.exercise.slug,
        revision=instance.exercise.revision,
        kind=instance.kind.value,
        digest=instance.digest,
        dataset=instance.dataset,
        environment=numerics.environment(),
        tensors={
            name: TensorLayoutBody(shape=list(value.shape), dtype=str(value.dtype).removeprefix("torch."))
            for name, value in instance.tensors().items()
        },
    )


def _checkpoint(
    exercise: Exercise, checkpoint: Checkpoint, shape: list[int], progress: ProgressRow | None, is_shown: bool
) -> CheckpointBody:
    return CheckpointBody(
        name=checkpoint.name,
        shape=shape,
        lecture_start=checkpoint.start,
        lecture_end=checkpoint.end,
        lecture_url=_lecture_url(exercise, checkpoint),
        best=progress.best if progress and is_shown else None,
        attempts=progress.attempts if progress else 0,
        first_passed_at=progress.first_passed_at if progress and is_shown else None,
    )


def _lecture_url(exercise: Exercise, checkpoint: Checkpoint) -> str | None:
    """Return the address of the lecture at the second in which the step is derived, or None without one."""
    if exercise.lecture is None or checkpoint.start is None:
        return None
    return f"{exercise.lecture}&t={checkpoint.start}s"
