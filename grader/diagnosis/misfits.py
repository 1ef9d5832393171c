"""Code that stopped because shapes do not fit: which shape the gradient must have, and where the lecture derives it.

The child that runs the code knows no exercise. What it hands back is a traceback, text from an adversary: only the line
that stopped and the sizes in torch's message are read from it.
"""

from __future__ import annotations

import ast
import re

from exercises.exercise import Checkpoint, Exercise
from grader.sandbox import Run, RunStatus

LINE_CHARACTERS_MAX = 300
# torch's messages for shapes that do not fit: a product of matrices, entry by entry, a view, an index.
MISFITS = (
    re.compile(r"shapes cannot be multiplied \((\d{1,6})x(\d{1,6}) and (\d{1,6})x(\d{1,6})\)"),
    re.compile(r"must match the size of tensor"),
    re.compile(r"is invalid for input of size"),
    re.compile(r"shape mismatch"),
    re.compile(r"Expected size for first two dimensions of batch2 tensor"),
)
_STOPPED_AT = re.compile(r'^  File "[^"\n]*", line \d+, in .*\n    (.+)$', re.MULTILINE)
_ASSIGNED = re.compile(r"d(\w+)(?:\[.*\])?\s*[+\-*/]?=(?!=)")


def shape_hint(exercise: Exercise, shapes: dict[str, list[int]], run: Run) -> str | None:
    """Return what to say of a run that stopped at shapes that do not fit; None of any other run.

    ``shapes`` maps each name of the forward state to its shape.
    """
    if run.status is not RunStatus.ERROR or not any(misfit.search(run.message) for misfit in MISFITS):
        return None
    lines = _STOPPED_AT.findall(run.message)
    if not lines or len(lines[-1]) > LINE_CHARACTERS_MAX:
        return None
    assigned = _ASSIGNED.match(lines[-1])
    checkpoints = {checkpoint.name: checkpoint for checkpoint in exercise.checkpoints}
    checkpoint = checkpoints.get(assigned[1]) if assigned else None
    if checkpoint is None:
        return None
    name = checkpoint.name
    sentences = [
        f"d{name} must have the shape of {name}: {shapes[name]}.",
        *_operands(lines[-1], run.message),
        "Write the shapes under your line: which factor must be turned, and what must be summed?",
        *_lecture(exercise, checkpoint),
    ]
    return " ".join(sentences)


def _operands(line: str, message: str) -> list[str]:
    """Return the shapes of the two matrices whose product failed, by the names that they have in the line."""
    sizes = MISFITS[0].search(message)
    if sizes is None:
        return []
    left, right = _factors(line)
    return [
        f"{left} is [{sizes[1]}, {sizes[2]}] and {right} is [{sizes[3]}, {sizes[4]}].",
        f"For a product the {sizes[2]} and the {sizes[3]} would have to be equal.",
    ]


def _factors(line: str) -> tuple[str, str]:
    """Return the texts of the two factors, if the line has one ``@``; else words for them."""
    try:
        products = [node for node in ast.walk(ast.parse(line)) if _is_product(node)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        products = []
    if len(products) != 1:
        return "The left factor", "the right one"
    (product,) = products
    assert isinstance(product, ast.BinOp)
    return ast.unparse(product.left), ast.unparse(product.right)


def _is_product(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)


def _lecture(exercise: Exercise, checkpoint: Checkpoint) -> list[str]:
    if exercise.lecture is None or checkpoint.start is None:
        return []
    hours, seconds = divmod(checkpoint.start, 3600)
    clock = f"{hours}:{seconds // 60:02d}:{seconds % 60:02d}" if hours else f"{seconds // 60}:{seconds % 60:02d}"
    return [f"The lecture derives it at {clock}: {exercise.lecture}&t={checkpoint.start}s"]
