"""The commands ``check``, ``submit`` and ``watch``: answers."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from dojo import check as checks
from dojo.api.server import Connection
from dojo.commands.context import Context
from dojo.commands.decorators import PASSED, WRONG, command
from dojo.commands.history import show_result
from dojo.commands.paths import complete_exercise, short_path
from dojo.commands.target import Target, find_target, send_outbox, target_of
from dojo.errors import BadFile, DojoError, Unreachable
from dojo.files.answer_file import AnswerFile, CodeFile, TensorFile, find_answer_file, read_answer_file
from dojo.files.workspace import find_workspace
from dojo.notebook_slice import NotebookSlice

WATCH_SECONDS = 0.5  # between looks at a watched file
WAIT_SECONDS = 120.0  # for a grade
REMARKS_MAX = 3  # sentences about what is left out, without --explain
FIRST_WAIT_SECONDS = 1.0  # of them, before the place in the queue is shown

_exercise_option = click.option(
    "--exercise",
    metavar="TOPIC/NAME",
    help="The exercise it is for; otherwise its folder says so.",
    shell_complete=complete_exercise,
)
_file_argument = click.argument("file", type=click.Path(path_type=Path), default=".")


@command("check")
@_file_argument
def check(context: Context, file: Path) -> int:
    """Look at an answer here: names, shapes, dtypes, finite numbers.

    No server is asked, so nothing is said about right or wrong.

    Code is run on the pulled state with your own torch.

    \b
    Example:
      dojo check solution.py
    """
    path = find_answer_file(file)
    workspace = find_workspace(path.parent) or find_workspace(Path.cwd())
    if workspace is None:
        raise BadFile(
            f"{path} is not in a folder that dojo pull made, so there is nothing to check it against.",
            "Type: dojo pull EXERCISE, and check it in there",
        )
    answer = read_answer_file(path, target_of(workspace).goal)
    result = checks.check(workspace, answer)
    if context.as_json:
        context.print_json({"file": str(path), "good": result.good} | asdict(result) | _notebook_json(answer))
    else:
        _print_check(context, answer, result)
    return PASSED if result.good else WRONG


def _print_check(context: Context, answer: AnswerFile, result: checks.CheckResult) -> None:
    screen = context.screen
    _print_taken(context, answer)
    if result.printed:
        screen.print("Your code printed:", style="bright_black")
        screen.print(result.printed.rstrip())
    for finding in result.findings:
        style = "green" if not finding.problem else "bright_black" if finding.missing else "red"
        screen.print(finding.line(), style=style)
    if result.error:
        screen.print("Your code stopped with an error:", style="red")
        screen.print(result.error.rstrip())
        _print_place(context, answer, result.error)
    fits = sum(not finding.problem for finding in result.findings)
    next_step = f"dojo submit {short_path(answer.path)}"
    screen.print(f"{fits} of {len(result.findings)} fit. Whether they are right, the server says: {next_step}")


@command("submit")
@_file_argument
@_exercise_option
@click.option("--wait", "wait_seconds", default=WAIT_SECONDS, show_default=True, help="Seconds to wait for the grade.")
@click.option("--dry-run", is_flag=True, help="Only print the code that would be sent.")
@click.option("--explain", is_flag=True, help="Say of each cell what is taken, and what is left out and why.")
def submit(
    context: Context, file: Path, exercise: str | None, wait_seconds: float, dry_run: bool, explain: bool
) -> int:
    """Submit an answer and see it graded.

    FILE is one of:

    \b
      solution.py          code, with the handed-out names or with a function backward(state)
      script.py            a whole script: the lines that make the d… answers are picked out
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
    path = find_answer_file(file)
    connection, target = find_target(context, path, exercise)
    answer = read_answer_file(path, target.goal)
    if dry_run:
        return _print_source(context, answer, explain=explain)
    if file.is_dir():
        context.print_note(f"Submitting {path.name}.")
    _print_taken(context, answer, explain=explain)
    send_outbox(context, connection, path)
    workspace = find_workspace(path.parent)
    if isinstance(answer, TensorFile) and workspace and workspace.exercise == target.slug:
        workspace.require_current(connection.server, connection.course)
    return _submit_and_show(context, connection, target, answer, wait_seconds)


