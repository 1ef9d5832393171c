"""The people of a course: finding, adding, changing and removing them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import NoResultFound
from sqlmodel import Session, col, select

from server.accounts import accounts
from server.accounts.names import clean_name, folded, searchable, skeleton
from server.audit.log import record
from server.courses.access import Actor, require_active
from server.database.table import now
from server.http.problems import Conflict, NotFound, Unprocessable
from server.http.text import is_invisible, one_line
from server.people import rules
from server.tables import AccountRow, CourseRow, InvitationRow, Role, SeatRow, TokenRow

EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
LENGTHS_MAX: Final = {"email": 320, "university_id": 64, "section": 64}
WORDS: Final = {"email": "e-mail", "university_id": "university id", "section": "section"}


class NoSuchPerson(NotFound):
    """Nobody in this course has this number."""

    title, slug = "No such person", "no-such-person"


class BadDetail(Unprocessable):
    """An e-mail address, a university id or a section that cannot be kept."""

    title, slug = "Invalid detail of a person", "bad-detail"


class TakenId(Conflict):
    """Somebody else in the course has this university id."""

    title, slug = "University id taken", "taken-id"


@dataclass(frozen=True)
class Person:
    """Somebody with a seat in a course. ``has_signed_in`` is whether a token was ever made for the account."""

    account: AccountRow
    seat: SeatRow
    has_signed_in: bool = True

    @property
    def label(self) -> str:
        """The person in a sentence to staff: name, number, role and section."""
        section = f", section {self.seat.section}" if self.seat.section else ""
        return f"{self.account.name} (number {self.account.id}, {self.seat.role}{section})"


@dataclass(frozen=True)
class Details:
    """What is known of somebody who is added. None means nothing is."""

    name: str
    role: Role = Role.STUDENT
    email: str | None = None
    university_id: str | None = None
    section: str | None = None

    def cleaned(self) -> Details:
        """Return the details in the form that is kept.

        :raises BadName: the name cannot be shown in a list
        :raises BadDetail: another one cannot be kept
        """
        details = {field: clean_detail(field, getattr(self, field)) for field in LENGTHS_MAX}
        return Details(clean_name(self.name), self.role, **details)


@dataclass(frozen=True)
class Search:
    """Which people are asked for: a part of name, e-mail or university id; a section; a role; those removed."""

    text: str = ""
    section: str | None = None
    role: Role | None = None
    removed: bool = False

    def finds(self, person: Person) -> bool:
        """Return whether somebody is asked for."""
        seat = person.seat
        texts = (person.account.name, seat.email or "", seat.university_id or "")
        return (
            (seat.removed_at is not None) == self.removed
            and self.section in (None, seat.section)
            and self.role in (None, seat.role)
            and any(searchable(self.text) in searchable(text) for text in texts)
        )


def list_people(session: Session, course: CourseRow, search: Search | None = None) -> list[Person]:
    """Return people of a course by name; without a search, everybody, also those who were removed.

    The search is made here, because SQLite knows small and capital letters of English only.
    """
    has_token = select(TokenRow.id).where(TokenRow.account_id == AccountRow.id).exists()
    rows = session.exec(
        select(AccountRow, SeatRow, has_token)
        .join(SeatRow, col(SeatRow.account_id) == AccountRow.id)
        .where(SeatRow.course_id == course.id, col(AccountRow.erased_at).is_(None))
    )
    people = [Person(account, seat, has_signed_in) for account, seat, has_signed_in in rows]
    found = people if search is None else [person for person in people if search.finds(person)]
    return sorted(found, key=lambda person: (searchable(person.account.name), person.account.id))


def get_person(session: Session, course: CourseRow, account_id: int, *, removed: bool = False) -> Person:
    """Return somebody in a course.

    :param removed: also if they were removed
    :raises NoSuchPerson: nobody here has this number
    """
    account, seat = session.get(AccountRow, account_id), session.get(SeatRow, (course.id, account_id))
    if account is None or seat is None or account.erased_at is not None:
        raise NoSuchPerson(f"Nobody in {course.slug} has the number {account_id}. Search the people of the course.")
    if seat.removed_at is not None and not removed:
        raise NoSuchPerson(f"{account.name} was removed from {course.slug}. Put them back first.")
    token = session.exec(select(TokenRow.id).where(TokenRow.account_id == account_id).limit(1)).first()
    return Person(account, seat, has_signed_in=token is not None)


def find_person(session: Session, course: CourseRow, who: str) -> Person:
    """Return the one person whom a name, a university id, an e-mail address or a number means.

    :raises NoSuchPerson: nobody is meant, or more than one
    """
    number = int(who.removeprefix("#")) if re.fullmatch(r"#?[0-9]{1,9}", who) else None
    people = list_people(session, course)
    meant = [
        person
        for person in people
        if number == person.account.id
        or (not who.startswith("#") and who == person.seat.university_id)
        or folded(who) in (folded(person.account.name), folded(person.seat.email or "\0"))
    ]
    if not meant:
        raise NoSuchPerson(f"Nobody in {course.slug} is {who}. Search: python -m server people list {course.slug}")
    if len(meant) > 1:
        labels = "; ".join(person.label for person in meant)
        raise NoSuchPerson(f"{who} may be {labels}. Say which by the number: #{meant[0].account.id}")
    return meant[0]


def add(session: Session, course: CourseRow, actor: Actor, details: Details) -> tuple[Person, list[str]]:
    """Add somebody to a course with a new account; return them, and what should be looked at.

    :raises BadName: the name cannot be shown in a list
    :raises BadDetail: another detail cannot be kept
    :raises TakenId: somebody in the course has this university id
    """
    require_active(course)
    details = details.cleaned()
    notes = Namesakes(list_people(session, course)).remarks(details)
    _require_free_id(session, course, details.university_id)
    (person,) = seat_new_accounts(session, course, [details])
    record(session, rules.entry(course, actor, "people.add", person.account.id, after=_public(vars(details))))
    return person, notes


def seat_new_accounts(session: Session, course: CourseRow, everybody: Sequence[Details]) -> list[Person]:
    """Make accounts with a seat, without tokens and entries in the log. Their details are clean.

    All at once: for 1,000 of a roster, one by one takes 3 s, in which nobody else writes.
    """
    new = [AccountRow(name=details.name) for details in everybody]
    session.add_all(new)
    session.flush()
    seats = [
        SeatRow(course_id=course.id, account_id=account.id, **{f: v for f, v in vars(details).items() if f != "name"})
        for account, details in zip(new, everybody, strict=True)
    ]
    session.add_all(seats)
    session.flush()
    return [Person(account, seat, has_signed_in=False) for account, seat in zip(new, seats, strict=True)]


def change(
    session: Session, course: CourseRow, actor: Actor, account_id: int, changes: Mapping[str, Any]
) -> tuple[Person, list[str]]:
    """Change details of somebody; return them, and what should be looked at.

    :param changes: new values of ``Details``, by field
    :raises NoSuchPerson: nobody here has this number
    :raises Forbidden: the actor may not do this
    :raises LastInstructor: the course would be without an instructor
    :raises BadName: the name cannot be shown in a list
    :raises BadDetail: another detail cannot be kept
    :raises TakenId: somebody else has this university id
    """
    require_active(course)
    with suppress(NoResultFound):  # then ``get_person`` says that nobody is there
        accounts.lock_account(session, account_id)
    person = get_person(session, course, account_id)
    details = Details(**_details_of(person) | dict(changes)).cleaned()
    differing = differences(person, details)
    rules.check_change(session, course, actor, person.account, person.seat, differing)
    is_named_anew = not differing.keys().isdisjoint({"name", "email"})
    notes = Namesakes(list_people(session, course)).remarks(details, account_id) if is_named_anew else []
    if "university_id" in differing:
        _require_free_id(session, course, details.university_id)
    apply(session, course, actor, person, differing)
    return person, notes


def differences(person: Person, details: Details) -> dict[str, tuple[Any, Any]]:
    """Return the fields in which details differ from what is kept: the old and the new value."""
    old = _details_of(person)
    return {field: (old[field], new) for field, new in vars(details).items() if old[field] != new}


def apply(
    session: Session, course: CourseRow, actor: Actor, person: Person, changes: Mapping[str, tuple[Any, Any]]
) -> None:
    """Write down changes that were checked, with an entry in the log."""
    for field, (_, new) in changes.items():
        setattr(person.account if field == "name" else person.seat, field, new)
    if changes:
        before, after = ({field: values[side] for field, values in changes.items()} for side in (0, 1))
        entry = rules.entry(
            course, actor, "people.change", person.account.id, before=_public(before), after=_public(after)
        )
        record(session, entry)
    session.flush()


def remove(session: Session, course: CourseRow, actor: Actor, account_id: int, reason: str | None = None) -> Person:
    """Take somebody's seat. Their work stays, and ``put_back`` gives the seat back.

    :raises NoSuchPerson: nobody here has this number
    :raises Forbidden: the actor may not do this
    :raises LastInstructor: the course would be without an instructor
    """
    require_active(course)
    person = get_person(session, course, account_id)
    rules.require_may_touch(actor, person.account)
    if person.seat.role is Role.INSTRUCTOR:
        rules.require_other_instructor(session, course, account_id)
    person.seat.removed_at = now()
    invitation = session.get(InvitationRow, account_id)
    if invitation is not None:
        session.delete(invitation)
    record(session, rules.entry(course, actor, "people.remove", account_id, reason=reason))
    return person


def put_back(session: Session, course: CourseRow, actor: Actor, account_id: int) -> Person:
    """Give somebody their seat back, with everything that they had.

    :raises NoSuchPerson: nobody here had this number
    :raises Forbidden: the actor may not do this
    """
    require_active(course)
    person = get_person(session, course, account_id, removed=True)
    if person.account.merged_into_id is not None:
        raise NoSuchPerson(f"{person.account.name} was merged into number {person.account.merged_into_id}. Look there.")
    rules.require_may_touch(actor, person.account)
    if person.seat.removed_at is not None:
        person.seat.removed_at = None
        record(session, rules.entry(course, actor, "people.put_back", account_id))
    return person


class Namesakes:
    """Finds what staff should look at in somebody's details: names and addresses that others in the course have."""

    def __init__(self, everybody: Sequence[Person]) -> None:
        self._by_name: dict[str, list[Person]] = {}
        self._staff_by_shape: dict[str, list[Person]] = {}
        self._by_email: dict[str, list[Person]] = {}
        for person in everybody:
            if person.seat.removed_at is None:
                self._by_name.setdefault(folded(person.account.name), []).append(person)
                self._by_email.setdefault((person.seat.email or "").casefold(), []).append(person)
                if person.seat.role is not Role.STUDENT:
                    self._staff_by_shape.setdefault(skeleton(person.account.name), []).append(person)

    def remarks(self, details: Details, account_id: int | None = None) -> list[str]:
        """Return a sentence for each thing to look at; of the others only, if the details are of an account."""
        name = folded(details.name)
        same = _labels(self._by_name.get(name, ()), account_id)
        staff = self._staff_by_shape.get(skeleton(details.name), ())
        alike = _labels([person for person in staff if folded(person.account.name) != name], account_id)
        email = (details.email or "").casefold()
        owners = _labels(self._by_email.get(email, ()) if email else (), account_id)
        found = (
            (same, f"{details.name} is also the name of {same}. If it is one person, merge the two."),
            (alike, f"{details.name} is read as the name of {alike}. Look whether that is right."),
            (owners, f"{details.email} is also the address of {owners}. If it is one person, merge the two."),
        )
        return [remark for labels, remark in found if labels]


