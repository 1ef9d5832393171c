"""What a student starts from: the statement, a solution.py and a notebook, all in the order of the
checkpoints.

Everything here goes into files that the student will run, and all of it comes from the server. So names must
be identifiers, and foreign text stands only behind `#` or in markdown."""

from __future__ import annotations

import ast
import json
import keyword
from collections.abc import Callable
from typing import Any

from dojo.errors import NotADojo
from dojo.records import Checkpoint, Exercise
from dojo.text import clock


def check(exercise: Exercise) -> None:
    """Raise NotADojo where a name could be anything but a variable."""
    for checkpoint in exercise.checkpoints:
        if not checkpoint.name.isidentifier() or keyword.iskeyword(checkpoint.name):
            raise NotADojo("The server names a checkpoint that is no variable.", "Tell your instructor about it.")
    if not exercise.checkpoints:
        raise NotADojo(f"{exercise.slug} asks for nothing.", "Tell your instructor about it.")


def statement(exercise: Exercise) -> str:
    """exercise.md: the server's statement, the forward pass, and a table of the checkpoints."""
    lines = [exercise.statement.strip(), "", "## The forward pass", "", "```python"]
    lines += [*exercise.forward.replace("```", "").splitlines(), "```", "", "## The checkpoints", ""]
    lines += ["| | variable | shape | in the lecture |", "| --- | --- | --- | --- |"]
    for number, checkpoint in enumerate(exercise.checkpoints, 1):
        shape = " × ".join(str(size) for size in checkpoint.shape or ())
        lines.append(f"| {number} | `{checkpoint.answer}` | {shape} | {_lecture_link(checkpoint)} |")
    return "\n".join(lines) + "\n"


def solution(exercise: Exercise) -> str:
    """solution.py: every answer set to None, under the lines of the forward pass that it is derived from."""
    lines = [
        *_commented(f"{exercise.slug}: {exercise.title}"),
        "#",
        "# The tensors of the forward pass are already here under their names, and torch and F too.",
        "# Replace each None by the gradient of the loss at that tensor. No loss.backward().",
        "#",
        "#   dojo check solution.py     looks at names and shapes, here, without the server",
        "#   dojo submit solution.py    has it graded; do so as often as you like",
        "#",
        "# The forward pass:",
        *_commented(exercise.forward, indent=4),
    ]
    read_by = _readers(exercise.forward)
    for number, checkpoint in enumerate(exercise.checkpoints, 1):
        lines += [
            "",
            *_commented(_heading(number, checkpoint)),
            *_commented("\n".join(read_by(checkpoint.name)), 4),
        ]
        lines += [
            f"{checkpoint.answer} = None",
            f"cmp({checkpoint.name!r}, {checkpoint.answer}, {checkpoint.name})",
        ]
    return "\n".join(lines) + "\n"


def notebook(exercise: Exercise) -> str:
    """exercise.ipynb: the same, one cell a checkpoint, compared by the server as each cell is run."""
    read_by = _readers(exercise.forward)
    cells = [
        _markdown(f"# {exercise.title or exercise.slug}\n\nWhat is asked is in `exercise.md`, in this folder."),
        _code(
            "import torch\nimport torch.nn.functional as F\nimport dojo\n\n"
            f"ex = dojo.pull({exercise.slug!r})\n"
            "ex.into(globals())  # the tensors of the forward pass, under their names\n"
            "cmp = ex.cmp"
        ),
        _markdown(f"The forward pass:\n\n```python\n{exercise.forward.replace('```', '')}\n```"),
    ]
    for number, checkpoint in enumerate(exercise.checkpoints, 1):
        uses = read_by(checkpoint.name)
        lines = "\n".join(uses).replace("```", "")
        cells.append(_markdown(f"{_heading(number, checkpoint, link=True)}\n\n```python\n{lines}\n```"))
        compare = f"cmp({checkpoint.name!r}, {checkpoint.answer}, {checkpoint.name})"
        cells.append(_code(f"{checkpoint.answer} = None\n\n{compare}"))
    cells += [_markdown("All of them at once, as a table:"), _code("ex.check()")]
    for number, cell in enumerate(cells):
        cell["id"] = f"dojo-{number}"
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _readers(forward: str) -> Callable[[str], list[str]]:
    """name → the lines of the forward pass which read it: the gradient at it is made of those."""
    try:
        statements = ast.parse(forward).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        statements = []
    lines = [
        (
            ast.get_source_segment(forward, each) or "",
            {node.id for node in ast.walk(each) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)},
        )
        for each in statements
    ]
    return lambda name: [line for line, names in lines if name in names]


def _heading(number: int, checkpoint: Checkpoint, *, link: bool = False) -> str:
    time = _lecture_link(checkpoint) if link else _lecture_time(checkpoint)
    shape = f"shape {list(checkpoint.shape)}" if checkpoint.shape is not None else ""
    name = f"**{checkpoint.name}**" if link else checkpoint.name
    return ", ".join(part for part in (f"{number}. {name}", shape, f"lecture {time}" if time else "") if part)


def _lecture_time(checkpoint: Checkpoint) -> str:
    return "" if checkpoint.lecture_start is None else clock(checkpoint.lecture_start)


def _lecture_link(checkpoint: Checkpoint) -> str:
    time = _lecture_time(checkpoint)
    url = checkpoint.lecture_url
    return f"[{time}]({url})" if time and url and not set(url) & set(" ()<>") else time


def _commented(text: str, indent: int = 1) -> list[str]:
    return [f"#{' ' * indent}{line}".rstrip() for line in text.splitlines()]


def _markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }
