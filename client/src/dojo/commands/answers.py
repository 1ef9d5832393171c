"""The commands ``check``, ``submit`` and ``watch``: answers."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

import click

from dojo import check as checks
from dojo.api.server import Connection
from dojo.commands.context import Context
from dojo.commands.decorators import PASSED, WRONG, command
from dojo.commands.paths import complete_exercise, one_file, shell_word, short_path
from dojo.commands.results import show_result
from dojo.commands.target import Target, find_target, send_outbox, target_of
from dojo.errors import BadFile, DojoError, NotGradedYet, Unauthorized, Unreachable
from dojo.files.answer_file import AnswerFile, CodeFile, TensorFile, find_answer_file, read_answer_file
from dojo.files.workspace import find_workspace
from dojo.notebook_slice import NotebookSlice
from dojo.show import brief

WATCH_SECONDS = 0.5  # between looks at a watched file
AWAY_SECONDS_MAX = 5.0  # between two tries while the server cannot be reached
WAIT_SECONDS = 120.0  # for a grade
REMARKS_MAX = 3  # sentences about what is left out, without --explain
FIRST_WAIT_SECONDS = 1.0  # of them, before the place in the queue is shown

_exercise_option = click.option(
    "--exercise",
    metavar="PACK/NAME",
    help="The exercise it is for; otherwise its folder says so.",
    shell_complete=complete_exercise,
)
_all_option = click.option("--all", "whole", is_flag=True, help="Show the whole table.")
# Several words are taken so that a path with blanks, or an exercise beside the file, gets a sentence of its own.
_file_argument = click.argument("words", metavar="[FILE]", nargs=-1, type=click.Path(path_type=Path))


@command("check")
@_file_argument
def check(context: Context, words: tuple[Path, ...]) -> int:
    """Look at the names, shapes and dtypes of an answer.

    It also says whether all numbers are finite. No server is asked, so nothing is said about right or wrong.

    Code is run on the pulled state with your own torch.

    \b
    Example:
      dojo check solution.py
    """
    path = find_answer_file(one_file("check", words), "check")
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
        if not finding.missing:
            screen.print(finding.line(), style="red" if finding.problem else "green")
    missing = [finding.name for finding in result.findings if finding.missing]
    if missing:
        brief.show_missing(screen, missing)
    if result.error:
        screen.print("Your code stopped with an error:", style="red")
        screen.print(result.error.rstrip())
        _print_place(context, answer, result.error)
    file = shell_word(short_path(answer.path))
    if result.error:
        screen.print(f"Correct that, and check again: dojo check {file}")
        return
    if missing and len(missing) == len(result.findings):
        screen.print(f"Next: write d{missing[0]}, and check again.")
        return
    fits = sum(not finding.problem for finding in result.findings)
    screen.print(f"{fits} of {len(result.findings)} fit. Whether they are right, the server says: dojo submit {file}")


@command("submit")
@_file_argument
@_exercise_option
@click.option("--wait", "wait_seconds", default=WAIT_SECONDS, show_default=True, help="Seconds to wait for the grade.")
@click.option("--dry-run", is_flag=True, help="Only print the code that would be sent.")
@click.option("--explain", is_flag=True, help="Say of each cell what is taken, and what is left out and why.")
@_all_option
def submit(context: Context, words: tuple[Path, ...], exercise: str | None, **options: Any) -> int:
    """Submit an answer and see it graded.

    What you see is short: a character for each step, what changed, and at the end the
    first mistake with a hint. dojo hint shows one hint more, --all the whole table.

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
    file = one_file("submit", words)
    path = find_answer_file(file)
    connection, target = find_target(context, path, exercise)
    answer = read_answer_file(path, target.goal)
    if options["dry_run"]:
        return _print_source(context, answer, explain=options["explain"])
    if file.is_dir():
        context.print_note(f"Submitting {path.name}.")
    _print_taken(context, answer, explain=options["explain"])
    send_outbox(context, connection, path)
    workspace = find_workspace(path.parent)
    if isinstance(answer, TensorFile) and workspace and workspace.exercise == target.slug:
        workspace.require_current(connection.server, connection.course)
    handing_in = HandingIn(connection, target, answer, options["wait_seconds"], options["whole"])
    return _submit_and_show(context, handing_in)


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


