"""The commands ``status``, ``history``, ``show`` and ``hint``: earlier results."""

from __future__ import annotations

from pathlib import Path

import click

from dojo.commands import results
from dojo.commands.context import Context
from dojo.commands.decorators import PASSED, command
from dojo.commands.next_step import next_steps
from dojo.commands.paths import SubmissionNumber, complete_exercise
from dojo.commands.target import current_exercise, send_outbox
from dojo.files.workspace import MARKER, find_workspace
from dojo.show import lists


@command("status")
@click.argument("exercise", required=False, shell_complete=complete_exercise)
@click.option("--all", "whole", is_flag=True, help="Show the whole table.")
def status(context: Context, exercise: str | None, whole: bool) -> int:
    """Show how far you are.

    In an exercise's folder or for the one you name: a character for each step, what to do
    next, and until when. With --all step by step. Elsewhere all exercises.

    \b
    Examples:
      dojo status
      dojo status makemore/full-backward --all
    """
    workspace = None if exercise else find_workspace(Path.cwd())
    connection = context.connect(workspace)
    if workspace is not None:
        send_outbox(context, connection, workspace.folder / MARKER)
    if exercise or workspace:
        current = current_exercise(connection, exercise, workspace)
        if context.as_json:
            context.print_json(current.body)
        elif whole:
            lists.show_checkpoints(context.screen, current)
        else:
            results.show_status(context, connection, current, is_named=exercise is not None)
        return PASSED
    exercises = connection.server.exercises(connection.course)
    if context.as_json:
        context.print_json({"course": connection.course, "exercises": [entry.body for entry in exercises]})
    else:
        lists.show_exercises(context.screen, exercises)
        for line in next_steps(exercises):
            context.screen.print(line)
    return PASSED


@command("history")
@click.argument("exercise", required=False, shell_complete=complete_exercise)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500), help="How many, newest first.")
def history(context: Context, exercise: str | None, limit: int) -> int:
    """List your submissions, the newest first.

    In an exercise's folder, those for that exercise alone.

    \b
    Examples:
      dojo history
      dojo history makemore/full-backward --limit 5
    """
    return show_list(context, exercise, limit)


def show_list(context: Context, exercise: str | None, limit: int) -> int:
    """Print the newest submissions: of an exercise, of this folder's, or of all."""
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
    context.screen.print(f"Any of them again: dojo show {submissions[0].id}")
    return PASSED


@command("show")
@click.argument("number", metavar="ID", type=SubmissionNumber())
@click.option("--all", "whole", is_flag=True, help="Show the whole table.")
def show(context: Context, number: int, whole: bool) -> int:
    """Show the grade of an earlier submission.

    The numbers are in dojo history.

    \b
    Examples:
      dojo show 17
      dojo show 17 --all
    """
    return results.show_earlier(context, number, whole=whole)


@command("hint")
@click.argument("number", metavar="[ID]", required=False, type=SubmissionNumber())
def hint(context: Context, number: int | None) -> int:
    """Show one more hint at the first mistake.

    Of your last submission of this folder's exercise, or of submission ID. Your course
    decides how many hints there are.

    \b
    Examples:
      dojo hint
      dojo hint 17
    """
    workspace = find_workspace(Path.cwd())
    connection = context.connect(workspace)
    command = "dojo hint" if number is None else f"dojo hint {number}"
    if number is None:
        number = results.newest_number(connection, workspace.exercise if workspace else None)
    return results.show_hint(context, connection, connection.server.submission(number), command)
