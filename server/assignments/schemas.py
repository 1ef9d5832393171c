"""What is sent about assignments and extensions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from server.courses.schemas import PersonBody
from server.http.row_id import RowId
from server.tables import Accepts, Feedback, LatePolicy, Numbers

Preview = Annotated[bool, Query(description="Only say what the change does to points; change nothing.")]


class RulesBody(BaseModel):
    """The rules of an assignment. Null in a rule that may be null: no such limit, or the course's own rule.

    Shares are from 0 to 1. ``position`` counts from 1. ``version`` is the one that the change was made on, as in the
    header ``If-Match``.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    opens_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    late_policy: LatePolicy = LatePolicy.NONE
    late_per_day: float = 0.0
    late_floor: float = 0.0
    grace_minutes: int = 0
    attempts_max: int | None = None
    points: float | None = None
    checkpoint_points: dict[str, float] = Field(default_factory=dict, max_length=1000)
    accepts: Accepts = Accepts.BOTH
    numbers: Numbers = Numbers.STUDENT
    on_hidden_numbers: bool = True
    approximate_share: float = 1.0
    inherited_share: float | None = None
    hint_levels: int | None = None
    hints_after: int | None = None
    counterexamples: bool | None = None
    feedback: Feedback = Feedback.AT_ONCE
    feedback_after: int = 0
    checks_open: bool = True


class AssignmentRulesBody(RulesBody):
    """New rules of an assignment, and its place among the others."""

    position: int | None = None
    version: int | None = None

    def fields(self, *, is_whole: bool) -> dict[str, Any]:
        """Return the rules that were sent, or all of them if they are the whole assignment."""
        return self.model_dump(exclude={"position", "version"}, exclude_unset=not is_whole)


class AssignmentBody(RulesBody):
    """An assignment. ``late`` says in a sentence what becomes of a late answer; ``version`` counts the changes."""

    exercise: str
    position: int
    version: int
    changed_at: datetime
    late: str | None


class AssignmentListBody(BaseModel):
    """The assignments of a course, in its order. Without any, the course is open practice: every exercise, no dates."""

    course: str
    time_zone: str
    assignments: list[AssignmentBody]


class ImpactBody(BaseModel):
    """How many students' points a change raises and lowers, by how much in all, and the same in a sentence."""

    students: int
    gaining: int
    losing: int
    gained: float
    lost: float
    sentence: str


class AssignmentChangeBody(BaseModel):
    """A change of an assignment, with what it does to points. ``is_preview`` says that it was not made."""

    is_preview: bool
    impact: ImpactBody
    assignment: AssignmentBody


class PackBody(BaseModel):
    """A pack of exercises in a course.

    ``pinned`` is the digest of the version that the course pinned, and ``installed`` that of the version on this
    server; null if there is none. ``note`` says what staff should do, if they differ.
    """

    name: str
    title: str
    licence: str
    exercises: list[str]
    pinned: str | None
    installed: str | None
    note: str | None


class PackListBody(BaseModel):
    """The packs of a course in its order, and the names of those that it could add."""

    packs: list[PackBody]
    others: list[str]


class OrderBody(BaseModel):
    """The exercises of all assignments of a course, in a new order."""

    model_config = ConfigDict(extra="forbid")

    exercises: list[str] = Field(max_length=1000)


class GrantBody(BaseModel):
    """An extension: for the account ``person`` or for a section, with a reason."""

    model_config = ConfigDict(extra="forbid")

    exercise: str = Field(max_length=64, pattern=r"^[^\x00]*$")  # PostgreSQL takes no NUL
    due_at: AwareDatetime
    reason: str
    person: RowId | None = None
    section: str | None = Field(default=None, max_length=64)


class ExtensionBody(BaseModel):
    """An extension. ``person`` is null for one of a section; ``revoked_at`` is null while it holds."""

    id: int
    exercise: str
    person: PersonBody | None
    section: str | None
    due_at: datetime
    reason: str
    granted_by: int | None
    created_at: datetime
    revoked_at: datetime | None


class ExtensionListBody(BaseModel):
    """The extensions of a course, in the order in which they were given."""

    course: str
    time_zone: str
    extensions: list[ExtensionBody]


class ExtensionChangeBody(BaseModel):
    """An extension that is granted or revoked, with what it does to points.

    ``is_preview`` says that nothing was changed; ``extension`` is null for one that was not granted.
    """

    is_preview: bool
    impact: ImpactBody
    extension: ExtensionBody | None
