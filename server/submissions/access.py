"""Access to a submission: its owner's, and that of the staff of its course."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from fastapi import Request
from sqlmodel import Session

from server.accounts.signin import Credentials, SignedInSession, TheCredentials
from server.courses.access import Membership
from server.courses.last_seen import LastSeen, last_seen_of
from server.courses.queries import COURSE_COLUMNS
from server.courses.roles import Permission
from server.http.problems import NotFound
from server.http.row_id import RowId
from server.submissions.queries import HEAD_COLUMNS, HEAD_FOR_READER, SUBMISSION_FOR_READER
from server.tables import CourseRow, SubmissionRow

# A submission, its course, the reader's role and section there, and the section of its student.
Found = tuple[SubmissionRow, CourseRow, str | None, str | None, str | None]
Find = Callable[[Session, Mapping[str, int]], Found | None]


class UnknownSubmission(NotFound):
    """There is no such submission, or the caller may not see it. The caller cannot tell the two apart, by design."""

    title, slug = "No such submission", "unknown-submission"


@dataclass(frozen=True)
class SubmissionSession:
    """A transaction for an account that may see a submission."""

    session: Session
    submission: SubmissionRow
    reader: Membership
    reader_id: int


@dataclass(frozen=True)
class SubmissionAccess:
    """A request about a submission: ``own`` is the permission that it takes of the owner, ``others`` of anyone else.

    It is checked when a transaction is opened.
    """

    credentials: Credentials
    id: int
    own: Permission
    others: Permission
    last_seen: LastSeen

    @contextmanager
    def reading(self) -> Iterator[SubmissionSession]:
        """Open a reading transaction.

        :raises Unauthorised: the token is unknown or revoked
        :raises UnknownSubmission: there is no such submission, or the caller may not see it
        :raises Forbidden: the caller may see it, and not do this with it
        """
        with self._opened(self.credentials.reading()) as reader:
            yield reader

    @contextmanager
    def writing(self) -> Iterator[SubmissionSession]:
        """Open a writing transaction; raises what ``reading`` does."""
        with self._opened(self.credentials.writing()) as reader:
            yield reader

    @contextmanager
    def reading_head(self) -> Iterator[SubmissionSession]:
        """Open a reading transaction as ``reading`` does. The submission has no body, and no session keeps it."""
        with self._opened(self.credentials.reading(), find_head) as reader:
            yield reader

    @contextmanager
    def _opened(
        self, transaction: AbstractContextManager[SignedInSession], find: Find | None = None
    ) -> Iterator[SubmissionSession]:
        with transaction as signed_in:
            opened = self._find(signed_in, find or _find_row)
            yield opened
        if opened.reader.is_seated:
            self.last_seen.note(opened.reader.course.id, signed_in.account_id)

    def _find(self, signed_in: SignedInSession, find: Find) -> SubmissionSession:
        found = find(signed_in.session, {"id": self.id, "reader_id": signed_in.account_id})
        if found is not None:
            submission, course, role, section, owners_section = found
            reader = Membership.of(signed_in, course, role, section)
            is_own = submission.account_id == signed_in.account_id
            may_read = reader.may(Permission.READ_OWN_WORK if is_own else Permission.READ_SUBMISSIONS)
            if may_read and (is_own or reader.section in (None, owners_section)):
                reader.require(self.own if is_own else self.others)
                return SubmissionSession(signed_in.session, submission, reader, signed_in.account_id)
        raise UnknownSubmission(
            f"You have no submission {self.id}.", on_api="GET /api/v1/courses/{course}/submissions lists yours."
        )


def _find_row(session: Session, ids: Mapping[str, int]) -> Found | None:
    found: Found | None = session.exec(SUBMISSION_FOR_READER, params=ids).first()
    return found


def find_head(session: Session, ids: Mapping[str, int]) -> Found | None:
    """Return a submission without its body, its course, and the seats of its reader and its student."""
    found = HEAD_FOR_READER.first(session, ids)
    if found is None:
        return None
    columns = iter(found)
    submission = SubmissionRow.loaded(zip(HEAD_COLUMNS, columns, strict=False))
    course = CourseRow.loaded(zip(COURSE_COLUMNS, columns, strict=False))
    role, section, owners_section = columns
    return submission, course, role, section, owners_section


@dataclass(frozen=True)
class AllowedForSubmission:
    """The dependency of a route of a submission; see ``SubmissionAccess``."""

    own: Permission
    others: Permission

    async def __call__(self, request: Request, id: RowId, credentials: TheCredentials) -> SubmissionAccess:
        """Return access to the submission that the address names."""
        return SubmissionAccess(credentials, id, self.own, self.others, last_seen_of(request))
