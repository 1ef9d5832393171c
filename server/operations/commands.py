"""The operator's commands ``doctor`` and ``demo``. Each imports what it needs when it runs: torch takes 1.5 s."""

from __future__ import annotations

import sys

import click

from server.command_line import pass_settings
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
def demo() -> None:
    """Grade a right and a wrong answer on a server of its own, and stop."""
    from server.operations.demo import demo as run_demo

    sys.exit(run_demo())
