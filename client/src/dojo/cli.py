"""The command `dojo`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from dojo.commands import answers, completion, exercises, profiles, record
from dojo.commands.frame import INTERRUPTED, PASSED
from dojo.config import Config, usable_keyring
from dojo.desk import Desk
from dojo.errors import USAGE, DojoError
from dojo.exchange import VERSION


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


for _each in (
    *(profiles.join, profiles.login, profiles.logout, profiles.profile),
    *(exercises.list_, exercises.pull, exercises.open_),
    *(answers.check, answers.submit, answers.watch),
    *(record.status, record.history, record.show),
    completion.completion,
):
    cli.add_command(_each)


def run(arguments: Sequence[str], desk: Desk | None = None) -> int:
    """Run one command; returns its exit code."""
    desk = desk or Desk(Config(keyring=usable_keyring()))
    try:
        code = cli.main(list(arguments), prog_name="dojo", obj=desk, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return PASSED if not arguments else USAGE
    except click.ClickException as error:
        if "--json" in arguments:
            desk.as_json = True
            desk.show_error(DojoError(error.format_message(), "See: dojo --help"))
        else:
            error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        desk.errors.print("Stopped.")
        return INTERRUPTED
    return code if isinstance(code, int) else PASSED


def main() -> None:
    """The entry point of the command."""
    sys.exit(run(sys.argv[1:]))
