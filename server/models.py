"""The tables. Times are aware and in UTC on both databases.

An ``id`` is typed as the integer it is in every row; only an object that was not flushed yet has none.
"""

from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Enum,
    ForeignKeyConstraint,
    Index,
    Insert,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field, Session, SQLModel, insert

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def one_of(kinds: type[StrEnum]) -> Enum:
    """A column of an enumeration's values, kept as text: a new value needs no migration."""
    return Enum(kinds, native_enum=False, length=16, values_callable=lambda each: [kind.value for kind in each])


class Role(StrEnum):
    """What somebody is in a course."""

    STUDENT = "student"
    INSTRUCTOR = "instructor"


class AnswerKind(StrEnum):
    """What was handed in."""

    CODE = "code"
    TENSORS = "tensors"


class TicketState(StrEnum):
    """Where a submission stands in the queue."""

    QUEUED = "queued"
    RUNNING = "running"
    QUARANTINED = "quarantined"  # its runs were lost again and again: set aside for staff
    CANCELLED = "cancelled"  # taken back before its turn came


class Table(SQLModel):
    """Base of all tables, with one naming rule for constraints, so that migrations can name them."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)

    def insert(self, session: Session) -> None:
        """Write this row at once and learn its ``id``. The session does not keep it: for a single row its unit of
        work takes four times as long."""
        written = session.connection().execute(_insertion(type(self)), self.model_dump(exclude={"id"}))
        (self.id,) = written.inserted_primary_key  # type: ignore[misc]  # only other statements have none


@cache
def _insertion(table: type[Table]) -> Insert:
    return insert(table)


class Course(Table, table=True):
    """``join_code`` is kept as it is, not as a hash: staff show it to a class again and again, and all that
    it gives is a seat as a student. It is replaced with one command.

    ``hint_levels`` (0 to 3) is how much of a diagnosis students are told; the levels beyond the first come after
    ``hints_after`` attempts at the checkpoint. ``inherited_share`` (0 to 1) is what a step earns that is right but
    for a mistake further up."""

    id: int = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=64)
    title: str = Field(max_length=200)
    join_code: str = Field(unique=True, max_length=32)
    hint_levels: int = 3
    hints_after: int = 0
    inherited_share: float = 0.0
    created_at: datetime = Field(default_factory=now)


class Student(Table, table=True):
    """An account. Instructors have one too; what somebody may do is said by their enrolments."""

    id: int = Field(default=None, primary_key=True)
    name: str = Field(max_length=100)
    created_at: datetime = Field(default_factory=now)


class Enrolment(Table, table=True):
    """A seat in a course."""

    course_id: int = Field(primary_key=True, foreign_key="course.id")
    student_id: int = Field(primary_key=True, foreign_key="student.id", index=True)
    role: Role = Field(default=Role.STUDENT, sa_type=one_of(Role))
    created_at: datetime = Field(default_factory=now)


class Token(Table, table=True):
    """A key to an account. Only the SHA-256 of it is kept."""

    id: int = Field(default=None, primary_key=True)
    student_id: int = Field(foreign_key="student.id", index=True)
    digest: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(default_factory=now)
    revoked_at: datetime | None = None


class ExerciseRevision(Table, table=True):
    """A revision of an installed exercise that this server has known; the exercise itself is code."""

    __tablename__ = "exercise_revision"

    slug: str = Field(primary_key=True, max_length=64)
    revision: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    created_at: datetime = Field(default_factory=now)


def _revision_key(exercise: str, revision: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint([exercise, revision], ["exercise_revision.slug", "exercise_revision.revision"])


class InstanceRecord(Table, table=True):
    """A frozen forward state, kept as the bytes that were handed out or graded on. A canonical one has no
    owner."""

    __tablename__ = "instance"
    __table_args__ = (
        UniqueConstraint("student_id", "exercise", "revision", "kind"),
        _revision_key("exercise", "revision"),
    )

    id: int = Field(default=None, primary_key=True)
    student_id: int | None = Field(default=None, foreign_key="student.id")
    exercise: str = Field(max_length=64)
    revision: int
    kind: str = Field(max_length=16)
    dataset: str = Field(max_length=64)
    digest: str = Field(max_length=64)
    state: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(default_factory=now)


class Submission(Table, table=True):
    """What a student handed in. Written once, never changed. ``body`` is the safetensors file or the source
    in UTF-8; ``attempt`` counts from 1 for each student, course and exercise."""

    __table_args__ = (
        ForeignKeyConstraint(["course_id", "student_id"], ["enrolment.course_id", "enrolment.student_id"]),
        _revision_key("exercise", "revision"),
        UniqueConstraint("course_id", "student_id", "exercise", "attempt"),
        UniqueConstraint("student_id", "idempotency_key"),
        Index(None, "student_id", "created_at"),  # how fast somebody hands in
    )

    id: int = Field(default=None, primary_key=True)
    course_id: int
    student_id: int
    exercise: str = Field(max_length=64)
    revision: int
    attempt: int
    kind: AnswerKind = Field(sa_type=one_of(AnswerKind))
    filename: str | None = Field(default=None, max_length=255)
    body: bytes = Field(sa_type=LargeBinary)
    digest: str = Field(max_length=64)
    idempotency_key: str | None = Field(default=None, max_length=255)
    created_at: datetime = Field(default_factory=now)


class Ticket(Table, table=True):
    """A submission that waits for a grade. It is written with the submission and taken away with the grade,
    each in one transaction, so this table is what remains to be done, whatever died in between.

    The lowest ``rank`` comes first, then the lowest ``id``; a student is run one at a time. ``tries`` counts
    the runs that were begun. ``due_at`` is when the ticket may be taken: at once for a new one, later for one
    that was given back, and for a running one when its run counts as lost.
    """

    __table_args__ = (Index(None, "rank", "id", "state"),)

    id: int = Field(default=None, primary_key=True)
    submission_id: int = Field(foreign_key="submission.id", unique=True)
    student_id: int = Field(foreign_key="student.id", index=True)
    rank: int = 0
    state: TicketState = Field(default=TicketState.QUEUED, sa_type=one_of(TicketState))
    tries: int = 0
    due_at: datetime = Field(default_factory=now)
    reason: str | None = Field(default=None, sa_type=Text)
    queued_at: datetime = Field(default_factory=now)


class ComparisonRow(Table, table=True):
    """One row of a grade's table, in the exercise's order; ``name`` is the checkpoint's."""

    __tablename__ = "comparison"

    grade_id: int = Field(primary_key=True, foreign_key="grade.id")
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(max_length=64)
    verdict: str = Field(max_length=16)
    exact: bool
    approximate: bool
    maxdiff: float | None = None
    ulps: int | None = Field(default=None, sa_type=BigInteger)
    mismatched: int | None = Field(default=None, sa_type=BigInteger)
    worst: list[int] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    origin: str | None = Field(default=None, max_length=16)
    diagnosis: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    notes: list[str] = Field(default_factory=list, sa_type=JSON)


