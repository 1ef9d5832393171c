"""A server of this process that listens on a port of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from tests.support.servers import eventually


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Let an application serve; yield its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, ws="none", log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert eventually(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
