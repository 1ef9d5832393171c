"""The plain twin of every statement that the server builds by hand.

A twin is what plain SQLAlchemy would be: a ``select`` built at each call, the session's unit of work, a loop over
objects. ``tests/server/test_queries.py`` checks that a statement gives the same as its twin, and ``bench/queries.py``
measures how many times as long the twin takes. A ``queries.py`` without a twin for each of its statements fails the
test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy.orm import aliased, defer
from sqlmodel import Session, col, func, select

from exercises.registry import find
from grader.compare import Verdict
from server.accounts.queries import ACCOUNT_OF_TOKEN
from server.assignments.assignment import Assignment
from server.assignments.points import Moments, assignment_points
from server.courses.queries import COURSE_AND_ROLE, COURSE_COLUMNS
from server.courses.schemas import PersonBody
from server.database.prepared import Prepared, PreparedRows
from server.gradebook import gradebook
from server.gradebook.gradebook import DECIMALS, Cell
from server.grading.queries import DELETE_TICKET, GRADES_OF_SUBMISSION, INSERT_ROWS
from server.instances.pool import POOL_SIZE
from server.progress.queries import COUNT_ROWS, MOMENTS
from server.queue.queries import (
    BACKGROUND_RANK,
    INSERT_TICKETS,
    LEASE_FIRST_DUE,
    LEASE_OF_SUBMISSION,
    LOST_EVERY_TIME,
    RANKS_OF_ACCOUNT,
    SAMPLED_GRADES,
    STANDINGS,
    SUBMISSION,
    SUBMISSION_COLUMNS,
    TRIES_MAX,
)
from server.reports import queries
from server.reports.progress_table import read_progress_table
from server.reports.schemas import CellBody, ColumnBody, ProgressBody, StuckBody, StudentProgressBody
from server.reports.students import Scope, list_standings
from server.rules.queries import ATTEMPTS_USED
from server.rules.rules import assignment_of
from server.submissions import present
from server.submissions.access import find_head
from server.submissions.queries import (
    COMMENT_COLUMNS,
    COMMENTS,
    HAS_GRADE,
    HEAD_COLUMNS,
    LARGE_BYTES_KEPT,
    LAST_ATTEMPTS,
    NEIGHBOURS,
    NTH_NEWEST_MOMENT,
    OVERRIDE,
    OVERRIDE_COLUMNS,
    SUBMISSION_FOR_READER,
    SUBMISSION_WITH_KEY,
    SUBMITTER,
    VERDICTS,
)
from server.tables import (
    AccountRow,
    AssignmentRow,
    CommentRow,
    ComparisonRow,
    CourseRow,
    GradeRow,
    InstanceRow,
    LatePolicy,
    OverrideRow,
    ProgressRow,
    Role,
    SeatRow,
    SubmissionRow,
    TicketRow,
    TicketState,
    TokenRow,
)

BEST_FIRST = [verdict.value for verdict in Verdict]
SECOND = 10  # between the ranks of the tickets that the arguments' database has
STUCK = 2  # attempts: so many have those who are stuck in the tests
LIVE_STATES = (TicketState.QUEUED, TicketState.RUNNING)


@dataclass(frozen=True)
class QueryArguments:
    """The arguments of all statements. Each takes what it needs; ``new_…`` are rows to write."""

    course: CourseRow
    account_id: int
    exercise: str
    attempt: int
    token_digest: str
    idempotency_key: str
    submission_id: int
    grade_id: int
    waiting_ids: Sequence[int]  # of submissions
    newer: int
    larger: int  # bytes
    moment: datetime
    until: datetime
    new_submission: Mapping[str, Any]
    new_tickets: Sequence[Mapping[str, Any]]
    new_comparisons: Sequence[Mapping[str, Any]]
    new_progress: Sequence[Mapping[str, Any]]


Query = Callable[[Session, QueryArguments], Any]


@dataclass(frozen=True)
class Pair:
    """A statement as the server runs it, and its plain twin. Both return the same, and leave the same rows."""

    hand_built: Query
    plain: Query


def account_of_token(session: Session, given: QueryArguments) -> Any:
    """Return id, name and is_admin of the account that a token opens."""
    accounts = select(AccountRow.id, AccountRow.name, AccountRow.is_admin).join(TokenRow)
    is_valid = or_(col(TokenRow.expires_at).is_(None), col(TokenRow.expires_at) > given.moment)
    return session.exec(
        accounts.where(TokenRow.digest == given.token_digest, col(TokenRow.revoked_at).is_(None), is_valid)
    ).all()


def course_and_role(session: Session, given: QueryArguments) -> Any:
    """Return a course, and the role and section that an account has there."""
    is_seat = and_(
        col(SeatRow.course_id) == col(CourseRow.id),
        col(SeatRow.account_id) == given.account_id,
        col(SeatRow.removed_at).is_(None),
    )
    courses = select(CourseRow, SeatRow.role, SeatRow.section).outerjoin(SeatRow, is_seat)
    return session.exec(courses.where(CourseRow.slug == given.course.slug)).all()


def delete_ticket(session: Session, given: QueryArguments) -> Any:
    """Delete the ticket of a submission, and return the regrade that it was of."""
    tickets = session.exec(select(TicketRow).where(TicketRow.submission_id == given.submission_id)).all()
    for ticket in tickets:
        session.delete(ticket)
    session.flush()
    return [ticket.regrade_id for ticket in tickets]


def grades_of_submission(session: Session, given: QueryArguments) -> Any:
    """Return revision and environment of each grade of a submission."""
    grades = select(GradeRow.revision, GradeRow.environment)
    return session.exec(grades.where(GradeRow.submission_id == given.submission_id)).all()


def insert_comparisons(session: Session, given: QueryArguments) -> None:
    """Write the rows of a grade."""
    session.add_all([ComparisonRow(**row) for row in given.new_comparisons])
    session.flush()


def count_attempts(session: Session, given: QueryArguments) -> None:
    """Insert a new row of progress, or count an attempt and keep what is better and earlier."""
    rows = select(ProgressRow).where(
        ProgressRow.course_id == given.course.id,
        ProgressRow.account_id == given.account_id,
        ProgressRow.exercise == given.exercise,
    )
    progress = {row.checkpoint: row for row in session.exec(rows)}
    for new in (ProgressRow(**row) for row in given.new_progress):
        old = progress.get(new.checkpoint)
        if old is None:
            session.add(new)
        else:
            old.best = min(old.best, new.best, key=BEST_FIRST.index)
            old.attempts += new.attempts
            for name in MOMENTS:
                known = [moment for row in (old, new) if (moment := getattr(row, name)) is not None]
                setattr(old, name, min(known, default=None))
    session.flush()


def insert_tickets(session: Session, given: QueryArguments) -> None:
    """Write tickets."""
    session.add_all([TicketRow(**row) for row in given.new_tickets])
    session.flush()


def lease_first_due(session: Session, given: QueryArguments) -> Any:
    """Lease the first ticket that is due and whose account has no other run."""
    running = session.exec(select(TicketRow).where(TicketRow.state == TicketState.RUNNING)).all()
    due = select(TicketRow).where(col(TicketRow.state).in_(LIVE_STATES), TicketRow.due_at <= given.moment)
    for ticket in session.exec(due.order_by(col(TicketRow.rank), col(TicketRow.id))):
        if all(other.account_id != ticket.account_id or other.id == ticket.id for other in running):
            return _lease(session, ticket, given.until)
    return []


def lease_of_submission(session: Session, given: QueryArguments) -> Any:
    """Lease the ticket of a submission."""
    ticket = session.exec(select(TicketRow).where(TicketRow.submission_id == given.submission_id)).first()
    return _lease(session, ticket, given.until) if ticket and ticket.state in LIVE_STATES else []


def ranks_of_account(session: Session, given: QueryArguments) -> Any:
    """Return the last rank that an account has waiting or running, and how many of its tickets were put back."""
    tickets = session.exec(
        select(TicketRow).where(
            TicketRow.account_id == given.account_id,
            col(TicketRow.state).in_(LIVE_STATES),
            TicketRow.rank < BACKGROUND_RANK,
        )
    ).all()
    put_back = [each for each in tickets if each.state == TicketState.QUEUED and each.tries and each.rank > SECOND]
    return [(max((each.rank for each in tickets if each not in put_back), default=None), len(put_back))]


def submission(session: Session, given: QueryArguments) -> Any:
    """Return a submission with its body."""
    return [session.get_one(SubmissionRow, given.submission_id)]


def standings(session: Session, given: QueryArguments) -> Any:
    """Return submission, state, place, mean seconds of a run and number of runs, of some tickets."""
    tickets = session.exec(select(TicketRow).where(col(TicketRow.submission_id).in_(given.waiting_ids))).all()
    queued = session.exec(select(TicketRow.rank, TicketRow.id).where(TicketRow.state == TicketState.QUEUED)).all()
    runs = select(func.count()).select_from(TicketRow).where(TicketRow.state == TicketState.RUNNING)
    running = session.exec(runs).one()
    newest = select(GradeRow.seconds).order_by(col(GradeRow.id).desc()).limit(SAMPLED_GRADES)
    seconds = session.exec(newest).all()
    mean = fmean(seconds) if seconds else None
    return [
        (each.submission_id, each.state, sum(other <= (each.rank, each.id) for other in queued), mean, running)
        for each in tickets
    ]


def submission_with_key(session: Session, given: QueryArguments) -> Any:
    """Return the id of the submission that an account made with an idempotency key."""
    return session.exec(
        select(SubmissionRow.id).where(
            SubmissionRow.account_id == given.account_id, SubmissionRow.idempotency_key == given.idempotency_key
        )
    ).all()


def last_attempts(session: Session, given: QueryArguments) -> Any:
    """Return the numbers of an account's last attempts at an exercise in a course, with their instances."""
    attempts = select(SubmissionRow.attempt, SubmissionRow.instance_id).where(
        SubmissionRow.course_id == given.course.id,
        SubmissionRow.account_id == given.account_id,
        SubmissionRow.exercise == given.exercise,
    )
    return session.exec(attempts.order_by(col(SubmissionRow.attempt).desc()).limit(POOL_SIZE)).all()


