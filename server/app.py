"""The application: `create_app` builds it from the settings; importing it builds nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from server import problems
from server.middleware import BodyLimit, Envelope
from server.routes import analytics, exercises, health, join, progress, queue, regrade, submissions
from server.services import Services
from server.settings import Settings
from server.timing import Timing
from server.workshop import Workshop

# At once, of all requests. They compute more than they wait; with the usual forty of them the threads that grade code
# would get little of the interpreter on a deadline evening.
REQUEST_THREADS = 8


def create_app(settings: Settings, workshop: Workshop | None = None, timing: Timing | None = None) -> FastAPI:
    """The server. Starting it migrates the database and starts the sandbox and the workers.

    :raises SettingsError: the settings cannot be used
    """
    services = Services.build(settings, workshop or Workshop.of(settings), timing or Timing())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = REQUEST_THREADS
        await run_in_threadpool(services.start)
        yield
        await run_in_threadpool(services.stop)

    app = FastAPI(
        title="Backprop Dojo",
        version="1",
        lifespan=lifespan,
        # The pages that draw the description load scripts from a third party. It stays at /openapi.json.
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    problems.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Envelope)
    for routes in (join, exercises, submissions, queue, progress, analytics, regrade):
        app.include_router(routes.router, prefix="/api/v1")
    app.include_router(health.router)
    return app
