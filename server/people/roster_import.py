"""Importing a roster: what is new is added, what differs is changed, and everything else stays.

A line is the person with its university id, else the one with its e-mail address. Only people of this course are looked
at: an account that somebody has elsewhere is never opened by a roster. Its owner takes the new seat into it by opening
the link while signed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import Session, col

from server.accounts import accounts
from server.accounts.names import folded
from server.audit.log import record
from server.courses.access import Actor, require_active
from server.database import dialect
from server.http.problems import Problem
from server.people import invitations, people, rules
from server.people.people import Details, Namesakes, Person
from server.people.roster import WORDS, BadRoster, Mistake, Roster, RosterLine
from server.spreadsheet import as_csv
from server.tables import CourseRow, Role

LINKS_HEADER = ("name", "email", "university_id", "section", "role", "link")


@dataclass(frozen=True)
class PlannedChange:
    """A line that changes somebody: old and new value by field."""

    line: RosterLine
    person: Person
    fields: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class ImportPlan:
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

    plan: ImportPlan
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


def plan_import(session: Session, course: CourseRow, actor: Actor, roster: Roster) -> ImportPlan:
    """Return what an import would do. Nothing is written.

    :raises BadRoster: a line may not be imported
    """
    everybody = people.list_people(session, course)
    planner = _Planner(session, course, actor, everybody, ImportPlan(ignored_columns=roster.ignored_columns))
    mistakes: list[Mistake] = []
    for line in roster.lines:
        try:
            planner.add(line)
        except BadRoster as wrong:
            mistakes += wrong.mistakes
        except Problem as problem:
            mistakes.append(Mistake(line.number, "", problem.detail))
    mistakes += _without_instructor(everybody, planner.plan)
    if mistakes:
        raise BadRoster(mistakes)
    planner.note_absent()
    return planner.plan


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
    new = people.seat_new_accounts(session, course, [line.details for line in plan.additions])
    invited = list(zip(new, invitations.invite_new(session, new), strict=True))
    if renew:
        again = [person for person in plan.people if not person.has_signed_in]
        invited += [(person, invitations.invite(session, course, actor, person)) for person in again]
    links = [NewLink(person, invitations.link(address, code)) for person, code in invited]
    counts = {"added": len(plan.additions), "changed": len(plan.changes), "links": len(links)}
    record(session, rules.entry(course, actor, "people.import", after=counts))
    return Imported(plan, links)


class _Planner:
    """Finds whom each line means, and what it does."""

    def __init__(
        self, session: Session, course: CourseRow, actor: Actor, everybody: Sequence[Person], plan: ImportPlan
    ) -> None:
        self._session, self._course, self._actor = session, course, actor
        self.plan = plan
        self._everybody = everybody
        self._namesakes = Namesakes(everybody)
        # As it is written first, else in any case, as within a file.
        self._by_id = {fold(id): person for fold in (str.casefold, str) for person, id in _with_ids(everybody)}
        self._by_email: dict[str, list[Person]] = {}
        for person in everybody:
            self._by_email.setdefault((person.seat.email or "").casefold(), []).append(person)
        self._line_of_account: dict[int, int] = {}
        self._line_of_new_name: dict[str, int] = {}

    def add(self, line: RosterLine) -> None:
        """Plan what a line does.

        :raises BadRoster: it may not be imported
        :raises Forbidden: the actor may not do this
        """
        person = self._find(line)
        if person is None:
            self._add_new(line)
            return
        first = self._line_of_account.setdefault(person.account.id, line.number)
        if first != line.number:
            raise BadRoster([Mistake(line.number, "", f"This is {person.label}, as line {first} is.")])
        self._add_known(line, person)

    def note_absent(self) -> None:
        """Note who is in the course and in no line."""
        self.plan.absent.extend(
            person
            for person in self._everybody
            if person.seat.removed_at is None and person.account.id not in self._line_of_account
        )

    def _find(self, line: RosterLine) -> Person | None:
        """Return whom a line means, or None if it is somebody new.

        :raises BadRoster: its e-mail address belongs to several people, or to one with another university id
        """
        id, email = line.details.university_id, (line.details.email or "").casefold()
        known = self._by_id.get(id) or self._by_id.get(id.casefold()) if id is not None else None
        if known is not None:
            return known
        same = self._by_email.get(email, []) if email else []
        active = [person for person in same if person.seat.removed_at is None] or same
        if len(active) > 1:
            labels = " and ".join(person.label for person in active)
            text = f"It belongs to {labels}. Merge them, or give the university id."
            raise BadRoster([Mistake(line.number, WORDS["email"], text)])
        if active and id is not None and active[0].seat.university_id is not None:
            text = f"It belongs to {active[0].label}, who has another university id."
            raise BadRoster([Mistake(line.number, WORDS["email"], text)])
        return active[0] if active else None

    def _add_new(self, line: RosterLine) -> None:
        self.plan.additions.append(line)
        self._note(line, *self._namesakes.remarks(line.details))
        first = self._line_of_new_name.setdefault(folded(line.details.name), line.number)
        if first != line.number:
            self._note(line, f"Line {first} has the same name. Look whether it is one person.")

    def _add_known(self, line: RosterLine, person: Person) -> None:
        if person.seat.removed_at is not None:
            self._note(line, f"{person.label} was removed, and stays so. To undo that, put them back.")
            return
        given = {name: getattr(line.details, name) for name in line.given}
        fields = people.differences(person, replace(_details(person), **given))
        elsewhere = "name" in fields and rules.is_used_elsewhere(self._session, self._course, person.account.id)
        if elsewhere and not self._actor.is_admin:
            del fields["name"]
            self._note(line, f"{person.label} uses this account elsewhere too, and keeps that name.")
        # Whether an instructor is left is asked of all lines together.
        others = fields.keys() - {"role"}
        rules.check_change(self._session, self._course, self._actor, person.account, person.seat, others)
        if "role" in fields:
            rules.require_not_own_role(self._actor, person.account)
        if fields.keys() & {"name", "email"}:
            self._note(line, *self._namesakes.remarks(line.details, person.account.id))
        if fields:
            self.plan.changes.append(PlannedChange(line, person, fields))
        else:
            self.plan.unchanged.append(person)

    def _note(self, line: RosterLine, *texts: str) -> None:
        self.plan.notes.extend((line.number, text) for text in texts)


def _without_instructor(everybody: Sequence[Person], plan: ImportPlan) -> list[Mistake]:
    """Return a mistake for each line that would take the role of the last instructors."""
    before = {person.account.id for person in everybody if _is_instructor(person)}
    demoted = [change for change in plan.changes if "role" in change.fields and change.person.account.id in before]
    promoted = [change for change in plan.changes if change.fields.get("role", (None, None))[1] is Role.INSTRUCTOR]
    new = [line for line in plan.additions if line.details.role is Role.INSTRUCTOR]
    if not demoted or new or promoted or len(demoted) < len(before):
        return []
    return [Mistake(change.line.number, "role", "The course would have no instructor left.") for change in demoted]


def _with_ids(everybody: Iterable[Person]) -> list[tuple[Person, str]]:
    return [(person, person.seat.university_id) for person in everybody if person.seat.university_id]


def _is_instructor(person: Person) -> bool:
    return person.seat.role is Role.INSTRUCTOR and person.seat.removed_at is None


def _details(person: Person) -> Details:
    seat = person.seat
    return Details(person.account.name, seat.role, seat.email, seat.university_id, seat.section)
