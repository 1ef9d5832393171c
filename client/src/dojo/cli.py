"""The command ``dojo``."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import click

from dojo.api.http import VERSION
from dojo.commands import answers, completion, exercises, explain, history, pairing, profiles, submissions, training
from dojo.commands.context import Context
from dojo.commands.decorators import INTERRUPTED, PASSED
from dojo.commands.paths import typed_text
from dojo.errors import USAGE, DojoError
from dojo.profiles.config import Config
from dojo.profiles.tokens import usable_keyring


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command takes --json and --help. Exit codes: 0 all passed, 1 something is wrong in the "
    "answer, 2 wrong usage, 3 the server could not be reached.",
)
@click.version_option(VERSION, prog_name="dojo")
def cli() -> None:
    """Submit gradients that you derived yourself, and see at once which are right.

    \b
    The first time:
      dojo join https://dojo.example.org CODE --name "Ada"
      dojo list
      dojo pull makemore/full-backward
      cd full-backward
      dojo submit solution.py
    """


for _command in (
    *(profiles.join, profiles.login, profiles.logout, profiles.profile, pairing.pair),
    *(exercises.list_, exercises.pull, exercises.open_),
    *(answers.check, answers.submit, answers.watch),
    *(history.status, history.history, history.show, history.hint),
    *(submissions.submissions, submissions.restore),
    training.train,
    explain.explain,
    completion.completion,
):
    cli.add_command(_command)


def run(arguments: Sequence[str], context: Context | None = None) -> int:
    """Run one command and return its exit code."""
    context = context or Context(Config(keyring=usable_keyring()))
    try:
        code = cli.main(list(arguments), prog_name="dojo", obj=context, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return PASSED if not arguments else USAGE
    except click.ClickException as error:
        if "--json" in arguments:
            context.as_json = True
            context.print_error(DojoError(error.format_message(), "See: dojo --help"))
        else:
            error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        context.errors.print("Stopped.")
        return INTERRUPTED
    return code if isinstance(code, int) else PASSED


def main() -> None:
    """Run the command that was typed, and exit.

    Letters that the terminal's encoding does not have become ``?``; they stop nothing.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run([typed_text(word) for word in sys.argv[1:]]))