def large_bytes_kept(session: Session, given: QueryArguments) -> Any:
    """Return how many bytes of an account's files are kept in a course, of those with more than ``larger``."""
    length = func.length(SubmissionRow.body)
    kept = select(func.coalesce(func.sum(length), 0)).where(
        SubmissionRow.course_id == given.course.id, SubmissionRow.account_id == given.account_id, length > given.larger
    )
    return session.exec(kept).all()


def assignment_of_exercise(session: Session, given: QueryArguments) -> Any:
    """Return whether a course has any assignment, and the one of an exercise or None."""
    rows = session.exec(select(AssignmentRow).where(AssignmentRow.course_id == given.course.id)).all()
    return [(bool(rows), next((row for row in rows if row.exercise == given.exercise), None))]


def attempts_used(session: Session, given: QueryArguments) -> Any:
    """Return how many attempts of an account count: not those cancelled or set aside that have no grade."""
    submissions = select(SubmissionRow).where(
        SubmissionRow.course_id == given.course.id,
        SubmissionRow.account_id == given.account_id,
        SubmissionRow.exercise == given.exercise,
    )
    ids = [each.id for each in session.exec(submissions)]
    graded = set(session.exec(select(GradeRow.submission_id).where(col(GradeRow.submission_id).in_(ids))))
    dead = select(TicketRow.submission_id).where(
        col(TicketRow.submission_id).in_(ids), col(TicketRow.state).not_in(LIVE_STATES)
    )
    return [len(ids) - len(set(session.exec(dead)) - graded)]


