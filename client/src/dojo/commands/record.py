"""Looking back: status, history, show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from dojo import table, workspace
from dojo.commands.frame import PASSED, WRONG, command
from dojo.commands.words import complete_exercise
from dojo.desk import Desk
from dojo.records import Checkpoint, Submission
from dojo.task import exercise_here, send_outbox
from dojo.workspace import find_workspace


@command("status")
@click.argument("exercise", required=False, shell_complete=complete_exercise)
def status(desk: Desk, exercise: str | None) -> int:
    """Show how far you are.

    Step by step in an exercise's folder or for the one you name, else with all of them.

    \b
    Examples:
      dojo status
      dojo status makemore/full-backward
    """
    found = None if exercise else find_workspace(Path.cwd())
    connection = desk.connect(found)
    if found is not None:
        send_outbox(desk, connection, found.folder / workspace.MARK)
    if exercise or found:
        asked = exercise_here(connection, exercise, found)
        if desk.as_json:
            desk.answer(asked.answer)
            return PASSED
        table.show_checkpoints(desk.screen, asked)
        return PASSED
    exercises = connection.server.exercises(connection.course)
    if desk.as_json:
        desk.answer({"course": connection.course, "exercises": [each.answer for each in exercises]})
        return PASSED
    table.show_exercises(desk.screen, exercises)
    return PASSED


@command("history")
@click.argument("exercise", required=False, shell_complete=complete_exercise)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many, newest first.")
def history(desk: Desk, exercise: str | None, limit: int) -> int:
    """List what you have handed in, the newest first; in an exercise's folder, for that alone.

    \b
    Examples:
      dojo history
      dojo history makemore/full-backward --limit 5
    """
    found = find_workspace(Path.cwd())
    connection = desk.connect(found)
    slug = exercise or (found.exercise if found else None)
    submissions = connection.server.submissions(connection.course, exercise=slug, limit=limit)
    if desk.as_json:
        desk.answer({"submissions": [each.answer for each in submissions]})
        return PASSED
    if not submissions:
        desk.screen.say("Nothing yet. Type: dojo submit FILE")
        return PASSED
    table.show_history(desk.screen, submissions)
    desk.screen.say(f"Any table again: dojo show {submissions[0].id}")
    return PASSED


@command("show")
@click.argument("number", metavar="ID", type=int)
def show(desk: Desk, number: int) -> int:
    """Show the table of an earlier submission.

    The numbers are in dojo history.

    \b
    Example:
      dojo show 17
    """
    found = find_workspace(Path.cwd())
    connection = desk.connect(found)
    submission = connection.server.submission(number)
    checkpoints = found.checkpoints if found and found.exercise == submission.exercise else ()
    return show_result(desk, submission, checkpoints)


def show_result(
    desk: Desk, submission: Submission, checkpoints: Sequence[Checkpoint], extra: dict[str, Any] | None = None
) -> int:
    """Print a submission; the exit code says whether all of it passes."""
    if desk.as_json:
        desk.answer({**submission.answer, **(extra or {})})
    else:
        table.show_submission(desk.screen, submission, checkpoints)
    return PASSED if submission.grade and submission.grade.all_passed else WRONG
