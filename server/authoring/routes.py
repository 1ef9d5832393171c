"""Trying out a forward pass that staff pasted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool

from server.authoring.schemas import TrialBody, TrialRequestBody
from server.authoring.trial import Wanted
from server.authoring.turns import TheTrials
from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.http.problems import documented

router = APIRouter(
    prefix="/courses/{course}/authoring", tags=["authoring"], responses=documented(401, 403, 404, 422, 429)
)
Setting = Annotated[CourseAccess, Depends(Allowed(Permission.MANAGE_ASSIGNMENTS))]


@router.post("")
async def try_forward_pass(access: Setting, trials: TheTrials, body: TrialRequestBody) -> TrialBody:
    """Read a forward pass, derive its answer key, and prove it if asked. Nothing is kept.

    The lines are read as a language: no Python of yours is run. A refusal is a result, with the line and what to write.
    """
    account_id = await run_in_threadpool(account_of, access)
    return TrialBody.of(await trials.of(account_id, Wanted(body.given, body.lines, body.prove)))


def account_of(access: CourseAccess) -> int:
    """Return the caller's account.

    :raises Forbidden: they may not do this here
    """
    with access.reading() as member:
        return member.account_id
