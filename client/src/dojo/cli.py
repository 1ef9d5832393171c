"""The command `dojo`."""

from __future__ import annotations

import functools
import re
import sys
import time
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from dojo import check as checking
from dojo import table, workspace
from dojo.api import VERSION, Server, address_of, travels_open
from dojo.config import Config, Profile, usable_keyring
from dojo.connection import Connection
from dojo.desk import Desk
from dojo.errors import USAGE, BadFile, DojoError, NotJoined, Unreachable
from dojo.handin import Code, Handin, Tensors, find_file, read_handin
from dojo.harvest import Harvest
from dojo.records import Checkpoint, Submission, get
from dojo.task import Task, exercise_here, find_task, send_outbox, workspace_task
from dojo.workspace import find_workspace

PASSED, WRONG, INTERRUPTED = 0, 1, 130
WATCH_EVERY = 0.5  # seconds between looks at a watched file
PATIENCE = 120.0  # seconds to wait for a grade


# -- the frame of every command ---------------------------------------------------------------


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command takes --json and --help. Exit codes: 0 all passed, 1 something is wrong in the "
    "answer, 2 wrong usage, 3 the server could not be reached.",
)
@click.version_option(VERSION, prog_name="dojo")
def cli() -> None:
    """Hand in gradients that you derived yourself, and see at once which are right.

    \b
    The first time:
      dojo join https://dojo.example.org CODE --name "Ada"
      dojo list
      dojo pull makemore/full-backward
      cd full-backward
      dojo submit solution.py
    """


def command(name: str, **settings: Any) -> Callable[[Callable[..., int]], click.Command]:
    """A command of `dojo`: takes --json and --profile, returns its exit code, and shows errors."""

    def decorate(function: Callable[..., int]) -> click.Command:
        def framed(desk: Desk, /, as_json: bool, profile: str | None, **arguments: Any) -> int:
            desk.as_json, desk.profile = as_json, profile
            try:
                return function(desk, **arguments)
            except DojoError as error:
                desk.show_error(error)
                return error.exit_code
            except BrokenPipeError:  # `dojo list | head`
                sys.stderr.close()
                return PASSED
            except OSError as error:
                place = f"{error.filename}: " if error.filename else ""
                desk.show_error(BadFile(f"{place}{error.strerror}.", "Look at the path, and type the same again."))
                return USAGE

        wrapped: Callable[..., int] = functools.wraps(function)(framed)
        for option in (_profile_option, _json_option):
            wrapped = option(wrapped)
        return cli.command(name, **settings)(click.pass_obj(wrapped))

    return decorate


_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
_profile_option = click.option("--profile", metavar="NAME", help="Another profile than the current one.")


def run(arguments: Sequence[str], desk: Desk | None = None) -> int:
    """Run one command; returns its exit code."""
    desk = desk or Desk(Config(keyring=usable_keyring()))
    try:
        code = cli.main(list(arguments), prog_name="dojo", obj=desk, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return PASSED if not arguments else USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        desk.errors.print("Stopped.")
        return INTERRUPTED
    return code if isinstance(code, int) else PASSED


def main() -> None:
    """The entry point of the command."""
    sys.exit(run(sys.argv[1:]))


# -- who --------------------------------------------------------------------------------------


@command("join")
@click.argument("address")
@click.argument("code")
@click.option("--name", required=True, prompt="Your name, as your instructor shall see it", help="Your name.")
def join(desk: Desk, address: str, code: str, name: str) -> int:
    """Join a course with the code that your instructor gave you.

    \b
    Example:
      dojo join https://dojo.example.org K7QF-2MXD --name "Ada"
    """
    server = desk.server(address)
    if desk.profile is None:
        _must_be_new(desk, server)
    _warn_if_open(desk, server)
    answer = server.join(code, name)
    student, course = get(answer, "student", dict), get(answer, "course", dict)
    slug = get(course, "slug", str)
    profile = Profile(
        name=desk.profile or desk.config.free_name(slug, server.address),
        server=server.address,
        course=slug,
        student_id=str(student.get("id", "")),
        student=get(student, "name", str),
    )
    place = desk.config.keep(profile, get(answer, "token", str))
    if desk.as_json:
        desk.answer(asdict(profile) | {"token_in": place})
        return PASSED
    desk.screen.say(f"Welcome, {profile.student}. You are in {course.get('title') or slug}.")
    desk.screen.say(f"Your token is in {place}.")
    desk.screen.say("Next: dojo list")
    return PASSED


def _must_be_new(desk: Desk, server: Server) -> None:
    """A second join makes a second account, and the first one's answers would seem lost."""
    known = desk.config.profile_of(server.address)
    if known is not None:
        raise DojoError(
            f"You are {known.student} in {known.course} on {server.address} already.",
            "Go on with: dojo list   To join once more, as somebody else: dojo join … --profile NEW-NAME",
        )


def _warn_if_open(desk: Desk, server: Server) -> None:
    if travels_open(server.address):
        desk.tell(f"Careful: {server.address} is not encrypted, so your token can be read on the way there.")


@command("login")
@click.argument("address")
def login(desk: Desk, address: str) -> int:
    """Use an account that you have already, by its token.

    The token is asked for, or read from standard input.

    \b
    Examples:
      dojo login https://dojo.example.org
      dojo login https://dojo.example.org < token.txt
    """
    address = address_of(address)
    ask = sys.stdin.isatty()
    token = (click.prompt("Token", hide_input=True, err=True) if ask else sys.stdin.readline()).strip()
    if not token or not token.isascii() or not token.isprintable():
        raise DojoError("That is no token.", "Copy it once more, and type the same again.")
    server = desk.server(address, token)
    _warn_if_open(desk, server)
    me = server.me()
    courses = get(me, "courses", list)
    if not courses:
        raise NotJoined("This account is in no course yet.", f"Type: dojo join {address} CODE --name NAME")
    profiles = []
    place = ""
    for course in reversed(courses):  # the first one is kept last, and so is the one in use
        slug = get(course, "slug", str)
        name = desk.profile if desk.profile and len(courses) == 1 else desk.config.free_name(slug, address)
        profiles.append(Profile(name, address, slug, str(me.get("id", "")), get(me, "name", str)))
        place = desk.config.keep(profiles[-1], token)
    if desk.as_json:
        desk.answer({"profiles": [asdict(each) for each in profiles], "token_in": place})
        return PASSED
    desk.screen.say(f"You are {profiles[-1].student}, in {', '.join(each.course for each in reversed(profiles))}.")
    desk.screen.say(f"Your token is in {place}.")
    desk.screen.say("Next: dojo list")
    return PASSED


@command("logout")
def logout(desk: Desk) -> int:
    """Forget a profile and its token on this machine. Your account on the server stays."""
    profile = desk.config.profile(desk.profile)
    if profile is None:
        raise NotJoined("There is nobody to log out.", "See the profiles: dojo profile")
    desk.config.forget(profile)
    if desk.as_json:
        desk.answer({"forgotten": asdict(profile)})
        return PASSED
    desk.screen.say(f"{profile.name} is forgotten here. Without its token you cannot come back to that account.")
    desk.screen.say("Next: dojo profile")
    return PASSED


@command("profile")
@click.argument("name", required=False)
def profile(desk: Desk, name: str | None) -> int:
    """Show your profiles, or go over to another one.

    \b
    Examples:
      dojo profile
      dojo profile autumn-course
    """
    if name:
        found = desk.config.profile(name)
        assert found is not None
        desk.config.use(found.name)
    profiles, current = desk.config.profiles(), desk.config.current()
    if desk.as_json:
        desk.answer({"current": current, "profiles": [asdict(each) for each in profiles.values()]})
        return PASSED
    if not profiles:
        desk.screen.say("There is none yet. Type: dojo join ADDRESS CODE --name NAME")
    for each in profiles.values():
        mark = "*" if each.name == current else " "
        desk.screen.say(f"{mark} {each.name}: {each.student} in {each.course} on {each.server}")
    return PASSED


# -- what is asked ----------------------------------------------------------------------------


@command("list")
def list_(desk: Desk) -> int:
    """List the exercises, and how far you are with them."""
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


def _complete_exercise(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    desk = context.obj if isinstance(context.obj, Desk) else Desk(Config())
    return [CompletionItem(slug) for slug in desk.config.remembered_exercises() if slug.startswith(begun)]


@command("pull")
@click.argument("exercise", required=False, shell_complete=_complete_exercise)
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
    shown = _shown(folder)
    if pulled.new_state:
        desk.screen.say("The server has a new forward state for you. Tensors made on the old one will not fit it.")
    desk.screen.say(f"{shown} now holds {', '.join(pulled.written)}.")
    if pulled.kept:
        desk.screen.say(f"Your {' and '.join(pulled.kept)} {'is' if len(pulled.kept) == 1 else 'are'} as before.")
    go = "" if folder == here else f"cd {shown} && "
    desk.screen.say(f"Next: read {workspace.STATEMENT}, write {workspace.SOLUTION}, then: {go}dojo submit")
    return PASSED


def _shown(path: Path) -> str:
    """A path as short as it can be typed from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


@command("open")
@click.argument("exercise", required=False, shell_complete=_complete_exercise)
def open_(desk: Desk, exercise: str | None) -> int:
    """Open the lecture at the first step that is not right yet."""
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
        desk.screen.say("Every step is right. Here is the lecture from the start:")
    else:
        desk.screen.say(f"{step.answer} is the first step that is not right yet:")
    desk.screen.say(url)
    webbrowser.open(url)
    return PASSED


# -- answers ----------------------------------------------------------------------------------


_exercise_option = click.option(
    "--exercise",
    metavar="TOPIC/NAME",
    help="The exercise it is for; otherwise its folder says so.",
    shell_complete=_complete_exercise,
)
_file_argument = click.argument("file", type=click.Path(path_type=Path), default=".")


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
    if isinstance(handin, Code) and handin.harvest:
        _show_harvest(desk, handin.harvest)
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
    if handin.harvest:
        _show_harvest(desk, handin.harvest)
    click.echo(handin.source, nl=False)
    return PASSED


def _show_harvest(desk: Desk, found: Harvest) -> None:
    """Which cells were taken, and what was left out though it looked like an answer."""
    cells = ", ".join(
        f"{each.cell} ({', '.join(each.names)})" if each.names else str(each.cell) for each in found.taken
    )
    desk.tell(f"Taken from {len(found.taken)} of {found.cells} code cells: {cells}.")
    for remark in found.remarks:
        desk.tell(remark)


def _graded(desk: Desk, connection: Connection, task: Task, handin: Handin, patience: float) -> int:
    """Send an answer, wait for its grade, show it."""
    with desk.waiting() as say:
        submission = handin.send(connection.server, connection.course, task.slug, wait=min(patience, 20.0))
        say(submission)
        try:
            submission = connection.server.wait_for(submission, seconds=patience, changed=say)
        except KeyboardInterrupt:
            desk.tell(f"It is still being graded. Look later: dojo show {submission.id}")
            return INTERRUPTED
    if submission.waiting:
        raise Unreachable(
            f"Submission {submission.id} is kept, and not graded yet.",
            f"Look later: dojo show {submission.id}",
        )
    extra = {}
    if isinstance(handin, Code) and handin.harvest:
        taken = [asdict(each) for each in handin.harvest.taken]
        extra["notebook"] = {"taken": taken, "remarks": list(handin.harvest.remarks)}
    code = _show(desk, submission, task.checkpoints, extra)
    if not desk.as_json and isinstance(handin, Code) and handin.harvest:
        _show_place(desk, handin.harvest, submission)
    return code


def _show_place(desk: Desk, found: Harvest, submission: Submission) -> None:
    """Where in the notebook the line is at which the code stopped."""
    lines = re.findall(r"\bline (\d+)", submission.grade.run_message if submission.grade else "")
    place = found.place(int(lines[-1])) if lines else None
    if place:
        desk.screen.say(f"Line {lines[-1]} of what was sent is line {place[1]} of cell {place[0]}.")


def _show(
    desk: Desk, submission: Submission, checkpoints: Sequence[Checkpoint], extra: dict[str, Any] | None = None
) -> int:
    """Print a submission; the exit code says whether all of it passes."""
    if desk.as_json:
        desk.answer({**submission.answer, **(extra or {})})
    else:
        table.show_submission(desk.screen, submission, checkpoints)
    return PASSED if submission.grade and submission.grade.all_passed else WRONG


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
            time.sleep(WATCH_EVERY)
    except KeyboardInterrupt:
        return code


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
        desk.answer({"file": str(path), "good": result.good} | asdict(result))
        return PASSED if result.good else WRONG
    if result.printed:
        desk.screen.say("Your code printed:", style="bright_black")
        desk.screen.say(result.printed.rstrip())
    for each in result.findings:
        style = "green" if not each.problem else "bright_black" if each.missing else "red"
        desk.screen.say(each.line(), style=style)
    if result.error:
        desk.screen.say("Your code stopped with an error:", style="red")
        desk.screen.say(result.error.rstrip())
    fine = sum(not each.problem for each in result.findings)
    next_step = f"dojo submit {_shown(path)}"
    desk.screen.say(f"{fine} of {len(result.findings)} fit. Whether they are right, the server says: {next_step}")
    return PASSED if result.good else WRONG


# -- looking back -----------------------------------------------------------------------------


@command("status")
@click.argument("exercise", required=False, shell_complete=_complete_exercise)
def status(desk: Desk, exercise: str | None) -> int:
    """Show how far you are.

    Step by step in an exercise's folder or for the one you name, else with all of them.
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
@click.argument("exercise", required=False, shell_complete=_complete_exercise)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many, newest first.")
def history(desk: Desk, exercise: str | None, limit: int) -> int:
    """List what you have handed in."""
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
    return _show(desk, submission, checkpoints)


@command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(desk: Desk, shell: str) -> int:
    """Print a script for your shell to complete words with.

    \b
    Examples:
      dojo completion bash >> ~/.bashrc
      dojo completion zsh >> ~/.zshrc
      dojo completion fish > ~/.config/fish/completions/dojo.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    source = kind(cli, {}, "dojo", "_DOJO_COMPLETE").source()
    if desk.as_json:
        desk.answer({"shell": shell, "source": source})
    else:
        click.echo(source)
    return PASSED
