"""What a command works with: configuration, network, screen; and how it speaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from dojo.api import Server
from dojo.config import Config
from dojo.connection import Connection, connect
from dojo.errors import DojoError
from dojo.exchange import Network, Transferred
from dojo.records import Submission
from dojo.table import Screen
from dojo.workspace import Workspace


@dataclass
class Desk:
    """What a command works with. ``compact`` puts each JSON document into one line, where a command prints several."""

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

    def connect(self, folder: Workspace | None = None) -> Connection:
        return connect(self.config, profile=self.profile, workspace=folder, network=self.network)

    def server(self, address: str, token: str | None = None) -> Server:
        return Server(address, token, self.network)

    def answer(self, value: Any) -> None:
        """The JSON document that --json prints."""
        print(json.dumps(value, indent=None if self.compact else 2), flush=True)

    def tell(self, text: str) -> None:
        """What is said on the way, to the side of the answer: on standard error."""
        if not self.as_json:
            self.errors.print(text)

    def show_error(self, error: DojoError) -> None:
        """What went wrong and what to do next; with --json as a document."""
        if self.as_json:
            kind = type(error).__name__
            self.answer({"error": {"type": kind, "message": error.message, "next": error.next_step}})
            return
        self.errors.print(error.message, style="red" if self.screen.colour else None)
        if error.next_step:
            self.errors.print(error.next_step)

    @contextmanager
    def transfer(self, what: str) -> Iterator[Transferred | None]:
        """A progress bar on standard error, where that is a terminal."""
        if self.as_json or not self.errors.is_terminal:
            yield None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, console=self.errors, transient=True) as progress:
            task = progress.add_task(what, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total or None)

    @contextmanager
    def waiting(self) -> Iterator[Callable[[Submission], None]]:
        """A bar on standard error that fills as the queue gets shorter, and then says that the code runs."""
        if self.as_json or not self.errors.is_terminal:
            yield lambda _: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn())
        with Progress(*columns, console=self.errors, transient=True) as progress:
            task = progress.add_task("sending", total=None)
            first: list[int] = []

            def say(submission: Submission) -> None:
                place = submission.place
                first.extend([place] if place is not None and not first else [])
                total, done = (first[0], first[0] - place) if place is not None else (None, 0)
                description = f"{submission.standing()} (submission {submission.id})"
                progress.update(task, description=description, total=total, completed=done)

            yield say
