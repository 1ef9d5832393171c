"""The operator's commands for assignments and extensions: ``assignment``, ``extension``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
from sqlmodel import Session

from server.assignments.validation import BadAssignment
from server.command_line import ROW_ID, CommandError, Share, pass_settings, require_typed, show_effect
from server.courses.access import OPERATOR
from server.courses.commands import course as course_group
from server.courses.commands import find_course
from server.courses.local_time import local_text, parse, zone_of
from server.database.setup import prepared_database
from server.settings import Settings
from server.tables import Accepts, AssignmentRow, CourseRow, Feedback, LatePolicy, Numbers

# What the rooms below import loads torch: 1.5 s. So the functions import them, and no other command waits for it.

NOTHING: Final = "nothing"  # what a word such as none stands for; an option that is not there is None
TIMES: Final = ("opens_at", "due_at")


class OrNothing(click.ParamType[Any]):
    """A value of another type, or a word that stands for no value."""

    def __init__(self, inner: click.ParamType[Any], word: str = "none") -> None:
        self.name = f"{inner.name}|{word}"
        self._inner = inner
        self._word = word

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value, or ``NOTHING``."""
        return NOTHING if value == self._word else self._inner.convert(value, param, ctx)


class Weight(click.ParamType[tuple[str, float]]):
    """A checkpoint and what it weighs, typed as logits=2."""

    name = "checkpoint=weight"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Return the name and the weight; fail if the weight is no number."""
        name, _, weight = str(value).partition("=")
        try:
            return name, float(weight)
        except ValueError:
            self.fail(f"{value!r} is no weight. Type a checkpoint and a number, such as logits=2.", param, ctx)


def choice(values: type[Accepts | Feedback | LatePolicy | Numbers]) -> click.Choice[str]:
    """Return the type of an option that takes a value of an enumeration."""
    return click.Choice([each.value for each in values])


RULE_OPTIONS = (
    click.option("--opens", "opens_at", metavar="TIME", help="When students see it; 'none' for at once."),
    click.option("--due", "due_at", metavar="TIME", help="When it is due; 'none' for never."),
    click.option("--late", "late_policy", type=choice(LatePolicy), help="What becomes of late answers."),
    click.option("--late-per-day", type=Share(), help="daily: what each day that has begun takes, such as 10%."),
    click.option("--late-floor", type=Share(), help="daily: what is left at least."),
    click.option("--grace", "grace_minutes", type=int, metavar="MINUTES", help="How late is not late."),
    click.option("--attempts", "attempts_max", type=OrNothing(click.INT), help="Attempts allowed."),
    click.option("--points", type=OrNothing(click.FLOAT), help="What it is worth; 'none' for one a step."),
    click.option("--weight", "checkpoint_points", type=Weight(), multiple=True, help="A step that does not weigh 1."),
    click.option("--accepts", type=choice(Accepts), help="What may be handed in."),
    click.option("--numbers", type=choice(Numbers), help="The lecture's numbers, or each student's own."),
    click.option("--hidden-numbers/--no-hidden-numbers", "on_hidden_numbers", default=None, help="How code is run."),
    click.option("--approximate", "approximate_share", type=Share(), help="What passing without being exact earns."),
    click.option(
        "--inherited", "inherited_share", type=OrNothing(Share(), "course"), help="What an inherited step earns."
    ),
    click.option(
        "--hint-levels", type=OrNothing(click.INT, "course"), help="0: nothing, 1: the kind, 2: the line, 3: all."
    ),
    click.option("--hints-after", type=OrNothing(click.INT, "course"), help="Attempts with the kind alone."),
    click.option("--counterexamples", type=OrNothing(click.BOOL, "course"), help="Whether the last level shows one."),
    click.option("--feedback", type=choice(Feedback), help="When students see what is wrong."),
    click.option("--feedback-after", type=int, help="after_attempts: how many."),
    click.option("--checks/--no-checks", "checks_open", default=None, help="Whether live checks are open."),
)
ENUMERATIONS: Final[Mapping[str, Callable[[str], Any]]] = {
    "late_policy": LatePolicy,
    "accepts": Accepts,
    "numbers": Numbers,
    "feedback": Feedback,
}


def rule_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each rule."""
    for option in reversed(RULE_OPTIONS):
        command = option(command)
    return command


OPTION_OF_RULE: Final[Mapping[str, str]] = {
    str(each.name): each.opts[0] for each in click.command(rule_options(lambda **_: None)).params
}


@click.group()
def assignment() -> None:
    """Which exercises a course asks for, and by which rules.

    A TIME is in the course's zone, such as "2026-12-01 23:59", or has an offset, such as 2026-12-01T23:59+01:00.
    """


