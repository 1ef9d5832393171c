"""A training run out of a notebook: the function is sent with what it needs, and its curve is drawn live."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dojo.api.server import Connection
from dojo.api.training import Schedule, TrainingPlan, TrainingRun
from dojo.errors import BadFile
from dojo.notebook_slice import slice_function
from dojo.show.training_html import LiveRun

FILENAME = "backward.py"
COME_BACK = "It goes on without you. Come back: ex.train()   Cancel it: ex.cancel_training()"

Rate = float | Mapping[int, float] | Sequence[tuple[int, float]]
"""A learning rate, or several with the step that each begins at: ``{0: 0.1, 10000: 0.01}``."""


def start(connection: Connection, backward: Callable[..., Any], plan: TrainingPlan) -> TrainingRun:
    """Start a run of a function ``backward(state)``.

    :raises BadFile: its source cannot be had, or needs what cannot go along
    """
    taken = slice_function(_sources(backward), backward.__name__)
    return connection.server.start_training(connection.course, FILENAME, taken.source, plan)


def newest(connection: Connection) -> TrainingRun:
    """Return the newest run.

    :raises BadFile: there is none
    """
    runs = connection.server.training_runs(connection.course)
    if not runs:
        raise BadFile("You have no training run yet.", "Start one: ex.train(backward)")
    return connection.server.training_run(runs[0].id)


def follow(connection: Connection, run: TrainingRun) -> TrainingRun:
    """Show a run live until it has ended, or until the cell is interrupted. Return its last state."""
    live = LiveRun()
    live.update(run)
    try:
        for latest in connection.server.follow_training(run):
            run = latest
            live.update(run)
    except KeyboardInterrupt:
        print(COME_BACK)
    return run


def schedule_of(rate: Rate | None) -> Schedule | None:
    """Return a learning rate as a schedule; None is the server's own.

    :raises BadFile: it is none
    """
    if rate is None:
        return None
    try:
        if isinstance(rate, int | float):
            return ((0, float(rate)),)
        pairs = rate.items() if isinstance(rate, Mapping) else rate
        return tuple(sorted((int(step), float(each)) for step, each in pairs))
    except (TypeError, ValueError) as error:
        raise BadFile(f"{rate!r} is no learning rate.", "Write lr=0.1, or lr={0: 0.1, 10000: 0.01}.") from error


def _sources(function: Callable[..., Any]) -> list[str]:
    """Return the cells that were run so far, or the file in which a function is.

    :raises BadFile: there is neither
    """
    code = getattr(function, "__code__", None)
    if code is None or code.co_argcount != 1:
        raise BadFile(f"{function!r} is no function of one argument.", "Write it as: def backward(state): …")
    if function.__name__ == "backward" and code.co_varnames[0] != "state":
        raise BadFile(f"backward calls its argument {code.co_varnames[0]}.", "Name it state: def backward(state): …")
    if function.__module__ == "__main__" and (cells := _cells_run()):
        return cells
    try:
        file = inspect.getsourcefile(function)
        return [Path(file or "").read_text(encoding="utf-8-sig")]
    except (OSError, TypeError, UnicodeDecodeError) as error:
        raise BadFile("The source of this function is nowhere.", "Write it in a cell or in a file.") from error


def _cells_run() -> list[str]:
    """Return what IPython ran so far, in this order; empty in plain Python."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module else None
    return [str(each) for each in shell.user_ns.get("In", [])[1:]] if shell is not None else []
