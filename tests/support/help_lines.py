"""The lines in which a command lists its commands."""

from __future__ import annotations

import click


def cut_lines(group: click.Group) -> list[str]:
    """Return the lines that a terminal of 80 characters has no room for, of a group and of those below it.

    Of these, click leaves two free.
    """
    lines = group.get_help(click.Context(group, info_name="x", terminal_width=78)).splitlines()
    below = [each for each in group.commands.values() if isinstance(each, click.Group)]
    return [line for line in lines if line.startswith("  ") and line.endswith("...")] + [
        line for each in below for line in cut_lines(each)
    ]
