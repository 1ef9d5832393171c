"""The application. ``create_app`` builds it from the settings; importing this module builds nothing.

Its routes can be built before, and shared by processes that are forked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import Depends, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.concurrency import run_in_threadpool

from grader.training import Trainer
from server.accounts.recognition import Recognition
from server.assignments import routes as assignments
from server.authoring import routes as authoring
from server.catalogue import routes as catalogue
from server.client_wheel import routes as client_wheel
from server.client_wheel.distributions import ClientSources
from server.courses import routes as courses
from server.feedback import routes as feedback
from server.gradebook import routes as gradebook
from server.grading.code_runner import CodeRunner
from server.http import problems
from server.http.access_log import AccessLog
from server.http.middleware import BodyLimit, Envelope
from server.http.query import refuse_unknown_parameters
from server.http.token_gate import TokenGate
from server.lifecycle import routes as lifecycle
from server.operations import routes as operations
from server.pages import routes as pages
from server.pairing import routes as pairing
from server.people import joining
from server.people import routes as people
from server.privacy import routes as privacy
from server.processes.peers import Peers
from server.queue import routes as queue
from server.queue.timing import Timing
from server.records import routes as records
from server.regrading import routes as regrading
from server.reports import routes as reports
from server.services import ServerServices
from server.settings import Settings
from server.submissions import routes as submissions
from server.training import routes as training

API_PREFIX = "/api/v1"
# They take a small body without a token.
OPEN_PATHS = (*(f"{API_PREFIX}/{path}" for path in ("join", "pair", "open-invitation")), "/join", "/sign-in")
# Request threads are CPU-bound. With Starlette's default of 40 they starve the grading threads: code submitted on an
# overloaded evening is graded in a quarter of the time with 8 (docs/performance.md).
REQUEST_THREADS = 8  # of a server; each of its processes has a share, and some at least
REQUEST_THREADS_MIN = 4


def create_app(
    settings: Settings,
    code_runner: CodeRunner | None = None,
    timing: Timing | None = None,
    peers: Peers | None = None,
    trainer: Callable[[], Trainer] | None = None,
) -> FastAPI:
    """Return the server. Starting it migrates the database and starts the sandbox and the workers.

    :param peers: the other processes of this server; by default there are none
    :param trainer: what trains; by default the network of the last exercise
    :raises SettingsError: the settings cannot be used
    """
    return complete(build_routes(), ServerServices.build(settings, code_runner, timing, peers, trainer))


def build_routes() -> FastAPI:
    """Return an application of all routes, which are the same in every process; ``complete`` makes it a server.

    Processes that are forked afterwards share it: 10 MiB of each once its pages were visited.
    """
    app = FastAPI(
        title="Backprop Dojo",
        version="1",
        lifespan=_lifespan,
        # FastAPI's own pages load scripts from a third party. The description stays at /openapi.json.
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(refuse_unknown_parameters)],
        responses=problems.documented(422),
    )
    problems.install(app)
    for room in (
        submissions,  # first: routes are tried in this order, and most requests hand in or check
        courses,
        lifecycle,
        joining,
        people,
        pairing,
        assignments,
        catalogue,
        authoring,
        feedback,
        records,
        queue,
        reports,
        regrading,
        training,
        gradebook,
        privacy,
    ):
        app.include_router(room.router, prefix=API_PREFIX, responses=problems.documented(*problems.ALWAYS_POSSIBLE))
    app.include_router(operations.router)
    app.include_router(client_wheel.router)
    pages.install(app)
    for _ in iter_route_contexts(app.routes):  # FastAPI builds them when they are first looked at
        pass
    return app


def complete(app: FastAPI, services: ServerServices) -> FastAPI:
    """Give routes what they ask for, and put the middleware around them."""
    app.state.services = services
    app.state.client_sources = ClientSources()
    services.attach(app)
    pages.attach(app, services.settings.key, services.peers.memory)
    app.add_middleware(TokenGate, tokens=Recognition(services.database), open_paths=OPEN_PATHS)
    app.add_middleware(BodyLimit)
    app.add_middleware(Envelope)
    app.add_middleware(AccessLog, metrics=services.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: ServerServices = app.state.services
    threads = max(REQUEST_THREADS_MIN, services.peers.share(REQUEST_THREADS))
    to_thread.current_default_thread_limiter().total_tokens = threads
    await run_in_threadpool(services.start)
    async with services.hearing_peers():
        yield
    await run_in_threadpool(services.stop)
