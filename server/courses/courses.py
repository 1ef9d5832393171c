"""Courses, and the seats in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from server.accounts import accounts, tokens
from server.courses.titles import checked_slug, clean_title
from server.http.problems import Conflict, NotFound
from server.tables import AccountRow, CourseRow, Role, SeatRow

HINT_LEVELS_MAX = 3  # the kind, the line of the forward pass, what to look at there
HINTS_AFTER_MAX = 1000


class UnknownJoinCode(NotFound):
    """No course has this join code."""

    title, slug = "Unknown join code", "unknown-join-code"


class SlugTaken(Conflict):
    """There is a course with this slug."""

    title, slug = "Slug taken", "slug-taken"


@dataclass(frozen=True)
class NewMember:
    """An account with a seat that was just taken, and its token, which is known at this moment only.

    ``has_namesake`` is whether somebody in the course had the same name before.
    """

    account: AccountRow
    course: CourseRow
    token: str
    has_namesake: bool = False


def open_course(session: Session, slug: str, title: str) -> CourseRow:
    """Make a course with a fresh join code.

    :raises BadSlug: the slug cannot stand in an address
    :raises BadTitle: the title cannot be shown in a list
    :raises SlugTaken: there is a course with this slug
    """
    course = CourseRow(slug=checked_slug(slug), title=clean_title(title), join_code=tokens.new_typed_code())
    taken = SlugTaken(f"There is a course {slug!r} already. Choose another slug.")
    if find_course(session, slug) is not None:
        raise taken
    session.add(course)
    try:
        session.flush()
    except IntegrityError:  # somebody else opened it in this moment
        raise taken from None
    return course


def find_course(session: Session, slug: str) -> CourseRow | None:
    """Return the course with this slug, or None."""
    return session.exec(select(CourseRow).where(CourseRow.slug == slug)).first()


def list_courses(session: Session) -> list[tuple[CourseRow, int]]:
    """Return every course with the number of its students, by slug."""
    students = func.count(col(SeatRow.account_id)).filter(col(SeatRow.role) == Role.STUDENT)
    counted = select(CourseRow, students).outerjoin(SeatRow).group_by(col(CourseRow.id)).order_by(CourseRow.slug)
    return [(course, count) for course, count in session.exec(counted)]


def find_first_course(session: Session) -> CourseRow | None:
    """Return the course that was opened first, or None."""
    return session.exec(select(CourseRow).order_by(col(CourseRow.id)).limit(1)).first()


def seats_of(session: Session, account_id: int) -> list[tuple[CourseRow, Role]]:
    """Return the courses in which an account has a seat, with its role, by slug."""
    seats = (
        select(CourseRow, SeatRow.role)
        .join(SeatRow)
        .where(SeatRow.account_id == account_id, col(SeatRow.removed_at).is_(None))
    )
    return [(course, Role(role)) for course, role in session.exec(seats.order_by(CourseRow.slug))]


def replace_join_code(course: CourseRow) -> str:
    """Give a course a new join code, and return it. The old one stops working; nobody loses a seat."""
    course.join_code = tokens.new_typed_code()
    return course.join_code


def join(session: Session, code: str, name: str) -> NewMember:
    """Make an account with a student's seat in the course of a join code.

    :raises UnknownJoinCode: no course has this code
    :raises BadName: the name cannot be shown in a list
    """
    course = session.exec(select(CourseRow).where(CourseRow.join_code == tokens.normalise_typed_code(code))).first()
    if course is None:
        raise UnknownJoinCode(
            "No course has this join code; it may have been replaced. Ask your instructor for the current one."
        )
    has_namesake = _has_namesake(session, course, accounts.clean_name(name))
    return replace(enrol(session, course, name, Role.STUDENT), has_namesake=has_namesake)


def _has_namesake(session: Session, course: CourseRow, name: str) -> bool:
    namesake = select(SeatRow.account_id).join(AccountRow).where(SeatRow.course_id == course.id)
    return session.exec(namesake.where(AccountRow.name == name).limit(1)).first() is not None


def enrol(session: Session, course: CourseRow, name: str, role: Role) -> NewMember:
    """Make an account with a seat in a course.

    :raises BadName: the name cannot be shown in a list
    """
    account = accounts.open_account(session, name)
    session.add(SeatRow(course_id=course.id, account_id=account.id, role=role))
    return NewMember(account, course, accounts.issue_token(session, account.id))
