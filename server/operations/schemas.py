"""What is sent about the server itself."""

from __future__ import annotations

from pydantic import BaseModel


class ThreadBody(BaseModel):
    """A thread that works in the background. ``last_error`` is null if it is well."""

    name: str
    alive: bool
    last_error: str | None


class HealthBody(BaseModel):
    """Each check is ``ok``, or says what is wrong."""

    status: str
    checks: dict[str, str]
    threads: list[ThreadBody] = []
