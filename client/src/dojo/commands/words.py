"""Words on the command line: completed, and shown as they can be typed."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from dojo.config import Config
from dojo.desk import Desk


def complete_exercise(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    desk = context.obj if isinstance(context.obj, Desk) else Desk(Config())
    return [CompletionItem(slug) for slug in desk.config.remembered_exercises() if slug.startswith(begun)]


def shown(path: Path) -> str:
    """A path as short as it can be typed from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
