"""The operator's commands for the queue: ``queue``."""

from __future__ import annotations

import click

from server.command_line import CommandError, pass_settings
from server.database.setup import prepared_database
from server.queue import tickets
from server.settings import Settings


@click.group()
def queue() -> None:
    """The queue."""


@queue.command("show")
@pass_settings
def show_queue(settings: Settings) -> None:
    """Print how many submissions wait, and which were set aside."""
    with prepared_database(settings).reading() as session:
        click.echo(f"{tickets.depth(session)} waiting or running")
        for ticket, _ in tickets.quarantined(session):
            click.echo(f"{ticket.submission_id:8d}  set aside after {ticket.tries} tries: {ticket.reason}")


@queue.command("release")
@click.argument("submission_id", metavar="ID", type=int)
@pass_settings
def release(settings: Settings, submission_id: int) -> None:
    """Put a submission that was set aside or cancelled back into the queue."""
    with prepared_database(settings).writing() as session:
        if not tickets.release(session, submission_id):
            raise CommandError(
                f"Submission {submission_id} is neither set aside nor cancelled. See: python -m server queue show"
            )
    # Servers and workers look for themselves within a second.
    click.echo(f"Submission {submission_id} is in the queue again.")
