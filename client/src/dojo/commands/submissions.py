"""The commands ``submissions`` and ``restore``: what was handed in, back again."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import click

from dojo.commands import history, results
from dojo.commands.context import Context
from dojo.commands.decorators import PASSED, command, group
from dojo.commands.paths import SubmissionNumber, shell_word, short_path
from dojo.errors import BadFile
from dojo.files import atomic
from dojo.files.workspace import STATE, find_workspace, is_file_name
from dojo.text import printable


@group("submissions")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500), help="How many, newest first.")
def submissions(context: Context, limit: int) -> int:
    """List what you handed in, or show one of it.

    The list is that of dojo history.

    \b
    Examples:
      dojo submissions
      dojo submissions show 17
      dojo submissions show 17 --code
    """
    if click.get_current_context().invoked_subcommand:
        return PASSED
    return history.show_list(context, None, limit)


@command("show")
@click.argument("number", metavar="ID", type=SubmissionNumber())
@click.option("--all", "whole", is_flag=True, help="Show the whole table.")
@click.option("--code", is_flag=True, help="Print the code that was handed in.")
def show(context: Context, number: int, whole: bool, code: bool) -> int:
    """Show the grade of a submission, or the code that was handed in.

    \b
    Examples:
      dojo submissions show 17
      dojo submissions show 17 --code
    """
    if not code:
        return results.show_earlier(context, number, whole=whole)
    connection = context.connect(find_workspace(Path.cwd()))
    submission = connection.server.submission(number)
    if submission.kind != "code":
        raise BadFile(f"Submission {number} holds tensors, and no code.", f"Get them back with: dojo restore {number}")
    content, name = connection.server.source(number)
    source = printable(content.decode("utf-8", errors="replace"))
    if context.as_json:
        context.print_json({"submission": number, "filename": name, "source": source})
    else:
        click.echo(source, nl=not source.endswith("\n"))
    return PASSED


submissions.add_command(show)


@command("restore")
@click.argument("number", metavar="ID", type=SubmissionNumber())
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
def restore(context: Context, number: int, target: Path | None) -> int:
    """Write what you handed in back into a file.

    Its name is the one that you handed in; of a notebook only the code that was taken is
    there, as a .py file. A file that is there already is never replaced without asking.

    \b
    Examples:
      dojo restore 17
      dojo restore 17 --to old.py
    """
    workspace = find_workspace(Path.cwd())
    connection = context.connect(workspace)
    submission = connection.server.submission(number)
    content, name = connection.server.source(number)
    is_here = workspace is not None and workspace.exercise == submission.exercise
    path = target or (workspace.folder if workspace and is_here else Path()) / _safe_name(name, number, submission.kind)
    written = _write(context, path, content, number)
    if context.as_json:
        context.print_json({"submission": number, "file": str(path), "written": written})
    elif written:
        file = short_path(path)
        context.screen.print(f"{file} holds submission {number} again. Next: dojo submit {shell_word(file)}")
    else:
        context.screen.print(f"{short_path(path)} is submission {number} already. Nothing was written.")
    return PASSED


def _safe_name(name: str, number: int, kind: str) -> str:
    """Return the name of the file: the server's if it is the plain name of an answer, else one made of the number."""
    is_answer = Path(name).suffix in (".py", ".safetensors") and name != STATE
    if is_file_name(name) and is_answer:
        return name
    return f"submission-{number}.{'py' if kind == 'code' else 'safetensors'}"


def _write(context: Context, path: Path, content: bytes, number: int) -> bool:
    """Write the file, and return whether that was needed.

    :raises BadFile: another file is there, and the student does not want it replaced
    """
    if path.exists():
        if hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest():
            return False
        asks = not context.as_json and sys.stdin.isatty()
        question = f"{short_path(path)} is there, and is something else. Replace it?"
        if not asks or not click.confirm(question, default=False, err=True):
            raise BadFile(
                f"{short_path(path)} is there already, and was left as it is.",
                f"Name another file: dojo restore {number} --to FILE",
            )
    atomic.write(path, content)
    return True