def newest_grade(session: Session, given: QueryArguments) -> Any:
    """Return the newest grade of a submission that counts, and the kind of its instance."""
    grades = select(GradeRow).where(GradeRow.submission_id == given.submission_id, col(GradeRow.counts))
    newest = session.exec(grades.order_by(col(GradeRow.id).desc()).limit(1)).all()
    return [(grade, session.get_one(InstanceRow, grade.instance_id).kind) for grade in newest]


def has_grade(session: Session, given: QueryArguments) -> Any:
    """Return whether a submission has a grade."""
    grades = select(GradeRow.id).where(GradeRow.submission_id == given.submission_id)
    return session.exec(grades.limit(1)).first() is not None


def rows_of_grade(session: Session, given: QueryArguments) -> Any:
    """Return the rows of a grade in their order, each as a dictionary."""
    rows = select(ComparisonRow).where(ComparisonRow.grade_id == given.grade_id)
    return [row.model_dump() for row in session.exec(rows.order_by(col(ComparisonRow.position)))]


def nth_newest_moment(session: Session, given: QueryArguments) -> Any:
    """Return when an account made the submission that is ``newer`` away from its newest one of ``until``."""
    moments = select(SubmissionRow.created_at).where(
        SubmissionRow.account_id == given.account_id, SubmissionRow.created_at <= given.until
    )
    return session.exec(moments.order_by(col(SubmissionRow.created_at).desc()).offset(given.newer).limit(1)).all()


