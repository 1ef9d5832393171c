"""Courses, and the seats in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from server.accounts import accounts
from server.accounts.names import clean_name, folded, skeleton
from server.courses import join_codes
from server.courses.titles import checked_slug, clean_title
from server.http.problems import Conflict, Forbidden
from server.tables import AccountRow, CourseRow, Role, SeatRow

HINT_LEVELS_MAX = 3  # the kind, the line of the forward pass, what to look at there
HINTS_AFTER_MAX = 1000


class LooksLikeStaff(Conflict):
    """A name that is read as that of somebody who teaches the course."""

    title, slug = "Name of staff", "looks-like-staff"


class RemovedFromCourse(Forbidden):
    """The account had a seat in this course, and was removed from it."""

    title, slug = "Removed from the course", "removed"


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


@dataclass(frozen=True)
class Joined:
    """An account that has a seat in the course of a join code.

    ``token`` is a new one if the older ones had to be revoked, else None. ``is_new`` is whether the seat is.
    """

    account: AccountRow
    course: CourseRow
    token: str | None = None
    has_namesake: bool = False
    is_new: bool = True


def open_course(session: Session, slug: str, title: str) -> CourseRow:
    """Make a course with a fresh join code.

    :raises BadSlug: the slug cannot stand in an address
    :raises BadTitle: the title cannot be shown in a list
    :raises SlugTaken: there is a course with this slug
    """
    course = CourseRow(slug=checked_slug(slug), title=clean_title(title))
    taken = SlugTaken(f"There is a course {slug!r} already. Choose another slug.")
    if find_course(session, slug) is not None:
        raise taken
    session.add(course)
    try:
        session.flush()
    except IntegrityError:  # somebody else opened it in this moment
        raise taken from None
    join_codes.make(session, course)
    return course


def find_course(session: Session, slug: str) -> CourseRow | None:
    """Return the course with this slug, or None."""
    return session.exec(select(CourseRow).where(CourseRow.slug == slug)).first()


def list_courses(session: Session) -> list[tuple[CourseRow, int]]:
    """Return every course with the number of its students, by slug."""
    is_student = (col(SeatRow.role) == Role.STUDENT) & col(SeatRow.removed_at).is_(None)
    students = func.count(col(SeatRow.account_id)).filter(is_student)
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


def seats_of_all(session: Session, account_ids: Sequence[int]) -> dict[int, list[tuple[CourseRow, Role]]]:
    """Return what ``seats_of`` does, of several accounts in one query; those without a seat are left out."""
    seats = (
        select(SeatRow.account_id, CourseRow, SeatRow.role)
        .join(CourseRow)
        .where(col(SeatRow.account_id).in_(account_ids), col(SeatRow.removed_at).is_(None))
    )
    found: dict[int, list[tuple[CourseRow, Role]]] = {}
    for account_id, course, role in session.exec(seats.order_by(CourseRow.slug)):
        found.setdefault(account_id, []).append((course, Role(role)))
    return found


def join(session: Session, code: str, name: str) -> NewMember:
    """Make an account with a student's seat in the course of a join code.

    :raises UnknownJoinCode: no course has this code
    :raises ClosedJoinCode: the code takes nobody in now
    :raises BadName: the name cannot be shown in a list
    :raises LooksLikeStaff: the name is read as that of somebody who teaches the course
    """
    join_code = join_codes.find(session, code)
    course = session.get_one(CourseRow, join_code.course_id)
    has_namesake = check_name(session, course, clean_name(name))
    join_codes.use(session, join_code)
    return replace(enrol(session, course, name, Role.STUDENT, join_code.section), has_namesake=has_namesake)


def join_with_account(session: Session, code: str, account_id: int) -> Joined:
    """Give an account a student's seat in the course of a join code; nothing happens if it has one.

    Staff of its first course may hold a key that they passed on (``AccountRow.keys_given_at``). This course is not
    theirs, so then all keys are made anew.

    :raises UnknownJoinCode: no course has this code
    :raises ClosedJoinCode: the code takes nobody in now
    :raises LooksLikeStaff: the account's name is read as that of somebody who teaches the course
    :raises RemovedFromCourse: the account was removed from the course
    """
    accounts.lock_account(session, account_id)
    account = session.get_one(AccountRow, account_id)
    join_code = join_codes.find(session, code)
    course = session.get_one(CourseRow, join_code.course_id)
    seat = session.get(SeatRow, (course.id, account_id))
    if seat is not None and seat.removed_at is not None:
        raise RemovedFromCourse("You were removed from this course. Ask its instructor to put you back.")
    if seat is not None:
        return Joined(account, course, is_new=False)
    has_namesake = check_name(session, course, account.name)
    join_codes.use(session, join_code)
    session.add(SeatRow(course_id=course.id, account_id=account_id, section=join_code.section))
    token = accounts.renew_keys(session, account) if account.keys_given_at is not None else None
    return Joined(account, course, token, has_namesake)


def check_name(session: Session, course: CourseRow, name: str) -> bool:
    """Return whether somebody in a course has a name already.

    :raises LooksLikeStaff: the name is read as that of somebody who teaches the course
    """
    people = session.exec(
        select(AccountRow.name, SeatRow.role)
        .join(SeatRow)
        .where(SeatRow.course_id == course.id, col(SeatRow.removed_at).is_(None))
    ).all()
    shape = skeleton(name)
    if any(role is not Role.STUDENT and skeleton(other) == shape for other, role in people):
        raise LooksLikeStaff(
            "This name is read as that of somebody who teaches the course. "
            "Join with another, such as your full name, or ask your instructor to add you."
        )
    return folded(name) in {folded(other) for other, _ in people}


def enrol(session: Session, course: CourseRow, name: str, role: Role, section: str | None = None) -> NewMember:
    """Make an account with a seat in a course.

    :raises BadName: the name cannot be shown in a list
    """
    account = accounts.open_account(session, name)
    session.add(SeatRow(course_id=course.id, account_id=account.id, role=role, section=section))
    return NewMember(account, course, accounts.issue_token(session, account.id))
