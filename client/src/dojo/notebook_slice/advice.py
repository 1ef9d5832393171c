"""What to say about lines that are taken, though they may not do there what they do here."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from dojo.notebook_slice.statements import Statement

ONE_HOT = "F.one_hot without num_classes is as wide as its largest number. Write num_classes=vocab_size"
COMPILED = "torch.compile does nothing where it is graded; the function runs as it is written"


def advice(statements: Iterable[Statement]) -> list[str]:
    """Return sentences about chosen statements, each once, in the order of the notebook."""
    said: dict[str, str] = {}
    for statement in sorted(statements, key=lambda statement: statement.position):
        for line, sentence in _noticed(statement.node):
            place = f"Line {line}" if statement.cell.is_script else f"Cell {statement.cell.number}, line {line}"
            said.setdefault(sentence, f"{place}: {sentence}.")
    return list(said.values())


def _noticed(node: ast.stmt) -> Iterator[tuple[int, str]]:
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and _name(part.func) == "one_hot":
            if len(part.args) == 1 and not any(keyword.arg == "num_classes" for keyword in part.keywords):
                yield part.lineno, ONE_HOT
        elif isinstance(part, ast.Attribute) and part.attr == "compile" and _name(part.value) == "torch":
            yield part.lineno, COMPILED


def _name(node: ast.expr) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None
