"""Bare: what an answer costs where nothing is around it. The forward and the backward pass of the exercise and a
lecture-style solution, with its double loop for ``dC``, compiled before and run in one warm process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from exercises.instance import Instance
from exercises.tape import variables
from grader.numerics import PINNED


def bare(instance: Instance) -> Callable[[], dict[str, Any]]:
    """A function that does it once, and gives back the names that the solution leaves."""
    exercise = instance.exercise
    forward = compile(exercise.forward_source, "forward.py", "exec")
    solution = compile(exercise.solution, "solution.py", "exec")
    state = variables(instance.tensors())
    given = {name: value for name, value in state.items() if name not in exercise.lines}

    def once() -> dict[str, Any]:
        names = {name: _leaf(value) for name, value in given.items()} | _LIBRARY
        exec(forward, names)
        for name in exercise.lines:
            names[name].retain_grad()
        torch.autograd.backward(names["loss"])
        answer = state | _LIBRARY
        exec(solution, answer)
        return answer

    return once


def answers(instance: Instance, *wanted: str) -> bytes:
    """The right answers on an instance, of these names or else all, as a safetensors file."""
    names = bare(instance)()
    wanted = wanted or tuple(each.answer for each in instance.exercise.checkpoints)
    return safetensors.torch.save({name: names[name].contiguous().clone() for name in wanted})


_LIBRARY: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}


def _leaf(value: Any) -> Any:
    return value.detach().requires_grad_() if torch.is_tensor(value) and value.is_floating_point() else value


# The same in a process of its own. It imports torch and safetensors, and nothing of ours.
_PROGRAM = """
import sys
import safetensors.torch, torch
state, forward, solution = sys.argv[1:]
names = {
    name: int(value) if value.ndim == 0 and value.dtype is torch.int64 else value
    for name, value in safetensors.torch.load_file(state).items()
}
names |= {"torch": torch, "F": torch.nn.functional}
parameters = {name: value.clone().requires_grad_() for name, value in names.items()
              if torch.is_tensor(value) and value.is_floating_point()}
played = names | parameters
exec(open(forward).read(), played)
played["loss"].backward()
exec(open(solution).read(), names)
"""


def cold(instance: Instance) -> None:
    """The same in a fresh process, as a server without a sandbox that waits would do it."""
    with tempfile.TemporaryDirectory(prefix="dojo-bench-") as folder:
        files = [Path(folder) / name for name in ("state.safetensors", "forward.py", "solution.py")]
        files[0].write_bytes(instance.state)
        files[1].write_text(instance.exercise.forward_source)
        files[2].write_text(instance.exercise.solution)
        command = [sys.executable, "-c", _PROGRAM, *map(str, files)]
        subprocess.run(command, env=PINNED, check=True, stdout=subprocess.DEVNULL)