@assignment.command("list")
@click.argument("slug", metavar="COURSE")
@pass_settings
def list_assignments(settings: Settings, slug: str) -> None:
    """List the assignments of a course."""
    from server.assignments import changes

    with prepared_database(settings).reading() as session:
        course = find_course(session, slug)
        rows = changes.read(session, course)
    if not rows:
        click.echo(f"{slug} has no assignments: it is open practice, with every exercise and no dates.")
        click.echo(f"To ask for one, type: python -m server assignment set {slug} EXERCISE")
        return
    zone = zone_of(course)
    click.echo(f"{'':3s} {'exercise':32s} {'opens':16s} {'due':16s} {'points':>7s}  version   (times of {zone.key})")
    for place, row in enumerate(rows, 1):
        points = "-" if row.points is None else f"{row.points:g}"
        dates = f"{local_text(row.opens_at, zone):16s} {local_text(row.due_at, zone):16s}"
        click.echo(f"{place:3d} {row.exercise:32s} {dates} {points:>7s}  {row.version}")


@assignment.command("set")
@click.argument("slug", metavar="COURSE")
@click.argument("exercise")
@rule_options
@click.option("--position", type=click.IntRange(1), help="Its place among the others, from 1.")
@click.option("--version", type=int, help="Refuse the change if the assignment is at another version.")
@click.option("--dry-run", is_flag=True, help="Only say whose points it would change.")
@pass_settings
def set_assignment(settings: Settings, /, slug: str, exercise: str, dry_run: bool, **options: Any) -> None:
    """Make an assignment, or change the rules that are named."""
    from server.assignments.changes import Change

    position, version = options.pop("position"), options.pop("version")
    with prepared_database(settings).writing() as session:
        course = find_course(session, slug)
        fields = typed_rules(options, zone_of(course))
        _make(session, course, Change(exercise, fields, position, version), dry_run)


@assignment.command("move")
@click.argument("slug", metavar="COURSE")
@click.argument("exercise")
@click.argument("position", type=click.IntRange(1))
@pass_settings
def move_assignment(settings: Settings, slug: str, exercise: str, position: int) -> None:
    """Give an assignment another place, from 1."""
    from server.assignments import changes

    with prepared_database(settings).writing() as session:
        course = find_course(session, slug)
        changes.find(session, course, exercise)
        _make(session, course, changes.Change(exercise, position=position), dry_run=False)


@assignment.command("remove")
@click.argument("slug", metavar="COURSE")
@click.argument("exercise")
@click.option("--confirm", metavar="EXERCISE", help="The exercise once more, instead of being asked for it.")
@click.option("--dry-run", is_flag=True, help="Only say whose points it would change.")
@pass_settings
def remove_assignment(settings: Settings, slug: str, exercise: str, confirm: str | None, dry_run: bool) -> None:
    """Ask for an exercise no longer. What was handed in stays."""
    from server.assignments import changes

    database = prepared_database(settings)
    with database.reading() as session:
        course = find_course(session, slug)
        changes.find(session, course, exercise)
        work = changes.count_work(session, course, exercise)
    if work.submissions and not dry_run:
        click.echo(f"There is work: {work.sentence} It stays, and counts no more.")
        require_typed(exercise, confirm)
    with database.writing() as session:
        course = find_course(session, slug)
        plan = changes.plan_removal(session, course, exercise)
        if not dry_run:
            changes.write(session, course, plan, OPERATOR)
            click.echo(f"{slug} does not ask for {exercise} any more.")
    show_effect(plan.impact.sentence, dry_run)


@click.group()
def extension() -> None:
    """Extensions: a later due time for a person or a section."""


@extension.command("grant")
@click.argument("slug", metavar="COURSE")
@click.argument("exercise")
@click.option("--person", "account_id", type=ROW_ID, metavar="ID", help="The account of a person of the course.")
@click.option("--section", help="A section of the course, instead of a person.")
@click.option("--due", required=True, metavar="TIME", help="The later due time.")
@click.option("--reason", required=True, help="Why; the person and the staff read it.")
@click.option("--dry-run", is_flag=True, help="Only say whose points it would change.")
@pass_settings
def grant_extension(
    settings: Settings, /, slug: str, exercise: str, due: str, reason: str, dry_run: bool, **recipient: Any
) -> None:
    """Give a person or a section a later due time.

    It can be given before the due time, and after it.
    """
    from server.assignments import extensions

    with prepared_database(settings).writing() as session:
        course = find_course(session, slug)
        zone = zone_of(course)
        grant = extensions.Grant(exercise, parse(due, zone), reason, **recipient)
        grant, impact = extensions.plan_grant(session, course, grant, OPERATOR)
        if not dry_run:
            row = extensions.write_grant(session, course, grant, OPERATOR)
            click.echo(f"Extension {row.id}: {exercise} is due {local_text(row.due_at, zone)} ({zone.key}).")
    show_effect(impact.sentence, dry_run)


