"""``author derive``: the backward lines of an exercise, each compared with autograd."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from author.derive.checked import CheckedLine


@click.command("derive")
@click.argument("exercise", metavar="EXERCISE")
@click.option("--write", "is_written", is_flag=True, help="Write solution.py and derivations.md into its folder.")
def derive_command(exercise: str, is_written: bool) -> None:
    """Derive the gradients of EXERCISE, a folder or a slug.

    Each line is compared with autograd.
    """
    from author.derive.checked import checked
    from author.derive.key import answer_key, derivations_of, key_of, samples_of
    from author.named import named
    from exercises.derivations import written
    from exercises.language.errors import Refused

    found = named(exercise)
    try:
        lines = checked(found.forward, samples_of(found), key_of(found).lines)
    except Refused as refused:
        raise click.ClickException(str(refused)) from None
    for line in lines:
        click.echo(f"{_word(line):12s} {line.line.code.replace(chr(10), chr(10) + ' ' * 13)}")
    right = sum(line.is_right for line in lines)
    click.echo(f"{right} of {len(lines)} lines are right, {sum(line.is_exact for line in lines)} to the last bit.")
    if right < len(lines):
        raise click.ClickException("A line is wrong. Tell the developers which one; write that step in simpler parts.")
    if is_written:
        folder = Path(exercise)
        if not folder.is_dir():
            raise click.UsageError(f"{exercise} is no folder. Name the folder to write into.")
        (folder / "solution.py").write_text(answer_key(found), encoding="utf-8")
        (folder / "derivations.md").write_text(written(derivations_of(found)), encoding="utf-8")
        click.echo("Wrote solution.py and derivations.md. Polish them: students read both.")
    click.echo(f"Next: python -m author prove {exercise}")


def _word(line: CheckedLine) -> str:
    if not line.is_right:
        return "wrong"
    return "exact" if line.is_exact else "right"
