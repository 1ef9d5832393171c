"""The operator's commands for exercises: those of ``author``, signed with this server's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from author.commands import author as author_alone
from author.commands import prove_command
from server.command_line import pass_settings
from server.settings import Settings

if TYPE_CHECKING:
    from author.prove.proof import Proof


@click.group()
def author() -> None:
    """Make exercises of forward passes, and prove them. A course shows which are proved."""


for _name, _command in author_alone.commands.items():
    if _name != "prove":
        author.add_command(_command)


@pass_settings
def _keep(settings: Settings, proof: Proof) -> str:
    from server.catalogue.proofs import Proofs

    return f"Signed and kept: {Proofs(settings.data, settings.key).keep(proof)}"


author.add_command(prove_command(_keep))
