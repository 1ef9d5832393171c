"""What is sent about an erasure."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class ErasureBody(BaseModel):
    """The name of the account that is to be erased, typed once more."""

    name: str = Field(max_length=400)


class ErasedBody(BaseModel):
    """An account that was erased, and when."""

    id: int
    erased_at: datetime | None
