"""Everything about a person, as one archive: ``about.json``, and each file as it was handed in."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import defer
from sqlmodel import Session, SQLModel, col, func, select

from server.courses.access import Membership
from server.database.engine import Database
from server.rules.rules import Rules, find_all_rules
from server.submissions.hints import visible_rows
from server.submissions.source import file_name
from server.tables import (
    AccountRow,
    AuditRow,
    CommentRow,
    ComparisonRow,
    CourseRow,
    DraftRow,
    ExtensionRow,
    GradeRow,
    OverrideRow,
    ProgressRow,
    Role,
    SeatRow,
    SubmissionRow,
    TokenRow,
    TrainingRunRow,
)
from server.zip_stream import ZipStream

ABOUT: Final = "about.json"
BATCH: Final = 20  # submissions in memory at once
README: Final = """Everything that this server keeps about you.

about.json      your account, seats, progress, submissions with their grades, training runs, drafts, comments,
                extensions, overrides
submissions/    what you handed in, as it came; the number is that of about.json
training/       the code of your training runs

Results and hints that you do not see yet are left out. So are secrets: of a token, the server itself keeps only a hash.
Times are in UTC.
"""
# Numbers of others, and what opens an account or is in a file of its own.
LEFT_OUT: Final = {
    "digest",
    "body",
    "idempotency_key",
    "granted_by_id",
    "author_id",
    "actor_id",
    "instance_id",
    "grade_id",
    "account_id",
}

AllRules = Mapping[tuple[int, str], Rules]


def archive(database: Database, account_id: int, *, as_shown: bool = False) -> Iterator[bytes]:
    """Yield the bytes of a zip archive with everything about an account.

    Files are read in small transactions of their own, while the archive is written.

    :param as_shown: without the results and hints that the assignments do not show the account yet
    """
    written = ZipStream()
    with database.reading() as session:
        about = describe(session, account_id, _rules(session, account_id) if as_shown else {})
        ids = list(session.exec(select(SubmissionRow.id).where(SubmissionRow.account_id == account_id)))
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", README)
        file.writestr(ABOUT, json.dumps(about, indent=2, ensure_ascii=False, default=_plain))
        yield written.taken()
        for start in range(0, len(ids), BATCH):
            with database.reading() as session:
                batch = session.exec(select(SubmissionRow).where(col(SubmissionRow.id).in_(ids[start : start + BATCH])))
                bodies = [(f"submissions/{each.id}/{_safe(file_name(each))}", each.body) for each in batch]
            for path, body in bodies:
                file.writestr(path, body)
                yield written.taken()
        with database.reading() as session:
            runs = [(each.id, each.filename, each.body) for each in _of(session, TrainingRunRow, account_id)]
        for id, filename, body in runs:
            file.writestr(f"training/{id}/{_safe(filename) or 'backward.py'}", body)
            yield written.taken()
    yield written.taken()


def describe(session: Session, account_id: int, rules: AllRules) -> dict[str, Any]:
    """Return what the database holds about an account, file contents aside, as far as the rules show it.

    All of it where there are none.
    """
    account = session.get_one(AccountRow, account_id)
    courses = {each.id: each.slug for each in session.exec(select(CourseRow))}
    submissions = session.exec(
        select(SubmissionRow, func.length(SubmissionRow.body))
        .where(SubmissionRow.account_id == account_id)
        .options(defer(SubmissionRow.body))  # type: ignore[arg-type]
    ).all()
    changes = select(AuditRow).where(AuditRow.subject_id == account_id)
    return {
        "account": _fields(account),
        "tokens": [_fields(each) for each in _of(session, TokenRow, account_id)],
        "seats": [_in_course(each, courses) for each in _of(session, SeatRow, account_id)],
        "progress": [
            _in_course(each, courses)
            for each in _of(session, ProgressRow, account_id)
            if not _is_withheld(_of_exercise(rules, each))
        ],
        "extensions": [_in_course(each, courses) for each in _of(session, ExtensionRow, account_id)],
        "overrides": [_in_course(each, courses) for each in _of(session, OverrideRow, account_id)],
        "submissions": [
            {"bytes": size} | _in_course(each, courses) | _work(session, each, _of_exercise(rules, each))
            for each, size in submissions
        ],
        "drafts": [_in_course(each, courses) for each in _of(session, DraftRow, account_id)],
        "training runs": [_in_course(each, courses) for each in _of(session, TrainingRunRow, account_id)],
        "comments you wrote": [
            _fields(each) for each in session.exec(select(CommentRow).where(CommentRow.author_id == account_id))
        ],
        "changes about you": [_in_course(each, courses) for each in session.exec(changes)],
    }


def _work(session: Session, submission: SubmissionRow, rules: Rules | None) -> dict[str, Any]:
    """Return the grades of a submission, none while they are withheld, and the comments on it."""
    comments = session.exec(select(CommentRow).where(CommentRow.submission_id == submission.id)).all()
    work = {"grades": [], "comments": [_fields(each) for each in comments]}
    if rules is not None and rules.withheld is not None:
        return {**work, "shown_when": rules.withheld}
    grades = session.exec(
        select(GradeRow).where(GradeRow.submission_id == submission.id, col(GradeRow.counts)).order_by(col(GradeRow.id))
    ).all()
    rows = session.exec(
        select(ComparisonRow)
        .where(col(ComparisonRow.grade_id).in_([each.id for each in grades]))
        .order_by(col(ComparisonRow.position))
    ).all()
    graded = [{**_fields(each), "rows": _rows(session, rules, each, rows)} for each in grades]
    return {**work, "grades": graded}


def _rows(
    session: Session, rules: Rules | None, grade: GradeRow, rows: Sequence[ComparisonRow]
) -> list[dict[str, Any]]:
    of_grade = [row for row in rows if row.grade_id == grade.id]
    if rules is None:
        return [_fields(row) for row in of_grade]
    return [row.model_dump() for row in visible_rows(session, rules, [row.model_dump() for row in of_grade])]


def _rules(session: Session, account_id: int) -> AllRules:
    """Return the rules for what an account handed in, towards itself, by course and exercise."""
    is_admin = session.get_one(AccountRow, account_id).is_admin
    seats = select(CourseRow, SeatRow).join(SeatRow).where(SeatRow.account_id == account_id)
    rules: dict[tuple[int, str], Rules] = {}
    for course, seat in session.exec(seats):
        membership = Membership(course, frozenset({seat.role} | ({Role.ADMIN} if is_admin else set())), seat.section)
        handed_in = select(SubmissionRow.exercise).where(
            SubmissionRow.course_id == course.id, SubmissionRow.account_id == account_id
        )
        found = find_all_rules(session, membership, account_id, set(session.exec(handed_in)))
        rules |= {(course.id, exercise): each for exercise, each in found.items()}
    return rules


def _of_exercise(rules: AllRules, row: ProgressRow | SubmissionRow) -> Rules | None:
    return rules.get((row.course_id, row.exercise))


def _is_withheld(rules: Rules | None) -> bool:
    return rules is not None and rules.withheld is not None


def _of(session: Session, table: Any, account_id: int) -> Sequence[Any]:
    return session.exec(select(table).where(table.account_id == account_id)).all()


def _in_course(row: Any, courses: Mapping[int, str]) -> dict[str, Any]:
    return {"course": courses.get(row.course_id), **_fields(row)}


def _fields(row: SQLModel) -> dict[str, Any]:
    return row.model_dump(exclude=LEFT_OUT | {"course_id"})


def _plain(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


def _safe(name: str) -> str:
    """Return a file's name without a folder: an archive must not write elsewhere when it is unpacked."""
    return name.replace("/", "_").replace("\\", "_").replace("\0", "_")
