"""Access to a training run: its owner's, and that of the staff of its course."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from fastapi import Request
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from server.accounts.signin import Credentials, SignedInSession, TheCredentials
from server.courses.access import Membership
from server.courses.roles import Permission
from server.http.row_id import RowId
from server.tables import CourseRow, SeatRow, TrainingRunRow
from server.training.runs import UnknownRun


@dataclass(frozen=True)
class RunSession:
    """A transaction for an account that may see a run."""

    session: Session
    row: TrainingRunRow
    reader: Membership
    reader_id: int


@dataclass(frozen=True)
class RunAccess:
    """A request about a run: ``own`` is the permission that it takes of the owner, ``others`` of anyone else.

    It is checked when a transaction is opened.
    """

    credentials: Credentials
    id: int
    own: Permission
    others: Permission

    @contextmanager
    def reading(self) -> Iterator[RunSession]:
        """Open a reading transaction.

        :raises Unauthorised: the token is unknown or revoked
        :raises UnknownRun: there is no such run, or the caller may not see it
        :raises Forbidden: the caller may see it, and not do this with it
        """
        with self._opened(self.credentials.reading()) as opened:
            yield opened

    @contextmanager
    def writing(self) -> Iterator[RunSession]:
        """Open a writing transaction; raises what ``reading`` does."""
        with self._opened(self.credentials.writing()) as opened:
            yield opened

    @contextmanager
    def _opened(self, transaction: AbstractContextManager[SignedInSession]) -> Iterator[RunSession]:
        with transaction as signed_in:
            yield self._found(signed_in)

    def _found(self, signed_in: SignedInSession) -> RunSession:
        session = signed_in.session
        row = session.get(TrainingRunRow, self.id)
        if row is not None:
            course = session.get_one(CourseRow, row.course_id)
            seats = {seat.account_id: seat for seat in session.exec(self._seats(row, signed_in.account_id))}
            seat = seats.get(signed_in.account_id)
            is_seated = seat is not None and seat.removed_at is None
            role, section = (seat.role, seat.section) if seat is not None and is_seated else (None, None)
            reader = Membership.of(signed_in, course, role, section)
            is_own = row.account_id == signed_in.account_id
            owners_section = seats[row.account_id].section
            may_read = reader.may(Permission.READ_OWN_WORK if is_own else Permission.READ_SUBMISSIONS)
            if may_read and (is_own or reader.section in (None, owners_section)):
                reader.require(self.own if is_own else self.others)
                return RunSession(session, row, reader, signed_in.account_id)
        raise UnknownRun(
            f"You have no training run {self.id}.",
            on_api="GET /api/v1/courses/{course}/training/runs lists yours.",
        )

    @staticmethod
    def _seats(row: TrainingRunRow, reader_id: int) -> SelectOfScalar[SeatRow]:
        return select(SeatRow).where(
            SeatRow.course_id == row.course_id, col(SeatRow.account_id).in_((row.account_id, reader_id))
        )


@dataclass(frozen=True)
class AllowedForRun:
    """The dependency of a route of a training run; see ``RunAccess``."""

    own: Permission
    others: Permission

    async def __call__(self, request: Request, id: RowId, credentials: TheCredentials) -> RunAccess:
        """Return access to the run that the address names."""
        return RunAccess(credentials, id, self.own, self.others)
