"""The operator's commands for people: ``people``, ``token`` and ``admin``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlmodel import Session

from server.accounts import accounts
from server.accounts.commands import find_account
from server.command_line import ROW_ID, CommandError, pass_settings, private_file
from server.courses import courses
from server.courses.access import OPERATOR
from server.courses.commands import find_course
from server.courses.join_codes import CodeTerms, list_codes, state_of
from server.courses.local_time import local_text, parse, zone_of
from server.database.setup import prepared_database
from server.people import invitations, join_codes, keys, merge, people, roster_import
from server.people.people import Details, Person, Search, find_person
from server.people.roster import known_headings, read_roster
from server.people.roster_import import Imported, ImportPlan
from server.settings import Settings
from server.tables import AccountRow, CourseRow, Role

ROLE = click.Choice([role.value for role in Role if role is not Role.ADMIN])
ADDRESS = click.option(
    "--address", help="The server's address, for the links; by default that of DOJO_HOST and DOJO_PORT."
)
REVOKE_OLD = click.option("--revoke-old", is_flag=True, help="Revoke the tokens that the person has now.")
LISTED_MAX = 1000


@contextmanager
def written(settings: Settings, slug: str) -> Iterator[tuple[Session, CourseRow]]:
    """Open a writing transaction about a course."""
    with prepared_database(settings).writing() as session:
        yield session, find_course(session, slug)


@click.group("people")
def people_() -> None:
    """People of a course. WHO is a name, a university id, an e-mail address, or a number such as #7."""


@people_.command("list")
@click.argument("course")
@click.option("--search", default="", help="A part of a name, an e-mail address or a university id.")
@click.option("--section")
@click.option("--role", type=ROLE)
@click.option("--removed", is_flag=True, help="Those who were removed.")
@pass_settings
def list_people(
    settings: Settings, course: str, search: str, section: str | None, role: str | None, removed: bool
) -> None:
    """List the people of a course, or search them."""
    with prepared_database(settings).reading() as session:
        asked = Search(search, section, Role(role) if role else None, removed)
        found = people.list_people(session, find_course(session, course), asked)
    for person in found[:LISTED_MAX]:
        seat = person.seat
        details = [seat.section and f"section {seat.section}", seat.university_id, seat.email]
        never = [] if person.has_signed_in else ["never signed in"]
        words = ", ".join(filter(None, (*details, *never)))
        click.echo(f"#{person.account.id:<6d} {seat.role:10s} {person.account.name}{f'  ({words})' if words else ''}")
    shown = f"; the first {LISTED_MAX} are shown. Search for fewer." if len(found) > LISTED_MAX else "."
    click.echo(f"{len(found)} found{shown}")


@people_.command("add")
@click.argument("course")
@click.argument("name")
@click.option("--role", type=ROLE, default=Role.STUDENT.value)
@click.option("--section")
@click.option("--email")
@click.option("--university-id")
@ADDRESS
@pass_settings
def add_person(settings: Settings, /, course: str, name: str, role: str, address: str | None, **details: Any) -> None:
    """Add somebody to a course, and print their link.

    It opens their account once.
    """
    with written(settings, course) as (session, row):
        person, notes = people.add(session, row, OPERATOR, Details(name, Role(role), **details))
        code = invitations.invite(session, row, OPERATOR, person)
    _show(person, f"is in {course} now", notes)
    click.echo(invitations.link(_address(settings, address), code))


@people_.command("change")
@click.argument("course")
@click.argument("who")
@click.option("--name")
@click.option("--role", type=ROLE)
@click.option("--section")
@click.option("--email")
@click.option("--university-id")
@pass_settings
def change_person(settings: Settings, /, course: str, who: str, **details: Any) -> None:
    """Change what a course knows of somebody.

    That is a name, role, section, e-mail or university id. An empty word takes one away.
    """
    changes = {field: value for field, value in details.items() if value is not None}
    if "role" in changes:
        changes["role"] = Role(changes["role"])
    with written(settings, course) as (session, row):
        id = find_person(session, row, who).account.id
        person, notes = people.change(session, row, OPERATOR, id, changes)
    _show(person, f"is so in {course} now", notes)


