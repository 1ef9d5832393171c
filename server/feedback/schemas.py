"""What is sent about comments and overrides."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from server.http.row_id import RowId
from server.http.text import COMMENT_LENGTH_MAX, REASON_LENGTH_MAX
from server.submissions.schemas import CommentBody, OverrideBody

COMMENTED_MAX = 500  # submissions that one request comments on


class NewCommentBody(BaseModel):
    """A comment to write: on a checkpoint, or on the whole submission. Plain text."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=COMMENT_LENGTH_MAX)
    checkpoint: str | None = Field(default=None, max_length=64)


class NewCommentsBody(NewCommentBody):
    """A comment to write on many submissions at once."""

    submissions: list[RowId] = Field(min_length=1, max_length=COMMENTED_MAX)


class CommentListBody(BaseModel):
    """Comments, the oldest first."""

    comments: list[CommentBody]


class NewOverrideBody(BaseModel):
    """Points to give a student for an assignment, and the reason, which the student reads."""

    model_config = ConfigDict(extra="forbid")

    student: RowId
    exercise: str = Field(max_length=64)
    points: float
    reason: str = Field(max_length=REASON_LENGTH_MAX)


class OverrideListBody(BaseModel):
    """Overrides that count, by student."""

    overrides: list[OverrideBody]
