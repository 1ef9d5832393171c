"""The operator's commands for the queue: ``queue``."""

from __future__ import annotations

import click

from server.command_line import ROW_ID, CommandError, pass_settings
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
@click.argument("submission_ids", metavar="[ID]...", type=ROW_ID, nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Release everything that was set aside.")
@pass_settings
def release(settings: Settings, submission_ids: tuple[int, ...], is_all: bool) -> None:
    """Put cancelled or set aside submissions back into the queue."""
    if is_all == bool(submission_ids):
        raise CommandError(
            "Name submissions, or --all for everything that was set aside. See: python -m server queue show"
        )
    with prepared_database(settings).writing() as session:
        if is_all:
            submission_ids = tuple(ticket.submission_id for ticket, _ in tickets.quarantined(session))
        others = [id for id in submission_ids if not tickets.release(session, id)]
        if others:
            raise CommandError(
                f"Neither set aside nor cancelled: {', '.join(map(str, others))}. Nothing was released. "
                "See: python -m server queue show"
            )
    # Servers and workers look for themselves within a second.
    released = ", ".join(map(str, submission_ids))
    click.echo(f"In the queue again: {released or 'nothing, for nothing was set aside'}.")
