"""Opening a course over REST, which takes an admin."""

from __future__ import annotations

from server.accounts.signin import SignedInSession
from server.audit.log import Entry, record
from server.courses import courses
from server.courses.local_time import find_zone
from server.http.problems import Forbidden
from server.tables import CourseRow, Role, SeatRow


def open_course(account: SignedInSession, slug: str, title: str, time_zone: str) -> CourseRow:
    """Open a course with an admin as its instructor.

    :raises Forbidden: the account is no admin
    :raises BadSlug: the slug cannot stand in an address
    :raises BadTitle: the title cannot be shown in a list
    :raises UnknownTimeZone: there is no such time zone
    :raises SlugTaken: there is a course with this slug
    """
    if not account.is_admin:
        raise Forbidden(
            "To open a course takes an admin. Ask your operator, who types: python -m server course add SLUG TITLE."
        )
    zone = find_zone(time_zone).key
    course = courses.open_course(account.session, slug, title)
    course.time_zone = zone
    account.session.add(SeatRow(course_id=course.id, account_id=account.account_id, role=Role.INSTRUCTOR))
    record(account.session, Entry(course.id, account.account_id, "course.open"))
    return course
