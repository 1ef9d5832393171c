"""The commands ``status``, ``history`` and ``show``: earlier results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from dojo.api.responses import Checkpoint, Submission
from dojo.commands.context import Context
from dojo.commands.decorators import PASSED, WRONG, command
from dojo.commands.paths import complete_exercise
from dojo.commands.target import current_exercise, send_outbox
from dojo.files.workspace import MARKER, find_workspace
from dojo.show import grades, lists


@command("status")
@click.argument("exercise", required=False, shell_complete=complete_exercise)
def status(context: Context, exercise: str | None) -> int:
    """Show how far you are.

    Step by step in an exercise's folder or for the one you name, else with all of them.

    \b
    Examples:
      dojo status
      dojo status makemore/full-backward
    """
    workspace = None if exercise else find_workspace(Path.cwd())
    connection = context.connect(workspace)
    if workspace is not None:
        send_outbox(context, connection, workspace.folder / MARKER)
    if exercise or workspace:
        current = current_exercise(connection, exercise, workspace)
        if context.as_json:
            context.print_json(current.body)
        else:
            lists.show_checkpoints(context.screen, current)
        return PASSED
    exercises = connection.server.exercises(connection.course)
    if context.as_json:
        context.print_json({"course": connection.course, "exercises": [entry.body for entry in exercises]})
    else:
        lists.show_exercises(context.screen, exercises)
    return PASSED


@command("history")
@click.argument("exercise", required=False, shell_complete=complete_exercise)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many, newest first.")
def history(context: Context, exercise: str | None, limit: int) -> int:
    """List your submissions, the newest first; in an exercise's folder, for that alone.

    \b
    Examples:
      dojo history
      dojo history makemore/full-backward --limit 5
    """
    workspace = find_workspace(Path.cwd())
    connection = context.connect(workspace)
    slug = exercise or (workspace.exercise if workspace else None)
    submissions = connection.server.submissions(connection.course, exercise=slug, limit=limit)
    if context.as_json:
        context.print_json({"submissions": [submission.body for submission in submissions]})
        return PASSED
    if not submissions:
        context.screen.print("Nothing yet. Type: dojo submit FILE")
        return PASSED
    lists.show_history(context.screen, submissions)
    context.screen.print(f"Any table again: dojo show {submissions[0].id}")
    return PASSED


@command("show")
@click.argument("number", metavar="ID", type=int)
def show(context: Context, number: int) -> int:
    """Show the table of an earlier submission.

    The numbers are in dojo history.

    \b
    Example:
      dojo show 17
    """
    workspace = find_workspace(Path.cwd())
    connection = context.connect(workspace)
    submission = connection.server.submission(number)
    checkpoints = workspace.checkpoints if workspace and workspace.exercise == submission.exercise else ()
    return show_result(context, submission, checkpoints)


def show_result(
    context: Context, submission: Submission, checkpoints: Sequence[Checkpoint], extra: dict[str, Any] | None = None
) -> int:
    """Print a submission, and return the exit code: whether all of it passes. ``extra`` is added to its JSON."""
    if context.as_json:
        context.print_json({**submission.body, **(extra or {})})
    else:
        grades.show_submission(context.screen, submission, checkpoints)
    return PASSED if submission.grade and submission.grade.all_passed else WRONG
