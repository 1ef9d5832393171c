"""``python -m author.paste FILE``: print a forward pass as an exercise, or write its folder."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

os.environ.setdefault("ATEN_CPU_CAPABILITY", "default")
os.environ.setdefault("MKL_CBWR", "COMPATIBLE")

import click

from author.paste import report
from author.paste.document import split
from author.paste.pasting import Pasted, paste
from author.paste.trace import paste_traced
from exercises.language.errors import Refused


@click.command()
@click.argument("source", required=False)
@click.option(
    "--given", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="What is given, if not in FILE."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write given.py and forward.py here.")
@click.option("--no-cut", is_flag=True, help="Keep composite lines whole.")
@click.option("--report", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Paste each file of a folder, and print a table.")  # fmt: skip
def main(source: str | None, given: Path | None, out: Path | None, no_cut: bool, folder: Path | None) -> None:
    """Make an exercise of SOURCE, a file or package.module:NAME. It runs as Python here: paste what you would run."""
    if folder:
        click.echo(report.table(list(report.rows(folder))))
        return
    if source is None:
        raise click.UsageError("Name a file, a package.module:NAME, or --report FOLDER.")
    given_text = given.read_text(encoding="utf-8") if given else None
    try:
        pasted = _pasted(source, given_text, cut=not no_cut)
    except Refused as error:
        raise click.ClickException(str(error)) from None
    for note in pasted.notes:
        click.echo(f"line {note.line}: {note.text}", err=True)
    _write(pasted, out) if out else click.echo(f"# --- given\n{pasted.given}# --- lines\n{pasted.lines}", nl=False)


def _pasted(source: str, given: str | None, *, cut: bool) -> Pasted:
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


def _write(pasted: Pasted, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "given.py").write_text(pasted.given, encoding="utf-8")
    (out / "forward.py").write_text(pasted.lines, encoding="utf-8")


if __name__ == "__main__":
    main()
