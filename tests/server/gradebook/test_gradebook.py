"""The gradebook: everybody is in it, and points are those that each step would earn by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from exercises.registry import find
from grader.compare import Verdict
from server.assignments.assignment import extensions_of, find_assignment
from server.assignments.points import Moments, assignment_points
from server.courses import courses
from server.database import migrate
from server.database.engine import Database
from server.database.table import now
from server.gradebook.gradebook import Cell, Gradebook, Line, Student, read_gradebook
from server.tables import (
    AccountRow,
    AssignmentRow,
    CourseRow,
    ExtensionRow,
    LatePolicy,
    OverrideRow,
    ProgressRow,
    Role,
    SeatRow,
)
from tests.support import postgres
from tests.support.packs import default_exercises

FULL, BATCH_NORM = "makemore/full-backward", "makemore/batch-norm"
DUE = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULES: dict[str, Any] = {
    "late_policy": LatePolicy.DAILY,
    "late_per_day": 0.1,
    "late_floor": 0.3,
    "grace_minutes": 10,
    "approximate_share": 0.8,
    "inherited_share": 0.4,
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with its tables, of each kind. Nobody may commit to it."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('gradebook')}/dojo.db"
        else:
            url = stack.enter_context(postgres.database(request.getfixturevalue("postgresql")))
        migrate.upgrade(url)
        database = Database(url)
        yield database
        database.close()


@pytest.fixture
def session(empty: Database) -> Iterator[Session]:
    """A transaction that is rolled back."""
    with empty.reading() as session:
        yield session


@pytest.fixture
def course(session: Session) -> CourseRow:
    """A course with two assignments: one with weights and a due time, one without."""
    course = courses.open_course(session, "autumn", "Autumn")
    weights = {"logits": 5.0, "h": 0.0}
    session.add(
        AssignmentRow(
            course_id=course.id,
            exercise=FULL,
            position=1,
            due_at=DUE,
            points=60.0,
            checkpoint_points=weights,
            **RULES,
        )
    )
    session.add(AssignmentRow(course_id=course.id, exercise=BATCH_NORM, position=0, inherited_share=0.5))
    session.flush()
    return course


def seat(session: Session, course: CourseRow, name: str, role: Role = Role.STUDENT, **fields: Any) -> int:
    """Write an account with a seat."""
    account = AccountRow(name=name)
    session.add(account)
    session.flush()
    session.add(SeatRow(course_id=course.id, account_id=account.id, role=role, **fields))
    session.flush()
    return account.id


def reach(session: Session, course: CourseRow, account_id: int, exercise: str, steps: dict[str, Moments]) -> None:
    """Write progress."""
    session.add_all(
        ProgressRow(
            course_id=course.id,
            account_id=account_id,
            exercise=exercise,
            checkpoint=name,
            best=Verdict.EXACT if moments.first_exact_at else Verdict.WRONG,
            attempts=1,
            **vars(moments),
        )
        for name, moments in steps.items()
    )
    session.flush()


def read(session: Session, course: CourseRow, section: str | None = None) -> Gradebook:
    return read_gradebook(session, course, default_exercises().values(), section)


def test_everybody_is_in_it_with_the_assignments_in_order(session: Session, course: CourseRow) -> None:
    moment = now()
    seat(session, course, "Instructor", Role.INSTRUCTOR)
    ada = seat(session, course, "Ada", email="ada@uni.test", university_id="7", section="A")
    seat(session, course, "Gone", removed_at=moment)
    erased, merged = seat(session, course, "Erased"), seat(session, course, "Twice")
    session.get_one(AccountRow, erased).erased_at = moment
    session.get_one(AccountRow, merged).merged_into_id = ada
    ben = seat(session, course, "Ben")
    reach(session, course, ben, BATCH_NORM, {"hprebn": Moments(DUE, DUE), "gone": Moments(DUE, DUE)})
    session.flush()

    gradebook = read(session, course)

    worth = len(find(BATCH_NORM).checkpoints)
    assert [(column.exercise, column.points_max) for column in gradebook.columns] == [(BATCH_NORM, worth), (FULL, 60)]
    assert gradebook.points_max == worth + 60
    assert [(line.student.name, line.points) for line in gradebook.lines] == [("Ada", 0), ("Ben", 1)]
    assert vars(gradebook.lines[0].student) == {
        "id": ada,
        "name": "Ada",
        "university_id": "7",
        "email": "ada@uni.test",
        "section": "A",
    }
    assert [line.student.name for line in read(session, course, "A").lines] == ["Ada"]


def test_an_open_course_has_every_exercise(session: Session) -> None:
    course = courses.open_course(session, "open", "Open practice")
    seat(session, course, "Ada")

    gradebook = read(session, course)

    assert [column.exercise for column in gradebook.columns] == list(default_exercises())
    assert [line.cells for line in gradebook.lines] == [(Cell(),) * len(default_exercises())]


def test_points_are_those_that_each_step_earns_by_itself(session: Session, course: CourseRow) -> None:
    """The database groups steps; the twin asks of each step by itself, with the extensions of its student."""
    random = Random(15)
    names = [each.name for each in find(FULL).checkpoints]
    times = [None, DUE - DAY, DUE, DUE + HOUR / 10, DUE + HOUR, DUE + DAY, DUE + 3 * DAY, DUE + 30 * DAY]
    progress = {}
    for number in range(12):
        id = seat(session, course, f"Student {number}", section="AB"[number % 2])
        progress[id] = {name: Moments(*random.choices(times, k=3)) for name in random.sample(names, 15)}
        reach(session, course, id, FULL, progress[id])
    first, second, *_ = progress
    extensions: tuple[dict[str, Any], ...] = (
        {"account_id": first, "due_at": DUE + 2 * DAY},
        {"account_id": second, "due_at": DUE + 9 * DAY, "revoked_at": now()},
        {"section": "B", "due_at": DUE + DAY},
    )
    for fields in extensions:
        session.add(ExtensionRow(course_id=course.id, exercise=FULL, reason="ill", **fields))
    session.flush()

    lines = read(session, course).lines

    assignment = find_assignment(session, course, FULL)
    assert len({line.points for line in lines}) > 6
    for line in lines:
        id = line.student.id
        earned = assignment_points(assignment, names, progress[id], extensions_of(session, course, FULL, id))
        assert line.cells[1] == Cell(round(earned.points, 2), earned.late_days)


def test_an_override_replaces_the_sum_until_it_is_withdrawn(session: Session, course: CourseRow) -> None:
    ada, ben = seat(session, course, "Ada"), seat(session, course, "Ben")
    reach(session, course, ada, FULL, {"logits": Moments(DUE + DAY, DUE + DAY)})
    plain = read(session, course).lines[0].cells[1]
    given = [(ada, 10.0), (ada, 12.345), (ben, 59.0), (ben, 3.0)]
    for id, points in given:
        session.add(OverrideRow(course_id=course.id, account_id=id, exercise=FULL, points=points, reason="oral"))
    session.flush()

    with_overrides = read(session, course).lines
    for row in session.exec(select(OverrideRow).where(OverrideRow.points != 59)):
        row.withdrawn_at = now()
    session.flush()
    withdrawn = read(session, course).lines

    assert (plain.late_days, plain.is_override) == (1, False) and plain.points > 0
    assert [line.cells[1] for line in with_overrides] == [Cell(12.35, 1, True), Cell(3.0, 0, True)]
    assert [line.cells[1] for line in withdrawn] == [plain, Cell(59.0, 0, True)]
    assert with_overrides[0].points == 12.35


def test_the_number_of_queries_does_not_depend_on_the_class(session: Session, course: CourseRow) -> None:
    asked: list[str] = []
    engine = session.get_bind().engine
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))

    counts = []
    for number in range(3):
        id = seat(session, course, f"Student {number}")
        reach(session, course, id, FULL, {"logits": Moments(DUE + number * DAY)})
        session.flush()
        asked.clear()
        read(session, course)
        counts.append(len(asked))

    assert counts == [6, 6, 6]


def test_a_total_is_the_sum_of_what_is_shown() -> None:
    line = Line(Student(1, "Ada", None, None, None), (Cell(0.1), Cell(0.2), Cell(3.33)))

    assert line.points == 3.63
    assert replace(line, cells=()).points == 0
