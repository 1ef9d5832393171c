"""Assignments: the exercises of a course, with their dates and rules; and the extensions of their dates."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, Index, Text
from sqlmodel import Field

from server.database.table import Table, now, text_enum


class LatePolicy(StrEnum):
    """What becomes of an answer that comes after the due time and its grace."""

    NONE = "none"  # it counts like any other
    CLOSED = "closed"  # it is refused
    DAILY = "daily"  # each day that has begun takes a share of the points, down to a floor


class Accepts(StrEnum):
    """What may be handed in."""

    BOTH = "both"
    CODE = "code"
    TENSORS = "tensors"


class Numbers(StrEnum):
    """Which numbers are handed out."""

    CANONICAL = "canonical"  # everybody has the lecture's
    STUDENT = "student"  # each student has their own


class Feedback(StrEnum):
    """When a student sees what is wrong in an answer."""

    AT_ONCE = "at_once"
    AFTER_ATTEMPTS = "after_attempts"
    AFTER_DUE = "after_due"


class AssignmentRow(Table, table=True):
    """An exercise of a course, with its dates and rules.

    A course without assignments is open practice: every exercise, no dates, the rules of the course.

    ``points`` is what the whole assignment is worth; None means one for each checkpoint. ``checkpoint_points`` are the
    weights of checkpoints that do not weigh 1. A step that passes without being exact earns ``approximate_share`` of
    its points, one whose only mistake is above it ``inherited_share``. Where ``hint_levels``, ``hints_after``,
    ``counterexamples`` or ``inherited_share`` is None, that of the course holds. ``late_per_day`` and ``late_floor``
    are shares, 0 to 1. ``on_hidden_numbers`` says whether code must pass on numbers that nobody has seen.
    ``feedback_after`` is for ``Feedback.AFTER_ATTEMPTS``. ``version`` counts the changes.
    """

    __tablename__ = "assignment"

    course_id: int = Field(primary_key=True, foreign_key="course.id")
    exercise: str = Field(primary_key=True, max_length=64)
    position: int
    opens_at: datetime | None = None
    due_at: datetime | None = None
    late_policy: LatePolicy = Field(default=LatePolicy.NONE, sa_type=text_enum(LatePolicy))
    late_per_day: float = 0.0
    late_floor: float = 0.0
    grace_minutes: int = 0
    attempts_max: int | None = None
    points: float | None = None
    checkpoint_points: dict[str, float] = Field(default_factory=dict, sa_type=JSON)
    accepts: Accepts = Field(default=Accepts.BOTH, sa_type=text_enum(Accepts))
    numbers: Numbers = Field(default=Numbers.STUDENT, sa_type=text_enum(Numbers))
    on_hidden_numbers: bool = True
    approximate_share: float = 1.0
    inherited_share: float | None = None
    hint_levels: int | None = None
    hints_after: int | None = None
    counterexamples: bool | None = None
    feedback: Feedback = Field(default=Feedback.AT_ONCE, sa_type=text_enum(Feedback))
    feedback_after: int = 0
    checks_open: bool = True
    version: int = 1
    changed_at: datetime = Field(default_factory=now)


class ExtensionRow(Table, table=True):
    """A later due time for a person or a section, with its reason. Lateness is worked out from the extensions of today.

    Where several fit a person, the latest due time holds.
    """

    __tablename__ = "extension"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) <> (section IS NULL)", name="one_recipient"),
        Index(None, "course_id", "exercise"),
    )

    id: int = Field(default=None, primary_key=True)
    course_id: int = Field(foreign_key="course.id")
    exercise: str = Field(max_length=64)
    account_id: int | None = Field(default=None, foreign_key="account.id")
    section: str | None = Field(default=None, max_length=64)
    due_at: datetime
    reason: str = Field(sa_type=Text)
    granted_by_id: int | None = Field(default=None, foreign_key="account.id")
    created_at: datetime = Field(default_factory=now)
    revoked_at: datetime | None = None
