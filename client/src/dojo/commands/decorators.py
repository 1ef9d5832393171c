"""The decorator of every command: ``--json``, ``--profile``, errors and exit codes."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import click

from dojo.commands.context import Context
from dojo.errors import USAGE, BadFile, DojoError

PASSED, WRONG, INTERRUPTED = 0, 1, 130

_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
_profile_option = click.option("--profile", metavar="NAME", help="Another profile than the current one.")


def command(name: str, **settings: Any) -> Callable[[Callable[..., int]], click.Command]:
    """Make a command of a function that gets the context first and returns an exit code."""
    return _decorator(click.command(name, **settings))


def group(name: str, **settings: Any) -> Callable[[Callable[..., int]], click.Group]:
    """Make a command that has commands of its own, and does something without them, too."""
    return _decorator(click.group(name, invoke_without_command=True, **settings))


def _decorator(make: Callable[[Callable[..., Any]], Any]) -> Callable[[Callable[..., int]], Any]:

    def decorate(function: Callable[..., int]) -> Any:
        def with_errors(context: Context, /, as_json: bool, profile: str | None, **arguments: Any) -> int:
            context.as_json, context.profile = context.as_json or as_json, profile or context.profile
            try:
                return function(context, **arguments)
            except DojoError as error:
                context.print_error(error)
                return error.exit_code
            except BrokenPipeError:  # `dojo list | head`
                sys.stderr.close()
                return PASSED
            except OSError as error:
                place = f"{error.filename}: " if error.filename else ""
                next_step = "Look at the path, and type the same again."
                context.print_error(BadFile(f"{place}{error.strerror}.", next_step))
                return USAGE

        wrapped: Callable[..., int] = functools.wraps(function)(with_errors)
        for option in (_profile_option, _json_option):
            wrapped = option(wrapped)
        return make(click.pass_obj(wrapped))

    return decorate