@people_.command("remove")
@click.argument("course")
@click.argument("who")
@click.option("--reason")
@pass_settings
def remove_person(settings: Settings, course: str, who: str, reason: str | None) -> None:
    """Remove somebody from a course. Their work stays."""
    with written(settings, course) as (session, row):
        person = people.remove(session, row, OPERATOR, find_person(session, row, who).account.id, reason)
    number = person.account.id
    _show(person, f"is removed. To undo it: python -m server people put-back {course} '#{number}'", [])


@people_.command("put-back")
@click.argument("course")
@click.argument("who")
@pass_settings
def put_back(settings: Settings, course: str, who: str) -> None:
    """Give somebody back the seat that was taken."""
    with written(settings, course) as (session, row):
        person = people.put_back(session, row, OPERATOR, find_person(session, row, who).account.id)
    _show(person, f"is in {course} again", [])


@people_.command("merge")
@click.argument("course")
@click.argument("who")
@click.argument("into")
@click.option("--reason")
@pass_settings
def merge_person(settings: Settings, course: str, who: str, into: str, reason: str | None) -> None:
    """Merge the account of WHO into that of INTO. Everything of both is kept; the tokens of WHO are revoked."""
    with written(settings, course) as (session, row):
        merged, kept = (find_person(session, row, word) for word in (who, into))
        person = merge.merge_people(session, row, OPERATOR, merged.account.id, kept.account.id, reason)
    _show(person, f"has the work of number {merged.account.id} now, whose tokens are revoked", [])


@people_.command("token")
@click.argument("course")
@click.argument("who")
@REVOKE_OLD
@pass_settings
def give_token(settings: Settings, course: str, who: str, revoke_old: bool) -> None:
    """Make a token for somebody in a course, and print it.

    It prints whose it is, too.
    """
    with written(settings, course) as (session, row):
        id = find_person(session, row, who).account.id
        given = keys.give_token(session, row, OPERATOR, id, revoke_old=revoke_old)
    _show_key(given.person, course, given.revoked)
    click.echo(f"Token       {given.token}")


@people_.command("pairing-code")
@click.argument("course")
@click.argument("who")
@REVOKE_OLD
@pass_settings
def give_pairing_code(settings: Settings, course: str, who: str, revoke_old: bool) -> None:
    """Make a pairing code for somebody in a course.

    It signs them in once, within ten minutes.
    """
    with written(settings, course) as (session, row):
        id = find_person(session, row, who).account.id
        given = keys.give_pairing_code(session, row, OPERATOR, id, revoke_old=revoke_old)
    _show_key(given.person, course, given.revoked)
    click.echo(f"Code        {given.code}  (until {local(row, given.expires_at)})")
    click.echo(f"To sign in  dojo login ADDRESS --code {given.code}")


@people_.command("link")
@click.argument("course")
@click.argument("who")
@ADDRESS
@pass_settings
def new_link(settings: Settings, course: str, who: str, address: str | None) -> None:
    """Make a new personal link for somebody in a course. It replaces the one before."""
    with written(settings, course) as (session, row):
        id = find_person(session, row, who).account.id
        person, code = invitations.invite_again(session, row, OPERATOR, id)
    _show_key(person, course, 0)
    click.echo(f"Link        {invitations.link(_address(settings, address), code)}")


