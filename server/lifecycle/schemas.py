"""What is sent about a course and its audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from server.assignments.schemas import ImpactBody
from server.courses.schemas import CourseBody, PersonBody


class NewCourseBody(BaseModel):
    """A course to be opened. The caller becomes its instructor."""

    model_config = ConfigDict(extra="forbid")

    slug: str
    title: str
    time_zone: str = "UTC"


class CourseChangeBody(BaseModel):
    """New values of a course; what is not named stays."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    title: str = ""
    time_zone: str = "UTC"
    hint_levels: int = 0
    hints_after: int = 0
    counterexamples: bool = True
    inherited_share: float = 0.0
    is_archived: bool = False


class CourseSettingsBody(CourseBody):
    """A course with its rules, which hold for each exercise unless its assignment says otherwise."""

    time_zone: str
    hint_levels: int
    hints_after: int
    counterexamples: bool
    inherited_share: float
    archived_at: datetime | None


class CourseChangedBody(BaseModel):
    """A change of a course, with what it does to points. ``is_preview`` says that it was not made."""

    is_preview: bool
    impact: ImpactBody
    course: CourseSettingsBody


class CopyBody(BaseModel):
    """A copy to be made. Without a title it has that of its source; the dates move by so many days."""

    model_config = ConfigDict(extra="forbid")

    slug: str
    title: str | None = None
    shift_days: int = 0


class CopiedBody(BaseModel):
    """A copy. ``remarks`` has a sentence for each date that could not keep its time of the day."""

    course: CourseSettingsBody
    assignments: int
    remarks: list[str]


class AuditEntryBody(BaseModel):
    """An act in a course. ``actor`` is null for the operator; names are those of today."""

    id: int
    at: datetime
    act: str
    actor: PersonBody | None
    subject: PersonBody | None
    exercise: str | None
    submission: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None


class AuditBody(BaseModel):
    """Acts, the newest first. ``next`` is the ``before`` of the next page, or null."""

    course: str
    entries: list[AuditEntryBody] = Field(default_factory=list)
    next: int | None
