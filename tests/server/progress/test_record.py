"""Recording grades: the first moments of each level, whatever the order of grading; and counting them anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from sqlmodel import Session, delete, select

from grader.compare import Comparison, Origin, Verdict
from server.courses import courses
from server.database.engine import Database
from server.progress.record import passed_counts, record
from server.progress.recount import Place, recount, recount_students
from server.tables import (
    AnswerKind,
    ComparisonRow,
    CourseRow,
    ExerciseRevisionRow,
    GradeRow,
    InstanceRow,
    ProgressRow,
    Role,
    SubmissionRow,
)

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WRONG = Comparison("h", Verdict.WRONG, origin=Origin.OWN)
BELOW_ONES = Comparison("h", Verdict.WRONG, origin=Origin.INHERITED, inherits_constant=True)
INHERITED = Comparison("h", Verdict.WRONG, origin=Origin.INHERITED)
ROUNDING = Comparison("h", Verdict.ROUNDING)
EXACT = Comparison("h", Verdict.EXACT, exact=True)
ROWS = (WRONG, BELOW_ONES, INHERITED, ROUNDING, EXACT, INHERITED)
FIRST = (NOON + 4 * HOUR, NOON + 3 * HOUR, NOON + 2 * HOUR)  # exact, passed, inherited


def hand_in(session: Session, course: CourseRow, name: str = "Ada") -> list[SubmissionRow]:
    """Write an answer an hour of a new student, each with the grade of one of the rows."""
    account_id = courses.enrol(session, course, name, Role.STUDENT).account.id
    session.merge(ExerciseRevisionRow(slug="a/b", revision=1))
    instance = InstanceRow(exercise="a/b", revision=1, kind="canonical", dataset="", digest="", state=b"")
    session.add(instance)
    session.flush()
    submissions = [
        SubmissionRow(
            course_id=course.id,
            account_id=account_id,
            exercise="a/b",
            revision=1,
            attempt=attempt,
            kind=AnswerKind.TENSORS,
            body=b"",
            digest="",
            created_at=NOON + attempt * HOUR,
        )
        for attempt in range(len(ROWS))
    ]
    session.add_all(submissions)
    session.flush()
    for submission, row in zip(submissions, ROWS, strict=True):
        grade = GradeRow(
            submission_id=submission.id,
            instance_id=instance.id,
            revision=1,
            environment="torch",
            passed=0,
            exact=0,
            total=1,
            seconds=0.1,
        )
        session.add(grade)
        session.flush()
        session.add(ComparisonRow(grade_id=grade.id, position=0, **row.as_json()))
    session.flush()
    return submissions


def moments(session: Session) -> tuple[Sequence[datetime | None], int]:
    """Return the first moments of the only row of progress, and its attempts."""
    session.expire_all()
    row = session.exec(select(ProgressRow)).one()
    return (row.first_exact_at, row.first_passed_at, row.first_inherited_at), row.attempts


@pytest.fixture
def course(database: Database) -> CourseRow:
    """A course."""
    with database.writing() as session:
        return courses.open_course(session, "autumn", "Autumn")


def test_the_order_of_grading_plays_no_part(database: Database, course: CourseRow) -> None:
    with database.writing() as session:
        submissions = hand_in(session, course)
        graded = list(zip(submissions, ROWS, strict=True))

        for order in [*list(permutations(graded))[::97], graded[::-1]]:
            session.exec(delete(ProgressRow))
            for submission, row in order:
                record(session, submission, [row])
            assert moments(session) == (FIRST, len(ROWS))


def test_counting_anew_gives_the_same(database: Database, course: CourseRow) -> None:
    with database.writing() as session:
        submissions = hand_in(session, course)

        recount(session, submissions[0])

        assert moments(session) == (FIRST, len(ROWS))


def test_many_students_are_counted_at_once_and_others_not(database: Database, course: CourseRow) -> None:
    with database.writing() as session:
        ada, bob, eve = (hand_in(session, course, name)[0].account_id for name in ("Ada", "Bob", "Eve"))

        recount_students(session, Place(course.id, "a/b"), [bob, eve])

        counted = {row.account_id: row for row in session.exec(select(ProgressRow))}
        assert set(counted) == {bob, eve} != {ada}
        assert {(row.best, row.attempts, row.first_exact_at) for row in counted.values()} == {
            ("exact", len(ROWS), FIRST[0])
        }


def test_the_newest_grade_that_counts_is_counted_anew(database: Database, course: CourseRow) -> None:
    with database.writing() as session:
        submissions = hand_in(session, course)
        exact = session.exec(select(GradeRow).where(GradeRow.submission_id == submissions[4].id)).one()
        for revision, counts, row in ((2, True, WRONG), (3, False, EXACT)):  # the last regrade is not accepted
            later = GradeRow(**exact.model_dump(exclude={"id", "revision", "counts"}), revision=revision, counts=counts)
            session.add(later)
            session.flush()
            session.add(ComparisonRow(grade_id=later.id, position=0, **row.as_json()))

        recount(session, submissions[0])

        assert moments(session) == ((None, *FIRST[1:]), len(ROWS))
        assert session.exec(select(ProgressRow.best)).one() == "rounding"


def test_what_passes_is_counted_and_what_is_exact_too(database: Database, course: CourseRow) -> None:
    with database.writing() as session:
        submission = hand_in(session, course)[0]
        elsewhere = courses.open_course(session, "spring", "Spring")
        verdicts = (Verdict.EXACT, Verdict.APPROXIMATE, Verdict.ROUNDING, Verdict.WRONG)
        record(session, submission, [Comparison(f"step {each}", each) for each in verdicts])

        assert passed_counts(session, course, submission.account_id) == {"a/b": (3, 1)}
        assert passed_counts(session, elsewhere, submission.account_id) == {}
