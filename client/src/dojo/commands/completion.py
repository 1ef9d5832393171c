"""Completion of words by the shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dojo.commands.frame import PASSED, command
from dojo.desk import Desk


@command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(desk: Desk, shell: str) -> int:
    """Print a script for your shell to complete words with.

    \b
    Examples:
      dojo completion bash >> ~/.bashrc
      dojo completion zsh >> ~/.zshrc
      dojo completion fish > ~/.config/fish/completions/dojo.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    source = kind(click.get_current_context().find_root().command, {}, "dojo", "_DOJO_COMPLETE").source()
    if desk.as_json:
        desk.answer({"shell": shell, "source": source})
    else:
        click.echo(source)
    return PASSED
