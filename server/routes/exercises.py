"""What is asked: the exercises of a course, one of them, and the caller's own numbers for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response
from sqlmodel import Session, func, select

from exercises import registry
from exercises.exercise import Checkpoint, Exercise
from exercises.instance import Kind
from exercises.tape import constants
from grader import numerics
from server import models, progress, schemas
from server.deps import CourseSlug, TheCaller, TheExercise
from server.middleware import SAFETENSORS
from server.problems import documented

router = APIRouter(prefix="/courses/{course}/exercises", tags=["exercises"], responses=documented(401, 404, 422))


@router.get("")
def list_exercises(course: CourseSlug, caller: TheCaller) -> schemas.ExerciseList:
    """The exercises, with what the caller has done in each."""
    with caller.reading() as visit:
        found = _summaries(visit.session, visit.seat(course).course, visit.student_id)
    return schemas.ExerciseList(exercises=list(found.values()))


@router.get("/{topic}/{name}")
def show_exercise(course: CourseSlug, caller: TheCaller, exercise: TheExercise) -> schemas.Exercise:
    """One exercise: statement, forward pass, constants and checkpoints."""
    with caller.reading() as visit:
        seat = visit.seat(course)
        summary = _summaries(visit.session, seat.course, visit.student_id)[exercise.slug]
        done = progress.of_student(visit.session, seat.course, visit.student_id, exercise.slug)
    tensors = caller.services.instances.get(visit.student_id, exercise, Kind.STUDENT).instance.tensors()
    return schemas.Exercise(
        **summary.model_dump(),
        statement=exercise.statement,
        forward=exercise.forward_source,
        lecture_url=exercise.lecture,
        constants=constants(tensors),
        checkpoints=[
            _checkpoint(exercise, each, list(tensors[each.name].shape), done.get(each.name))
            for each in exercise.checkpoints
        ],
    )


@router.get("/{topic}/{name}/instance")
def show_instance(course: CourseSlug, caller: TheCaller, exercise: TheExercise) -> schemas.Instance:
    """The caller's own instance: its digest, where it comes from, and what it holds."""
    with caller.reading() as visit:
        visit.seat(course)
    instance = caller.services.instances.get(visit.student_id, exercise, Kind.STUDENT).instance
    return schemas.Instance(
        exercise=exercise.slug,
        revision=exercise.revision,
        kind=instance.kind.value,
        digest=instance.digest,
        dataset=instance.dataset,
        environment=numerics.environment(),
        tensors={
            name: schemas.TensorLayout(shape=list(value.shape), dtype=str(value.dtype).removeprefix("torch."))
            for name, value in instance.tensors().items()
        },
    )


@router.get(
    "/{topic}/{name}/instance/state",
    response_class=Response,
    responses={
        200: {"content": {SAFETENSORS: {}}},
        304: {"description": "Unchanged."},
    },
)
def read_state(
    course: CourseSlug,
    caller: TheCaller,
    exercise: TheExercise,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The forward state of the caller's own instance, as safetensors. Its ETag is the instance's digest."""
    with caller.reading() as visit:
        visit.seat(course)
    instance = caller.services.instances.get(visit.student_id, exercise, Kind.STUDENT).instance
    headers = {"ETag": f'"{instance.digest}"', "Cache-Control": "private, no-cache"}
    if if_none_match is not None and instance.digest in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(instance.state, media_type=SAFETENSORS, headers=headers)


def _summaries(session: Session, course: models.Course, student_id: int) -> dict[str, schemas.ExerciseSummary]:
    """Every exercise with what a student has done in it, in two queries."""
    attempts = dict(
        session.exec(
            select(models.Submission.exercise, func.max(models.Submission.attempt))
            .where(models.Submission.course_id == course.id, models.Submission.student_id == student_id)
            .group_by(models.Submission.exercise)
        ).all()
    )
    counts = progress.passed_counts(session, course, student_id)
    return {
        slug: schemas.ExerciseSummary(
            slug=slug,
            revision=exercise.revision,
            title=exercise.title,
            summary=exercise.summary,
            attempts=attempts.get(slug, 0),
            passed=counts.get(slug, (0, 0))[0],
            exact=counts.get(slug, (0, 0))[1],
            total=len(exercise.checkpoints),
        )
        for slug, exercise in registry.exercises().items()
    }


def _checkpoint(
    exercise: Exercise, checkpoint: Checkpoint, shape: list[int], done: models.Progress | None
) -> schemas.Checkpoint:
    return schemas.Checkpoint(
        name=checkpoint.name,
        shape=shape,
        lecture_start=checkpoint.start,
        lecture_end=checkpoint.end,
        lecture_url=_lecture_url(exercise, checkpoint),
        best=done.best if done else None,
        attempts=done.attempts if done else 0,
        first_passed_at=done.first_passed_at if done else None,
    )


def _lecture_url(exercise: Exercise, checkpoint: Checkpoint) -> str | None:
    """The lecture at the moment where the step is derived."""
    if exercise.lecture is None or checkpoint.start is None:
        return None
    return f"{exercise.lecture}&t={checkpoint.start}s"
