"""Access to a course: a route names a permission, and gets a transaction in which it was checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Annotated, Final, Self

from fastapi import Path, Request
from sqlmodel import Session, col, select

from server.accounts.signin import Credentials, SignedInSession, TheCredentials
from server.courses.last_seen import LastSeen, last_seen_of
from server.courses.queries import COURSE_AND_ROLE, COURSE_COLUMNS
from server.courses.roles import GRANTED, Permission
from server.courses.titles import COURSE_SLUG, COURSE_SLUG_LENGTH_MAX
from server.database import dialect
from server.http.problems import Forbidden, NotFound
from server.tables import CourseRow, Role, SeatRow

CourseSlug = Annotated[str, Path(pattern=COURSE_SLUG, max_length=COURSE_SLUG_LENGTH_MAX)]


class UnknownCourse(NotFound):
    """There is no such course, or the caller has no seat in it. The caller cannot tell the two apart, by design."""

    title, slug = "No such course", "unknown-course"


class Archived(Forbidden):
    """The course is archived: it can be read, and takes nothing in."""

    title, slug = "Course archived", "archived"


@dataclass(frozen=True)
class Membership:
    """The roles of an account in a course: that of its seat, and ``ADMIN`` if it is one.

    ``section`` is the one that the account looks after: an assistant with a section sees and does in that section alone
    what their role grants. None means the whole course.
    """

    course: CourseRow
    roles: frozenset[Role]
    section: str | None = None

    @classmethod
    def of(cls, account: SignedInSession, course: CourseRow, role: str | None, section: str | None) -> Self:
        """Return the membership of an account that has a seat with this role and section, or none."""
        roles = frozenset() if role is None else frozenset({Role(role)})
        if account.is_admin:
            return cls(course, roles | {Role.ADMIN})
        return cls(course, roles, section if Role.ASSISTANT in roles else None)

    @property
    def is_seated(self) -> bool:
        """Whether the account has a seat in the course; an admin may have none."""
        return self.roles != {Role.ADMIN}

    def may(self, permission: Permission) -> bool:
        """Return whether a role of the account grants this."""
        return not GRANTED[permission].isdisjoint(self.roles)

    def require(self, permission: Permission) -> None:
        """Do nothing if a role of the account grants this.

        :raises Forbidden: none does
        """
        if not self.may(permission):
            roles = " or ".join(
                f"an {role}" if role[0] in "ai" else f"a {role}" for role in sorted(GRANTED[permission])
            )
            raise Forbidden(f"In this course, you may not {permission}: it takes {roles}. Ask your instructor.")

    def require_section(self, section: str | None) -> None:
        """Do nothing if the account looks after people of this section.

        :raises Forbidden: it looks after another one
        """
        Actor(section=self.section).require_section(section)

    def listed_section(self, asked: str | None) -> str | None:
        """Return the section whose people a list shows to staff: the one asked for, or else the account's own.

        :raises Forbidden: the account looks after another one
        """
        section = asked or self.section
        self.require_section(section)
        return section


@dataclass(frozen=True)
class Actor:
    """Who changes something: an account, or None for the operator at the command line.

    ``section`` is the one that the account looks after, or None for the whole course. The operator may do what an
    admin may.
    """

    account_id: int | None = None
    section: str | None = None
    is_admin: bool = False

    def require_section(self, section: str | None) -> None:
        """Do nothing if the actor looks after people of this section.

        :raises Forbidden: they look after another one
        """
        if self.section is not None and section != self.section:
            raise Forbidden(f"You look after section {self.section!r} of this course. Ask your instructor.")


OPERATOR: Final = Actor(is_admin=True)


@dataclass(frozen=True)
class CourseSession:
    """A transaction for an account in a course."""

    session: Session
    account_id: int
    membership: Membership

    @property
    def course(self) -> CourseRow:
        """The course."""
        return self.membership.course

    @property
    def actor(self) -> Actor:
        """The account, as the one who changes something."""
        return Actor(self.account_id, self.membership.section, Role.ADMIN in self.membership.roles)


@dataclass(frozen=True)
class CourseAccess:
    """A request about a course. The permission is checked when a transaction is opened."""

    credentials: Credentials
    slug: str
    permission: Permission
    last_seen: LastSeen

    @contextmanager
    def reading(self) -> Iterator[CourseSession]:
        """Open a reading transaction.

        :raises Unauthorised: the token is unknown or revoked
        :raises UnknownCourse: there is no such course, or no seat in it
        :raises Forbidden: the seat does not grant the permission
        """
        with self._opened(self.credentials.reading(), read_membership) as member:
            yield member

    @contextmanager
    def writing(self) -> Iterator[CourseSession]:
        """Open a writing transaction; raises what ``reading`` does."""
        with self._opened(self.credentials.writing(), find_membership) as member:
            yield member

    @contextmanager
    def handing_in(self) -> Iterator[CourseSession]:
        """Open a writing transaction that leaves the course as it is; raises what ``reading`` does."""
        with self._opened(self.credentials.writing(), read_membership) as member:
            yield member

    @contextmanager
    def _opened(
        self,
        transaction: AbstractContextManager[SignedInSession],
        find: Callable[[SignedInSession, str], Membership],
    ) -> Iterator[CourseSession]:
        with transaction as signed_in:
            membership = find(signed_in, self.slug)
            membership.require(self.permission)
            yield CourseSession(signed_in.session, signed_in.account_id, membership)
        if membership.is_seated:
            self.last_seen.note(membership.course.id, signed_in.account_id)


@dataclass(frozen=True)
class Allowed:
    """The dependency of a route of a course: ``Annotated[CourseAccess, Depends(Allowed(Permission.REGRADE))]``."""

    permission: Permission

    async def __call__(self, request: Request, course: CourseSlug, credentials: TheCredentials) -> CourseAccess:
        """Return access to the course that the address names."""
        return CourseAccess(credentials, course, self.permission, last_seen_of(request))


def find_membership(account: SignedInSession, slug: str) -> Membership:
    """Return an account's membership of a course, which the session keeps.

    :raises UnknownCourse: there is no such course, or no seat in it
    """
    parameters = {"slug": slug, "account_id": account.account_id}
    found = account.session.exec(COURSE_AND_ROLE.statement, params=parameters).first()
    return _required(Membership.of(account, *found) if found else None, slug)


def read_membership(account: SignedInSession, slug: str) -> Membership:
    """Return an account's membership of a course that is not changed: the session does not keep it.

    :raises UnknownCourse: there is no such course, or no seat in it
    """
    found = COURSE_AND_ROLE.first(account.session, {"slug": slug, "account_id": account.account_id})
    if found is None:
        return _required(None, slug)
    *course, role, section = found
    row = CourseRow.loaded(zip(COURSE_COLUMNS, course, strict=True))
    return _required(Membership.of(account, row, role, section), slug)


def _required(membership: Membership | None, slug: str) -> Membership:
    if membership is None or not membership.roles:
        raise UnknownCourse(f"You are in no course {slug!r}.", on_api="GET /api/v1/me lists your courses.")
    return membership


def memberships_of(account: SignedInSession) -> list[tuple[Membership, str | None]]:
    """Return an account's memberships of the courses in which it has a seat, by slug, with the section of the seat."""
    seats = (
        select(CourseRow, SeatRow.role, SeatRow.section)
        .join(SeatRow)
        .where(SeatRow.account_id == account.account_id, col(SeatRow.removed_at).is_(None))
        .order_by(CourseRow.slug)
    )
    found = account.session.exec(seats)
    return [(Membership.of(account, course, role, section), section) for course, role, section in found]


def lock_active(session: Session, course: CourseRow) -> None:
    """Let no other change of a course begin until this transaction ends, and read the course anew.

    :raises Archived: it is archived
    """
    lock(session, course)
    require_active(course)


def lock(session: Session, course: CourseRow) -> None:
    """Let no other change of a course begin until this transaction ends, and read the course anew."""
    session.flush()  # else reading anew would lose what was changed in this transaction
    dialect.lock_row(session, col(CourseRow.id), course.id)
    session.refresh(course)


def require_active(course: CourseRow) -> None:
    """Do nothing if the course takes answers, people and changes.

    :raises Archived: it is archived
    """
    if course.archived_at is not None:
        raise Archived(
            "This course is archived: it can be read, and takes no answers, people or changes. "
            "Its instructor can reopen it."
        )
