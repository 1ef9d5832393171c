"""The command ``completion``: words completed by the shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dojo.commands.context import Context
from dojo.commands.decorators import PASSED, command


@command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(context: Context, shell: str) -> int:
    """Print a script for your shell to complete words with.

    \b
    Examples:
      dojo completion bash >> ~/.bashrc
      dojo completion zsh >> ~/.zshrc
      dojo completion fish > ~/.config/fish/completions/dojo.fish
    """
    completion_class = get_completion_class(shell)
    assert completion_class is not None
    root = click.get_current_context().find_root().command
    source = completion_class(root, {}, "dojo", "_DOJO_COMPLETE").source()
    if context.as_json:
        context.print_json({"shell": shell, "source": source})
    else:
        click.echo(source)
    return PASSED