@people_.command("import")
@click.argument("course")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--renew", is_flag=True, help="Also new links for those who never signed in.")
@click.option("--links", type=click.Path(dir_okay=False, path_type=Path), help="Where the CSV with the links goes.")
@ADDRESS
@pass_settings
def import_people(
    settings: Settings,
    course: str,
    file: Path,
    dry_run: bool,
    renew: bool,
    links: Path | None,
    address: str | None,
) -> None:
    """Import a roster, a CSV file.

    It has name, e-mail, university id, section and role.

    What is new is added, what differs is changed, and everything else stays. Nothing is written if a line is wrong.
    """
    if links is not None and links.exists():
        raise CommandError(f"{links} is there already. Name another file for the links.")
    roster = read_roster(file.read_bytes())
    if dry_run:
        with prepared_database(settings).reading() as session:
            plan = roster_import.plan_import(session, find_course(session, course), OPERATOR, roster)
        _show_plan(plan, "would be ")
        return
    with written(settings, course) as (session, row):
        imported = roster_import.import_roster(session, row, OPERATOR, roster, _address(settings, address), renew=renew)
        if links is not None and imported.links:  # before the import is stored: links are told this once
            with private_file(links) as stream:
                stream.write(imported.links_csv().encode())
    _show_plan(imported.plan, "")
    _show_links(imported, links)


@people_.command("codes")
@click.argument("course")
@pass_settings
def list_join_codes(settings: Settings, course: str) -> None:
    """List the join codes of a course."""
    with prepared_database(settings).reading() as session:
        row = find_course(session, course)
        found = list_codes(session, row)
    for code in found:
        until = f", until {local(row, code.expires_at)}" if code.expires_at else ""
        uses = f"{code.uses} of {code.uses_max} uses" if code.uses_max else f"{code.uses} uses"
        section = f", section {code.section}" if code.section else ""
        click.echo(f"{code.code}  {state_of(code):8s} {uses}{section}{until}")
    click.echo(f"{len(found)} found. Make another: python -m server people new-code {course}")


@people_.command("new-code")
@click.argument("course")
@click.option("--section")
@click.option("--uses", type=click.IntRange(1), help="How many may join with it.")
@click.option("--until", metavar="TIME", help='When it closes: "2026-12-01 23:59" in the zone of the course.')
@pass_settings
def new_join_code(settings: Settings, course: str, section: str | None, uses: int | None, until: str | None) -> None:
    """Make a further join code, and print it. The others stay as they are."""
    with written(settings, course) as (session, row):
        terms = CodeTerms(section, uses, parse(until, zone_of(row)) if until else None)
        code = join_codes.make(session, row, OPERATOR, terms)
    click.echo(code.code)


@people_.command("close-code")
@click.argument("course")
@click.argument("code")
@click.option("--reopen", is_flag=True, help="Open it again instead, without an end.")
@pass_settings
def close_join_code(settings: Settings, course: str, code: str, reopen: bool) -> None:
    """Close a join code.

    It takes nobody in until it is opened again.
    """
    with written(settings, course) as (session, row):
        found = join_codes.find(session, row, code)
        join_codes.change(session, row, OPERATOR, found.id, {}, closed=not reopen)
    click.echo(f"{found.code} is {state_of(found)} now.")


@people_.command("revoke-code")
@click.argument("course")
@click.argument("code")
@pass_settings
def revoke_join_code(settings: Settings, course: str, code: str) -> None:
    """Revoke a join code for ever. Nobody loses a seat."""
    with written(settings, course) as (session, row):
        found = join_codes.revoke(session, row, OPERATOR, join_codes.find(session, row, code).id)
    click.echo(f"{found.code} is revoked.")


@click.group()
def token() -> None:
    """Tokens of accounts, by number. Rather use: python -m server people token COURSE WHO."""


@token.command("new")
@click.argument("account_id", metavar="ID", type=ROW_ID)
@click.option("--yes", is_flag=True, help="It is the account that you mean.")
@pass_settings
def new_token(settings: Settings, account_id: int, yes: bool) -> None:
    """Make a further token for an account, and print it.

    It prints whose it is, too.

    Without --yes it says whose account it is, and makes none.
    """
    with prepared_database(settings).writing() as session:
        label = describe(session, find_account(session, account_id))
        if not yes:
            raise CommandError(f"{label}. If you mean that one: python -m server token new {account_id} --yes")
        token = accounts.issue_token(session, account_id)
    click.echo(label)
    click.echo(token)


