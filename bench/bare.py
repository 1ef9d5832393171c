"""Bare: what an answer costs with nothing around it, in one warm process.

It is the forward and the backward pass of the exercise and a lecture-style solution with its double loop for ``dC``,
all compiled before.
"""

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

LIBRARY: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
# ``run_cold`` runs this in a new process. It imports torch and safetensors, and nothing of this project.
COLD_PROGRAM = """
import sys
import safetensors.torch, torch
state, forward, solution = sys.argv[1:]
names = {
    name: value.item() if value.ndim == 0 and value.dtype in (torch.int64, torch.float64, torch.bool) else value
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


def compile_bare(instance: Instance) -> Callable[[], dict[str, Any]]:
    """Return a function that does it once, and returns the names that the solution leaves."""
    exercise = instance.exercise
    forward = compile(exercise.forward.text, "forward.py", "exec")
    solution = compile(exercise.solution, "solution.py", "exec")
    state = variables(instance.tensors())
    given = {name: value for name, value in state.items() if name not in exercise.lines}

    def run_once() -> dict[str, Any]:
        names = {name: _leaf(value) for name, value in given.items()} | LIBRARY
        exec(forward, names)
        for name in exercise.lines:
            names[name].retain_grad()
        torch.autograd.backward(names["loss"])
        answer = state | LIBRARY
        exec(solution, answer)
        return answer

    return run_once


def right_answers(instance: Instance, *wanted: str) -> bytes:
    """Return a safetensors file of the right answers with these names, or of all without names."""
    names = compile_bare(instance)()
    wanted = wanted or tuple(each.answer for each in instance.exercise.checkpoints)
    return safetensors.torch.save({name: names[name].contiguous().clone() for name in wanted})


def run_cold(instance: Instance) -> None:
    """Do the same in a new process, as a server would without a sandbox that waits."""
    with tempfile.TemporaryDirectory(prefix="dojo-bench-") as folder:
        state, forward, solution = (Path(folder) / name for name in ("state.safetensors", "forward.py", "solution.py"))
        state.write_bytes(instance.state)
        forward.write_text(instance.exercise.forward.text)
        solution.write_text(instance.exercise.solution)
        command = [sys.executable, "-c", COLD_PROGRAM, *map(str, (state, forward, solution))]
        subprocess.run(command, env=PINNED, check=True, stdout=subprocess.DEVNULL)


def _leaf(value: Any) -> Any:
    """Return a tensor of floats as a leaf that collects a gradient, and anything else as it is."""
    return value.detach().requires_grad_() if torch.is_tensor(value) and value.is_floating_point() else value
