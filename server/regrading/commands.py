"""The operator's command for regrades: ``regrade``."""

from __future__ import annotations

from collections.abc import Iterable

import click

from exercises import registry
from server.assignments.exercises import find_exercise
from server.command_line import ROW_ID, CommandError, pass_settings
from server.courses.commands import find_course
from server.database.setup import prepared_database
from server.queue import tickets
from server.regrading import regrade
from server.regrading.regrade import RegradeScope
from server.regrading.report import report
from server.regrading.schemas import PointsChangeBody, RegradeBody
from server.settings import Settings


@click.command("regrade")
@click.argument("course")
@click.option("--exercise", metavar="SLUG", help="Only this exercise.")
@click.option("--student", "account_id", metavar="ID", type=ROW_ID, help="Only this student.")
@click.option("--submission", "submission_id", metavar="ID", type=ROW_ID, help="Only this submission.")
@click.option("--show", "act", flag_value="show", help="Print how far the newest regrade is, and what it changes.")
@click.option("--accept", "act", flag_value="accept", help="Let the grades of the open regrade count.")
@click.option("--discard", "act", flag_value="discard", help="Drop the open regrade; nothing changes.")
@pass_settings
def regrade_course(
    settings: Settings,
    course: str,
    exercise: str | None,
    account_id: int | None,
    submission_id: int | None,
    act: str | None,
) -> None:
    """Grade a course again, or a part of it.

    Who gains and who loses is printed.

    The server or its workers grade in the background. Nothing counts before it is accepted.
    """
    scope = RegradeScope(exercise, account_id, submission_id)
    if act is not None and scope != RegradeScope():
        raise CommandError(f"--{act} is of the regrade as it was begun. Leave out the other options.")
    with prepared_database(settings).writing() as session:
        row = find_course(session, course)
        if act is None:
            every = list(registry.exercises().values())
            exercises = every if exercise is None else [find_exercise(exercise)]
            begun = regrade.begin(session, row, exercises, scope, actor_id=None)
            if begun.regrade is not None:
                # Servers and workers look for tickets within a second.
                tickets.write(session, begun.outdated, 0, regrade_id=begun.regrade.id)
            found = begun.regrade
        elif act == "show":
            found = regrade.find_regrade(session, row, None)
        else:
            open_one = regrade.find_open(session, row)
            if open_one is None:
                raise CommandError(f"No regrade of {course!r} is open. Begin one: python -m server regrade {course}")
            change = regrade.accept if act == "accept" else regrade.discard
            found = change(session, row, open_one.id, actor_id=None)
        told = report(session, row, found)
    for line in lines(course, told):
        click.echo(line)


def lines(course: str, told: RegradeBody) -> Iterable[str]:
    """Yield the report of a regrade, line by line, with what to do next at the end."""
    if told.id is None:
        yield "Nothing to grade again: every grade is of today's exercises, torch and grader."
        return
    yield f"Regrade {told.id} of {course}: {told.status}, {told.regraded} graded again, {told.waiting} wait"
    if told.set_aside:
        yield f"Set aside, and keep their grade: {', '.join(map(str, told.set_aside))}"
    yield from _points_lines("gains", told.gain)
    yield from _points_lines("loses", told.lose)
    for difference in told.changed:
        yield (
            f"Submission {difference.submission} of {difference.student.name} ({difference.exercise}): "
            f"{difference.before} passed before, {difference.after} after"
        )
        for row in difference.rows:
            yield f"    {row.name}: {row.before} -> {row.after}"
    if not (told.gain or told.lose or told.changed):
        yield "No row differs."
    if told.status == "open":
        again = f"python -m server regrade {course}"
        yield f"Look again: {again} --show" if told.waiting else f"Next: {again} --accept, or --discard"


def _points_lines(verb: str, changes: Iterable[PointsChangeBody]) -> Iterable[str]:
    for change in changes:
        override = "; the override stays" if change.is_overridden else ""
        yield (
            f"{change.student.name} ({change.student.id}) {verb} in {change.exercise}: "
            f"{change.before:g} -> {change.after:g} points{override}"
        )
