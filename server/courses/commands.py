"""The operator's commands for courses: ``course``."""

from __future__ import annotations

from typing import Any

import click
from sqlmodel import Session

from server.audit.log import Entry, record
from server.command_line import CommandError, Share, pass_settings
from server.courses import changing, courses, join_codes
from server.courses.access import OPERATOR, require_active
from server.courses.courses import HINT_LEVELS_MAX, HINTS_AFTER_MAX, NewMember
from server.courses.titles import BadSlug, checked_slug
from server.database.setup import prepared_database
from server.settings import Settings
from server.tables import CourseRow, Role

# By the number of levels that students see.
HINT_SENTENCES = (
    "students see where they went wrong, and not how.",
    "students see the kind of a mistake.",
    "students see the kind of a mistake and the line of the forward pass.",
    "students see the kind of a mistake, the line of the forward pass, and what to look at there.",
)

COUNTEREXAMPLE_SENTENCES = {
    True: "With what to look at comes a counterexample: one element moved, and what the loss does.",
    False: "No counterexample is shown.",
}


class Slug(click.ParamType[str]):
    """The slug of a course."""

    name = "slug"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the slug; fail if it is none."""
        try:
            return checked_slug(str(value))
        except BadSlug as error:
            self.fail(error.detail, param, ctx)


@click.group()
def course() -> None:
    """Courses."""


@course.command("add")
@click.argument("slug", type=Slug())
@click.argument("title")
@pass_settings
def add_course(settings: Settings, slug: str, title: str) -> None:
    """Open a course; prints its instructor's token and join code."""
    with prepared_database(settings).writing() as session:
        instructor = open_course(session, slug, title)
        code = shown_code(session, instructor.course)
    show_new_course(instructor, code)


@course.command("list")
@pass_settings
def list_courses(settings: Settings) -> None:
    """List the courses."""
    with prepared_database(settings).reading() as session:
        for row, students in courses.list_courses(session):
            code = join_codes.find_current(session, row)
            click.echo(f"{row.slug:20s} {code.code if code else 'no code':11s}  {students:5d} students  {row.title}")


@course.command("join-code")
@click.argument("slug")
@click.option("--new", "is_new", is_flag=True, help="Replace it first; nobody loses a seat.")
@pass_settings
def show_join_code(settings: Settings, slug: str, is_new: bool) -> None:
    """Print the join code to show to a class. A course may have more: python -m server people codes SLUG."""
    with prepared_database(settings).writing() as session:
        row = find_course(session, slug)
        if is_new:
            require_active(row)
        code = join_codes.replace(session, row) if is_new else join_codes.find_current(session, row)
        if code is None:
            raise CommandError(
                f"No join code of {slug} is open. Make one: python -m server course join-code {slug} --new"
            )
        click.echo(code.code)


@course.command("hints")
@click.argument("slug")
@click.option("--levels", type=click.IntRange(0, HINT_LEVELS_MAX), help="0: nothing, 1: the kind, 2: the line, 3: all.")
@click.option("--after", type=click.IntRange(0, HINTS_AFTER_MAX), help="Attempts at a checkpoint with the kind alone.")
@click.option(
    "--counterexamples/--no-counterexamples",
    default=None,
    help="Whether the last level shows one element moved, and what the loss does.",
)
@pass_settings
def set_hints(
    settings: Settings, slug: str, levels: int | None, after: int | None, counterexamples: bool | None
) -> None:
    """Print or set how much of a diagnosis students see."""
    with prepared_database(settings).writing() as session:
        row = find_course(session, slug)
        asked = {"hint_levels": levels, "hints_after": after, "counterexamples": counterexamples}
        fields = {name: value for name, value in asked.items() if value is not None}
        changing.change(session, row, fields, OPERATOR)
        click.echo(f"{row.slug}: {HINT_SENTENCES[row.hint_levels]}")
        if row.hint_levels > 1 and row.hints_after:
            attempts = "attempt" if row.hints_after == 1 else f"{row.hints_after} attempts"
            click.echo(f"In the first {attempts} at a checkpoint, the kind alone.")
        if row.hint_levels == HINT_LEVELS_MAX:
            click.echo(COUNTEREXAMPLE_SENTENCES[row.counterexamples])


@course.command("credit")
@click.argument("slug")
@click.argument("share", type=Share(), required=False)
@pass_settings
def set_credit(settings: Settings, slug: str, share: float | None) -> None:
    """Print or set what a step earns whose only mistake is above it.

    SHARE is from 0, nothing, to 1, as much as a right step.
    """
    with prepared_database(settings).writing() as session:
        row = find_course(session, slug)
        changing.change(session, row, {} if share is None else {"inherited_share": share}, OPERATOR)
        click.echo(f"{row.slug}: a step whose only mistake is above it earns {row.inherited_share:g} of a point.")


def shown_code(session: Session, course: CourseRow) -> str:
    """Return the join code to show to a class, or how to make one."""
    code = join_codes.find_current(session, course)
    return code.code if code else f"(none is open: python -m server course join-code {course.slug} --new)"


def open_course(session: Session, slug: str, title: str) -> NewMember:
    """Make a course with its instructor, and return the instructor; raises what ``courses.open_course`` does."""
    course = courses.open_course(session, slug, title)
    record(session, Entry(course.id, OPERATOR.account_id, "course.open"))
    return courses.enrol(session, course, "Instructor", Role.INSTRUCTOR)


def show_new_course(instructor: NewMember, code: str) -> None:
    """Print how to enter a new course."""
    click.echo(f"Course             {instructor.course.title} ({instructor.course.slug})")
    click.echo(f"Join code          {code}")
    click.echo(f"Instructor's token {instructor.token}")
    click.echo("The token is shown this once; only a hash of it is kept.")


def find_course(session: Session, slug: str) -> CourseRow:
    """Return the course with this slug.

    :raises CommandError: there is none
    """
    row = courses.find_course(session, slug)
    if row is None:
        raise CommandError(f"There is no course {slug!r}. See: python -m server course list")
    return row
