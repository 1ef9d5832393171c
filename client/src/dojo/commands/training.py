"""The command ``train``: a network trained with the student's own backward pass."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
from rich.live import Live

from dojo.api.server import Connection
from dojo.api.training import Schedule, TrainingPlan, TrainingRun, parse_schedule
from dojo.commands.context import Context
from dojo.commands.decorators import INTERRUPTED, PASSED, WRONG, command
from dojo.commands.next_step import TRAINING
from dojo.commands.paths import one_file
from dojo.commands.target import find_target
from dojo.errors import BadFile, Unreachable
from dojo.files.answer_file import CodeFile, find_answer_file, read_answer_file
from dojo.show import training as show

COME_BACK = "It goes on without you. Come back: dojo train --follow   Cancel it: dojo train --cancel"


def _schedule(context: click.Context, option: click.Parameter, typed: str | None) -> Schedule | None:
    """Return the learning rates that were typed.

    :raises click.BadParameter: they cannot be read
    """
    try:
        return None if typed is None else parse_schedule(typed)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@command("train")
@click.argument("words", metavar="[FILE]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--steps", type=click.IntRange(min=1), help="How many steps; the course's own number without it.")
@click.option("--batch", type=click.IntRange(min=1), help="Examples in a minibatch; 32 without it.")
@click.option("--lr", "schedule", metavar="RATE", callback=_schedule, help="Learning rate, such as 0.1,0.01@10000.")
@click.option("--rank", "pseudonym", metavar="PSEUDONYM", help="Show the run in the ranking, under this name.")
@click.option("--follow", "mode", flag_value="follow", help="Go on looking at your newest run.")
@click.option("--history", "mode", flag_value="history", help="List your runs.")
@click.option("--cancel", "mode", flag_value="cancel", help="Cancel the run that goes on.")
@click.option("--ranking", "mode", flag_value="ranking", help="Show the ranking of the course.")
def train(context: Context, words: tuple[Path, ...], mode: str | None, **options: Any) -> int:
    """Train the lecture's network with your own backward pass.

    FILE holds def backward(state), or it is your notebook: of the lecture's cell of
    exercise 4, everything but the loop is taken. The server draws the minibatches, runs
    the forward pass and measures the loss. Beside your curve is the reference's.

    Ctrl-C asks whether to cancel. The run does not need you: it goes on, and
    dojo train --follow comes back to it.

    \b
    Examples:
      dojo train backward.py
      dojo train notebook.ipynb --steps 50000 --lr 0.1,0.01@40000
      dojo train backward.py --rank "Ada L."
      dojo train --history
    """
    if mode is None:
        return _start(context, words, TrainingPlan(**options))
    if words or any(value is not None for value in options.values()):
        raise BadFile(f"--{mode} takes nothing else.", f"Type: dojo train --{mode}")
    return MODES[mode](context, context.connect())


def _start(context: Context, words: tuple[Path, ...], plan: TrainingPlan) -> int:
    """Read a file, start a run of it, and follow it to its end."""
    file = one_file("train", words)
    path = find_answer_file(file, "train")
    connection, target = find_target(context, path, TRAINING)
    answer = read_answer_file(path, target.goal)
    if not isinstance(answer, CodeFile):
        raise BadFile(f"{path} holds tensors, and training needs code.", "Type: dojo train backward.py")
    if file.is_dir():
        context.print_note(f"Training with {path.name}.")
    if answer.notebook is not None:
        context.print_note(answer.notebook.summary())
    filename = path.name.replace("\\", "_")
    return _follow_run(
        context, connection, connection.server.start_training(connection.course, filename, answer.source, plan)
    )


def _follow(context: Context, connection: Connection) -> int:
    return _follow_run(context, connection, _newest(connection))


def _follow_run(context: Context, connection: Connection, run: TrainingRun) -> int:
    """Show a run while it goes on, then how it ended."""
    try:
        with _live_plot(context) as update:
            update(run)
            for latest in connection.server.follow_training(run):
                run = latest
                update(run)
    except KeyboardInterrupt:
        return _interrupted(context, connection, run)
    except Unreachable as error:
        raise Unreachable(
            f"Training run {run.id} goes on, but: {error.message}", "Later: dojo train --follow"
        ) from error
    return _show(context, run)


def _show(context: Context, run: TrainingRun) -> int:
    if context.as_json:
        context.print_json(run.body)
    else:
        show.show_run(context.screen, run)
    return PASSED if run.is_right else WRONG


def _interrupted(context: Context, connection: Connection, run: TrainingRun) -> int:
    """Ask whether to cancel, where somebody can answer; else the run goes on."""
    is_cancelled = False
    if not context.as_json and sys.stdin.isatty():
        with suppress(click.Abort):  # Ctrl-C once more: the answer is no
            is_cancelled = click.confirm(f"Cancel training run {run.id}?", err=True)
    if is_cancelled:
        connection.server.cancel_training(run.id)
        context.print_note(f"Run {run.id} ends after the steps that it computes now. See it: dojo train --history")
    else:
        context.print_note(COME_BACK)
    return INTERRUPTED


def _history(context: Context, connection: Connection) -> int:
    runs = connection.server.training_runs(connection.course)
    if context.as_json:
        context.print_json({"runs": [run.body for run in runs]})
    elif not runs:
        context.screen.print("No run yet. Start one: dojo train FILE")
    else:
        show.show_runs(context.screen, runs)
        context.screen.print("The newest with its curve: dojo train --follow")
    return PASSED


def _cancel(context: Context, connection: Connection) -> int:
    run = next((each for each in connection.server.training_runs(connection.course) if each.is_active), None)
    if run is None:
        raise BadFile("No run of yours goes on.", "Start one: dojo train FILE")
    run = connection.server.cancel_training(run.id)
    if context.as_json:
        context.print_json(run.body)
    else:
        context.screen.print(f"Training run {run.id} ends after the steps that it computes now: {run.progress()}")
        context.screen.print("Start another: dojo train FILE")
    return PASSED


def _ranking(context: Context, connection: Connection) -> int:
    ranking = connection.server.training_ranking(connection.course)
    if context.as_json:
        context.print_json({"places": [each.body for each in ranking]})
    elif not ranking:
        context.screen.print("Nobody is in the ranking yet. Be the first: dojo train FILE --rank PSEUDONYM")
    else:
        show.show_ranking(context.screen, ranking)
    return PASSED


MODES: dict[str, Callable[[Context, Connection], int]] = {
    "follow": _follow,
    "history": _history,
    "cancel": _cancel,
    "ranking": _ranking,
}


def _newest(connection: Connection) -> TrainingRun:
    """Return the newest run, with its curves.

    :raises BadFile: there is none
    """
    runs = connection.server.training_runs(connection.course)
    if not runs:
        raise BadFile("You have no training run yet.", "Start one: dojo train FILE")
    return connection.server.training_run(runs[0].id)


@contextmanager
def _live_plot(context: Context) -> Iterator[Callable[[TrainingRun], None]]:
    """Show on standard error where a run is: a plot in place on a terminal, a line for each news elsewhere."""
    if context.as_json:
        yield lambda _: None
    elif not context.errors.is_terminal:
        said: list[str] = []

        def say(run: TrainingRun) -> None:
            if run.is_active and said[-1:] != [run.progress()]:
                said.append(run.progress())
                context.print_note(said[-1])

        yield say
    else:
        console = context.errors
        utf8 = (console.encoding or "").lower().startswith("utf")
        with Live(console=console, transient=True, auto_refresh=False) as live:
            yield lambda run: live.update(show.live(run, console.width, utf8=utf8), refresh=True)
