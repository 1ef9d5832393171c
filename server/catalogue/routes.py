"""Exercises of a course, and the caller's own instances."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response

from exercises import registry
from server.assignments import packs
from server.catalogue import explanations, present
from server.catalogue.proofs import TheProofs
from server.catalogue.schemas import ExerciseBody, ExerciseListBody, ExplanationBody, InstanceBody
from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.http.middleware import SAFETENSORS
from server.http.problems import documented
from server.instances import choice
from server.instances.exercises import TheExercise
from server.instances.store import StoredInstance, TheInstances
from server.progress import record
from server.rules.rules import find_all_rules, find_rules
from server.submissions.detail import find_override

router = APIRouter(prefix="/courses/{course}/exercises", tags=["exercises"], responses=documented(401, 403, 404, 422))
CheckpointName = Annotated[str, Path(max_length=64)]
Reading = Annotated[CourseAccess, Depends(Allowed(Permission.READ_EXERCISES))]


def own_instance(access: Reading, exercise: TheExercise, instances: TheInstances) -> StoredInstance:
    """Return the caller's instance of an exercise; the transaction is closed before it is drawn.

    :raises NotAssigned: the course does not ask for the exercise
    :raises NotOpenYet: it opens later
    """
    with access.reading() as member:
        rules = find_rules(member.session, member.membership, member.account_id, exercise.slug)
    rules.require_readable()
    return instances.get(rules.account_id, exercise, choice.handed_out(rules.assignment))


OwnInstance = Annotated[StoredInstance, Depends(own_instance)]


@router.get("")
def list_exercises(access: Reading, proofs: TheProofs) -> ExerciseListBody:
    """The exercises that the course asks for, with what the caller has done in each. Staff see all."""
    with access.reading() as member:
        rules = find_all_rules(member.session, member.membership, member.account_id, packs.exercises_of(member.course))
        listed = [each for each in rules.values() if each.is_assigned or each.is_free]
        summaries = present.summaries(member, listed)
    shown = [proofs.shown(each, registry.find(each.slug)) for each in summaries]
    return ExerciseListBody(exercises=shown)


@router.get("/{pack}/{name}")
def show_exercise(access: Reading, exercise: TheExercise, instances: TheInstances, proofs: TheProofs) -> ExerciseBody:
    """One exercise: statement, forward pass, constants and checkpoints, from when it opens."""
    with access.reading() as member:
        rules = find_rules(member.session, member.membership, member.account_id, exercise.slug)
        rules.require_readable()
        (summary,) = present.summaries(member, [rules])
        progress = record.of_student(member.session, member.course, member.account_id, exercise.slug)
        override = find_override(member.session, member.course.id, member.account_id, exercise.slug)
    stored = instances.get(member.account_id, exercise, choice.handed_out(rules.assignment))
    body = present.exercise_body(exercise, proofs.shown(summary, exercise), progress, stored.instance)
    return body.model_copy(update={"override": override})


@router.get("/{pack}/{name}/instance")
def show_instance(stored: OwnInstance) -> InstanceBody:
    """The caller's instance: its digest, its origin, and what it holds."""
    return present.instance_body(stored.instance)


@router.get(
    "/{pack}/{name}/instance/state",
    response_class=Response,
    responses={200: {"content": {SAFETENSORS: {}}}, 304: {"description": "Unchanged."}},
)
def read_state(stored: OwnInstance, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The forward state of the caller's instance, as safetensors. Its ETag is the instance's digest."""
    instance = stored.instance
    headers = {"ETag": f'"{instance.digest}"', "Cache-Control": "private, no-cache"}
    if if_none_match is not None and instance.digest in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(instance.state, media_type=SAFETENSORS, headers=headers)


@router.get("/{pack}/{name}/checkpoints/{checkpoint}/explanation")
def explain_checkpoint(access: Reading, exercise: TheExercise, checkpoint: CheckpointName) -> ExplanationBody:
    """Why the gradient of a step is what it is, once the caller has passed the step. Staff may always read it."""
    with access.reading() as member:
        rules = find_rules(member.session, member.membership, member.account_id, exercise.slug)
        rules.require_readable()
        explanations.require_passed(member.session, rules, exercise, checkpoint)
    return ExplanationBody(checkpoint=checkpoint, lines=list(explanations.of(exercise, checkpoint).lines))
