"""What is shown of a submission, from rows that were written straight into the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import pytest
from sqlalchemy import event
from sqlmodel import Session

from server.assignments.assignment import Assignment
from server.courses import courses
from server.courses.access import Membership
from server.database.engine import Database
from server.queue.dispatcher import Dispatcher
from server.queue.tickets import Standing
from server.rules.rules import Rules
from server.submissions import present
from server.tables import (
    AnswerKind,
    AssignmentRow,
    ComparisonRow,
    CourseRow,
    ExerciseRevisionRow,
    ExtensionRow,
    Feedback,
    GradeRow,
    InstanceRow,
    LatePolicy,
    ProgressRow,
    Role,
    SeatRow,
    SubmissionRow,
    TicketState,
)

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

Written = TypeVar("Written")
FULL = "makemore/full-backward"
NORM = "makemore/batch-norm"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
EXACT = {"name": "logits", "verdict": "exact", "exact": True, "approximate": True, "maxdiff": 0.0}
WRONG = {
    "name": "h",
    "verdict": "wrong",
    "exact": False,
    "approximate": False,
    "maxdiff": 0.5,
    "ulps": 7,
    "mismatched": 3,
    "worst": [1, 2],
    "origin": "own",
    "diagnosis": [{"code": "sign", "hints": ["The sign.", "The line.", "The minus."]}],
    "notes": ["float64"],
}
MISSING = {"name": "W1", "verdict": "missing", "exact": False, "approximate": False}


@dataclass
class FakeDispatcher:
    """A queue with these standings, and what it was asked for."""

    standings: Mapping[int, Standing] = field(default_factory=dict)
    asked: list[list[int]] = field(default_factory=list)

    def standing(self, session: Session, submission_ids: Sequence[int]) -> Mapping[int, Standing]:
        session.connection()  # it asks the database
        self.asked.append(list(submission_ids))
        return {id: each for id, each in self.standings.items() if id in submission_ids}


@dataclass
class Class:
    """A course with Ada in section Tuesday; Ben in none; Ada sits in another course, too, in section Friday."""

    session: Session
    course: CourseRow
    other: CourseRow
    ada: int
    ben: int
    instances: Mapping[str, int]
    queue: FakeDispatcher = field(default_factory=FakeDispatcher)

    def member(self, role: Role = Role.STUDENT) -> Membership:
        return Membership(self.course, frozenset({role}))

    def hand_in(self, attempt: int = 1, **values: Any) -> SubmissionRow:
        given: dict[str, Any] = {
            "course_id": self.course.id,
            "account_id": self.ada,
            "exercise": FULL,
            "revision": 1,
            "attempt": attempt,
            "kind": AnswerKind.CODE,
            "filename": "mine.py",
            "body": b"dlogits = 1",
            "digest": "",
            "created_at": NOON,
        }
        return self._written(SubmissionRow(**given | values))

    def grade(self, submission: SubmissionRow, rows: Sequence[Mapping[str, Any]] = (EXACT,), **values: Any) -> GradeRow:
        kind = values.pop("instance", "hidden")
        given: dict[str, Any] = {
            "submission_id": submission.id,
            "instance_id": self.instances[kind],
            "revision": 1,
            "environment": "torch",
            "run_status": "ok",
            "run_message": "",
            "run_stdout": "hello",
            "passed": 1,
            "exact": 1,
            "total": len(rows),
            "seconds": 0.1,
            "graded_at": NOON + HOUR,
        }
        grade = self._written(GradeRow(**given | values))
        for position, row in enumerate(rows):
            self._written(ComparisonRow(grade_id=grade.id, position=position, **row))
        return grade

    def assign(self, exercise: str = FULL, **fields: Any) -> None:
        self._written(AssignmentRow(course_id=self.course.id, exercise=exercise, position=0, **fields))

    def extend(self, hours: float, **whom: Any) -> None:
        due_at = NOON + hours * HOUR
        self._written(ExtensionRow(course_id=self.course.id, exercise=FULL, due_at=due_at, reason="ill", **whom))

    def try_step(self, checkpoint: str, attempts: int) -> None:
        whose: dict[str, Any] = {"course_id": self.course.id, "account_id": self.ada, "exercise": FULL}
        self._written(ProgressRow(**whose, checkpoint=checkpoint, best="wrong", attempts=attempts))

    def show(self, submission: SubmissionRow, reader: Membership | None = None, **values: Any) -> dict[str, Any]:
        reader = reader or self.member()
        body = present.show(self.session, submission, reader, cast("Dispatcher", self.queue), **values)
        return body.model_dump(mode="json")

    def summaries(self, *submissions: SubmissionRow, reader: Membership | None = None) -> list[dict[str, Any]]:
        reader = reader or self.member()
        bodies = present.summaries(self.session, reader, submissions, cast("Dispatcher", self.queue))
        return [each.model_dump(mode="json") for each in bodies]

    def both(self, submission: SubmissionRow, reader: Membership | None = None) -> list[dict[str, Any]]:
        """What is shown of a submission alone and in a list, as far as both have it."""
        shown, (listed,) = self.show(submission, reader), self.summaries(submission, reader=reader)
        if shown["grade"] is not None:
            del shown["grade"]["checkpoints"], shown["grade"]["handed_in"]
        return [shown, listed]

    def _written(self, row: Written) -> Written:
        self.session.add(row)
        self.session.flush()
        return row


@pytest.fixture
def room(database: Database) -> Iterator[Class]:
    """Two courses with their students, and an instance of each kind."""
    with database.writing() as session:
        course, other = (courses.open_course(session, slug, slug) for slug in ("spring", "autumn"))
        ada, ben = (courses.enrol(session, course, name, Role.STUDENT).account.id for name in ("Ada", "Ben"))
        session.get_one(SeatRow, (course.id, ada)).section = "Tuesday"
        session.add(SeatRow(course_id=other.id, account_id=ada, section="Friday"))
        session.add_all(ExerciseRevisionRow(slug=slug, revision=1) for slug in (FULL, NORM))
        session.flush()
        kinds = {
            kind: InstanceRow(exercise=FULL, revision=1, kind=kind, dataset="", digest="", state=b"")
            for kind in ("hidden", "canonical")
        }
        session.add_all(kinds.values())
        session.flush()
        yield Class(session, course, other, ada, ben, {kind: row.id for kind, row in kinds.items()})


HEAD = {
    "course": "spring",
    "exercise": FULL,
    "revision": 1,
    "attempt": 2,
    "kind": "code",
    "filename": "mine.py",
    "created_at": "2026-03-02T12:00:00Z",
}


def test_what_waits_has_its_place(room: Class) -> None:
    submission, other = room.hand_in(2), room.hand_in(3)
    room.queue.standings = {
        submission.id: Standing(TicketState.QUEUED, 4, 9),
        other.id: Standing(TicketState.QUEUED, 5, 11),
    }

    expected = HEAD | {"id": submission.id, "status": "queued", "place": 4, "estimate": 9, "grade": None}
    assert room.both(submission) == [expected, expected]
    assert room.queue.asked == [[submission.id], [submission.id]]


def test_what_has_neither_ticket_nor_grade_is_running(room: Class) -> None:
    submission = room.hand_in(2)

    expected = HEAD | {"id": submission.id, "status": "running", "place": None, "estimate": None, "grade": None}
    assert room.both(submission) == [expected, expected]


def test_a_graded_submission_is_shown_whole(room: Class) -> None:
    submission = room.hand_in(2)
    room.grade(submission, (EXACT, WRONG, MISSING), flags=["autograd"], run_message="line 3")

    shown, (listed,) = room.show(submission), room.summaries(submission)

    grade = {
        "feedback": "shown",
        "shown_when": None,
        "run": {"status": "ok", "message": "line 3", "stdout": "hello", "hidden": True},
        "flags": ["autograd"],
        "passed": 1,
        "exact": 1,
        "total": 3,
        "points": 1.0,
        "late_seconds": 0,
        "late_factor": 1.0,
        "environment": "torch",
        "graded_at": "2026-03-02T13:00:00Z",
    }
    head = HEAD | {"id": submission.id, "status": "graded", "place": None, "estimate": None}
    assert listed == head | {"grade": grade}
    checkpoints = shown["grade"].pop("checkpoints")
    assert shown == head | {"grade": grade | {"handed_in": ["logits", "h"]}}
    assert [each["name"] for each in checkpoints] == ["logits", "h", "W1"]
    assert checkpoints[1]["worst"] == [1, 2] and checkpoints[1]["origin"] == "own"
    assert checkpoints[1]["diagnosis"][0]["hints"] == ["The sign.", "The line.", "The minus."]
    assert room.queue.asked == [[]]  # what is graded has no ticket


@pytest.mark.parametrize(
    ("values", "run"),
    [
        ({"run_status": None, "run_message": None, "run_stdout": None}, None),
        (
            {"run_status": "error", "run_message": None, "run_stdout": None, "instance": "canonical"},
            {"status": "error", "message": "", "stdout": "", "hidden": False},
        ),
    ],
    ids=["tensors", "a run without words"],
)
def test_a_run_says_what_became_of_the_code(room: Class, values: dict[str, Any], run: dict[str, Any] | None) -> None:
    submission = room.hand_in()
    room.grade(submission, **values)

    assert [each["grade"]["run"] for each in room.both(submission)] == [run, run]


def test_of_the_grades_that_count_the_newest_is_shown(room: Class) -> None:
    submission = room.hand_in()
    room.grade(submission, (WRONG,), passed=0, exact=0, environment="old")
    room.grade(submission, (EXACT, MISSING), environment="new")
    room.grade(submission, (), environment="of an open regrade", counts=False)

    assert [each["grade"]["environment"] for each in room.both(submission)] == ["new", "new"]
    assert [each["name"] for each in room.show(submission)["grade"]["checkpoints"]] == ["logits", "W1"]


def test_withheld_feedback_tells_neither_points_nor_rows(room: Class) -> None:
    room.assign(feedback=Feedback.AFTER_ATTEMPTS, feedback_after=2)
    submission = room.hand_in()
    room.grade(submission, (EXACT, WRONG, MISSING), flags=["autograd"])

    grade = room.show(submission)["grade"]
    hidden: dict[str, Any] = {"passed": None, "exact": None, "points": None, "flags": [], "feedback": "withheld"}

    assert grade["checkpoints"] == [] and grade["handed_in"] == ["logits", "h"]
    for each in room.both(submission):
        assert {name: each["grade"][name] for name in hidden} == hidden
        assert each["grade"]["shown_when"].startswith("Feedback shows after 2 attempts")
        assert each["grade"]["total"] == 3 and each["grade"]["run"]["status"] == "ok"
    for each in room.both(submission, room.member(Role.INSTRUCTOR)):
        assert each["grade"]["feedback"] == "shown" and each["grade"]["flags"] == ["autograd"]


def test_rules_that_were_found_before_are_counted_anew(room: Class) -> None:
    room.assign(feedback=Feedback.AFTER_ATTEMPTS, feedback_after=1)
    row = room.session.get_one(AssignmentRow, (room.course.id, FULL))
    rules = Rules(room.course, room.ada, Assignment.of(row, room.course), NOON)
    submission = room.hand_in()
    room.grade(submission)

    assert rules.withheld is not None
    assert room.show(submission, rules=rules)["grade"]["feedback"] == "shown"


def test_attempts_are_those_of_the_student_who_handed_in(room: Class) -> None:
    room.assign(feedback=Feedback.AFTER_ATTEMPTS, feedback_after=2)
    submissions = [room.hand_in(1), room.hand_in(2), room.hand_in(account_id=room.ben)]
    for submission in submissions:
        room.grade(submission)

    assert [each["grade"]["feedback"] for each in room.both(submissions[1])] == ["shown", "shown"]
    assert [each["grade"]["feedback"] for each in room.both(submissions[2])] == ["withheld", "withheld"]


def test_each_of_a_list_has_the_rules_of_its_exercise(room: Class) -> None:
    room.assign(points=10.0)
    room.assign(NORM, points=4.0)
    submissions = [room.hand_in(), room.hand_in(exercise=NORM)]
    for submission in submissions:
        room.grade(submission, (EXACT,))
    waiting = room.hand_in(2)

    listed = room.summaries(*submissions, waiting)

    assert [each["grade"] and each["grade"]["points"] for each in listed] == [10.0, 4.0, None]
    assert room.queue.asked == [[waiting.id]]


@pytest.mark.parametrize(
    ("extension", "late"),
    [({"section": "Tuesday"}, 0), ({"section": "Friday"}, 7200), ({"account": "ada"}, 0), ({"account": "ben"}, 7200)],
    ids=["own section", "section of another course", "own", "another's"],
)
def test_an_extension_is_for_whom_it_was_given(room: Class, extension: dict[str, str], late: int) -> None:
    room.assign(due_at=NOON - 2 * HOUR, points=8.0, late_policy=LatePolicy.DAILY, late_per_day=0.25)
    whom = {"account_id": getattr(room, extension["account"])} if "account" in extension else extension
    room.extend(1, **whom)
    submission = room.hand_in()
    room.grade(submission)

    grades = [each["grade"] for each in room.both(submission)]

    assert [each["late_seconds"] for each in grades] == [late, late]
    assert [each["points"] for each in grades] == [6.0 if late else 8.0] * 2


def test_a_list_of_staff_knows_each_students_section(room: Class) -> None:
    room.assign(due_at=NOON - 2 * HOUR)
    room.extend(1, section="Tuesday")
    submissions = [room.hand_in(), room.hand_in(account_id=room.ben)]
    for submission in submissions:
        room.grade(submission)

    listed = room.summaries(*submissions, reader=room.member(Role.INSTRUCTOR))

    assert [each["grade"]["late_seconds"] for each in listed] == [0, 7200]


def test_checkpoints_of_their_own_weight_count_by_their_rows(room: Class) -> None:
    room.assign(points=8.0, checkpoint_points={"logits": 3.0})
    submission, plain = room.hand_in(), room.hand_in(exercise=NORM)
    room.grade(submission, (EXACT, WRONG))
    room.grade(plain, (EXACT, WRONG))

    assert [each["grade"]["points"] for each in room.both(submission)] == [6.0, 6.0]
    assert [each["grade"]["points"] for each in room.summaries(submission, plain)] == [6.0, 1.0]


def test_further_hints_show_after_the_attempts_of_the_student(room: Class) -> None:
    room.assign(hints_after=1)
    submission = room.hand_in()
    room.grade(submission, (WRONG,))

    def hints() -> list[str]:
        return room.show(submission)["grade"]["checkpoints"][0]["diagnosis"][0]["hints"]  # type: ignore[no-any-return]

    assert hints() == ["The sign."]
    room.try_step("h", attempts=2)
    assert hints() == ["The sign.", "The line.", "The minus."]


def test_a_list_reads_no_grades_but_those_of_its_submissions(room: Class) -> None:
    submission, other = room.hand_in(1), room.hand_in(2)
    grade = room.grade(submission).id
    room.grade(other)
    room.session.expunge_all()
    read: list[int] = []

    @event.listens_for(room.session, "loaded_as_persistent")
    def note(session: Session, row: object) -> None:
        if isinstance(row, GradeRow):
            read.append(row.id)

    room.summaries(submission)

    assert read == [grade]


def test_nothing_is_listed_without_a_query(room: Class) -> None:
    assert room.summaries() == []
    assert room.queue.asked == []
