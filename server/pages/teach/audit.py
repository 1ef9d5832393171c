"""The audit log of a course: who changed what, in sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Response

from exercises import registry
from server.assignments import packs
from server.assignments.validation import SHARES
from server.audit import reading
from server.audit.reading import NamedEntry, Question
from server.courses.access import CourseAccess, CourseSession
from server.courses.local_time import local_text, zone_of
from server.courses.roles import Permission
from server.pages.page import ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.pages.teach.assignment_form import LABELS
from server.people import people
from server.people.people import Person
from server.tables import AuditRow

router = page_router()
AUDIT: Final = "/courses/{course}/audit"
PAGE_SIZE: Final = 50
VALUE_LENGTH_MAX: Final = 120
# What somebody did, as a sentence goes on after their name. {subject} and {exercise} are those of the entry.
ACTS: Final[Mapping[str, str]] = {
    "assignment.add": "set the assignment {exercise}",
    "assignment.change": "changed the assignment {exercise}",
    "assignment.remove": "removed the assignment {exercise}",
    "assignment.order": "put the assignments in another order",
    "comment.write": "commented on a submission of {subject}",
    "comment.withdraw": "withdrew a comment on a submission of {subject}",
    "course.open": "opened the course",
    "course.change": "changed the course",
    "course.packs": "changed the packs of exercises",
    "course.archive": "archived the course",
    "course.reopen": "reopened the course",
    "extension.grant": "granted an extension for {exercise}{to_subject}",
    "extension.revoke": "revoked an extension for {exercise}{to_subject}",
    "join_code.make": "made a join code",
    "join_code.change": "changed a join code",
    "join_code.revoke": "revoked a join code",
    "override.set": "set the points of {subject} in {exercise}",
    "override.withdraw": "withdrew the points set for {subject} in {exercise}",
    "people.add": "added {subject}",
    "people.change": "changed what the roster says of {subject}",
    "people.import": "imported a roster",
    "people.invite": "made a new link for {subject}",
    "people.merge": "merged another account into {subject}",
    "people.pairing_code": "made a pairing code for {subject}",
    "people.put_back": "put {subject} back",
    "people.remove": "removed {subject}",
    "people.token": "made a token for {subject}",
    "regrade.begin": "began a regrade",
    "regrade.accept": "accepted a regrade",
    "regrade.discard": "discarded a regrade",
}
NAMES: Final = {
    **{name: label.lower() for name, label in LABELS.items()},
    "due_at": "due",
    "position": "place",
    "fields": "also",
    "join_code": "code number",
    "uses_max": "uses",
    "expires_at": "until",
}
GROUPS: Final = {
    "assignment": "assignments",
    "extension": "extensions",
    "people": "people",
    "join_code": "join codes",
    "override": "overrides",
    "comment": "comments",
    "regrade": "regrades",
    "course": "the course",
}


@dataclass(frozen=True)
class ChangedValue:
    """A value that an act changed, as text; None where there was or is none."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class LogLine:
    """An entry as it is shown."""

    row: AuditRow
    actor: str
    sentence: str
    values: Sequence[ChangedValue]


@dataclass(frozen=True)
class LogPage:
    """A part of the log; ``following`` is the number before which the next part is, or None."""

    lines: Sequence[LogLine]
    following: int | None
    people: Sequence[Person]


def read_page(member: CourseSession, question: Question) -> LogPage:
    """Return what the page shows."""
    entries = reading.read(member.session, member.course.id, question)
    following = entries[-1].row.id if len(entries) == question.limit else None
    everybody = people.list_people(member.session, member.course)
    return LogPage([told(each, zone_of(member.course)) for each in entries], following, everybody)


@router.get(AUDIT)
def show_audit(
    page: ThePage,
    access: Annotated[CourseAccess, Depends(Visiting(Permission.READ_AUDIT))],
    act: Annotated[str, Query(max_length=64)] = "",
    person: Annotated[str, Query(max_length=9, pattern="^[0-9]*$")] = "",
    exercise: Annotated[str, Query(max_length=64)] = "",
    before: Annotated[str, Query(max_length=9, pattern="^[0-9]*$")] = "",
) -> Response:
    """Show who changed what, the newest first."""
    question = Question(
        act or None, int(person) if person else None, exercise or None, int(before) if before else None, PAGE_SIZE
    )
    asked = {"act": act, "person": person, "exercise": exercise}
    with access.reading() as member:
        return page.render(
            "teach/audit.html",
            membership=member.membership,
            shown=read_page(member, question),
            asked=asked,
            is_filtered=any(asked.values()),
            groups=GROUPS,
            exercises=[(slug, each.title) for slug, each in packs.exercises_of(member.course).items()],
        )


def told(entry: NamedEntry, zone: ZoneInfo) -> LogLine:
    """Return an entry in a sentence, with the values that changed, times by the clocks of a zone."""
    row = entry.row
    actor = "The operator" if row.actor_id is None else entry.actor or f"Account {row.actor_id}"
    subject = "nobody" if row.subject_id is None else entry.subject or f"account {row.subject_id}"
    exercise = registry.exercises().get(row.exercise or "")
    names = {
        "subject": subject,
        "exercise": f"“{exercise.title if exercise else row.exercise}”",
        "to_subject": f" to {subject}" if row.subject_id is not None else "",
    }
    sentence = ACTS.get(row.act, row.act.replace(".", " ").replace("_", " ")).format(**names)
    before, after = row.before or {}, row.after or {}
    values = [
        ChangedValue(NAMES.get(name, name.replace("_", " ")), _text(before, name, zone), _text(after, name, zone))
        for name in {**before, **after}
    ]
    return LogLine(row, actor, sentence, [each for each in values if (each.before, each.after) != (None, None)])


def _text(values: Mapping[str, Any], name: str, zone: ZoneInfo) -> str | None:
    """Return a value of the log as people read it: short, and JSON where it is no text."""
    value = values.get(name)
    if value is None or value in ({}, []):
        return None
    if name.endswith("_at") and isinstance(value, str):
        return local_text(datetime.fromisoformat(value), zone)
    if name in SHARES and isinstance(value, float | int):
        return f"{value * 100:g} %"
    if name == "position" and isinstance(value, int):
        return str(value + 1)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ", ".join(value)
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= VALUE_LENGTH_MAX else f"{shown[:VALUE_LENGTH_MAX]}…"
