"""What is sent about people, join codes and invitations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from server.courses.join_codes import CodeState, CodeTerms, state_of
from server.courses.schemas import CourseBody, PersonBody
from server.http.row_id import RowId
from server.people.people import Details, Person
from server.people.roster_import import Imported
from server.tables import JoinCodeRow, Role

USES_MAX = 100_000


class SeatRole(StrEnum):
    """A role that a seat may have."""

    STUDENT = "student"
    ASSISTANT = "assistant"
    INSTRUCTOR = "instructor"


class Sent(BaseModel):
    """A body that is read here. A field that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid")


class RosterPersonBody(PersonBody):
    """Somebody in a course, as staff see them. ``has_signed_in`` is whether the account was ever opened."""

    role: Role
    section: str | None
    email: str | None
    university_id: str | None
    has_signed_in: bool
    joined_at: datetime
    last_seen_at: datetime | None
    removed_at: datetime | None

    @classmethod
    def of(cls, person: Person) -> RosterPersonBody:
        """Return what is sent of somebody."""
        seat = person.seat
        return cls(
            id=person.account.id,
            name=person.account.name,
            role=seat.role,
            section=seat.section,
            email=seat.email,
            university_id=seat.university_id,
            has_signed_in=person.has_signed_in,
            joined_at=seat.created_at,
            last_seen_at=seat.last_seen_at,
            removed_at=seat.removed_at,
        )


class PeopleBody(BaseModel):
    """A page of the people who were asked for; ``total`` counts all of them."""

    people: list[RosterPersonBody]
    total: int


class NewPersonBody(Sent):
    """Somebody to add."""

    name: str = Field(max_length=400)
    role: SeatRole = SeatRole.STUDENT
    section: str | None = Field(default=None, max_length=400)
    email: str | None = Field(default=None, max_length=400)
    university_id: str | None = Field(default=None, max_length=400)

    def details(self) -> Details:
        """Return the details that were sent."""
        return Details(**self.model_dump() | {"role": Role(self.role)})


class ChangedPersonBody(Sent):
    """New details of somebody; what is not sent stays. ``removed: false`` puts back who was removed."""

    name: str = Field(default="", max_length=400)
    role: SeatRole = SeatRole.STUDENT
    section: str | None = Field(default=None, max_length=400)
    email: str | None = Field(default=None, max_length=400)
    university_id: str | None = Field(default=None, max_length=400)
    removed: Literal[False] = False

    def changes(self) -> dict[str, Any]:
        """Return the details that were sent."""
        sent = self.model_dump(exclude_unset=True, exclude={"removed"})
        return sent | ({"role": Role(self.role)} if "role" in sent else {})


class PersonAndNotesBody(BaseModel):
    """Somebody who was added or changed, and what staff should look at, such as a name that another one has too."""

    person: RosterPersonBody
    notes: list[str]


class AddedPersonBody(PersonAndNotesBody):
    """Somebody who was added, and the link that opens their account once. It is shown this once."""

    link: str


class MergeBody(Sent):
    """Into whose account another one goes, and why."""

    into: RowId
    reason: str | None = Field(default=None, max_length=1000)


class KeyBody(Sent):
    """Whether the tokens that somebody has now are revoked."""

    revoke_old: bool = False


class GivenBody(BaseModel):
    """Whose key it is, in which course, and how many older tokens were revoked."""

    person: RosterPersonBody
    course: CourseBody
    revoked: int


class GivenTokenBody(GivenBody):
    """A new token. It is shown this once."""

    token: str


class GivenCodeBody(GivenBody):
    """A new pairing code. It is shown this once."""

    code: str
    expires_at: datetime


class ImportedPersonBody(BaseModel):
    """Somebody whom a roster adds, by the line of the file."""

    line: int
    name: str
    role: Role
    section: str | None


class RosterChangeBody(BaseModel):
    """Somebody whom a roster changes: the old and the new value of each field."""

    line: int
    person: PersonBody
    fields: dict[str, tuple[str | None, str | None]]


class NoteBody(BaseModel):
    """What staff should look at in a line of a roster."""

    line: int
    text: str


class LinkBody(BaseModel):
    """Somebody's link, which opens their account once. It is shown this once."""

    person: PersonBody
    email: str | None
    link: str


class ImportBody(BaseModel):
    """What an import did, or would do. ``absent`` are in the course and not in the file; nothing happened to them."""

    dry_run: bool
    added: list[ImportedPersonBody]
    changed: list[RosterChangeBody]
    unchanged: int
    absent: list[PersonBody]
    notes: list[NoteBody]
    ignored_columns: list[str]
    links: list[LinkBody]

    @classmethod
    def of(cls, imported: Imported, *, dry_run: bool) -> ImportBody:
        """Return what is sent of an import."""
        plan = imported.plan
        return cls(
            dry_run=dry_run,
            added=[
                ImportedPersonBody(
                    line=line.number, name=line.details.name, role=line.details.role, section=line.details.section
                )
                for line in plan.additions
            ],
            changed=[
                RosterChangeBody(line=change.line.number, person=_named(change.person), fields=change.fields)
                for change in plan.changes
            ],
            unchanged=len(plan.unchanged),
            absent=[_named(person) for person in plan.absent],
            notes=[NoteBody(line=line, text=text) for line, text in plan.notes],
            ignored_columns=plan.ignored_columns,
            links=[
                LinkBody(person=_named(link.person), email=link.person.seat.email, link=link.link)
                for link in imported.links
            ],
        )


class JoinCodeBody(BaseModel):
    """A join code of a course, and whether it takes people in."""

    id: int
    code: str
    state: CodeState
    section: str | None
    uses: int
    uses_max: int | None
    expires_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, code: JoinCodeRow) -> JoinCodeBody:
        """Return what is sent of a code."""
        return cls(**code.model_dump(exclude={"course_id", "revoked_at"}), state=state_of(code))


class JoinCodesBody(BaseModel):
    """The join codes of a course, the newest first."""

    join_codes: list[JoinCodeBody]


class CodeTermsBody(Sent):
    """How long, how often and for which section a join code works; null means without an end, a limit, a section."""

    section: str | None = Field(default=None, max_length=400)
    uses_max: int | None = Field(default=None, ge=1, le=USES_MAX)
    expires_at: AwareDatetime | None = None

    def terms(self) -> CodeTerms:
        """Return the terms that were sent."""
        return CodeTerms(**self.model_dump())


class ChangedCodeBody(CodeTermsBody):
    """New terms of a join code; what is not sent stays. ``closed`` closes it now, or opens it without an end."""

    closed: bool | None = None

    def changes(self) -> dict[str, Any]:
        """Return the terms that were sent."""
        return self.model_dump(exclude_unset=True, exclude={"closed"})


class OpenInvitationBody(Sent):
    """The part of a personal link behind ``#``."""

    code: str = Field(max_length=100)


def _named(person: Person) -> PersonBody:
    return PersonBody(id=person.account.id, name=person.account.name)