def submission_for_reader(session: Session, given: QueryArguments) -> Any:
    """Return a submission without body, its course, a reader's role and section there, and its student's section."""
    owner = aliased(SeatRow)
    is_owner = and_(col(owner.course_id) == SubmissionRow.course_id, col(owner.account_id) == SubmissionRow.account_id)
    is_seat = and_(
        col(SeatRow.course_id) == col(SubmissionRow.course_id),
        col(SeatRow.account_id) == given.account_id,
        col(SeatRow.removed_at).is_(None),
    )
    submissions = (
        select(SubmissionRow, CourseRow, SeatRow.role, SeatRow.section, owner.section)  # type: ignore[call-overload]
        .join(CourseRow, col(CourseRow.id) == SubmissionRow.course_id)
        .join(owner, is_owner)
        .outerjoin(SeatRow, is_seat)
        .where(SubmissionRow.id == given.submission_id)
    )
    return session.exec(submissions.options(defer(SubmissionRow.body))).all()  # type: ignore[arg-type]


def head_for_reader(session: Session, given: QueryArguments) -> Any:
    """Return the same, without the body."""
    return [(without_body(submission), *others) for submission, *others in submission_for_reader(session, given)]


def without_body(submission: SubmissionRow) -> dict[str, Any]:
    """Return the values of a submission's columns, without its body."""
    return {name: getattr(submission, name) for name in HEAD_COLUMNS}


def submitter(session: Session, given: QueryArguments) -> Any:
    """Return id, name, university id and section of a student of a course."""
    seat = session.get(SeatRow, (given.course.id, given.account_id))
    account = session.get_one(AccountRow, given.account_id)
    return [] if seat is None else [(account.id, account.name, seat.university_id, seat.section)]


def neighbours(session: Session, given: QueryArguments) -> Any:
    """Return the submissions before and after one of an account and exercise, and how many there are."""
    submissions = select(SubmissionRow.id).where(
        SubmissionRow.course_id == given.course.id,
        SubmissionRow.account_id == given.account_id,
        SubmissionRow.exercise == given.exercise,
    )
    ids = session.exec(submissions).all()
    before = [id for id in ids if id < given.submission_id]
    after = [id for id in ids if id > given.submission_id]
    return [(max(before, default=None), min(after, default=None), len(ids))]


def verdicts(session: Session, given: QueryArguments) -> Any:
    """Return name and verdict of each row of the newest grade of a submission that counts."""
    grades = newest_grade(session, given)
    rows = select(ComparisonRow).where(col(ComparisonRow.grade_id).in_([grade.id for grade, _ in grades]))
    return [(row.name, row.verdict) for row in session.exec(rows.order_by(col(ComparisonRow.position)))]


def comments(session: Session, given: QueryArguments) -> Any:
    """Return the comments on a submission that were not withdrawn, each with the name of its author."""
    rows = session.exec(select(CommentRow).where(CommentRow.submission_id == given.submission_id)).all()
    kept = sorted((row for row in rows if row.withdrawn_at is None), key=lambda row: row.id)
    return [(row, session.get_one(AccountRow, row.author_id).name) for row in kept]


def override(session: Session, given: QueryArguments) -> Any:
    """Return the override of a student in an exercise that holds, with the names of the student and of its author."""
    rows = select(OverrideRow).where(
        OverrideRow.course_id == given.course.id,
        OverrideRow.account_id == given.account_id,
        OverrideRow.exercise == given.exercise,
    )
    kept = sorted((row for row in session.exec(rows) if row.withdrawn_at is None), key=lambda row: -row.id)
    names = {each.id: each.name for each in session.exec(select(AccountRow))}
    return [(row, names[row.account_id], names.get(row.author_id or 0)) for row in kept[:1]]


