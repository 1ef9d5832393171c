"""Every hand-built statement gives the same as its plain twin, on both databases, for a small class."""

from __future__ import annotations

import importlib
import inspect
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Executable
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel

from grader.compare import Verdict
from server.accounts import accounts, tokens
from server.assignments.exercises import find_exercise
from server.courses import courses
from server.database import dialect, migrate
from server.database.engine import Database
from server.database.prepared import Prepared, PreparedRows
from server.instances.exercises import record_revisions
from server.queue.queries import BACKGROUND_RANK, TRIES_MAX
from server.reports.schemas import ProgressBody
from server.tables import (
    AccountRow,
    AnswerKind,
    AssignmentRow,
    CommentRow,
    ComparisonRow,
    CourseRow,
    GradeRow,
    InstanceRow,
    OverrideRow,
    ProgressRow,
    Role,
    SeatRow,
    SubmissionRow,
    TicketRow,
    TicketState,
    metadata,
)
from tests.support import postgres
from tests.support.plain_queries import PAIRS, Pair, Query, QueryArguments

SERVER = Path(__file__).parents[2] / "server"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
FULL, CROSS_ENTROPY = "makemore/full-backward", "makemore/cross-entropy"
MINUTE = timedelta(minutes=1)
GRADES_OF_BUSY_SUBMISSION = 60  # more than the estimate samples
PASSING = (Verdict.EXACT, Verdict.APPROXIMATE)
UNORDERED = ("grading.GRADES_OF_SUBMISSION", "queue.STANDINGS", "reports.outcomes_of_students")
WRITTEN_TABLES = ("comparison", "progress", "submission", "ticket")


@dataclass(frozen=True)
class SmallClass:
    """A database with two courses, its rows, and arguments about every submission, its owner, and a stranger to it."""

    database: Database
    rows: Mapping[str, Any]
    arguments: Sequence[QueryArguments]


@dataclass(frozen=True)
class _Ticket:
    """A ticket of the class; it is due so many minutes after noon."""

    rank: int
    state: TicketState = TicketState.QUEUED
    tries: int = 0
    due_minutes: int = 0


@dataclass(frozen=True)
class _Work:
    """A submission of the class: graded, or with a ticket."""

    course: str
    account: str
    exercise: str
    attempt: int
    key: str | None = None
    ticket: _Ticket | None = None


@dataclass(frozen=True)
class _Known:
    """What arguments are made of. ``digests`` are of tokens, a revoked and an unknown one among them."""

    courses: Sequence[CourseRow]
    people: Sequence[AccountRow]
    submissions: Sequence[SubmissionRow]
    grades: Sequence[GradeRow]
    digests: Sequence[str]


WORK = (
    _Work("autumn", "Ada", FULL, 1, "monday"),
    _Work("autumn", "Ada", CROSS_ENTROPY, 1),
    _Work("spring", "Ada", FULL, 1, "tuesday"),
    _Work("autumn", "Bob", FULL, 1, "monday"),
    _Work("autumn", "Ada", FULL, 2, ticket=_Ticket(rank=30)),
    _Work("autumn", "Ada", FULL, 3, ticket=_Ticket(rank=40, due_minutes=30)),
    _Work("autumn", "Bob", FULL, 2, ticket=_Ticket(rank=30, tries=TRIES_MAX)),
    _Work("autumn", "Bob", CROSS_ENTROPY, 1, ticket=_Ticket(rank=90, state=TicketState.QUARANTINED)),
    _Work("spring", "Teacher", FULL, 1, ticket=_Ticket(rank=5, state=TicketState.CANCELLED)),
    _Work("spring", "Teacher", FULL, 2, ticket=_Ticket(rank=BACKGROUND_RANK)),
    _Work("autumn", "Cleo", FULL, 1, ticket=_Ticket(rank=10, state=TicketState.RUNNING, tries=1, due_minutes=50)),
    _Work("autumn", "Cleo", FULL, 2, ticket=_Ticket(rank=20)),
    _Work("autumn", "Cleo", CROSS_ENTROPY, 1),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def small_class(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallClass]:
    """Two courses with several students, grades, and tickets in all states. Nobody may commit to it."""
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path_factory.mktemp('queries')}/dojo.db")
    else:
        with postgres.database(request.getfixturevalue("postgresql")) as url:
            yield from _opened(url)


