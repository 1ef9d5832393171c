"""The operator's commands about the whole server. Each imports what it needs when it runs: torch takes 1.5 s."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from pydantic import SecretStr

from server import logs
from server.command_line import CommandError, pass_settings
from server.database.setup import prepared_database
from server.database.snapshot import SnapshotError
from server.instances.secret import check_secret
from server.operations.backup import BackupError
from server.operations.backup import restore as restore_backup
from server.operations.backup import take as take_backup
from server.settings import Settings


@click.command()
@pass_settings
def doctor(settings: Settings) -> None:
    """Try in a real child what students' code may and may not do."""
    from grader.sandbox import Sandbox, SandboxFault
    from grader.sandbox.trusted.doctor import examine

    try:
        with Sandbox(connect=settings.zygote) as sandbox:
            report = examine(sandbox)
    except SandboxFault as fault:
        click.echo(f"doctor: there can be no sandbox here: {fault}", err=True)
        sys.exit(1)
    click.echo(report.table())
    sys.exit(0 if report.ok else 1)


@click.command()
@pass_settings
def migrate(settings: Settings) -> None:
    """Bring the database to this version's schema, and stop. "serve" and "worker" do so by themselves."""
    logs.configure(settings.log)  # the log says from which revision to which
    check_secret(prepared_database(settings), settings.key)
    click.echo("The database is up to date.")


@click.command()
def demo() -> None:
    """Grade two answers on a server of its own, and stop.

    One is right, and one is wrong.
    """
    from server.operations.demo import demo as run_demo

    sys.exit(run_demo())


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@pass_settings
def backup(settings: Settings, file: Path) -> None:
    """Write everything into one FILE, while the server goes on. Keep it as private as a password."""
    try:
        manifest = take_backup(settings, file)
    except (BackupError, SnapshotError) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        reason = error.strerror or error
        raise CommandError(f"{file} cannot be written: {reason}. Name a file in a folder that can.") from None
    click.echo(f"Wrote {file} ({file.stat().st_size / 1e6:.1f} MB): {manifest.summary()}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@pass_settings
def restore(settings: Settings, file: Path) -> None:
    """Put a backup FILE into an empty database. Then start the server, which brings the schema to this version."""
    try:
        manifest = restore_backup(settings, file)
    except (BackupError, SnapshotError) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        reason = error.strerror or error
        raise CommandError(
            f"The folder {settings.data} cannot be written: {reason}. Give it to the server's user, or make room."
        ) from None
    click.echo(f"Restored {file}: {manifest.summary()}")
    click.echo("Next: start the server. It brings the database to this version.")


@click.command("settings")
@click.option("--markdown", is_flag=True, help="Print the table of docs/operator.md instead: defaults and meanings.")
@pass_settings
def show_settings(settings: Settings, markdown: bool) -> None:
    """Print every setting with the value that it has here. Secrets are not printed."""
    if markdown:
        click.echo("| variable | default | meaning |\n| --- | --- | --- |")
    for variable, default, meaning in Settings.described():
        if markdown:
            click.echo(f"| `{variable}` | {f'`{default}`' if default else ''} | {meaning} |")
        else:
            value = getattr(settings, variable.removeprefix("DOJO_").lower())
            shown = "(hidden)" if isinstance(value, SecretStr) else value
            click.echo(f"{variable:<29} {'' if shown is None else shown}")
