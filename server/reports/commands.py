"""The operator's command for reports: ``sources``."""

from __future__ import annotations

from pathlib import Path

import click

from server.command_line import pass_settings, private_file
from server.courses.commands import find_course
from server.database.setup import prepared_database
from server.settings import Settings


@click.command()
@click.argument("slug", metavar="COURSE")
@click.argument("exercise")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--which", type=click.Choice(["last", "best", "all"]), default="last", show_default=True)
@click.option("--section", help="The students of this section alone.")
@click.option("--names/--no-names", default=True, help="Whether folders and info.csv name students.")
@pass_settings
def sources(
    settings: Settings, slug: str, exercise: str, file: Path, which: str, section: str | None, names: bool
) -> None:
    """Write the code that students handed in into a ZIP FILE.

    It has the layout that JPlag and Dolos read.
    """
    from server.assignments.exercises import find_exercise
    from server.reports.sources import Selection, open_archive
    from server.reports.students import Scope

    asked = find_exercise(exercise)
    database = prepared_database(settings)
    with database.reading() as session:
        course = find_course(session, slug)
        archive = open_archive(session, course, [asked], Scope(section), Selection(which), is_named=names)
    with private_file(file) as stream:
        stream.writelines(archive.chunks(database))
    click.echo(f"Wrote {file} with {len(archive.handins)} submissions.")
