"""What is sent about pairing."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from server.courses.schemas import MyCourseBody, PersonBody


class PairingCodeBody(BaseModel):
    """A pairing code. It is shown this once."""

    code: str
    expires_at: datetime


class PairBody(BaseModel):
    """A pairing code as it was typed."""

    code: str = Field(max_length=64)


class PairedBody(BaseModel):
    """An account with its courses, and a new token for it, which is shown this once."""

    token: str
    student: PersonBody
    courses: list[MyCourseBody]
