"""Erasing a person: what names them goes, and what a course's statistics are made of stays.

The account, its seats and its grades keep their numbers. Names, addresses, what was handed in, what code printed and
what others wrote about the person are emptied. Their seats are in no list any more; analytics still count them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Update, delete, update
from sqlmodel import Session, col, select

from server.accounts.accounts import lock_account
from server.courses.seats import LastInstructor, has_other_instructor
from server.database.table import now
from server.http.problems import NotFound, Unprocessable
from server.tables import (
    AccountRow,
    AuditRow,
    CommentRow,
    ComparisonRow,
    CourseRow,
    DraftRow,
    ExtensionRow,
    GradeRow,
    InvitationRow,
    OverrideRow,
    PairingCodeRow,
    Role,
    RunState,
    SeatRow,
    SubmissionRow,
    TicketRow,
    TokenRow,
    TrainingChunkRow,
    TrainingRunRow,
)

ERASED_NAME = "(erased)"


class UnknownAccount(NotFound):
    """There is no account with this number."""

    title, slug = "No such account", "unknown-account"


class NameDiffers(Unprocessable):
    """The name that was typed is not that of the account."""

    title, slug = "Another name", "name-differs"


def find_account(session: Session, account_id: int) -> AccountRow:
    """Return an account.

    :raises UnknownAccount: there is none with this number
    """
    account = session.get(AccountRow, account_id)
    if account is None:
        raise UnknownAccount(f"There is no account {account_id}. Look its number up in the roster of a course.")
    return account


def erase_confirmed(session: Session, account_id: int, name: str) -> AccountRow:
    """Erase the person of an account whose name was typed once more; return what is left of it.

    :raises UnknownAccount: there is no such account
    :raises NameDiffers: it has another name
    :raises LastInstructor: a course that is not archived has no other instructor
    """
    account = find_account(session, account_id)
    if name != account.name:
        raise NameDiffers(
            f"Account {account_id} has another name than the one typed. Nothing was erased; type its own."
        )
    erase(session, account)
    return account


def erase(session: Session, account: AccountRow) -> None:
    """Erase a person. It cannot be taken back. An account that was erased before stays as it is.

    :raises LastInstructor: a course that is not archived has no other instructor
    """
    if account.erased_at is not None:
        return
    lock_account(session, account.id)
    _require_other_instructors(session, account.id)
    moment = now()
    for keys in (TokenRow, PairingCodeRow, InvitationRow):
        session.connection().execute(delete(keys).where(col(keys.account_id) == account.id))
    for statement in _emptying(account.id, moment):
        session.connection().execute(statement)
    for each in (account, *_merged_into(session, account.id)):
        each.name, each.is_admin, each.erased_at = ERASED_NAME, False, moment
        session.add(each)


def _merged_into(session: Session, account_id: int) -> list[AccountRow]:
    """Return the accounts that were merged into one, at once or by way of another; their rows keep a name."""
    found: list[AccountRow] = []
    waiting = [account_id]
    while waiting:
        merged = session.exec(select(AccountRow).where(col(AccountRow.merged_into_id).in_(waiting))).all()
        waiting = [each.id for each in merged]
        found += merged
    return found


def _emptying(account_id: int, moment: datetime) -> list[Any]:
    """Return the statements that empty what names somebody, or was written by or about them."""
    submissions = select(SubmissionRow.id).where(SubmissionRow.account_id == account_id)
    grades = select(GradeRow.id).where(col(GradeRow.submission_id).in_(submissions))
    runs = select(TrainingRunRow.id).where(TrainingRunRow.account_id == account_id)
    is_live = col(TrainingRunRow.state).in_([RunState.QUEUED, RunState.RUNNING])
    return [
        delete(TicketRow).where(col(TicketRow.account_id) == account_id),
        delete(DraftRow).where(col(DraftRow.account_id) == account_id),
        _of(SubmissionRow, account_id).values(
            body=b"", digest="", filename=None, idempotency_key=None, emptied_at=moment
        ),
        _of(TrainingRunRow, account_id).where(is_live).values(state=RunState.CANCELLED, finished_at=moment),
        _of(TrainingRunRow, account_id).values(
            body=b"", filename="", pseudonym=None, message=None, ranked=False, emptied_at=moment
        ),
        # After their runs, as a worker locks them.
        delete(TrainingChunkRow).where(col(TrainingChunkRow.run_id).in_(runs)),
        # A message holds lines of the code, and a note or a diagnosis may hold a name out of it.
        update(GradeRow).where(col(GradeRow.submission_id).in_(submissions)).values(run_message=None, run_stdout=None),
        update(ComparisonRow).where(col(ComparisonRow.grade_id).in_(grades)).values(notes=[]),
        update(CommentRow).where(col(CommentRow.submission_id).in_(submissions)).values(text=""),
        _of(OverrideRow, account_id).values(reason=""),
        _of(ExtensionRow, account_id).values(reason=""),
        update(AuditRow).where(col(AuditRow.subject_id) == account_id).values(reason=None),
        _of(SeatRow, account_id).values(email=None, university_id=None, section=None, last_seen_at=None),
    ]


def _of(table: Any, account_id: int) -> Update:
    return update(table).where(table.account_id == account_id)


def _require_other_instructors(session: Session, account_id: int) -> None:
    for course in session.exec(
        select(CourseRow)
        .join(SeatRow)
        .where(
            SeatRow.account_id == account_id,
            SeatRow.role == Role.INSTRUCTOR,
            col(SeatRow.removed_at).is_(None),
            col(CourseRow.archived_at).is_(None),
        )
    ):
        if not has_other_instructor(session, course, account_id):
            raise LastInstructor(
                f"This account is the only instructor of {course.slug!r}. Make somebody else an instructor first, or "
                "archive the course."
            )