def progress_table(session: Session, given: QueryArguments) -> str:
    """Return the progress table of a course as JSON."""
    exercise = find(given.exercise)
    names = [each.name for each in exercise.checkpoints]
    standings = list_standings(session, given.course, [exercise], Scope())
    progress = select(ProgressRow).where(
        ProgressRow.course_id == given.course.id, ProgressRow.exercise == exercise.slug
    )
    cells = {
        (row.account_id, row.checkpoint): CellBody(
            best=row.best, attempts=row.attempts, first_passed_at=row.first_passed_at
        )
        for row in session.exec(progress)
    }
    return ProgressBody(
        course=given.course.slug,
        students=len(standings),
        next_after=None,
        columns=[ColumnBody(exercise=exercise.slug, checkpoint=name) for name in names],
        rows=[
            StudentProgressBody(
                student=PersonBody(id=each.id, name=each.name),
                section=each.section,
                university_id=each.university_id,
                state=each.state,
                passed=each.passed,
                exact=each.exact,
                submissions=each.submissions,
                last_handed_in_at=each.last_handed_in_at,
                last_seen_at=each.last_seen_at,
                stuck=[StuckBody(**vars(step)) for step in each.stuck],
                cells=[cells.get((each.id, name)) for name in names],
            )
            for each in standings
        ],
    ).model_dump_json()


def earned_cells(session: Session, given: QueryArguments) -> Mapping[int, Cell]:
    """Return what each student of a course has earned in an assignment."""
    assignment, names = _assignment(given)
    rows = select(ProgressRow).where(
        ProgressRow.course_id == given.course.id, ProgressRow.exercise == assignment.exercise
    )
    moments: dict[int, dict[str, Moments]] = {id: {} for id in _students(session, given)}
    for row in session.exec(rows):
        if row.account_id in moments:
            moments[row.account_id][row.checkpoint] = Moments.of(row)
    earned = {id: assignment_points(assignment, names, reached) for id, reached in moments.items()}
    return {
        id: Cell(round(points.points, DECIMALS), points.late_days)
        for id, points in earned.items()
        if not moments[id].keys().isdisjoint(names)
    }


def outcomes_of_students(session: Session, given: QueryArguments) -> Any:
    """Return how many steps each student of a course tried, passed and has exact, and the stuck ones."""
    names = [each.name for each in find(given.exercise).checkpoints]
    rows = select(ProgressRow).where(
        ProgressRow.course_id == given.course.id,
        ProgressRow.exercise == given.exercise,
        col(ProgressRow.checkpoint).in_(names),
    )
    outcomes: dict[int, list[Any]] = {}
    for row in session.exec(rows.order_by(col(ProgressRow.account_id), ProgressRow.checkpoint)):
        outcome = outcomes.setdefault(row.account_id, [row.account_id, row.exercise, 0, 0, 0, None])
        has_passed = Verdict(row.best).passed
        outcome[2] += 1
        outcome[3] += has_passed
        outcome[4] += row.best == Verdict.EXACT
        if not has_passed and row.attempts >= STUCK:
            step = f"{row.checkpoint}:{row.attempts}"
            outcome[5] = step if outcome[5] is None else f"{outcome[5]};{step}"
    return list(outcomes.values())


def insert_submission(session: Session, given: QueryArguments) -> bool:
    """Write a submission, and return whether it has an id now."""
    row = SubmissionRow(**given.new_submission)
    session.add(row)
    session.flush()
    return row.id is not None


def _lease(session: Session, ticket: TicketRow, until: datetime) -> list[tuple[object, ...]]:
    if ticket.tries >= TRIES_MAX:
        ticket.state, ticket.reason = TicketState.QUARANTINED, LOST_EVERY_TIME
    else:
        ticket.state, ticket.tries = TicketState.RUNNING, ticket.tries + 1
    ticket.due_at = until
    session.flush()
    return [(ticket.id, ticket.submission_id, ticket.tries, ticket.state)]


def _insert_beside_session(session: Session, given: QueryArguments) -> bool:
    row = SubmissionRow(**given.new_submission)
    row.insert(session)
    return row.id is not None


def _read_course_and_role(session: Session, given: QueryArguments) -> Any:
    rows = COURSE_AND_ROLE.rows(session, {"slug": given.course.slug, "account_id": given.account_id})
    return [(CourseRow.loaded(zip(COURSE_COLUMNS, row, strict=False)), *row[-2:]) for row in rows]


def _write_beside_session(session: Session, given: QueryArguments) -> bool:
    return SubmissionRow.write(session, given.new_submission).id is not None


def _read_head(session: Session, given: QueryArguments) -> Any:
    found = find_head(session, {"id": given.submission_id, "reader_id": given.account_id})
    return [] if found is None else [(without_body(found[0]), *found[1:])]