@extension.command("list")
@click.argument("slug", metavar="COURSE")
@click.option("--exercise", help="Of this exercise only.")
@pass_settings
def list_extensions(settings: Settings, slug: str, exercise: str | None) -> None:
    """List the extensions of a course, the revoked ones too."""
    from server.assignments import extensions

    with prepared_database(settings).reading() as session:
        course = find_course(session, slug)
        found = extensions.read_list(session, course, OPERATOR, exercise)
    zone = zone_of(course)
    if not found:
        click.echo("There is none. To give one, type: python -m server extension grant --help")
    for each in found:
        row = each.row
        who = f"section {row.section}" if each.name is None else f"{each.name} ({row.account_id})"
        state = " [revoked]" if row.revoked_at else ""
        reason = row.reason.replace("\n", " ")
        click.echo(f"{row.id:4d} {row.exercise:32s} {local_text(row.due_at, zone)}  {who}: {reason}{state}")


@extension.command("revoke")
@click.argument("slug", metavar="COURSE")
@click.argument("id", type=ROW_ID)
@click.option("--reason", help="Why.")
@click.option("--dry-run", is_flag=True, help="Only say whose points it would change.")
@pass_settings
def revoke_extension(settings: Settings, slug: str, id: int, reason: str | None, dry_run: bool) -> None:
    """Take an extension back. It stays in the list."""
    from server.assignments import extensions

    with prepared_database(settings).writing() as session:
        course = find_course(session, slug)
        found, impact = extensions.plan_revocation(session, course, id, OPERATOR)
        if not dry_run:
            extensions.write_revocation(session, found.row, OPERATOR, reason)
            click.echo(f"Extension {id} is revoked.")
    show_effect(impact.sentence, dry_run)


def typed_rules(options: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Return the rules that options name, as an assignment keeps them.

    :raises BadTime: a time is none, or two
    """
    fields: dict[str, Any] = {}
    for name, value in options.items():
        if value is None or value == ():
            continue
        if value == NOTHING or (name in TIMES and value == "none"):
            fields[name] = None
        elif name in TIMES:
            fields[name] = parse(value, zone)
        elif name == "checkpoint_points":
            fields[name] = dict(value)
        else:
            fields[name] = ENUMERATIONS[name](value) if name in ENUMERATIONS else value
    return fields


def in_options(sentence: str) -> str:
    """Return a sentence about rules with what is typed in place of the names and values of REST."""
    for name, option in OPTION_OF_RULE.items():
        place = rf"\b(?:an? )?{name}\b" if "_" in name else rf"^{name}\b"  # else it may be a word like any other
        sentence = re.sub(place, option, sentence)
    return sentence.replace("nothing for any", "'none' for any").replace("nothing for the course's", "'course'")


def _make(session: Session, course: CourseRow, change: Any, dry_run: bool) -> None:
    """Make a change, or only say what it does to points."""
    from server.assignments import changes

    try:
        plan = changes.plan_change(session, course, change)
    except BadAssignment as bad:
        raise CommandError(" ".join(in_options(fault.sentence) for fault in bad.faults)) from None
    if not dry_run:
        changes.write(session, course, plan, OPERATOR)
    _show(plan.row, course)
    if plan.is_new and len(plan.after) == 1:
        click.echo("It is the first assignment: the course asks for no other exercise now.")
    show_effect(plan.impact.sentence, dry_run)


def _show(row: AssignmentRow, course: CourseRow) -> None:
    from server.assignments.assignment import Assignment
    from server.assignments.lateness import late_sentence

    zone = zone_of(course)
    dates = f"opens {local_text(row.opens_at, zone)}, due {local_text(row.due_at, zone)} ({zone.key})"
    click.echo(f"{row.exercise}: assignment {row.position + 1} of {course.slug}, version {row.version}; {dates}.")
    late = late_sentence(Assignment.of(row, course))
    if late is not None:
        click.echo(late)


@course_group.command("packs")
@click.argument("slug", metavar="COURSE")
@click.option("--pin", "pinned", metavar="PACK", multiple=True, help="Add it, or pin the version installed now.")
@click.option("--remove", "removed", metavar="PACK", multiple=True, help="Take it out of the course.")
@pass_settings
def set_packs(settings: Settings, slug: str, pinned: tuple[str, ...], removed: tuple[str, ...]) -> None:
    """Print or change the packs of exercises of a course.

    Those that are not as they were pinned have a note.
    """
    from server.assignments import packs

    with prepared_database(settings).writing() as session:
        course = find_course(session, slug)
        for name in pinned:
            packs.pin(session, course, name, OPERATOR)
        for name in removed:
            packs.remove(session, course, name, OPERATOR)
        for each in packs.read(course):
            title = each.installed.title if each.installed else "not installed"
            digest = each.pinned[: packs.DIGEST_SHOWN] if each.pinned else "not pinned"
            click.echo(f"{each.name:16s} {digest:{packs.DIGEST_SHOWN}s}  {title}")
            if each.note:
                click.echo(f"  {each.note} To pin it: python -m server course packs {slug} --pin {each.name}")
        others = ", ".join(each.name for each in packs.others(course))
    if others:
        click.echo(f"To add one of {others}, type: python -m server course packs {slug} --pin PACK")
