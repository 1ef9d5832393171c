"""A file to paste: what is given, the models that it names, and the lines."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from exercises.language.given import KINDS

_GIVEN: Final = "# --- given"
_LINES: Final = "# --- lines"
_MAKERS: Final = ("dict", "SimpleNamespace", "types.SimpleNamespace", "argparse.Namespace")


@dataclass(frozen=True)
class Document:
    """``models`` are lines of given such as ``model = Block(6)``, whose class stands in the lines."""

    given: str
    models: str
    lines: str


def split(text: str, given: str | None = None) -> Document:
    """Return the parts of a file.

    A head stands between ``# --- given`` and ``# --- lines``, unless ``given`` is the text of a file of its own.
    """
    head, marker, lines = text.partition(f"{_LINES}\n")
    if not marker:
        head, lines = "", text
    if given is None:
        given = head.partition(f"{_GIVEN}\n")[2] if _GIVEN in head else head
    return Document(*_without_models(given, _defined(lines)), lines)


def _defined(lines: str) -> set[str]:
    try:
        body = ast.parse(lines).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def _without_models(given: str, defined: set[str]) -> tuple[str, str]:
    """Return the lines of given without those that make an object, and those."""
    try:
        body = ast.parse(given).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return given, ""
    kept = given.splitlines()
    models = []
    for node in body:
        if _makes_object(node, defined):
            models.append(ast.unparse(node))
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                kept[number] = ""
    return "\n".join(kept) + "\n", "\n".join(models)


def _makes_object(node: ast.stmt, defined: set[str]) -> bool:
    match node:
        case ast.Assign([ast.Name()], ast.Call(function)):
            spelled = ast.unparse(function)
            return spelled in defined | set(_MAKERS) or spelled.startswith(("nn.", "torch.nn.")) and spelled not in KINDS
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(), "eval" | "train"))):
            return True
    return False
