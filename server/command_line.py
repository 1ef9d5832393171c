"""What all commands of ``python -m server`` share."""

from __future__ import annotations

import click

from server.settings import Settings

USAGE_ERROR = 2

pass_settings = click.make_pass_decorator(Settings)


class CommandError(click.ClickException):
    """A command that cannot be done as it was given. The message says what to type instead."""

    exit_code = USAGE_ERROR
