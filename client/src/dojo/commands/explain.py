"""The command ``explain``: a step that passed."""

from __future__ import annotations

from pathlib import Path

import click

from dojo.commands.context import Context
from dojo.commands.decorators import PASSED, command
from dojo.commands.target import current_exercise
from dojo.errors import BadFile
from dojo.files.workspace import find_workspace
from dojo.show import lists


@command("explain")
@click.argument("step")
@click.option("--exercise", metavar="PACK/NAME", help="The exercise; otherwise the folder says so.")
def explain(context: Context, step: str, exercise: str | None) -> int:
    """Explain a step that you have passed, in three lines.

    What flows in, what the line of the forward pass does to it, and the result with its
    shape and its sums. STEP is a name from dojo status; dbngain is bngain, too.

    \b
    Examples:
      dojo explain bngain                               in the exercise's folder
      dojo explain logits --exercise makemore/cross-entropy
    """
    workspace = None if exercise else find_workspace(Path.cwd())
    connection = context.connect(workspace)
    current = current_exercise(connection, exercise, workspace)
    names = {name: point.name for point in current.checkpoints for name in (point.variable, point.name)}
    if step not in names:
        raise BadFile(f"{current.slug} has no step “{step}”.", "See which there are: dojo status")
    explanation = connection.server.explanation(connection.course, current.slug, names[step])
    if context.as_json:
        context.print_json(explanation.body)
    else:
        lists.show_explanation(context.screen, explanation)
    return PASSED
