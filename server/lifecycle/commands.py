"""The operator's commands for a whole course; ``server.cli`` puts them under ``course``."""

from __future__ import annotations

import json
from typing import Any

import click

from server.accounts.commands import find_account
from server.audit import reading
from server.audit.reading import PAGE_MAX, NamedEntry, Question
from server.command_line import ROW_ID, Share, pass_settings, require_typed, show_effect
from server.courses import changing
from server.courses.access import OPERATOR
from server.courses.commands import Slug, find_course
from server.courses.local_time import local_text, zone_of
from server.database.setup import prepared_database
from server.settings import Settings


@click.command("change")
@click.argument("slug")
@click.option("--title", help="At most 200 characters.")
@click.option("--time-zone", metavar="NAME", help="An IANA name, such as Europe/Berlin.")
@click.option("--inherited", "inherited_share", type=Share(), help="What an inherited step earns.")
@click.option("--dry-run", is_flag=True, help="Only say whose points it would change.")
@pass_settings
def change_course(settings: Settings, /, slug: str, dry_run: bool, **options: Any) -> None:
    """Change a course's title, time zone or credit. A new time zone changes no moment; they are shown in it."""
    from server.lifecycle import planning  # imports torch

    fields = {name: value for name, value in options.items() if value is not None}
    with prepared_database(settings).writing() as session:
        row = find_course(session, slug)
        impact = planning.foresee(session, row, fields)
        if not dry_run:
            changing.change(session, row, fields, OPERATOR)
        state = "; archived" if row.archived_at else ""
        click.echo(f"{row.slug}: {row.title}, times of {row.time_zone}{state}.")
    show_effect(impact.sentence, dry_run)


@click.command("copy")
@click.argument("slug", metavar="COURSE")
@click.argument("new_slug", type=Slug())
@click.option("--title", help="Its title; without one, that of the course it is copied from.")
@click.option("--shift-days", type=int, default=0, help="Move every date by so many days, at the same time of the day.")
@click.option("--instructor", "instructor_id", type=ROW_ID, metavar="ID", help="The account that teaches the copy.")
@pass_settings
def copy_course(
    settings: Settings, slug: str, new_slug: str, title: str | None, shift_days: int, instructor_id: int | None
) -> None:
    """Copy a course for the next term.

    It gets the rules and the assignments with their dates, and no people and no work.
    """
    from server.lifecycle import copying

    with prepared_database(settings).writing() as session:
        source = find_course(session, slug)
        if instructor_id is not None:
            find_account(session, instructor_id)
        order = copying.CopyOrder(new_slug, title, shift_days)
        made = copying.copy(session, source, order, OPERATOR, instructor_id)
    count = len(made.assignments)
    click.echo(f"{new_slug}: {made.course.title}, with {count} assignment{'s' * (count != 1)} of {slug}.")
    for remark in made.remarks:
        click.echo(remark)
    zone = zone_of(made.course)
    for row in made.assignments:
        click.echo(f"{row.exercise:32s} opens {local_text(row.opens_at, zone):16s} due {local_text(row.due_at, zone)}")
    click.echo(f"For its join code, type: python -m server course join-code {new_slug}")


@click.command("archive")
@click.argument("slug")
@pass_settings
def archive_course(settings: Settings, slug: str) -> None:
    """Let a course be read only: no answers, people or changes."""
    with prepared_database(settings).writing() as session:
        changing.archive(session, find_course(session, slug), OPERATOR)
    click.echo(f"{slug} is archived. To reopen it, type: python -m server course reopen {slug}")


@click.command("reopen")
@click.argument("slug")
@pass_settings
def reopen_course(settings: Settings, slug: str) -> None:
    """Let an archived course take answers, people and changes again."""
    with prepared_database(settings).writing() as session:
        changing.reopen(session, find_course(session, slug), OPERATOR)
    click.echo(f"{slug} takes answers, people and changes again.")


@click.command("remove")
@click.argument("slug")
@click.option("--confirm", metavar="SLUG", help="The slug once more, instead of being asked for it.")
@click.option("--with-work", is_flag=True, help="Remove its submissions too.")
@pass_settings
def remove_course(settings: Settings, slug: str, confirm: str | None, with_work: bool) -> None:
    """Remove a course with its seats, assignments and audit log. Accounts stay."""
    from server.lifecycle import removal

    database = prepared_database(settings)
    with database.reading() as session:
        content = removal.count(session, find_course(session, slug))
    if with_work or not content.submissions:
        click.echo(f"{content.sentence} All of it will be gone.")
        require_typed(slug, confirm)
    with database.writing() as session:
        removal.remove(session, find_course(session, slug), slug, OPERATOR, with_work=with_work)
    click.echo(f"{slug} is removed. The accounts of its people stay.")


@click.command("audit")
@click.argument("slug")
@click.option("--act", help="An act such as assignment.change, or the word before its dot.")
@click.option("--person", type=ROW_ID, metavar="ID", help="Who did it, or whom it is about.")
@click.option("--exercise", help="Of this exercise only.")
@click.option("--before", type=ROW_ID, metavar="NUMBER", help="Those before this entry: the next page.")
@click.option("--limit", type=click.IntRange(1, PAGE_MAX), default=50, show_default=True)
@pass_settings
def show_audit(settings: Settings, /, slug: str, **options: Any) -> None:
    """Print who changed what in a course, the newest first."""
    question = Question(**options)
    with prepared_database(settings).reading() as session:
        row = find_course(session, slug)
        entries = reading.read(session, row.id, question)
    zone = zone_of(row)
    for entry in entries:
        click.echo(f"{entry.row.id:5d} {local_text(entry.row.created_at, zone)} {audit_line(entry)}")
    if not entries:
        click.echo("There is no such entry. To see all, leave out the options.")
    if len(entries) == question.limit:
        click.echo(f"For the next page, add: --before {entries[-1].row.id}")


COURSE_COMMANDS = (change_course, copy_course, archive_course, reopen_course, remove_course, show_audit)


def audit_line(entry: NamedEntry) -> str:
    """Return an entry in one line, without its number and time."""
    row = entry.row
    actor = "the operator" if row.actor_id is None else f"{entry.actor} ({row.actor_id})"
    parts = [f"{row.act} by {actor}"]
    if row.subject_id is not None:
        parts.append(f"about {entry.subject} ({row.subject_id})")
    if row.exercise is not None:
        parts.append(f"in {row.exercise}")
    if row.submission_id is not None:
        parts.append(f"submission {row.submission_id}")
    line = ", ".join(parts)
    if row.before or row.after:
        line += f": {_json(row.before)} -> {_json(row.after)}"
    return line + (f" “{' '.join(row.reason.split())}”" if row.reason else "")


def _json(values: dict[str, Any] | None) -> str:
    return "-" if values is None else json.dumps(values, ensure_ascii=False)
