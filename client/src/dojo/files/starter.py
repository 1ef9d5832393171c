"""The files that a student starts from: the statement, ``solution.py`` and a notebook.

All of it is made of the server's text, and the student runs it. So names must be identifiers, and every other
text stands behind ``#`` or in markdown.
"""

from __future__ import annotations

import ast
import json
import keyword
from collections.abc import Callable
from typing import Any

from dojo.api.responses import Checkpoint, Exercise
from dojo.errors import NotADojo
from dojo.text import clock


def check_names(exercise: Exercise) -> None:
    """Check that every checkpoint can be a variable.

    :raises NotADojo: one cannot, or there is none
    """
    for checkpoint in exercise.checkpoints:
        if not checkpoint.name.isidentifier() or keyword.iskeyword(checkpoint.name):
            raise NotADojo("The server names a checkpoint that is no variable.", "Tell your instructor about it.")
    if not exercise.checkpoints:
        raise NotADojo(f"{exercise.slug} asks for nothing.", "Tell your instructor about it.")


def statement(exercise: Exercise) -> str:
    """Return ``exercise.md``: the server's statement, the forward pass, and a table of the checkpoints."""
    lines = [exercise.statement.strip(), "", "## The forward pass", "", "```python"]
    lines += [*exercise.forward.replace("```", "").splitlines(), "```", "", "## The checkpoints", ""]
    rows = [["", "variable", "shape", "in the lecture"], ["---"] * 4]
    for number, checkpoint in enumerate(exercise.checkpoints, 1):
        shape = " × ".join(str(size) for size in checkpoint.shape or ())
        rows.append([str(number), f"`{checkpoint.variable}`", shape, _lecture_link(checkpoint)])
    if not any(row[-1] for row in rows[2:]):  # an exercise that no lecture is about
        rows = [row[:-1] for row in rows]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def solution(exercise: Exercise) -> str:
    """Return ``solution.py``: each gradient set to None, under the lines of the forward pass that it comes from."""
    lines = [
        *_commented(f"{exercise.slug}: {exercise.title}"),
        "#",
        "# The tensors of the forward pass are already here under their names, and torch and F too.",
        "# Replace each None by the gradient of the loss at that tensor. No loss.backward().",
        "#",
        "#   dojo check solution.py     looks at names and shapes, here, without the server",
        "#   dojo submit solution.py    has it graded",
        "#",
        "# The forward pass:",
        *_commented(exercise.forward, indent=4),
    ]
    lines_reading = _lines_by_name(exercise.forward)
    for number, checkpoint in enumerate(exercise.checkpoints, 1):
        lines += [
            "",
            *_commented(_heading(number, checkpoint)),
            *_commented("\n".join(lines_reading(checkpoint.name)), 4),
            f"{checkpoint.variable} = None",
            _cmp_call(checkpoint),
        ]
    return "\n".join(lines) + "\n"


def notebook(exercise: Exercise) -> str:
    """Return ``exercise.ipynb``: a cell for each checkpoint, compared by the server when the cell runs."""
    lines_reading = _lines_by_name(exercise.forward)
    cells = [
        _markdown(f"# {exercise.title or exercise.slug}\n\nWhat is asked is in `exercise.md`, in this folder."),
        _code(
            "import dojo\n\n"
            f"ex = dojo.pull({exercise.slug!r})  # before torch, which then runs the server's kernels\n\n"
            "import torch\nimport torch.nn.functional as F\n\n"
            "ex.into(globals())  # the tensors of the forward pass, under their names\n"
            "cmp = ex.cmp"
        ),
        _markdown(f"The forward pass:\n\n```python\n{exercise.forward.replace('```', '')}\n```"),
    ]
    for number, checkpoint in enumerate(exercise.checkpoints, 1):
        lines = "\n".join(lines_reading(checkpoint.name)).replace("```", "")
        cells.append(_markdown(f"{_heading(number, checkpoint, link=True)}\n\n```python\n{lines}\n```"))
        cells.append(_code(f"{checkpoint.variable} = None\n\n{_cmp_call(checkpoint)}"))
    cells += [_markdown("All of them at once, as a table:"), _code("ex.check()")]
    for number, cell in enumerate(cells):
        cell["id"] = f"dojo-{number}"
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _cmp_call(checkpoint: Checkpoint) -> str:
    return f"cmp({checkpoint.name!r}, {checkpoint.variable}, {checkpoint.name})"


def _lines_by_name(forward: str) -> Callable[[str], list[str]]:
    """Return a function from a name to the lines of the forward pass that read it."""
    try:
        statements = ast.parse(forward).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        statements = []
    lines = [
        (
            ast.get_source_segment(forward, line) or "",
            {node.id for node in ast.walk(line) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)},
        )
        for line in statements
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
