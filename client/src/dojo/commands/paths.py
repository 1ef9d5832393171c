"""Words on the command line: exercises completed, paths as short as they can be typed."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from dojo.commands.context import Context
from dojo.profiles.config import Config


def complete_exercise(click_context: click.Context, _: click.Parameter, prefix: str) -> list[CompletionItem]:
    """Return the stored slugs that begin with a prefix."""
    context = click_context.obj if isinstance(click_context.obj, Context) else Context(Config())
    return [CompletionItem(slug) for slug in context.config.stored_exercises() if slug.startswith(prefix)]


def short_path(path: Path) -> str:
    """Return a path relative to the current folder, if it lies in it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
