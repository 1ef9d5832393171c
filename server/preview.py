"""``author preview``: a server of its own that shows one exercise as a student sees it."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import click

from server.settings import Settings

PREVIEW: Final = "preview"


@click.command("preview")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; any free one without it.")
def preview(folder: Path, port: int) -> None:
    """Show the exercise of FOLDER as a student sees it.

    On this machine, until Ctrl-C.

    It is a whole server with a course of its own, in a temporary folder. Nothing of it stays.
    """
    from exercises.folder import PACK_FILE
    from exercises.registry import FOLDERS_VARIABLE

    pack = folder.resolve() if (folder / PACK_FILE).exists() else folder.resolve().parent
    os.environ[FOLDERS_VARIABLE] = os.pathsep.join(filter(None, (str(pack), os.environ.get(FOLDERS_VARIABLE))))
    with tempfile.TemporaryDirectory(prefix="dojo-preview-") as place:
        settings = Settings(data=Path(place), database_url=None, secret=None, processes=1)
        code = _open_preview(settings, pack.name.replace("_", "-"))
        slug = None if folder.resolve() == pack else f"{pack.name}/{folder.resolve().name}".replace("_", "-")

        def show(address: str) -> None:
            click.echo(f"As a student       {address}/join?code={code}")
            if slug is not None:
                click.echo(f"Then               {address}/courses/{PREVIEW}/exercises/{slug}")
            click.echo("Ctrl-C ends it.")

        from server.serving import Address, serve  # imports torch

        sys.exit(serve(settings, Address("127.0.0.1", port), show))


def _open_preview(settings: Settings, pack: str) -> str:
    """Open a course with one pack; return its join code."""
    from server.assignments import packs
    from server.courses.access import OPERATOR
    from server.courses.commands import open_course, shown_code
    from server.courses.pinned_packs import pack_names
    from server.database.setup import prepared_database
    from server.instances.secret import check_secret

    database = prepared_database(settings)
    check_secret(database, settings.key)
    with database.writing() as session:
        course = open_course(session, PREVIEW, "Preview").course
        packs.pin(session, course, pack, OPERATOR)
        for name in pack_names(course):
            if name != pack:
                packs.remove(session, course, name, OPERATOR)
        code = shown_code(session, course)
    database.close()
    return code
