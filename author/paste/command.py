"""``author paste``: a forward pass becomes the folder of an exercise."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from author.paste.pasting import Pasted


@click.command("paste")
@click.argument("source", required=False)
@click.option(
    "--given",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that says what is given, if SOURCE does not.",
)
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Write the exercise here: PACK/NAME.")
@click.option("--no-cut", is_flag=True, help="Keep composite lines whole.")
@click.option(
    "--report",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Paste each file of a folder, and print a table.",
)
def paste_command(source: str | None, given: Path | None, into: Path | None, no_cut: bool, folder: Path | None) -> None:
    """Make an exercise of SOURCE.

    SOURCE is a file of lines, or package.module:NAME, a function or an nn.Module.

    SOURCE is run as Python here, to compare the gradients: paste what you would run.
    """
    from author.paste import report
    from exercises.language.errors import Refused

    if folder:
        click.echo(report.table(list(report.rows(folder))))
        return
    if source is None:
        raise click.UsageError("Name a file, a package.module:NAME, or --report FOLDER.")
    text = given.read_text(encoding="utf-8") if given else None
    try:
        pasted = _pasted(source, text, cut=not no_cut)
    except Refused as refused:
        raise click.ClickException(_shown(refused, source, text)) from None
    for note in pasted.notes:
        click.echo(f"line {note.line}: {note.text}", err=True)
    if into is None:
        click.echo(f"# --- given\n{pasted.given}# --- lines\n{pasted.lines}", nl=False)
        return
    from author.paste.folder import write

    for path in write(pasted, into):
        click.echo(f"wrote {path.relative_to(into.resolve().parent)}")
    click.echo(f"{len(pasted.forward.lines)} steps; each gradient is the original's." if pasted.compared else "")
    click.echo(f"Next: python -m author derive {into}")


def _pasted(source: str, given: str | None, *, cut: bool) -> Pasted:
    from author.paste.document import split
    from author.paste.pasting import paste
    from author.paste.trace import paste_traced

    if Path(source).is_file():
        return paste(split(Path(source).read_text(encoding="utf-8"), given), cut=cut, run_original=True)
    module, colon, name = source.partition(":")
    if not colon or given is None:
        raise click.UsageError(f"{source} is no file. Write package.module:NAME with --given FILE.")
    sys.path.insert(0, "")
    try:
        target = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise click.UsageError(f"{source} is not found: {error}. Correct its name.") from error
    return paste_traced(target, given, cut=cut)


def _shown(refused: Exception, source: str, given: str | None) -> str:
    """Return a refusal, with the line that it is about below it."""
    from author.paste.document import split
    from exercises.language.errors import GivenRefused

    path = Path(source)
    if not path.is_file():
        return str(refused)
    number = getattr(refused, "line", 0)
    document = split(path.read_text(encoding="utf-8"), given)
    lines = (document.given if isinstance(refused, GivenRefused) else document.lines).splitlines()
    return f"{refused}\n\n    {lines[number - 1]}" if 0 < number <= len(lines) else str(refused)
