"""The operator's command for the gradebook: ``gradebook``."""

from __future__ import annotations

from pathlib import Path

import click

from server.command_line import CommandError, pass_settings, private_file
from server.courses import courses
from server.database.setup import prepared_database
from server.gradebook.canvas import CanvasBase, as_canvas
from server.gradebook.exports import Export
from server.gradebook.gradebook import Gradebook, read_gradebook
from server.gradebook.moodle import as_moodle
from server.gradebook.people_csv import as_csv
from server.settings import Settings

FORMATS = ("csv", "json", "canvas", "moodle")
READABLE_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("slug", metavar="COURSE")
@click.option("--format", "format", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--section", help="Only the students of this section.")
@click.option("--base", type=READABLE_FILE, help="An export of Canvas's gradebook, whose ids are kept.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file, not to the terminal.")
@pass_settings
def gradebook(
    settings: Settings, slug: str, format: str, section: str | None, base: Path | None, out: Path | None
) -> None:
    """Print what every student of a course has earned.

    Points are there in all, and by assignment.
    """
    from exercises import registry

    if base is not None and format != "canvas":
        raise CommandError("--base is for Canvas: add --format canvas, or leave it out.")
    with prepared_database(settings).reading() as session:
        course = courses.find_course(session, slug)
        if course is None:
            raise CommandError(f"There is no course {slug!r}. List them: python -m server course list")
        book = read_gradebook(session, course, registry.exercises().values(), section)
    export = _export(book, format, CanvasBase.read(base.read_bytes()) if base else None)
    for note in export.notes:
        click.echo(note, err=True)
    if out is None:
        click.echo(export.text, nl=False)
    else:
        with private_file(out) as file:
            file.write(export.text.encode())
        click.echo(f"Wrote {len(book.lines)} students to {out}.", err=True)


def _export(book: Gradebook, format: str, base: CanvasBase | None) -> Export:
    if format == "canvas":
        return as_canvas(book, base)
    if format == "moodle":
        return as_moodle(book)
    return Export(as_csv(book) if format == "csv" else book.as_json() + "\n")
