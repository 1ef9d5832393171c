"""`%load_ext dojo`: the command in a cell. `%dojo pull …` also puts the exercise into the notebook."""

from __future__ import annotations

import shlex
from typing import Any

from dojo import notebook
from dojo.cli import run
from dojo.errors import DojoError


def load(shell: Any) -> None:
    """Register `%dojo` with IPython."""

    def dojo(line: str) -> Any:
        """%dojo pull EXERCISE puts the tensors, `ex` and `cmp` here; %dojo check has all d… variables
        compared; everything else is the command of that name, such as %dojo status."""
        words = shlex.split(line)
        if len(words) == 2 and words[0] == "pull":
            return _pull(shell.user_ns, words[1])
        if words == ["check"] and isinstance(shell.user_ns.get("ex"), notebook.Exercise):
            return shell.user_ns["ex"].check(shell.user_ns)
        run(words)
        return None

    shell.register_magic_function(dojo, "line", "dojo")


def _pull(namespace: dict[str, Any], exercise: str) -> notebook.Exercise | None:
    try:
        found = notebook.pull(exercise)
        found.into(namespace)
    except DojoError as error:
        print(error)
        return None
    namespace |= {"ex": found, "cmp": found.cmp}
    return found