@dataclass(frozen=True)
class HandingIn:
    """An answer on its way: where to, how long its grade is waited for, and whether the whole table is shown."""

    connection: Connection
    target: Target
    answer: AnswerFile
    wait_seconds: float = WAIT_SECONDS
    whole: bool = False
    is_watched: bool = False


def _submit_and_show(context: Context, handing_in: HandingIn) -> int:
    """Send an answer, wait for its grade, and print it."""
    connection, target, answer = handing_in.connection, handing_in.target, handing_in.answer
    wait_seconds = handing_in.wait_seconds
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
            raise NotGradedYet(message, f"Look later: dojo show {submission.id}") from error
    if submission.waiting:
        raise NotGradedYet(
            f"Submission {submission.id} is kept, and not graded yet: {submission.progress()}.",
            f"Look later: dojo show {submission.id}",
        )
    if handing_in.is_watched and not context.as_json:
        context.screen.clear()
    extra = _notebook_json(answer)
    code = show_result(context, connection, submission, target.checkpoints, whole=handing_in.whole, extra=extra)
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
@_file_argument
@_exercise_option
def watch(context: Context, words: tuple[Path, ...], exercise: str | None) -> int:
    """Submit FILE now, and each time it is saved, until Ctrl-C.

    The screen is cleared, and shows the newest result alone. While the server cannot be
    reached, that is said once, and the last version is submitted when it is back. If it
    refuses your token, the watch ends.

    \b
    Example:
      dojo watch solution.py
    """
    path = find_answer_file(one_file("watch", words), "watch")
    context.compact = True
    watching = Watching(context, path, exercise)
    watching.print_status()
    with suppress(KeyboardInterrupt), noted_interrupts() as interrupted:
        while not interrupted.is_set():
            watching.look()
            context.network.sleep(watching.pause_seconds)
    return watching.code


@contextmanager
def noted_interrupts() -> Iterator[Event]:
    """Note that Ctrl-C was pressed, and raise KeyboardInterrupt as usual.

    Python drops an exception that is raised while a file or a socket is being finalised. The note is kept.
    """
    interrupted = Event()

    def note(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass
class Watching:
    """A file that is submitted each time it is saved.

    ``code`` is the exit code of the last attempt, ``pause_seconds`` the time until the next look.
    """

    context: Context
    path: Path
    exercise: str | None
    code: int = PASSED
    pause_seconds: float = WATCH_SECONDS
    _seen: bytes | None = None
    _is_away: bool = False

    def look(self) -> None:
        """Submit the file if it was saved since the last look, or if the server was away then.

        :raises Unauthorized: the server refuses the token, as it would after each further save
        """
        content = self.path.read_bytes() if self.path.is_file() else b""  # an editor that saves may replace the file
        if not content or content == self._seen:
            return
        self._seen = content
        try:
            connection, target = find_target(self.context, self.path, self.exercise)
            answer = read_answer_file(self.path, target.goal)
            self.code = _submit_and_show(self.context, HandingIn(connection, target, answer, is_watched=True))
        except Unauthorized:
            raise
        except DojoError as error:
            self.code = error.exit_code
            if isinstance(error, Unreachable) and not isinstance(error, NotGradedYet):
                self._seen = None
                self._wait_for_server(error)
                return
            self.context.print_error(error)  # the file may be half written
        self._is_away, self.pause_seconds = False, WATCH_SECONDS
        self.print_status()

    def _wait_for_server(self, error: Unreachable) -> None:
        """Say once that the server is away, and look less and less often."""
        if not self._is_away:
            message = f"{error.message} Watch goes on, and submits when it is back."
            self.context.print_error(Unreachable(message, ""))
        self._is_away = True
        self.pause_seconds = min(2 * self.pause_seconds, AWAY_SECONDS_MAX)

    def print_status(self) -> None:
        """Say that the watch goes on."""
        if not self.context.as_json:
            self.context.screen.print(f"Watching {short_path(self.path)}. Stop with Ctrl-C.", style="bright_black")
        sys.stdout.flush()
