"""Exercises of a course, and the caller's own instances."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response

from exercises.instance import Kind
from server.catalogue import explanations, present
from server.catalogue.schemas import ExerciseBody, ExerciseListBody, ExplanationBody, InstanceBody
from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.http.middleware import SAFETENSORS
from server.http.problems import documented
from server.instances.exercises import TheExercise
from server.instances.store import StoredInstance, TheInstances
from server.progress import record
from server.submissions.detail import find_override

router = APIRouter(prefix="/courses/{course}/exercises", tags=["exercises"], responses=documented(401, 404, 422))
CheckpointName = Annotated[str, Path(max_length=64)]
Reading = Annotated[CourseAccess, Depends(Allowed(Permission.READ_EXERCISES))]


def own_instance(access: Reading, exercise: TheExercise, instances: TheInstances) -> StoredInstance:
    """Return the caller's own instance of an exercise; the transaction is closed before it is drawn."""
    with access.reading() as member:
        account_id = member.account_id
    return instances.get(account_id, exercise, Kind.STUDENT)


OwnInstance = Annotated[StoredInstance, Depends(own_instance)]


@router.get("")
def list_exercises(access: Reading) -> ExerciseListBody:
    """The exercises, with what the caller has done in each."""
    with access.reading() as member:
        return ExerciseListBody(exercises=list(present.summaries(member).values()))


@router.get("/{topic}/{name}")
def show_exercise(access: Reading, exercise: TheExercise, instances: TheInstances) -> ExerciseBody:
    """One exercise: statement, forward pass, constants and checkpoints."""
    with access.reading() as member:
        summary = present.summaries(member)[exercise.slug]
        progress = record.of_student(member.session, member.course, member.account_id, exercise.slug)
        override = find_override(member.session, member.course.id, member.account_id, exercise.slug)
    stored = instances.get(member.account_id, exercise, Kind.STUDENT)
    body = present.exercise_body(exercise, summary, progress, stored.instance)
    return body.model_copy(update={"override": override})


@router.get("/{topic}/{name}/instance")
def show_instance(stored: OwnInstance) -> InstanceBody:
    """The caller's own instance: its digest, its origin, and what it holds."""
    return present.instance_body(stored.instance)


@router.get(
    "/{topic}/{name}/instance/state",
    response_class=Response,
    responses={200: {"content": {SAFETENSORS: {}}}, 304: {"description": "Unchanged."}},
)
def read_state(stored: OwnInstance, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The forward state of the caller's own instance, as safetensors. Its ETag is the instance's digest."""
    instance = stored.instance
    headers = {"ETag": f'"{instance.digest}"', "Cache-Control": "private, no-cache"}
    if if_none_match is not None and instance.digest in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(instance.state, media_type=SAFETENSORS, headers=headers)


@router.get("/{topic}/{name}/checkpoints/{checkpoint}/explanation", responses=documented(403))
def explain_checkpoint(access: Reading, exercise: TheExercise, checkpoint: CheckpointName) -> ExplanationBody:
    """Why the gradient of a step is what it is, once the caller has passed the step. Staff may always read it."""
    with access.reading() as member:
        explanations.require_passed(member, exercise, checkpoint)
    return ExplanationBody(checkpoint=checkpoint, lines=list(explanations.of(exercise, checkpoint).lines))
