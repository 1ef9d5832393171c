"""What all commands of ``python -m server`` share."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from server.settings import Settings

USAGE_ERROR = 2
DRY_RUN_REMARK = "Nothing was changed. To change it, leave out --dry-run."
ROW_ID = click.IntRange(1, 2**31 - 1)  # what both databases take as the number of a row

pass_settings = click.make_pass_decorator(Settings)


class CommandError(click.ClickException):
    """A command that cannot be done as it was given. The message says what to type instead."""

    exit_code = USAGE_ERROR


class Share(click.ParamType[float]):
    """A share, typed as 0.1 or as 10%."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the share; fail if it is no number."""
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = math.nan
        if not 0 <= share <= 1:
            self.fail(f"{value!r} is no share. Type one from 0 to 1, or from 0% to 100%.", param, ctx)
        return share


def require_typed(word: str, typed: str | None) -> None:
    """Do nothing if a word was typed, as an option or when it is asked for.

    :raises CommandError: another one was typed
    """
    answer = click.prompt(f"To confirm, type {word}") if typed is None else typed
    if answer.strip() != word:
        raise CommandError(f"That was not {word}. Nothing was changed; to try again, repeat the command.")


def show_effect(sentence: str, dry_run: bool) -> None:
    """Print what a change does, and after a dry run how to make it."""
    click.echo(sentence)
    if dry_run:
        click.echo(DRY_RUN_REMARK)


@contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that only its owner can read: it holds what is known of people.

    :raises CommandError: there is such a file, or it cannot be written
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}. Name another file.") from None
