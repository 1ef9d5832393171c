"""How many times as long plain SQLAlchemy takes as each statement that the server builds by hand.

``python -m bench.queries`` prints the table, on SQLite and on PostgreSQL if its programs are installed. A hand-built
statement stays only if its plain twin, in ``tests/support/plain_queries.py``, takes at least ``WORTHWHILE`` times as
long on one of the databases. A statement and its twin take turns, each in a transaction of its own that is rolled back.

The class has 1,000 students with every checkpoint, 60 graded submissions, and 10 tickets that wait. With a longer queue
the twins of the queue's statements take longer still.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from grader import numerics

numerics.pin()

from sqlmodel import Session, col, insert, select  # noqa: E402

from bench.classes import analyse  # noqa: E402
from bench.figures import Times  # noqa: E402
from bench.progress_table import fill_class  # noqa: E402
from bench.test_server import EXERCISE  # noqa: E402
from exercises.registry import exercises, find  # noqa: E402
from grader.compare import Verdict  # noqa: E402
from server.accounts import accounts, tokens  # noqa: E402
from server.courses import courses  # noqa: E402
from server.database import migrate  # noqa: E402
from server.database.engine import Database  # noqa: E402
from server.database.table import now  # noqa: E402
from server.instances.exercises import record_revisions  # noqa: E402
from server.submissions.quota import LARGE_BYTES  # noqa: E402
from server.tables import (  # noqa: E402
    AnswerKind,
    AssignmentRow,
    ComparisonRow,
    CourseRow,
    GradeRow,
    InstanceRow,
    Role,
    SeatRow,
    SubmissionRow,
    TicketRow,
    TicketState,
)
from tests.support import postgres  # noqa: E402
from tests.support.plain_queries import PAIRS, Query, QueryArguments  # noqa: E402

WORTHWHILE = 1.2
ROUNDS = 300
WARM_UP_ROUNDS = 5
# A round in so many: their twins take most of a second.
SLOW = {"gradebook.groups_of_checkpoints": 10, "reports.cells_of_students": 10, "reports.outcomes_of_students": 10}
STUDENTS, GRADED, WAITING, RUNNING = 1_000, 60, 10, 2
KEY = "a key"


@dataclass(frozen=True)
class TwinTimes:
    """The times of a statement and of its plain twin, round by round."""

    hand_built: Times
    plain: Times

    @property
    def ratio(self) -> float:
        """How many times as long the twin takes: the p50 of all rounds, so that other load hits both alike."""
        return statistics.median(
            plain / hand_built for plain, hand_built in zip(self.plain.seconds, self.hand_built.seconds, strict=True)
        )


Ratios = Mapping[str, TwinTimes]  # by the name of the statement


def main(rounds: int = ROUNDS) -> int:
    """Measure, and print the table."""
    show(measure_everywhere(rounds))
    return 0


def measure_everywhere(rounds: int) -> dict[str, Ratios]:
    """Return the comparisons by the name of the database."""
    ratios = {}
    with tempfile.TemporaryDirectory(prefix="dojo-bench-") as folder, _opened(f"sqlite:///{folder}/dojo.db") as opened:
        ratios["sqlite"] = measure(*opened, rounds)
    try:
        with postgres.server() as address, postgres.database(address) as url, _opened(url) as opened:
            ratios["postgresql"] = measure(*opened, rounds)
    except postgres.PostgresMissing as reason:
        print(f"not on PostgreSQL: {reason}")
    return ratios


def measure(database: Database, given: QueryArguments, rounds: int) -> Ratios:
    """Compare every statement with its twin on one database."""
    gc.collect()
    return {
        name: _compare(database, given, pair.hand_built, pair.plain, max(rounds // SLOW.get(name, 1), 5))
        for name, pair in PAIRS.items()
    }


def show(ratios: Mapping[str, Ratios]) -> None:
    """Print a row for each statement, with milliseconds and the ratio on each database."""
    print(" " * 34 + "".join(f"{database:>34s}" for database in ratios))
    print(f"{'p50 ms':34s}" + f"{'hand-built':>18s}{'plain':>9s}{'ratio':>7s}" * len(ratios))
    for name in PAIRS:
        print(f"{name:34s}", end="")
        for comparisons in ratios.values():
            each = comparisons[name]
            print(f"{each.hand_built.median_ms:18.3f}{each.plain.median_ms:9.3f}{each.ratio:7.2f}", end="")
        print(flush=True)


def show_briefly(ratios: Mapping[str, Ratios]) -> None:
    """Print a line for each database, and one for each ratio that is too small."""
    for database, comparisons in ratios.items():
        values = {name: each.ratio for name, each in comparisons.items()}
        smallest, largest = min(values.values()), max(values.values())
        print(
            f"{database:24s} {smallest:.1f} to {largest:.1f} x, median {statistics.median(values.values()):.1f} x",
            end="",
        )
        print(f", {len(values)} statements  goal: each at least {WORTHWHILE:g} x on one of them", flush=True)
        for name, ratio in values.items():
            if ratio < WORTHWHILE:
                print(f"  {name}: {ratio:.2f} x", flush=True)


def as_json(comparisons: Ratios) -> dict[str, Any]:
    """Return the entry of a database in ``bench/results.json``."""
    return {
        name: {
            "hand_built_ms": round(each.hand_built.median_ms, 4),
            "plain_ms": round(each.plain.median_ms, 4),
            "ratio": round(each.ratio, 3),
        }
        for name, each in comparisons.items()
    }


def _compare(database: Database, given: QueryArguments, hand_built: Query, plain: Query, rounds: int) -> TwinTimes:
    hand_built_seconds, plain_seconds = [], []
    for number in range(-WARM_UP_ROUNDS, rounds):
        taken = _seconds(database, hand_built, given), _seconds(database, plain, given)
        if number >= 0:
            hand_built_seconds.append(taken[0])
            plain_seconds.append(taken[1])
    return TwinTimes(Times.of(hand_built_seconds), Times.of(plain_seconds))


def _seconds(database: Database, query: Query, given: QueryArguments) -> float:
    with database.reading() as session:  # never committed, so that every round finds the same rows
        session.connection()
        begun = time.perf_counter()
        query(session, given)
        return time.perf_counter() - begun


@contextmanager
def _opened(url: str) -> Iterator[tuple[Database, QueryArguments]]:
    """Fill an empty database; yield it with the arguments of all statements."""
    migrate.upgrade(url)
    database = Database(url)
    record_revisions(database)
    with database.writing() as session:
        course = courses.open_course(session, "bench", "Becoming a backprop ninja")
        courses.enrol(session, course, "Instructor", Role.INSTRUCTOR)
        fill_class(session, course, STUDENTS)
        for position, exercise in enumerate(exercises()):
            session.add(AssignmentRow(course_id=course.id, exercise=exercise, position=position))
        given = _write_submissions(session, course)
    analyse(database)
    yield database, given
    database.close()


def _write_submissions(session: Session, course: CourseRow) -> QueryArguments:
    """Write submissions, grades and tickets; return arguments about a student who is graded again."""
    seats = select(SeatRow.account_id).where(SeatRow.course_id == course.id, SeatRow.role == Role.STUDENT)
    students = session.exec(seats.order_by(col(SeatRow.account_id))).all()
    moment = now()
    submissions = [
        SubmissionRow(**_submission(course, account_id, moment))
        for account_id in students[: GRADED + WAITING + RUNNING]
    ]
    for number, submission in enumerate(submissions):
        submission.created_at = moment - timedelta(seconds=number)
    submissions[0].idempotency_key = KEY
    session.add_all(submissions)
    session.flush()
    grades = _write_grades(session, submissions[:GRADED])
    tickets = [_ticket(each, rank, moment) for rank, each in enumerate([submissions[0], *submissions[GRADED:]])]
    for ticket in tickets[-RUNNING:]:
        ticket["state"] = TicketState.RUNNING
    session.execute(insert(TicketRow), tickets)
    account_id = submissions[0].account_id
    return QueryArguments(
        course=course,
        account_id=account_id,
        exercise=EXERCISE,
        attempt=2,
        token_digest=tokens.digest(accounts.issue_token(session, account_id)),
        idempotency_key=KEY,
        submission_id=submissions[0].id,
        grade_id=grades[0].id,
        waiting_ids=[submissions[0].id],
        newer=59,
        larger=LARGE_BYTES,
        moment=moment + timedelta(seconds=1),
        until=moment + timedelta(seconds=5),
        new_submission={**_submission(course, account_id, moment), "attempt": 2},
        new_tickets=[_ticket(submissions[1], 0, moment)],
        new_comparisons=_comparisons(grades[-1]),
        new_progress=[_progress(course, account_id, each.name, moment) for each in find(EXERCISE).checkpoints],
    )


def _write_grades(session: Session, submissions: Sequence[SubmissionRow]) -> list[GradeRow]:
    """Write a grade for each submission, and the rows of all of them but the last."""
    revision = find(EXERCISE).revision
    instance = InstanceRow(exercise=EXERCISE, revision=revision, kind="canonical", dataset="", digest="", state=b"")
    session.add(instance)
    session.flush()
    grades = [_grade(each, instance, revision) for each in submissions]
    session.add_all(grades)
    session.flush()
    session.execute(insert(ComparisonRow), [row for grade in grades[:-1] for row in _comparisons(grade)])
    return grades


def _submission(course: CourseRow, account_id: int, moment: datetime) -> dict[str, Any]:
    exercise = find(EXERCISE)
    return {
        "course_id": course.id,
        "account_id": account_id,
        "exercise": EXERCISE,
        "revision": exercise.revision,
        "attempt": 1,
        "kind": AnswerKind.CODE,
        "filename": "solution.py",
        "body": exercise.solution.encode(),
        "digest": "0" * 64,
        "created_at": moment,
    }


def _grade(submission: SubmissionRow, instance: InstanceRow, revision: int) -> GradeRow:
    total = len(find(EXERCISE).checkpoints)
    return GradeRow(
        submission_id=submission.id,
        instance_id=instance.id,
        revision=revision,
        environment=numerics.environment(),
        passed=total,
        exact=total,
        total=total,
        seconds=0.01,
    )


def _comparisons(grade: GradeRow) -> list[dict[str, Any]]:
    return [
        {
            "grade_id": grade.id,
            "position": position,
            "name": each.name,
            "verdict": Verdict.EXACT.value,
            "exact": True,
            "approximate": True,
            "maxdiff": 0.0,
            "ulps": 0,
            "mismatched": 0,
            "worst": None,
            "origin": None,
            "pattern": None,
            "inherits_constant": False,
            "diagnosis": [],
            "notes": [],
        }
        for position, each in enumerate(find(EXERCISE).checkpoints)
    ]


def _progress(course: CourseRow, account_id: int, checkpoint: str, moment: datetime) -> dict[str, Any]:
    return {
        "course_id": course.id,
        "account_id": account_id,
        "exercise": EXERCISE,
        "checkpoint": checkpoint,
        "best": Verdict.EXACT.value,
        "attempts": 1,
        "first_exact_at": moment,
        "first_passed_at": moment,
        "first_inherited_at": None,
    }


def _ticket(submission: SubmissionRow, rank: int, moment: datetime) -> dict[str, Any]:
    return TicketRow(
        submission_id=submission.id, account_id=submission.account_id, rank=rank, due_at=moment, queued_at=moment
    ).model_dump(exclude={"id"})


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
