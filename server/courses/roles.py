"""Who may do what: one table, permission by role."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from server.tables import Role


class Permission(StrEnum):
    """An act in a course, as its sentence in the table of docs/instructor.md names it."""

    READ_EXERCISES = "read exercises, and one's own instances"
    HAND_IN = "hand in answers, and check them live"
    READ_OWN_WORK = "read and cancel one's own submissions, and read one's own progress"
    READ_CLASS = "read everybody's progress, the analytics and the queue"
    READ_SUBMISSIONS = "read everybody's submissions, with the whole diagnosis"
    CANCEL_SUBMISSIONS = "cancel others' submissions"
    RELEASE_SUBMISSIONS = "release submissions that were set aside or cancelled"
    REGRADE = "regrade, and read what a regrade changed"
    READ_ROSTER = "read the roster, and search it"
    MANAGE_PEOPLE = "add, change, merge and remove people, and make join codes"
    MANAGE_ASSIGNMENTS = "set assignments, their dates and rules"
    EXTEND = "grant and revoke extensions"
    COMMENT = "comment on submissions"
    OVERRIDE = "override points"
    READ_GRADEBOOK = "read the gradebook"
    MANAGE_COURSE = "change, copy, archive and remove the course"
    READ_AUDIT = "read the audit log"


SEATED: Final = frozenset({Role.STUDENT, Role.ASSISTANT, Role.INSTRUCTOR})
STAFF: Final = frozenset({Role.ASSISTANT, Role.INSTRUCTOR, Role.ADMIN})
EVERYBODY: Final = SEATED | STAFF
RESPONSIBLE: Final = frozenset({Role.INSTRUCTOR, Role.ADMIN})

GRANTED: Final[Mapping[Permission, frozenset[Role]]] = {
    Permission.READ_EXERCISES: EVERYBODY,
    Permission.HAND_IN: SEATED,  # a submission belongs to a seat
    Permission.READ_OWN_WORK: EVERYBODY,
    Permission.READ_CLASS: STAFF,
    Permission.READ_SUBMISSIONS: STAFF,
    Permission.CANCEL_SUBMISSIONS: STAFF,
    Permission.RELEASE_SUBMISSIONS: STAFF,
    Permission.REGRADE: RESPONSIBLE,
    Permission.READ_ROSTER: STAFF,
    Permission.MANAGE_PEOPLE: RESPONSIBLE,
    Permission.MANAGE_ASSIGNMENTS: RESPONSIBLE,
    Permission.EXTEND: STAFF,
    Permission.COMMENT: STAFF,
    Permission.OVERRIDE: RESPONSIBLE,
    Permission.READ_GRADEBOOK: STAFF,
    Permission.MANAGE_COURSE: RESPONSIBLE,
    Permission.READ_AUDIT: RESPONSIBLE,
}
