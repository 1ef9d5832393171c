"""The commands ``list``, ``pull`` and ``open``: exercises."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from dojo.commands.context import Context
from dojo.commands.decorators import PASSED, command
from dojo.commands.next_step import TRAINING, next_steps
from dojo.commands.paths import complete_exercise, short_path
from dojo.commands.target import current_exercise
from dojo.errors import BadFile
from dojo.files import workspace as workspaces
from dojo.files.workspace import SOLUTION, STATEMENT, Pulled, find_workspace
from dojo.show import lists
from dojo.show.due import due_lines


@command("list")
def list_(context: Context) -> int:
    """List the exercises, and how far you are with them.

    \b
    Example:
      dojo list
    """
    connection = context.connect()
    exercises = connection.server.exercises(connection.course)
    context.config.store_exercises([exercise.slug for exercise in exercises])
    if context.as_json:
        context.print_json({"course": connection.course, "exercises": [exercise.body for exercise in exercises]})
        return PASSED
    lists.show_exercises(context.screen, exercises)
    for line in next_steps(exercises):
        context.screen.print(line)
    return PASSED


@command("pull")
@click.argument("exercise", required=False, shell_complete=complete_exercise)
@click.option("--to", "folder", type=click.Path(path_type=Path), help="The folder to write; its own name by default.")
def pull(context: Context, exercise: str | None, folder: Path | None) -> int:
    """Fetch an exercise into a folder.

    The folder gets the forward state, what is asked, a solution.py and a notebook to
    start from.

    Pulling again brings the state up to date, and leaves your own files alone.

    \b
    Examples:
      dojo pull makemore/full-backward
      dojo pull makemore/full-backward --to second-try
      dojo pull                            in a folder that was pulled: bring it up to date
    """
    here = Path.cwd()
    if exercise is None:
        workspace = find_workspace(folder or here)
        if workspace is None:
            raise BadFile("Which exercise?", "See which there are with dojo list, then type: dojo pull EXERCISE")
        exercise, folder = workspace.exercise, workspace.folder
    try:
        folder = folder or workspaces.default_folder(exercise, here)
    except BadFile as error:
        connection = context.connect()
        raise connection.server.with_close_names(connection.course, exercise, error) from error
    earlier = workspaces.open_workspace(folder) if (folder / workspaces.MARKER).is_file() else None
    connection = context.connect(earlier)
    with context.download_bar(exercise) as transferred:
        pulled = workspaces.pull(connection, exercise, folder, transferred)
    if context.as_json:
        context.print_json(
            {
                "folder": str(folder),
                "exercise": exercise,
                "revision": pulled.workspace.revision,
                "digest": pulled.workspace.digest,
                "written": list(pulled.written),
                "kept": list(pulled.kept),
                "new_state": pulled.new_state,
            }
        )
    else:
        _print_pulled(context, pulled, here)
    return PASSED


def _print_pulled(context: Context, pulled: Pulled, here: Path) -> None:
    folder = pulled.workspace.folder
    is_here = folder.resolve() == here.resolve()
    if pulled.new_state:
        context.screen.print("The server has a new forward state for you. Tensors made on the old one will not fit it.")
    context.screen.print(f"{'This folder' if is_here else short_path(folder)} now holds {', '.join(pulled.written)}.")
    if pulled.kept:
        verb = "is" if len(pulled.kept) == 1 else "are"
        context.screen.print(f"Your {' and '.join(pulled.kept)} {verb} as before.")
    change_folder = "" if is_here else f"cd {short_path(folder)} && "
    for line in due_lines(pulled.exercise):
        context.screen.print(line)
    if not pulled.exercise.takes_answers:
        return
    context.screen.print(f"Next: read {STATEMENT}, write {SOLUTION}, then: {change_folder}dojo submit")
    if pulled.workspace.exercise == TRAINING:
        context.screen.print(f"Once it passes, train the network with it: dojo train {SOLUTION}")


@command("open")
@click.argument("exercise", required=False, shell_complete=complete_exercise)
def open_(context: Context, exercise: str | None) -> int:
    """Open the lecture at the first step that is not right yet.

    Of the exercise that you name, or the one of this folder; elsewhere of the one that you last submitted
    something for, unless all of it is right, and then of the first one that is not done.

    \b
    Examples:
      dojo open
      dojo open makemore/full-backward
    """
    workspace = None if exercise else find_workspace(Path.cwd())
    connection = context.connect(workspace)
    current = current_exercise(connection, exercise, workspace)
    undone = [] if current.is_kept else [checkpoint for checkpoint in current.checkpoints if not checkpoint.passed]
    step = next(iter(undone), None)
    url = (step and step.lecture_url) or current.lecture_url
    if context.as_json:
        context.print_json({"exercise": current.slug, "checkpoint": step.name if step else None, "url": url})
        return PASSED
    if url is None:
        context.screen.print(f"The lecture has nothing on {current.slug}. Read {STATEMENT} once more.")
        return PASSED
    if current.is_kept:
        context.screen.print(f"{current.withheld} Here is the lecture of {current.slug}:")
    elif step is None:
        context.screen.print(f"Every step of {current.slug} is right. Here is the lecture once more:")
    else:
        context.screen.print(f"{step.variable} is the first step of {current.slug} that is not right yet:")
    context.screen.print(url)
    webbrowser.open(url)
    return PASSED
