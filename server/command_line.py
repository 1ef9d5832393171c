"""What all commands of ``python -m server`` share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from server.settings import Settings

USAGE_ERROR = 2
ROW_ID = click.IntRange(1, 2**31 - 1)  # what both databases take as the number of a row

pass_settings = click.make_pass_decorator(Settings)


class CommandError(click.ClickException):
    """A command that cannot be done as it was given. The message says what to type instead."""

    exit_code = USAGE_ERROR


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
