"""What is sent about the server itself."""

from __future__ import annotations

from pydantic import BaseModel


class HealthBody(BaseModel):
    """Each check is ``ok``, or says what is wrong."""

    status: str
    checks: dict[str, str]
