"""Training runs: started, followed, cancelled, and ranked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from server.courses.access import Allowed, CourseAccess
from server.courses.roles import Permission
from server.http.attachment import attachment
from server.http.problems import Gone, documented
from server.submissions.source import PYTHON
from server.training import runs
from server.training.access import AllowedForRun, RunAccess
from server.training.ranking import ranking
from server.training.room import TheTraining
from server.training.run import TrainingRun
from server.training.schemas import PlaceBody, RankingBody, TrainingOrderBody, TrainingRunBody, TrainingRunListBody

router = APIRouter(tags=["training"], responses=documented(401, 403, 404, 422))

Reading = Annotated[RunAccess, Depends(AllowedForRun(Permission.READ_OWN_WORK, Permission.READ_SUBMISSIONS))]
Cancelling = Annotated[RunAccess, Depends(AllowedForRun(Permission.READ_OWN_WORK, Permission.CANCEL_SUBMISSIONS))]


@router.post("/courses/{course}/training/runs", status_code=201, responses=documented(409, 413, 429))
def start_run(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.HAND_IN))],
    body: TrainingOrderBody,
    training: TheTraining,
    response: Response,
) -> TrainingRunBody:
    """Train the network with a backward pass of one's own.

    The server draws the start and the minibatches, and measures the losses. A student has one run at a time. A run of
    the ranking is shown under its pseudonym once it is done and checked.
    """
    with access.handing_in() as member:
        run = runs.start(member.session, member.membership, member.account_id, body.order, training.terms)
    response.headers["Location"] = f"/api/v1/training/runs/{run.id}"
    return TrainingRunBody.of(run)


@router.get("/courses/{course}/training/runs")
def list_runs(access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_OWN_WORK))]) -> TrainingRunListBody:
    """One's own newest training runs in a course, the newest first."""
    with access.reading() as member:
        found = runs.of_student(member.session, member.course.id, member.account_id)
    return TrainingRunListBody(runs=[TrainingRunBody.of(run) for run in found])


@router.get("/courses/{course}/training/ranking")
def show_ranking(
    access: Annotated[CourseAccess, Depends(Allowed(Permission.READ_OWN_WORK))], training: TheTraining
) -> RankingBody:
    """The best checked run of each student who takes part, within the budget of examples."""
    budget = training.terms.budget.ranked_examples_max
    with access.reading() as member:
        places = ranking(member.session, member.course.id, member.account_id, budget)
    return RankingBody(places=[PlaceBody.of(place) for place in places])


@router.get("/training/runs/{id}")
def show_run(access: Reading) -> TrainingRunBody:
    """One training run, for its owner and the staff of its course."""
    return TrainingRunBody.of(read_run(access))


def read_run(access: Reading) -> TrainingRun:
    """Return a run as it is now."""
    with access.reading() as opened:
        return TrainingRun.of(opened.row)


async def stream_owner(
    run: Annotated[TrainingRun, Depends(read_run)],
    access: Reading,
    training: TheTraining,
) -> int:
    """Return the account that may follow the run, and one stream more.

    :raises TooManyStreams: it has as many as it may
    """
    account_id: int = access.credentials.request_state.account_id  # who read the run
    training.follower.require_room(account_id)
    return account_id


@router.get("/training/runs/{id}/events", response_class=EventSourceResponse, responses=documented(429))
async def follow_run(
    account_id: Annotated[int, Depends(stream_owner)],
    access: Reading,
    training: TheTraining,
) -> AsyncIterator[ServerSentEvent]:
    """Follow a training run by Server-Sent Events.

    The first event is the run now; one more comes each time it moves. The last one is called ``done``.
    """
    async for run in training.follower.changes(access.id, account_id, lambda: read_run(access)):
        yield ServerSentEvent(event="chunk" if run.is_live else "done", data=TrainingRunBody.of(run))


@router.post("/training/runs/{id}/cancel", responses=documented(409))
def cancel_run(access: Cancelling) -> TrainingRunBody:
    """End a training run, as its owner or staff. A chunk that runs now is finished, and dropped."""
    with access.writing() as opened:
        return TrainingRunBody.of(runs.cancel(opened.session, opened.row.id))


@router.get(
    "/training/runs/{id}/source",
    response_class=Response,
    responses={200: {"content": {PYTHON: {}}}, **documented(410)},
)
def show_source(access: Reading) -> Response:
    """The code of a training run, byte for byte, for its owner and the staff of its course."""
    with access.reading() as opened:
        if opened.row.emptied_at is not None:
            raise Emptied(f"The code of training run {access.id} is kept no longer. Its figures are.")
        headers = attachment(f"training-{access.id}.py") | {"X-Content-Type-Options": "nosniff"}
        return Response(opened.row.body, headers=headers, media_type=f"{PYTHON}; charset=utf-8")


class Emptied(Gone):
    """The code was emptied: its student was erased."""

    title, slug = "Kept no longer", "emptied"