@pytest.mark.parametrize("name", PAIRS)
def test_a_statement_gives_what_its_plain_twin_gives(name: str, small_class: SmallClass) -> None:
    queries = _both(PAIRS[name])

    outcomes = [
        tuple(_outcome(small_class, name, query, given) for query in queries) for given in small_class.arguments
    ]

    for hand_built, plain in outcomes:
        assert hand_built == plain
    assert len({repr(plain) for _, plain in outcomes}) > 1, "the arguments do not tell one outcome from another"


def test_both_empty_the_queue_in_the_same_order(small_class: SmallClass) -> None:
    pair, given = PAIRS["queue.LEASE_FIRST_DUE"], small_class.arguments[-1]

    hand_built, plain = (_leases_until_empty(small_class.database, query, given) for query in _both(pair))

    assert hand_built == plain
    assert {lease[-1] for lease in plain} == {TicketState.RUNNING, TicketState.QUARANTINED}


def test_every_hand_built_statement_has_a_twin() -> None:
    statements = {
        f"{file.parent.name}.{name}"
        for file in SERVER.glob("*/queries.py")
        for name in _statement_names(f"server.{file.parent.name}.queries")
    }

    assert statements | {"database.Table.insert", "database.Table.write"} == set(PAIRS)


def _statement_names(module_name: str) -> Iterator[str]:
    module = importlib.import_module(module_name)
    for name, value in vars(module).items():
        is_own_function = inspect.isfunction(inspect.unwrap(value)) and value.__module__ == module_name
        if not name.startswith("_") and (isinstance(value, Executable | Prepared | PreparedRows) or is_own_function):
            yield name


def _both(pair: Pair) -> tuple[Query, Query]:
    return pair.hand_built, pair.plain


def _leases_until_empty(database: Database, query: Query, given: QueryArguments) -> list[Any]:
    """Lease one ticket after the other. A leased one is graded at once, so its account may have the next."""
    leases = []
    with database.reading() as session:
        while lease := _plain(query(session, given)):
            leases += lease
            session.expire_all()
            session.connection().execute(
                sqlalchemy.delete(_table("ticket")).where(_table("ticket").c.id == lease[0][0])
            )
    return leases


def _outcome(
    small_class: SmallClass, name: str, query: Query, given: QueryArguments
) -> tuple[Any, Mapping[str, Any]] | str:
    """Return what a query gives, and the rows that it leaves; nothing is committed."""
    with small_class.database.reading() as session:
        before = _writes(session)
        try:
            result = _plain(query(session, given))
        except IntegrityError:
            return "IntegrityError"
        rows = small_class.rows if _writes(session) == before else _rows(session)
        return sorted(result, key=repr) if name in UNORDERED else result, rows


def _writes(session: Session) -> object:
    """Return what another value replaces once the transaction has written: most queries only read."""
    connection = session.connection()
    if dialect.name(session) == "sqlite":
        driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        return driver.total_changes
    return connection.exec_driver_sql("SELECT CAST(pg_current_xact_id_if_assigned() AS text)").scalar_one()


def _plain(value: Any) -> Any:
    """Return a result as data that can be compared, whatever the way that it was read."""
    if isinstance(value, SQLModel):
        columns = sqlalchemy.inspect(type(value)).column_attrs
        return {column.key: getattr(value, column.key) for column in columns}
    if isinstance(value, sqlalchemy.Row | list | tuple):
        items = [_plain(item) for item in value]
        return items[0] if isinstance(value, sqlalchemy.Row) and len(items) == 1 else items
    if isinstance(value, str) and value.startswith("{"):
        return ProgressBody.model_validate_json(value)  # the two databases write a moment in two ways
    return round(value, 9) if isinstance(value, float) else value


def _rows(session: Session) -> Mapping[str, Any]:
    return {table: _rows_of(session, table) for table in WRITTEN_TABLES}