class Grade(Table, table=True):
    """What a submission is worth, by one revision of the exercise in one numeric environment. Only ever
    added to: a regrade is another row, and the newest counts. ``seconds`` is how long it took; ``run_…``
    are of code only. ``inherited`` counts the rows that are wrong only by what is above them."""

    __table_args__ = (UniqueConstraint("submission_id", "revision", "environment"),)

    id: int = Field(default=None, primary_key=True)
    submission_id: int = Field(foreign_key="submission.id")
    instance_id: int = Field(foreign_key="instance.id", index=True)
    revision: int
    environment: str = Field(max_length=200)
    run_status: str | None = Field(default=None, max_length=16)
    run_message: str | None = Field(default=None, sa_type=Text)
    run_stdout: str | None = Field(default=None, sa_type=Text)
    flags: list[str] = Field(default_factory=list, sa_type=JSON)
    passed: int
    exact: int
    inherited: int = 0
    total: int
    seconds: float
    graded_at: datetime = Field(default_factory=now)


class Progress(Table, table=True):
    """The best of a student at a checkpoint. It could be worked out from the grades; it is kept beside
    them, in the same transaction, so that a class is read without reading every grade."""

    __table_args__ = (
        ForeignKeyConstraint(["course_id", "student_id"], ["enrolment.course_id", "enrolment.student_id"]),
        {"sqlite_with_rowid": False},  # kept in the order of its key: a class is read in one go
    )

    course_id: int = Field(primary_key=True)
    student_id: int = Field(primary_key=True)
    exercise: str = Field(primary_key=True, max_length=64)
    checkpoint: str = Field(primary_key=True, max_length=64)
    best: str = Field(max_length=16)
    attempts: int
    first_passed_at: datetime | None = None