@token.command("revoke")
@click.argument("account_id", metavar="ID", type=ROW_ID)
@pass_settings
def revoke_tokens(settings: Settings, account_id: int) -> None:
    """Revoke every token of an account."""
    with prepared_database(settings).writing() as session:
        name = find_account(session, account_id).name
        count = accounts.revoke_tokens(session, account_id)
    click.echo(f"{name}: {count} revoked. Make a new one with: python -m server people token COURSE '#{account_id}'")


@click.group()
def admin() -> None:
    """Admins, who may act in every course."""


@admin.command("add")
@click.argument("account_id", metavar="ID", type=ROW_ID)
@pass_settings
def add_admin(settings: Settings, account_id: int) -> None:
    """Make an account an admin."""
    with prepared_database(settings).writing() as session:
        account = find_account(session, account_id)
        accounts.set_admin(session, account, is_admin=True)
        click.echo(f"{account.name} is an admin now.")


@admin.command("remove")
@click.argument("account_id", metavar="ID", type=ROW_ID)
@pass_settings
def remove_admin(settings: Settings, account_id: int) -> None:
    """Take the admin's rights from an account; its seats stay."""
    with prepared_database(settings).writing() as session:
        account = find_account(session, account_id)
        accounts.set_admin(session, account, is_admin=False)
        click.echo(f"{account.name} is no admin now.")


def describe(session: Session, account: AccountRow) -> str:
    """Return whose account it is, in words: name, number, and the role in each course."""
    seats = [f"{role} in {course.slug}" for course, role in courses.seats_of(session, account.id)]
    admin = ["admin"] if account.is_admin else []
    return f"Account {account.id} is {account.name}: {', '.join([*admin, *seats]) or 'in no course'}"


def local(course: CourseRow, moment: datetime) -> str:
    """Return a moment in the time zone of a course, which is named."""
    return f"{local_text(moment, zone_of(course))} {course.time_zone}"


def _address(settings: Settings, address: str | None) -> str:
    return address or f"http://{settings.host}:{settings.port}"


def _show(person: Person, what: str, notes: list[str]) -> None:
    click.echo(f"{person.label} {what}.")
    for note in notes:
        click.echo(f"Note: {note}")


def _show_key(person: Person, course: str, revoked: int) -> None:
    seat = person.seat
    click.echo(f"Name        {person.account.name} (number {person.account.id})")
    click.echo(f"Course      {course}")
    click.echo(f"Role        {seat.role}{f', section {seat.section}' if seat.section else ''}")
    if revoked:
        click.echo(f"Revoked     {revoked} older")


def _show_plan(plan: ImportPlan, would_be: str) -> None:
    for line in plan.additions:
        click.echo(f"Line {line.number}: {line.details.name} {would_be}added as {line.details.role}.")
    for change in plan.changes:
        fields = "; ".join(f"{name} {old or '–'} → {new or '–'}" for name, (old, new) in change.fields.items())
        click.echo(f"Line {change.line.number}: {change.person.label} {would_be}changed: {fields}.")
    for number, note in plan.notes:
        click.echo(f"Line {number}: {note}")
    if plan.ignored_columns:
        click.echo(f"Columns that mean nothing here: {', '.join(plan.ignored_columns)}. {known_headings()}")
    if plan.absent:
        click.echo(f"In the course and not in the file, and left as they are: {len(plan.absent)}.")
    counts = f"{len(plan.additions)} {would_be}added, {len(plan.changes)} {would_be}changed"
    click.echo(f"{counts}, {len(plan.unchanged)} unchanged.")


def _show_links(imported: Imported, path: Path | None) -> None:
    if not imported.links:
        return
    if path is not None:
        click.echo(f"{len(imported.links)} personal links are in {path}. Only you can read it.")
        return
    for link in imported.links:
        click.echo(f"{link.person.account.name}: {link.link}")
