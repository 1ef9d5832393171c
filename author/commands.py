"""The author's commands, ``python -m author``. Each imports what it needs when it runs: torch takes 1.5 s."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from author.derive.command import derive_command
from author.paste.command import paste_command
from exercises.errors import PackError

if TYPE_CHECKING:
    from author.prove.proof import Proof

USAGE_ERROR = 2
FAULTY = 1

Keep = Callable[["Proof"], str]
"""Keeps a proof, and returns a sentence that says where."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def author() -> None:
    """Make exercises of forward passes, and prove them."""


@author.command("mistakes")
@click.argument("exercise", metavar="EXERCISE")
@click.option("--per-line", type=click.IntRange(1), help="At most so many of each line; all without it.")
@click.option("--missed", is_flag=True, help="Only those that are not found at their step, or not named.")
def show_mistakes(exercise: str, per_line: int | None, missed: bool) -> None:
    """Make mistakes in the key of EXERCISE, and grade them.

    What the grader says of each is printed.
    """
    from author.mistakes.report import report

    _require([exercise])
    for line in report(exercise, per_line, missed):
        click.echo(line)


def prove_command(keep: Keep | None = None) -> click.Command:
    """Return the command ``prove``.

    :param keep: what becomes of a proof; without it, ``--sign-with`` and ``--into`` decide
    """

    @click.command("prove")
    @click.argument("exercises", metavar="EXERCISE …", nargs=-1)
    @click.option("--all", "is_all", is_flag=True, help="Every exercise that is installed.")
    @click.option("--quick", is_flag=True, help="Fewer seeds, and three mistakes of each line.")
    @click.option("--jobs", type=click.IntRange(1, 64), default=1, help="How many processes share the exercises.")
    @click.option("--page", type=click.Path(path_type=Path), help="Write the table as Markdown, docs/exercises.md.")
    @click.option("--check", type=click.Path(path_type=Path, exists=True), help="Compare with such a page.")
    @click.option("--sign-with", type=click.Path(path_type=Path), help="A file with your secret, made if missing.")
    @click.option("--into", type=click.Path(path_type=Path, file_okay=False), help="The folder for signed proofs.")
    def command(
        exercises: tuple[str, ...],
        is_all: bool,
        quick: bool,
        jobs: int,
        page: Path | None,
        check: Path | None,
        sign_with: Path | None,
        into: Path | None,
    ) -> None:
        """Prove that each EXERCISE is sound, or say what is wrong with it."""
        from author.prove import table
        from author.prove.running import proofs
        from exercises.registry import exercises as installed

        slugs = list(installed()) if is_all else list(exercises)
        if not slugs:
            raise click.UsageError("Name an exercise, or give --all.")
        _require(slugs)
        keeping = keep or (_signing(sign_with, into) if sign_with and into else None)
        click.echo(table.terminal(table.HEADER))
        made = []
        for proof in proofs(slugs, quick, jobs, _progress()):
            made.append(proof)
            _show(proof, keeping)
        click.echo(table.total(made))
        if page is not None:
            page.write_text(table.page(made), encoding="utf-8")
        changed = _changed(check, table.page(made)) if check else []
        sys.exit(0 if all(proof.is_sound for proof in made) and not changed else FAULTY)

    return command


author.add_command(paste_command)
author.add_command(derive_command)
author.add_command(prove_command())


@author.command("drills")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--seed", type=click.IntRange(0), default=0, help="It decides sizes and numbers.")
def write_drills(folder: Path, seed: int) -> None:
    """Write the drills of a seed as a pack into FOLDER.

    Each of them is proved before.
    """
    from author.drills.making import drills
    from author.drills.proving import proved
    from author.drills.writing import write

    unsound = [drill.slug for drill in drills(seed) if not proved(drill, 0).is_sound]
    if unsound:
        raise click.ClickException(f"{', '.join(unsound)} is not sound. Mend its template, or take another seed.")
    click.echo(f"{write(folder, seed)} drills are in {folder}.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 an exercise has a fault, 2 the call was wrong."""
    try:
        author.main(
            list(sys.argv[1:] if arguments is None else arguments), prog_name="python -m author", standalone_mode=False
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except PackError as error:
        click.echo(f"Error: {error}", err=True)
        return USAGE_ERROR
    return 0


def _require(slugs: Sequence[str]) -> None:
    """Do nothing if there is an exercise of each slug or folder.

    :raises click.UsageError: there is none
    """
    from author.named import named
    from exercises.registry import NoSuchExercise

    try:
        for slug in slugs:
            named(slug)
    except NoSuchExercise as error:
        raise click.UsageError(f"{error}.") from None


def _show(proof: Proof, keep: Keep | None) -> None:
    """Print a row of the table, with notes and faults below it."""
    from author.prove import table

    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    click.echo(table.terminal(table.row(proof)))
    for text in (*proof.notes(), *proof.faults()):
        click.echo(f"    {text}")
    if keep is not None and proof.is_sound:
        click.echo(f"    {keep(proof)}")


def _progress() -> Callable[[str], None]:
    """Return what shows the work in one line of a terminal; nothing where nobody looks."""
    if not sys.stderr.isatty():
        return lambda text: None
    return lambda text: click.echo(f"\r\x1b[K{text[:100]}", err=True, nl=False)


def _signing(secret_file: Path, folder: Path) -> Keep:
    """Return what signs proofs with a secret of a file and writes them into a folder."""
    secret = _secret(secret_file)

    def keep(proof: Proof) -> str:
        path = folder / proof.exercise / "proof.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(proof.signed(secret))
        return f"Signed: {path}"

    return keep


def _secret(path: Path) -> bytes:
    """Return the secret of a file; make one if there is none, for its owner alone to read."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(os.urandom(32).hex())
    return path.read_text(encoding="utf-8").strip().encode()


def _changed(check: Path, page: str) -> list[str]:
    """Print what a page has otherwise, and return it."""
    from author.prove import table

    changed = list(table.differences(table.read_page(check.read_text(encoding="utf-8")), table.read_page(page)))
    for line in changed:
        click.echo(line)
    if changed:
        click.echo(f"{check} is not current. Make it again: make exercises")
    return changed
