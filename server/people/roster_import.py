"""Importing a roster: what is new is added, what differs is changed, and everything else stays.

A line is the person with its university id, else the one with its e-mail address. Only people of this course are looked
at: an account that somebody has elsewhere is never opened by a roster. Its owner takes the new seat into it by opening
the link while signed in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import Session, col

from server.accounts import accounts
from server.audit.log import record
from server.courses.access import require_active
from server.database import dialect
from server.http.problems import Problem
from server.http.spreadsheet import as_csv
from server.people import invitations, people, rules
from server.people.people import Details, Person
from server.people.roster import WORDS, BadRoster, Mistake, Roster, RosterLine
from server.people.rules import Actor
from server.tables import CourseRow, Role

LINKS_HEADER = ("name", "email", "university_id", "section", "role", "link")


@dataclass(frozen=True)
class PlannedChange:
    """A line that changes somebody: old and new value by field."""

    line: RosterLine
    person: Person
    fields: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Plan:
    """What an import does. ``absent`` are people of the course who are not in the file; nothing happens to them."""

    additions: list[RosterLine] = field(default_factory=list)
    changes: list[PlannedChange] = field(default_factory=list)
    unchanged: list[Person] = field(default_factory=list)
    absent: list[Person] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)

    @property
    def people(self) -> Iterable[Person]:
        """Everybody of the file who was in the course before."""
        return (*(change.person for change in self.changes), *self.unchanged)


@dataclass(frozen=True)
class NewLink:
    """Somebody's link, which is known at this moment only."""

    person: Person
    link: str


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do: then nobody has a link."""

    plan: Plan
    links: list[NewLink] = field(default_factory=list)

    def links_csv(self) -> str:
        """Return the links as a CSV for a mail merge."""
        lines = (
            (
                link.person.account.name,
                link.person.seat.email or "",
                link.person.seat.university_id or "",
                link.person.seat.section or "",
                link.person.seat.role.value,
                link.link,
            )
            for link in self.links
        )
        return as_csv(LINKS_HEADER, lines)


def plan_import(session: Session, course: CourseRow, actor: Actor, roster: Roster) -> Plan:
    """Return what an import would do. Nothing is written.

    :raises BadRoster: a line may not be imported
    """
    everybody = people.list_people(session, course)
    plan = Plan(ignored_columns=roster.ignored_columns)
    mistakes: list[Mistake] = []
    matched: dict[int, int] = {}  # account → line
    for line in roster.lines:
        try:
            person = _match(everybody, line)
            if person is None:
                plan.additions.append(line)
                plan.notes.extend((line.number, note) for note in people.remarks(everybody, line.details))
                continue
            if (first := matched.setdefault(person.account.id, line.number)) != line.number:
                raise BadRoster([Mistake(line.number, "", f"This is {person.label}, as line {first} is.")])
            _plan_known(session, course, actor, plan, line, person)
        except BadRoster as wrong:
            mistakes += wrong.mistakes
        except Problem as problem:
            mistakes.append(Mistake(line.number, "", problem.detail))
    mistakes += _without_instructor(everybody, plan)
    if mistakes:
        raise BadRoster(mistakes)
    plan.absent.extend(
        person for person in everybody if person.seat.removed_at is None and person.account.id not in matched
    )
    return plan


def import_roster(
    session: Session, course: CourseRow, actor: Actor, roster: Roster, address: str, *, renew: bool = False
) -> Imported:
    """Import a roster, and return what was done, with a link for everybody who was added.

    :param address: of the server, as people reach it
    :param renew: whether people who were added before and never signed in get a new link too
    :raises BadRoster: a line may not be imported; then nothing is written
    """
    require_active(course)
    dialect.lock_row(session, col(CourseRow.id), course.id)  # one import after the other
    plan = plan_import(session, course, actor, roster)
    for change in plan.changes:
        accounts.lock_account(session, change.person.account.id)
        people.apply(session, course, actor, change.person, change.fields)
    invited = [people.seat_new_account(session, course, line.details) for line in plan.additions]
    if renew:
        invited += [person for person in plan.people if not person.has_signed_in]
    links = [
        NewLink(person, invitations.link(address, invitations.invite(session, course, actor, person)))
        for person in invited
    ]
    counts = {"added": len(plan.additions), "changed": len(plan.changes), "links": len(links)}
    record(session, rules.entry(course, actor, "people.import", after=counts))
    return Imported(plan, links)


def _plan_known(
    session: Session, course: CourseRow, actor: Actor, plan: Plan, line: RosterLine, person: Person
) -> None:
    if person.seat.removed_at is not None:
        plan.notes.append((line.number, f"{person.label} was removed, and stays so. To undo that, put them back."))
        return
    given = {name: getattr(line.details, name) for name in line.given}
    fields = people.differences(person, replace(_details(person), **given))
    if "name" in fields and not actor.is_admin and rules.is_used_elsewhere(session, course, person.account.id):
        del fields["name"]
        plan.notes.append((line.number, f"{person.label} uses this account elsewhere too, and keeps that name."))
    rules.check_change(session, course, actor, person.account, person.seat, fields.keys() - {"role"})
    if "role" in fields and person.account.id == actor.account_id and not actor.is_admin:
        raise BadRoster([Mistake(line.number, "role", "You cannot change your own role. Ask another instructor.")])
    if fields:
        plan.changes.append(PlannedChange(line, person, fields))
    else:
        plan.unchanged.append(person)


def _match(everybody: list[Person], line: RosterLine) -> Person | None:
    """Return whom a line means, or None if it is somebody new.

    :raises BadRoster: its e-mail address belongs to several people, or to one with another university id
    """
    id, email = line.details.university_id, (line.details.email or "").casefold()
    for person in everybody:
        if id is not None and person.seat.university_id == id:
            return person
    same = [person for person in everybody if email and (person.seat.email or "").casefold() == email]
    active = [person for person in same if person.seat.removed_at is None] or same
    if len(active) > 1:
        labels = " and ".join(person.label for person in active)
        raise BadRoster([Mistake(line.number, WORDS["email"], f"It belongs to {labels}. Merge them, or give the id.")])
    if active and id is not None and active[0].seat.university_id is not None:
        text = f"It belongs to {active[0].label}, who has another university id."
        raise BadRoster([Mistake(line.number, WORDS["email"], text)])
    return active[0] if active else None


def _without_instructor(everybody: list[Person], plan: Plan) -> list[Mistake]:
    """Return a mistake for each line that would take the role of the last instructors."""
    before = {person.account.id for person in everybody if _is_instructor(person)}
    demoted = [change for change in plan.changes if "role" in change.fields and change.person.account.id in before]
    promoted = [change for change in plan.changes if change.fields.get("role", (None, None))[1] is Role.INSTRUCTOR]
    new = [line for line in plan.additions if line.details.role is Role.INSTRUCTOR]
    if not demoted or new or promoted or len(demoted) < len(before):
        return []
    return [Mistake(change.line.number, "role", "The course would have no instructor left.") for change in demoted]


def _is_instructor(person: Person) -> bool:
    return person.seat.role is Role.INSTRUCTOR and person.seat.removed_at is None


def _details(person: Person) -> Details:
    seat = person.seat
    return Details(person.account.name, seat.role, seat.email, seat.university_id, seat.section)
