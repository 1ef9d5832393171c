"""Answers: check, submit, watch."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from dojo import check as checking
from dojo.commands.frame import PASSED, WRONG, command
from dojo.commands.record import show_result
from dojo.commands.words import complete_exercise, shown
from dojo.connection import Connection
from dojo.desk import Desk
from dojo.errors import BadFile, DojoError, Unreachable
from dojo.handin import Code, Handin, Tensors, find_file, read_handin
from dojo.task import Task, find_task, send_outbox, workspace_task
from dojo.workspace import find_workspace

WATCH_EVERY = 0.5  # seconds between looks at a watched file
PATIENCE = 120.0  # seconds to wait for a grade
AT_ONCE = 1.0  # of them, until the place in the queue is shown


_exercise_option = click.option(
    "--exercise",
    metavar="TOPIC/NAME",
    help="The exercise it is for; otherwise its folder says so.",
    shell_complete=complete_exercise,
)
_file_argument = click.argument("file", type=click.Path(path_type=Path), default=".")


@command("check")
@_file_argument
def check(desk: Desk, file: Path) -> int:
    """Look at an answer here: names, shapes, dtypes, finite numbers.

    No server is asked, so nothing is said about right or wrong.

    Code is run on the pulled state with your own torch.

    \b
    Example:
      dojo check solution.py
    """
    path = find_file(file)
    found = find_workspace(path.parent) or find_workspace(Path.cwd())
    if found is None:
        raise BadFile(
            f"{path} is not in a folder that dojo pull made, so there is nothing to check it against.",
            "Type: dojo pull EXERCISE, and check it in there",
        )
    task = workspace_task(found)
    handin = read_handin(path, task.slug, [each.name for each in task.checkpoints], task.handed_out)
    result = checking.check(found, handin)
    if desk.as_json:
        desk.answer({"file": str(path), "good": result.good} | asdict(result) | _notebook(handin))
        return PASSED if result.good else WRONG
    _tell_harvest(desk, handin)
    if result.printed:
        desk.screen.say("Your code printed:", style="bright_black")
        desk.screen.say(result.printed.rstrip())
    for each in result.findings:
        style = "green" if not each.problem else "bright_black" if each.missing else "red"
        desk.screen.say(each.line(), style=style)
    if result.error:
        desk.screen.say("Your code stopped with an error:", style="red")
        desk.screen.say(result.error.rstrip())
        _show_place(desk, handin, result.error)
    fine = sum(not each.problem for each in result.findings)
    next_step = f"dojo submit {shown(path)}"
    desk.screen.say(f"{fine} of {len(result.findings)} fit. Whether they are right, the server says: {next_step}")
    return PASSED if result.good else WRONG


@command("submit")
@_file_argument
@_exercise_option
@click.option("--wait", "patience", default=PATIENCE, show_default=True, help="Seconds to wait for the grade.")
@click.option("--dry-run", is_flag=True, help="Only print the code that would be sent.")
def submit(desk: Desk, file: Path, exercise: str | None, patience: float, dry_run: bool) -> int:
    """Hand in an answer and see it graded. FILE is one of

    \b
      solution.py          code, with the handed-out names or with a function backward(state)
      notebook.ipynb       yours or the lecture's: the cells that make the d… answers are picked out
      answers.safetensors  tensors, named dlogits or logits
      a folder             whichever of those you changed last

    \b
    Examples:
      dojo submit                            in the exercise's folder
      dojo submit solution.py
      dojo submit ~/backprop_ninja.ipynb --exercise makemore/full-backward
      dojo submit solution.py --json | jq .grade.passed
    """
    path = find_file(file)
    connection, task = find_task(desk, path, exercise)
    handin = read_handin(path, task.slug, [each.name for each in task.checkpoints], task.handed_out)
    if dry_run:
        return _show_source(desk, handin)
    if file.is_dir():
        desk.tell(f"Handing in {path.name}.")
    _tell_harvest(desk, handin)
    send_outbox(desk, connection, path)
    found = find_workspace(path.parent)
    if isinstance(handin, Tensors) and found and found.exercise == task.slug:
        found.must_be_current(connection.server, connection.course)
    return _graded(desk, connection, task, handin, patience)


def _show_source(desk: Desk, handin: Handin) -> int:
    if not isinstance(handin, Code):
        raise BadFile(f"{handin.path} holds tensors: they are sent as they are.", "Look at them with: dojo check FILE")
    if desk.as_json:
        desk.answer({"filename": handin.path.name, "source": handin.source})
        return PASSED
    _tell_harvest(desk, handin)
    click.echo(handin.source, nl=False)
    return PASSED


def _tell_harvest(desk: Desk, handin: Handin) -> None:
    """Of a notebook: which cells were taken, and what was left out though it looked like an answer."""
    found = handin.harvest if isinstance(handin, Code) else None
    if found is None:
        return
    cells = ", ".join(
        f"{each.cell} ({', '.join(each.names)})" if each.names else str(each.cell) for each in found.taken
    )
    desk.tell(f"Taken from {len(found.taken)} of {found.cells} code cells: {cells}.")
    for remark in found.remarks:
        desk.tell(remark)


def _graded(desk: Desk, connection: Connection, task: Task, handin: Handin, patience: float) -> int:
    """Send an answer, wait for its grade, show it."""
    with desk.waiting() as say:
        submission = handin.send(connection.server, connection.course, task.slug, wait=min(patience, AT_ONCE))
        say(submission)
        try:
            submission = connection.server.wait_for(submission, seconds=patience, changed=say)
        except KeyboardInterrupt:
            desk.tell(f"It is still being graded. Look later: dojo show {submission.id}")
            raise
        except Unreachable as error:
            kept = f"Submission {submission.id} is kept, but: {error.message}"
            raise Unreachable(kept, f"Look later: dojo show {submission.id}") from error
    if submission.waiting:
        raise Unreachable(
            f"Submission {submission.id} is kept, and not graded yet: {submission.standing()}.",
            f"Look later: dojo show {submission.id}",
        )
    code = show_result(desk, submission, task.checkpoints, _notebook(handin))
    if submission.grade:
        _show_place(desk, handin, submission.grade.run_message)
    return code


def _notebook(handin: Handin) -> dict[str, Any]:
    """What --json says about a notebook beside the rest."""
    found = handin.harvest if isinstance(handin, Code) else None
    if found is None:
        return {}
    return {"notebook": {"taken": [asdict(each) for each in found.taken], "remarks": list(found.remarks)}}


def _show_place(desk: Desk, handin: Handin, trace: str) -> None:
    """Where in the notebook the line is at which the code stopped."""
    lines = re.findall(r"\bline (\d+)", trace)
    found = handin.harvest if isinstance(handin, Code) else None
    place = found.place(int(lines[-1])) if found and lines else None
    if place and not desk.as_json:
        desk.screen.say(f"Line {lines[-1]} of what was taken is line {place[1]} of cell {place[0]}.")


@command("watch")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_exercise_option
def watch(desk: Desk, file: Path, exercise: str | None) -> int:
    """Submit FILE now, and each time it is saved, until Ctrl-C.

    \b
    Example:
      dojo watch solution.py
    """
    path = find_file(file)
    seen: bytes | None = None
    code = PASSED
    desk.compact = True
    if not desk.as_json:
        desk.screen.say(f"Watching {path}. Stop with Ctrl-C.")
    try:
        while True:
            content = path.read_bytes() if path.is_file() else b""  # editors replace a file when they save it
            if content and content != seen:
                seen = content
                try:
                    connection, task = find_task(desk, path, exercise)
                    names = [each.name for each in task.checkpoints]
                    handin = read_handin(path, task.slug, names, task.handed_out)
                    code = _graded(desk, connection, task, handin, PATIENCE)
                except DojoError as error:  # a file that is half written, a network that comes back
                    desk.show_error(error)
                    code = error.exit_code
                    if isinstance(error, Unreachable):
                        seen = None
                sys.stdout.flush()
            desk.network.sleep(WATCH_EVERY)
    except KeyboardInterrupt:
        return code
