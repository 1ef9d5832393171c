"""Merging two accounts of one person: everything of both is kept, in one of them.

1. Seats: a seat that only the other account has is taken over. Of two in a course, the higher role holds unless it was
   taken away, and what the one roster leaves open is taken from the other.
2. Submissions get new attempt numbers, in the order in which they were handed in. What refers to them goes with them.
3. Progress is worked out anew from the grades of both, so the better counts, and attempts add up.
4. Everything else that refers to the account refers to the other one now; the audit log stays as it was written. Of
   two overrides of an assignment, and of two drafts, the newer one holds.
5. The merged account has no token and no seat any more, and its row says into which it went.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Column, Table, delete, update
from sqlmodel import Session, col, select

from server.accounts import accounts
from server.audit.log import record
from server.courses.access import Actor, require_active
from server.database.table import now
from server.http.problems import Conflict, Forbidden
from server.people import rules
from server.people.people import Person, get_person
from server.progress.recount import recount
from server.tables import (
    AccountRow,
    AuditRow,
    CourseRow,
    DraftRow,
    InstanceRow,
    InvitationRow,
    OverrideRow,
    PairingCodeRow,
    ProgressRow,
    Role,
    SeatRow,
    SubmissionRow,
    TokenRow,
    metadata,
)

# What is not simply handed over, each for a reason of its own: see the steps above.
NOT_HANDED_OVER: Final = frozenset(
    table.__tablename__
    for table in (AccountRow, AuditRow, InstanceRow, InvitationRow, PairingCodeRow, ProgressRow, SeatRow, TokenRow)
)
ROLES_UPWARDS: Final = (Role.STUDENT, Role.ASSISTANT, Role.INSTRUCTOR)


class CannotMerge(Conflict):
    """These two accounts cannot be merged."""

    title, slug = "Cannot merge", "cannot-merge"


def merge_people(
    session: Session, course: CourseRow, actor: Actor, account_id: int, into_id: int, reason: str | None = None
) -> Person:
    """Merge an account of a course into another one of it, and return that.

    :raises NoSuchPerson: nobody here has one of the numbers
    :raises CannotMerge: it is one account
    :raises Forbidden: the account is used elsewhere too, or is an instructor's, an admin's, or the actor's own
    """
    require_active(course)
    if account_id == into_id:
        raise CannotMerge("An account cannot be merged into itself. Name two different people.")
    lock_both(session, account_id, into_id)
    merged = get_person(session, course, account_id, removed=True)
    person = get_person(session, course, into_id)
    rules.require_may_touch(actor, person.account)
    rules.require_may_open(session, course, actor, merged.account, merged.seat.role)
    if account_id == actor.account_id:
        raise Forbidden("You cannot merge your own account away. Merge the other one into yours.")
    require_unmerged(merged.account)
    if merge(session, merged.account, person.account) and person.account.keys_given_at is not None:
        # Staff of the course that it had hold a key. The further course is not theirs.
        accounts.revoke_tokens(session, into_id)
        person.account.keys_given_at = None
    record(
        session,
        rules.entry(course, actor, "people.merge", into_id, after={"merged_account": account_id}, reason=reason),
    )
    return get_person(session, course, into_id)


def merge(session: Session, merged: AccountRow, into: AccountRow) -> bool:
    """Move everything of an account into another one; return whether that got a seat in a further course.

    The caller holds the lock of both, and has checked that this may be done.
    """
    session.flush()
    has_further_seat = _merge_seats(session, merged.id, into.id)
    exercises = _merge_submissions(session, merged.id, into.id)
    _hand_over_instances(session, merged.id, into.id)
    _keep_newest_drafts(session, merged.id, into.id)
    for table, column in account_columns():
        session.connection().execute(update(table).where(column == merged.id).values({column.name: into.id}))
    _keep_newest_overrides(session, into.id)
    session.connection().execute(delete(ProgressRow).where(col(ProgressRow.account_id) == merged.id))
    for submission in exercises:
        session.refresh(submission)
        recount(session, submission)
    session.flush()
    session.connection().execute(delete(SeatRow).where(col(SeatRow.account_id) == merged.id))
    accounts.revoke_tokens(session, merged.id)
    merged.merged_into_id, merged.is_admin, merged.keys_given_at = into.id, False, None
    session.flush()
    return has_further_seat


def lock_both(session: Session, *account_ids: int) -> None:
    """Lock accounts, the lower number first, so that no two transactions wait for each other.

    :raises NoSuchPerson: there is no such account
    """
    for account_id in sorted(account_ids):
        if session.get(AccountRow, account_id) is not None:  # else the caller says who is missing
            accounts.lock_account(session, account_id)


def require_unmerged(account: AccountRow) -> None:
    """Do nothing if an account can still be merged.

    :raises CannotMerge: it was merged before
    """
    if account.merged_into_id is not None:
        raise CannotMerge(f"Account {account.id} was merged into {account.merged_into_id} before. Look at that one.")


def account_columns() -> Iterator[tuple[Table, Column[int]]]:
    """Yield the columns that are handed over: those that refer to an account, alone or by its seat."""
    for table in metadata.sorted_tables:
        if table.name not in NOT_HANDED_OVER:
            for column in table.columns:
                targets = {key.target_fullname for key in column.foreign_keys}
                if targets & {"account.id", "seat.account_id"}:
                    yield table, column


def _merge_seats(session: Session, merged_id: int, into_id: int) -> bool:
    has_further = False
    for seat in session.exec(select(SeatRow).where(SeatRow.account_id == merged_id)).all():
        values = seat.model_dump(exclude={"account_id"})
        seat.university_id = None  # it is unique in a course
        session.flush()
        kept = session.get(SeatRow, (seat.course_id, into_id))
        if kept is None:
            session.add(SeatRow(**values, account_id=into_id))
            has_further = True
            continue
        if seat.removed_at is None:  # a role that was taken away is not given back
            kept.role = max(kept.role, seat.role, key=ROLES_UPWARDS.index)
        for field in ("email", "university_id", "section"):
            setattr(kept, field, getattr(kept, field) or values[field])
        kept.created_at = min(kept.created_at, seat.created_at)
        kept.last_seen_at = max(filter(None, (kept.last_seen_at, seat.last_seen_at)), default=None)
    session.flush()
    return has_further


def _merge_submissions(session: Session, merged_id: int, into_id: int) -> list[SubmissionRow]:
    """Move the submissions, and return one of each course and exercise."""
    connection = session.connection()
    of_both = select(SubmissionRow.id, SubmissionRow.account_id, SubmissionRow.course_id, SubmissionRow.exercise).where(
        col(SubmissionRow.account_id).in_((merged_id, into_id))
    )
    numbered: dict[tuple[int, str], list[int]] = {}
    touched = set()
    for id, account_id, course_id, exercise in session.exec(
        of_both.order_by(col(SubmissionRow.created_at), col(SubmissionRow.id))
    ):
        numbered.setdefault((course_id, exercise), []).append(id)
        if account_id == merged_id:
            touched.add((course_id, exercise))
    keys = select(SubmissionRow.idempotency_key).where(SubmissionRow.account_id == into_id)
    twice = col(SubmissionRow.idempotency_key).in_(keys.where(col(SubmissionRow.idempotency_key).is_not(None)))
    connection.execute(
        update(SubmissionRow).where(col(SubmissionRow.account_id) == merged_id, twice).values(idempotency_key=None)
    )
    table = metadata.tables[SubmissionRow.__tablename__]
    for place in touched:
        ids = numbered[place]
        # Negative numbers first: no two rows may have one number at any moment.
        for number, id in [*((-id, id) for id in ids), *enumerate(ids, 1)]:
            connection.execute(update(table).where(table.c.id == id).values(account_id=into_id, attempt=number))
    return [session.get_one(SubmissionRow, numbered[place][0]) for place in sorted(touched)]


def _keep_newest_overrides(session: Session, account_id: int) -> None:
    """Withdraw the older of two overrides of an assignment: else it would count again once the newer is withdrawn."""
    newest: set[tuple[int, str]] = set()
    live = select(OverrideRow).where(OverrideRow.account_id == account_id, col(OverrideRow.withdrawn_at).is_(None))
    for override in session.exec(live.order_by(col(OverrideRow.id).desc())).all():
        place = (override.course_id, override.exercise)
        if place in newest:
            override.withdrawn_at = now()
        newest.add(place)
    session.flush()


def _keep_newest_drafts(session: Session, *account_ids: int) -> None:
    """Delete the older of two drafts of an exercise: an account has one."""
    newest: set[tuple[int, str]] = set()
    drafts = select(DraftRow).where(col(DraftRow.account_id).in_(account_ids)).order_by(col(DraftRow.changed_at).desc())
    for draft in session.exec(drafts).all():
        place = (draft.course_id, draft.exercise)
        if place in newest:
            session.delete(draft)
        newest.add(place)
    session.flush()


def _hand_over_instances(session: Session, merged_id: int, into_id: int) -> None:
    """Let the numbers of the merged account be the other one's, where that has none. Where it has, both stay."""
    table = metadata.tables[InstanceRow.__tablename__]
    own = table.alias()
    has_own = (
        select(own.c.id)
        .where(
            own.c.account_id == into_id,
            own.c.exercise == table.c.exercise,
            own.c.revision == table.c.revision,
            own.c.kind == table.c.kind,
        )
        .exists()
    )
    session.connection().execute(
        update(table).where(table.c.account_id == merged_id, ~has_own).values(account_id=into_id)
    )
