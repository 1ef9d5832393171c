"""``%load_ext dojo``: the command in a cell. ``%dojo pull …`` also puts the exercise into the notebook."""

from __future__ import annotations

import shlex
from typing import Any

from dojo import notebook
from dojo.cli import run
from dojo.errors import DojoError


def load(shell: Any) -> None:
    """Register ``%dojo`` with IPython."""

    def dojo(line: str) -> Any:
        """Run a command of dojo.

        %dojo pull EXERCISE puts the tensors, `ex` and `cmp` here. %dojo check has all d… variables compared.
        Everything else is the command of that name, such as %dojo status.
        """
        words = shlex.split(line)
        if len(words) == 2 and words[0] == "pull":
            return _pull(shell.user_ns, words[1])
        if words == ["check"] and isinstance(shell.user_ns.get("ex"), notebook.NotebookExercise):
            return shell.user_ns["ex"].check(shell.user_ns)
        run(words)
        return None

    shell.register_magic_function(dojo, "line", "dojo")


def _pull(namespace: dict[str, Any], slug: str) -> notebook.NotebookExercise | None:
    try:
        exercise = notebook.pull(slug)
        exercise.into(namespace)
    except DojoError as error:
        print(error)
        return None
    namespace |= {"ex": exercise, "cmp": exercise.cmp}
    return exercise
