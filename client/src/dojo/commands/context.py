"""What every command gets: configuration, network, screen, and how to print its results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from dojo.api.http import Network, Transferred
from dojo.api.responses import Submission
from dojo.api.server import Connection, Server
from dojo.errors import DojoError
from dojo.files.workspace import Workspace
from dojo.profiles.config import Config
from dojo.profiles.connection import connect
from dojo.show.screen import Screen


@dataclass
class Context:
    """What every command gets.

    ``profile`` is the name after ``--profile``, or None. ``as_json`` is ``--json``. With ``compact``, each JSON
    document is one line, for a command that prints several.
    """

    config: Config
    screen: Screen = field(default_factory=Screen)
    network: Network = field(default_factory=Network)
    profile: str | None = None
    as_json: bool = False
    compact: bool = False

    @cached_property
    def errors(self) -> Console:
        """Standard error."""
        return Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def connect(self, workspace: Workspace | None = None) -> Connection:
        """Return the connection for a workspace, or for the profile in use.

        :raises NotJoined: there is no server, no course or no token
        """
        return connect(self.config, profile=self.profile, workspace=workspace, network=self.network)

    def server(self, address: str, token: str | None = None) -> Server:
        """Return a server that no profile names yet."""
        return Server(address, token, self.network)

    def print_json(self, value: Any) -> None:
        """Print the JSON document of ``--json``."""
        print(json.dumps(value, indent=None if self.compact else 2), flush=True)

    def print_note(self, text: str) -> None:
        """Print a sentence about the work on standard error, beside the result. With ``--json`` print nothing."""
        if not self.as_json:
            self.errors.print(text)

    def print_error(self, error: DojoError) -> None:
        """Print an error and the next step on standard error; with ``--json`` as a document."""
        if self.as_json:
            kind = type(error).__name__
            self.print_json({"error": {"type": kind, "message": error.message, "next": error.next_step}})
            return
        self.errors.print(error.message, style="red" if self.screen.colour else None)
        if error.next_step:
            self.errors.print(error.next_step)

    @contextmanager
    def download_bar(self, label: str) -> Iterator[Transferred | None]:
        """Show the progress of a download on standard error. Yield None if that is no terminal."""
        if self.as_json or not self.errors.is_terminal:
            yield None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, console=self.errors, transient=True) as progress:
            task = progress.add_task(label, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total or None)

    @contextmanager
    def queue_bar(self) -> Iterator[Callable[[Submission], None]]:
        """Show on standard error how the queue gets shorter, and then that the code runs."""
        if self.as_json or not self.errors.is_terminal:
            yield lambda _: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn())
        with Progress(*columns, console=self.errors, transient=True) as progress:
            task = progress.add_task("sending", total=None)
            first_place: int | None = None

            def show(submission: Submission) -> None:
                nonlocal first_place
                place = submission.place
                if first_place is None:
                    first_place = place
                total, done = (None, 0) if place is None or first_place is None else (first_place, first_place - place)
                description = f"{submission.progress()} (submission {submission.id})"
                progress.update(task, description=description, total=total, completed=done)

            yield show