def _read_comments(session: Session, given: QueryArguments) -> Any:
    rows = COMMENTS.rows(session, _of_submission(given))
    return [(CommentRow.loaded(zip(COMMENT_COLUMNS, row, strict=False)), row[-1]) for row in rows]


def _read_override(session: Session, given: QueryArguments) -> Any:
    rows = OVERRIDE.rows(session, _where(given))
    return [(OverrideRow.loaded(zip(OVERRIDE_COLUMNS, row, strict=False)), *row[-2:]) for row in rows]


def _read_newest_grade(session: Session, given: QueryArguments) -> Any:
    graded = present.newest_grade(session, given.submission_id)
    return [] if graded is None else [(graded.row, graded.instance_kind)]


def _read_json(session: Session, given: QueryArguments) -> str:
    return read_progress_table(session, given.course, [find(given.exercise)]).as_json()


def _earn_in_groups(session: Session, given: QueryArguments) -> Mapping[int, Cell]:
    assignment, names = _assignment(given)
    return gradebook.earned_cells(session, assignment, names, dict.fromkeys(_students(session, given), ()))


def _assignment(given: QueryArguments) -> tuple[Assignment, list[str]]:
    names = [each.name for each in find(given.exercise).checkpoints]
    practice = Assignment.open_practice(given.course, given.exercise)
    return replace(
        practice,
        due_at=given.moment - timedelta(minutes=20),
        late_policy=LatePolicy.DAILY,
        late_per_day=0.25,
        approximate_share=0.75,
        inherited_share=0.5,
        checkpoint_points={names[0]: 3.0},
    ), names


def _students(session: Session, given: QueryArguments) -> Sequence[int]:
    seats = select(SeatRow.account_id).where(SeatRow.course_id == given.course.id, SeatRow.role == Role.STUDENT)
    return session.exec(seats).all()


def _read_outcomes(session: Session, given: QueryArguments) -> Any:
    outcomes = queries.outcomes_of_students(given.course, [find(given.exercise)], None, STUCK)
    rows = session.connection().execute(outcomes)
    return [(*row[:-1], row[-1] and ";".join(sorted(row[-1].split(";")))) for row in rows]


def _rows(statement: Any, arguments: Callable[[QueryArguments], Mapping[str, Any]]) -> Query:
    """Return a query that runs a statement beside the unit of work, as the server does."""
    if isinstance(statement, Prepared):
        return lambda session, given: [
            row[0] if len(row) == 1 else row for row in statement.rows(session, arguments(given))
        ]
    return lambda session, given: session.connection().execute(statement, arguments(given)).all()


def _entities(statement: Any, arguments: Callable[[QueryArguments], Mapping[str, Any]]) -> Query:
    """Return a query that runs a statement in the session, because the server needs objects of it."""
    return lambda session, given: session.exec(statement, params=arguments(given)).all()


def _write(statement: Any, rows: Callable[[QueryArguments], Any]) -> Query:
    """Return a query that runs a statement which returns nothing."""

    def write(session: Session, given: QueryArguments) -> None:
        if isinstance(statement, PreparedRows):
            statement.insert(session, rows(given))
        else:
            session.connection().execute(statement, rows(given))

    return write


def _of_submission(given: QueryArguments) -> Mapping[str, Any]:
    return {"submission_id": given.submission_id}


def _where(given: QueryArguments) -> Mapping[str, Any]:
    return {"course_id": given.course.id, "account_id": given.account_id, "exercise": given.exercise}