def clean_detail(field: str, value: str | None) -> str | None:
    """Return an e-mail address, a university id or a section in the form that is kept; None if it is empty.

    :raises BadDetail: it cannot be kept
    """
    text = one_line(value or "")
    if len(text) > LENGTHS_MAX[field]:
        raise BadDetail(f"The {WORDS[field]} has more than {LENGTHS_MAX[field]} characters. Shorten it.")
    if any(map(is_invisible, text)):
        raise BadDetail(f"The {WORDS[field]} holds invisible characters. Send it without them.")
    if field == "email" and text and not EMAIL.fullmatch(text):
        raise BadDetail("The e-mail address is none. Write it as name@example.org, or leave it out.")
    return text or None


def _require_free_id(session: Session, course: CourseRow, university_id: str | None) -> None:
    owner = (
        university_id
        and session.exec(
            select(SeatRow.account_id).where(SeatRow.course_id == course.id, SeatRow.university_id == university_id)
        ).first()
    )
    if owner:
        raise TakenId(f"Number {owner} in this course has this university id. Change that one first, or merge the two.")


def _details_of(person: Person) -> dict[str, Any]:
    seat = person.seat
    return {
        "name": person.account.name,
        "role": seat.role,
        "email": seat.email,
        "university_id": seat.university_id,
        "section": seat.section,
    }


def _public(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the log may hold: role and section; of what names a person, only that it is there or changed."""
    personal = [field for field in ("name", "email", "university_id") if values.get(field) is not None]
    kept = {field: values[field] for field in ("role", "section") if field in values}
    return kept | ({"fields": personal} if personal else {})


def _labels(people: Iterable[Person], but: int | None) -> str:
    return "; ".join(person.label for person in people if person.account.id != but)