def _print_source(context: Context, answer: AnswerFile, *, explain: bool) -> int:
    if not isinstance(answer, CodeFile):
        raise BadFile(f"{answer.path} holds tensors: they are sent as they are.", "Look at them with: dojo check FILE")
    if context.as_json:
        context.print_json({"filename": answer.path.name, "source": answer.source})
        return PASSED
    _print_taken(context, answer, explain=explain)
    click.echo(answer.source, nl=False)
    return PASSED


def _notebook(answer: AnswerFile) -> NotebookSlice | None:
    return answer.notebook if isinstance(answer, CodeFile) else None


def _print_taken(context: Context, answer: AnswerFile, *, explain: bool = False) -> None:
    """Say in one line what is taken of a notebook or a script, and why something is not; ``explain`` says all."""
    notebook = _notebook(answer)
    if notebook is None:
        return
    context.print_note(notebook.summary())
    if explain:
        for line in notebook.contributions():
            context.print_note(line)
    shown = notebook.remarks if explain else notebook.remarks[:REMARKS_MAX]
    for remark in shown:
        context.print_note(remark)
    more = len(notebook.remarks) - len(shown)
    if more:
        context.print_note(f"And {more} more. All of it: dojo submit {short_path(answer.path)} --explain")


def _submit_and_show(
    context: Context, connection: Connection, target: Target, answer: AnswerFile, wait_seconds: float
) -> int:
    """Send an answer, wait for its grade, and print it."""
    with context.queue_bar() as show_progress:
        submission = answer.send(connection, target.slug, wait=min(wait_seconds, FIRST_WAIT_SECONDS))
        show_progress(submission)
        try:
            submission = connection.server.wait_for(submission, seconds=wait_seconds, changed=show_progress)
        except KeyboardInterrupt:
            context.print_note(f"It is still being graded. Look later: dojo show {submission.id}")
            raise
        except Unreachable as error:
            message = f"Submission {submission.id} is kept, but: {error.message}"
            raise Unreachable(message, f"Look later: dojo show {submission.id}") from error
    if submission.waiting:
        raise Unreachable(
            f"Submission {submission.id} is kept, and not graded yet: {submission.progress()}.",
            f"Look later: dojo show {submission.id}",
        )
    code = show_result(context, submission, target.checkpoints, _notebook_json(answer))
    if submission.grade:
        _print_place(context, answer, submission.grade.run_message)
    return code


def _notebook_json(answer: AnswerFile) -> dict[str, Any]:
    """Return what ``--json`` says about a notebook."""
    notebook = _notebook(answer)
    if notebook is None:
        return {}
    return {"notebook": {"taken": [asdict(taken) for taken in notebook.taken], "remarks": list(notebook.remarks)}}


def _print_place(context: Context, answer: AnswerFile, trace: str) -> None:
    """Print the line of a notebook or a script at which the code stopped."""
    lines = re.findall(r"\bline (\d+)", trace)
    notebook = _notebook(answer)
    place = notebook.place(int(lines[-1])) if notebook and lines else None
    if place and not context.as_json:
        where = f"line {place[1]}" + ("" if notebook and notebook.is_script else f" of cell {place[0]}")
        context.screen.print(f"Line {lines[-1]} of what was taken is {where}.")


@command("watch")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_exercise_option
def watch(context: Context, file: Path, exercise: str | None) -> int:
    """Submit FILE now, and each time it is saved, until Ctrl-C.

    \b
    Example:
      dojo watch solution.py
    """
    path = find_answer_file(file)
    seen: bytes | None = None
    code = PASSED
    context.compact = True
    still_watching = f"Watching {path}. Stop with Ctrl-C."
    if not context.as_json:
        context.screen.print(still_watching)
    try:
        while True:
            content = path.read_bytes() if path.is_file() else b""  # an editor that saves may replace the file
            if content and content != seen:
                seen = content
                try:
                    connection, target = find_target(context, path, exercise)
                    answer = read_answer_file(path, target.goal)
                    code = _submit_and_show(context, connection, target, answer, WAIT_SECONDS)
                except DojoError as error:  # the file may be half written, and the network may come back
                    context.print_error(error)
                    code = error.exit_code
                    if isinstance(error, Unreachable):
                        seen = None
                if not context.as_json:
                    context.screen.print(still_watching)
                sys.stdout.flush()
            context.network.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        return code