# By the room and the name of the statement.
PAIRS: Mapping[str, Pair] = {
    "accounts.ACCOUNT_OF_TOKEN": Pair(
        _rows(ACCOUNT_OF_TOKEN, lambda given: {"digest": given.token_digest, "moment": given.moment}), account_of_token
    ),
    "courses.COURSE_AND_ROLE": Pair(
        _read_course_and_role,
        course_and_role,
    ),
    "database.Table.insert": Pair(_insert_beside_session, insert_submission),
    "database.Table.write": Pair(_write_beside_session, insert_submission),
    "gradebook.groups_of_checkpoints": Pair(_earn_in_groups, earned_cells),
    "grading.DELETE_TICKET": Pair(_rows(DELETE_TICKET, _of_submission), delete_ticket),
    "grading.GRADES_OF_SUBMISSION": Pair(_rows(GRADES_OF_SUBMISSION, _of_submission), grades_of_submission),
    "grading.INSERT_ROWS": Pair(_write(INSERT_ROWS, lambda given: given.new_comparisons), insert_comparisons),
    "progress.COUNT_ROWS": Pair(_write(COUNT_ROWS, lambda given: given.new_progress), count_attempts),
    "queue.INSERT_TICKETS": Pair(_write(INSERT_TICKETS, lambda given: given.new_tickets), insert_tickets),
    "queue.LEASE_FIRST_DUE": Pair(
        _rows(LEASE_FIRST_DUE, lambda given: {"moment": given.moment, "until": given.until}), lease_first_due
    ),
    "queue.LEASE_OF_SUBMISSION": Pair(
        _rows(LEASE_OF_SUBMISSION, lambda given: {"claimed": given.submission_id, "until": given.until}),
        lease_of_submission,
    ),
    "queue.RANKS_OF_ACCOUNT": Pair(
        _rows(RANKS_OF_ACCOUNT, lambda given: {"account_id": given.account_id, "second": SECOND}), ranks_of_account
    ),
    "queue.SUBMISSION": Pair(
        lambda session, given: [
            SubmissionRow.loaded(zip(SUBMISSION_COLUMNS, row, strict=True))
            for row in SUBMISSION.rows(session, {"id": given.submission_id})
        ],
        submission,
    ),
    "queue.STANDINGS": Pair(_rows(STANDINGS, lambda given: {"ids": given.waiting_ids}), standings),
    "reports.cells_of_students": Pair(_read_json, progress_table),
    "rules.ASSIGNMENT_OF_EXERCISE": Pair(
        lambda session, given: [
            assignment_of(session, {"course_id": given.course.id, "exercise": given.exercise}),
        ],
        assignment_of_exercise,
    ),
    "rules.ATTEMPTS_USED": Pair(_rows(ATTEMPTS_USED, _where), attempts_used),
    "reports.outcomes_of_students": Pair(_read_outcomes, outcomes_of_students),
    "submissions.COMMENTS": Pair(_read_comments, comments),
    "submissions.HEAD_FOR_READER": Pair(_read_head, head_for_reader),
    "submissions.NEIGHBOURS": Pair(
        _rows(NEIGHBOURS, lambda given: {"id": given.submission_id, **_where(given)}), neighbours
    ),
    "submissions.OVERRIDE": Pair(_read_override, override),
    "submissions.SUBMITTER": Pair(
        _rows(SUBMITTER, lambda given: {"course_id": given.course.id, "account_id": given.account_id}), submitter
    ),
    "submissions.VERDICTS": Pair(_rows(VERDICTS, _of_submission), verdicts),
    "submissions.HAS_GRADE": Pair(
        lambda session, given: HAS_GRADE.first(session, _of_submission(given)) is not None,
        has_grade,
    ),
    "submissions.LARGE_BYTES_KEPT": Pair(
        _rows(
            LARGE_BYTES_KEPT,
            lambda given: {"course_id": given.course.id, "account_id": given.account_id, "larger": given.larger},
        ),
        large_bytes_kept,
    ),
    "submissions.LAST_ATTEMPTS": Pair(
        _rows(LAST_ATTEMPTS, lambda given: {**_where(given), "newest": POOL_SIZE}), last_attempts
    ),
    "submissions.NEWEST_GRADE": Pair(_read_newest_grade, newest_grade),
    "submissions.NTH_NEWEST_MOMENT": Pair(
        _rows(
            NTH_NEWEST_MOMENT,
            lambda given: {"account_id": given.account_id, "newer": given.newer, "until": given.until},
        ),
        nth_newest_moment,
    ),
    "submissions.ROWS_OF_GRADE": Pair(
        lambda session, given: present.rows_of_grade(session, given.grade_id),
        rows_of_grade,
    ),
    "submissions.SUBMISSION_FOR_READER": Pair(
        _entities(SUBMISSION_FOR_READER, lambda given: {"id": given.submission_id, "reader_id": given.account_id}),
        submission_for_reader,
    ),
    "submissions.SUBMISSION_WITH_KEY": Pair(
        _rows(SUBMISSION_WITH_KEY, lambda given: {"account_id": given.account_id, "key": given.idempotency_key}),
        submission_with_key,
    ),
}
