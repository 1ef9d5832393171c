"""The frame of every command of `dojo`: --json, --profile, errors, exit codes."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import click

from dojo.desk import Desk
from dojo.errors import USAGE, BadFile, DojoError

PASSED, WRONG, INTERRUPTED = 0, 1, 130


def command(name: str, **settings: Any) -> Callable[[Callable[..., int]], click.Command]:
    """A command: takes --json and --profile, returns its exit code, and shows errors."""

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
        make: Callable[[Callable[..., Any]], click.Command] = click.command(name, **settings)
        return make(click.pass_obj(wrapped))

    return decorate


_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
_profile_option = click.option("--profile", metavar="NAME", help="Another profile than the current one.")
