"""What is asked: list, pull, open."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from dojo import table, workspace
from dojo.commands.frame import PASSED, command
from dojo.commands.words import complete_exercise, shown
from dojo.desk import Desk
from dojo.errors import BadFile
from dojo.task import exercise_here
from dojo.workspace import find_workspace


@command("list")
def list_(desk: Desk) -> int:
    """List the exercises, and how far you are with them.

    \b
    Example:
      dojo list
    """
    connection = desk.connect()
    exercises = connection.server.exercises(connection.course)
    desk.config.remember_exercises([each.slug for each in exercises])
    if desk.as_json:
        desk.answer({"course": connection.course, "exercises": [each.answer for each in exercises]})
        return PASSED
    table.show_exercises(desk.screen, exercises)
    todo = next((each for each in exercises if each.passed < each.total), None)
    if todo is not None:
        desk.screen.say(f"Next: dojo pull {todo.slug}")
    return PASSED


@command("pull")
@click.argument("exercise", required=False, shell_complete=complete_exercise)
@click.option("--to", "folder", type=click.Path(path_type=Path), help="The folder to write; its own name by default.")
def pull(desk: Desk, exercise: str | None, folder: Path | None) -> int:
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
        found = find_workspace(folder or here)
        if found is None:
            raise BadFile("Which exercise?", "See which there are with dojo list, then type: dojo pull EXERCISE")
        exercise, folder = found.exercise, found.folder
    folder = folder or workspace.folder_for(exercise, here)
    known = workspace.open_workspace(folder) if (folder / workspace.MARK).is_file() else None
    connection = desk.connect(known)
    with desk.transfer(exercise) as transferred:
        pulled = workspace.pull(
            connection.server,
            connection.course,
            exercise,
            folder,
            student=connection.student,
            transferred=transferred,
        )
    if desk.as_json:
        desk.answer(
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
        return PASSED
    place = "This folder" if folder.resolve() == here.resolve() else shown(folder)
    if pulled.new_state:
        desk.screen.say("The server has a new forward state for you. Tensors made on the old one will not fit it.")
    desk.screen.say(f"{place} now holds {', '.join(pulled.written)}.")
    if pulled.kept:
        desk.screen.say(f"Your {' and '.join(pulled.kept)} {'is' if len(pulled.kept) == 1 else 'are'} as before.")
    go = "" if place == "This folder" else f"cd {place} && "
    desk.screen.say(f"Next: read {workspace.STATEMENT}, write {workspace.SOLUTION}, then: {go}dojo submit")
    return PASSED


@command("open")
@click.argument("exercise", required=False, shell_complete=complete_exercise)
def open_(desk: Desk, exercise: str | None) -> int:
    """Open the lecture at the first step that is not right yet.

    Of the exercise that you name, or the one of this folder; elsewhere of the one that you last handed
    something in for, unless all of it is right, and then of the first one that is not done.

    \b
    Examples:
      dojo open
      dojo open makemore/full-backward
    """
    found = None if exercise else find_workspace(Path.cwd())
    connection = desk.connect(found)
    asked = exercise_here(connection, exercise, found)
    step = next((each for each in asked.checkpoints if not each.passed), None)
    url = (step and step.lecture_url) or asked.lecture_url
    if desk.as_json:
        desk.answer({"exercise": asked.slug, "checkpoint": step.name if step else None, "url": url})
        return PASSED
    if url is None:
        desk.screen.say(f"The lecture has nothing on {asked.slug}. Read {workspace.STATEMENT} once more.")
        return PASSED
    if step is None:
        desk.screen.say(f"Every step of {asked.slug} is right. Here is the lecture once more:")
    else:
        desk.screen.say(f"{step.answer} is the first step of {asked.slug} that is not right yet:")
    desk.screen.say(url)
    webbrowser.open(url)
    return PASSED