def _rows_of(session: Session, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table, without the ids that a rolled back sequence has skipped."""
    table = _table(name)
    rows = session.connection().execute(sqlalchemy.select(table).order_by(*table.primary_key)).mappings()
    return [{column: value for column, value in row.items() if column != "id"} for row in rows]


def _table(name: str) -> sqlalchemy.Table:
    return metadata.tables[name]


def _opened(url: str) -> Iterator[SmallClass]:
    migrate.upgrade(url)
    database = Database(url)
    record_revisions(database)
    with database.writing() as session:
        courses_by_slug, accounts_by_name = _write_seats(session)
        submissions = [_submission(courses_by_slug[each.course], accounts_by_name[each.account], each) for each in WORK]
        for number, submission in enumerate(submissions):
            submission.created_at = NOON + number * MINUTE
        session.add_all(submissions)
        session.flush()
        session.add_all(
            [
                _ticket(submission, each.ticket)
                for submission, each in zip(submissions, WORK, strict=True)
                if each.ticket
            ]
        )
        grades = _write_grades(session, submissions)
        _write_progress(session, submissions)
        _write_feedback(session, accounts_by_name["Teacher"], submissions)
        digests = _write_tokens(session, list(accounts_by_name.values()))
        known = _Known(list(courses_by_slug.values()), list(accounts_by_name.values()), submissions, grades, digests)
    with database.reading() as session:
        rows = _rows(session)
    yield SmallClass(database, rows, [_arguments(known, number) for number in range(2 * len(submissions))])
    database.close()


def _write_seats(session: Session) -> tuple[dict[str, CourseRow], dict[str, AccountRow]]:
    """Open both courses. Ada and the teacher sit in both, Bob and Cleo in autumn alone."""
    autumn, spring = (courses.open_course(session, slug, slug.title()) for slug in ("autumn", "spring"))
    teacher = courses.enrol(session, autumn, "Teacher", Role.INSTRUCTOR).account
    ada, bob, cleo = (courses.enrol(session, autumn, name, Role.STUDENT).account for name in ("Ada", "Bob", "Cleo"))
    session.add(SeatRow(course_id=spring.id, account_id=teacher.id, role=Role.INSTRUCTOR))
    session.add(SeatRow(course_id=spring.id, account_id=ada.id, role=Role.STUDENT))
    # Autumn has no assignments; spring asks for one of the exercises.
    session.add(AssignmentRow(course_id=spring.id, exercise=FULL, position=0, attempts_max=3))
    session.flush()
    return {"autumn": autumn, "spring": spring}, {"Teacher": teacher, "Ada": ada, "Bob": bob, "Cleo": cleo}


def _write_tokens(session: Session, people: Sequence[AccountRow]) -> list[str]:
    """Give each a token; return the digests, those of tokens that are revoked, end early or late, and one of none."""
    revoked = tokens.digest(accounts.issue_token(session, people[-1].id))
    accounts.revoke_tokens(session, people[-1].id)
    ends = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    ending = [tokens.digest(accounts.issue_token(session, people[0].id, expires_at=end)) for end in ends]
    return [*(tokens.digest(accounts.issue_token(session, each.id)) for each in people), revoked, *ending, "unknown"]


def _write_grades(session: Session, submissions: Sequence[SubmissionRow]) -> list[GradeRow]:
    """Grade the submissions without a ticket; the last of them often, and by no rows that time."""
    instance = InstanceRow(exercise=FULL, revision=1, kind="canonical", dataset="", digest="", state=b"")
    session.add(instance)
    session.flush()
    graded = [submission for submission, each in zip(submissions, WORK, strict=True) if each.ticket is None]
    grades = [
        GradeRow(
            submission_id=submission.id,
            instance_id=instance.id,
            revision=submission.revision,
            environment=f"environment {number}",
            passed=1,
            exact=0,
            total=2,
            seconds=float(number),
            counts=number != len(graded),  # the second grade of the first submission is of an open regrade
        )
        for number, submission in enumerate([*graded, graded[0], *[graded[-1]] * GRADES_OF_BUSY_SUBMISSION])
    ]
    for grade in grades:  # one by one, so that their ids are in this order
        session.add(grade)
        session.flush()
    rows = [_comparison(grade, place) for grade in grades[: len(graded) + 1] for place in (1, 0)]
    session.add_all([ComparisonRow(**row) for row in rows])
    return grades


def _write_feedback(session: Session, author: AccountRow, submissions: Sequence[SubmissionRow]) -> None:
    """Write comments and overrides, one of each withdrawn; the last override is the operator's."""
    for number, submission in enumerate(submissions[:4]):
        for text in ("first", "second"):
            withdrawn_at = NOON if text == "first" and number % 2 else None
            comment = CommentRow(submission_id=submission.id, author_id=author.id, text=text, created_at=NOON)
            comment.withdrawn_at = withdrawn_at
            session.add(comment)
            session.flush()
        session.add(
            OverrideRow(
                course_id=submission.course_id,
                account_id=submission.account_id,
                exercise=submission.exercise,
                points=float(number),
                reason="ill",
                author_id=author.id if number < 3 else None,
                created_at=NOON,
                withdrawn_at=NOON if number == 1 else None,
            )
        )


def _write_progress(session: Session, submissions: Sequence[SubmissionRow]) -> None:
    """Write a checkpoint for every pair of an old and a new verdict, and some of the exercise."""
    for place in sorted({(each.course_id, each.account_id, each.exercise) for each in submissions[:-3]}):
        course_id, account_id, exercise = place
        moment = NOON + course_id * MINUTE
        names = {f"{old}-{new}": old for old in Verdict for new in Verdict}
        steps = find_exercise(exercise).checkpoints[account_id % 2 : 9]
        names |= {step.name: verdict for step, verdict in zip(steps, Verdict, strict=False)}
        session.add_all([ProgressRow(**_progress(place, name, verdict, moment)) for name, verdict in names.items()])


def _arguments(known: _Known, number: int) -> QueryArguments:
    """Return arguments about a submission: of its owner in the first half of the numbers, then of anybody."""
    which = number % len(known.submissions)
    submission = known.submissions[which]
    account_id = submission.account_id if number == which else known.people[number % len(known.people)].id
    course = next(each for each in known.courses if each.id == submission.course_id)
    graded = [each.id for each in known.grades if each.submission_id == submission.id]
    place = (course.id, account_id, submission.exercise)
    return QueryArguments(
        course=course,
        account_id=account_id,
        exercise=submission.exercise,
        attempt=submission.attempt + which // 2 % 2,
        token_digest=known.digests[number % len(known.digests)],
        idempotency_key=submission.idempotency_key or "friday",
        submission_id=submission.id,
        grade_id=graded[0] if graded else 0,
        waiting_ids=[each.id for each in known.submissions[: which + 1]],
        newer=number % 3,
        larger=number % 3 * 10,  # a body has 13 bytes
        moment=NOON + which * 10 * MINUTE,
        until=NOON + timedelta(days=1),
        new_submission=submission.model_dump(exclude={"id", "idempotency_key"})
        | {"account_id": account_id, "attempt": 10 + number},
        new_tickets=[_ticket(each, _Ticket(rank=number)).model_dump(exclude={"id"}) for each in known.submissions[:2]],
        new_comparisons=[_comparison(known.grades[-1], place) for place in range(number % 3 + 1)],
        new_progress=[
            _progress(place, f"{old}-{new}", new, NOON + number % 5 * MINUTE) for old in Verdict for new in Verdict
        ],
    )


def _submission(course: CourseRow, account: AccountRow, work: _Work) -> SubmissionRow:
    return SubmissionRow(
        course_id=course.id,
        account_id=account.id,
        exercise=work.exercise,
        revision=find_exercise(work.exercise).revision,
        attempt=work.attempt,
        kind=AnswerKind.CODE,
        filename="solution.py",
        body=b"dlogprobs = 0",
        digest="0" * 64,
        idempotency_key=work.key,
    )


def _ticket(submission: SubmissionRow, ticket: _Ticket) -> TicketRow:
    return TicketRow(
        submission_id=submission.id,
        account_id=submission.account_id,
        rank=ticket.rank,
        state=ticket.state,
        tries=ticket.tries,
        due_at=NOON + ticket.due_minutes * MINUTE,
        queued_at=NOON,
    )


def _comparison(grade: GradeRow, position: int) -> dict[str, Any]:
    return {
        "grade_id": grade.id,
        "position": position,
        "name": f"step {position}",
        "verdict": Verdict.WRONG.value,
        "exact": False,
        "approximate": False,
        "maxdiff": 0.5,
        "ulps": 2**40,
        "mismatched": position,
        "worst": [position, 0] if position else None,
        "origin": "own",
        "pattern": None,
        "inherits_constant": bool(position % 2),
        "diagnosis": [{"code": "sign", "message": "The sign is turned."}],
        "notes": [],
    }


def _progress(place: tuple[int, int, str], checkpoint: str, best: Verdict, moment: datetime) -> dict[str, Any]:
    course_id, account_id, exercise = place
    return {
        "course_id": course_id,
        "account_id": account_id,
        "exercise": exercise,
        "checkpoint": checkpoint,
        "best": best.value,
        "attempts": 2,
        "first_exact_at": moment + MINUTE if best is Verdict.EXACT else None,
        "first_passed_at": moment if best in PASSING else None,
        "first_inherited_at": moment - MINUTE if best in (Verdict.WRONG, Verdict.EXACT) else None,
    }
