"""A file to paste: what is given, the models that it names, and the lines."""

from __future__ import annotations

import ast
from collections.abc import Callable
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
    defined = _defined(lines)
    given, models = _without(given, lambda node: _makes_object(node, defined))
    known = {*_assigned(given), *_assigned(models), *defined, "dict"}
    lines, made_in_lines = _without(lines, lambda node: _makes_model(node, defined, known))
    return Document(given, "\n".join(filter(None, (models, made_in_lines))), lines)


def _assigned(text: str) -> set[str]:
    try:
        return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()


def _defined(lines: str) -> set[str]:
    try:
        body = ast.parse(lines).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def _without(text: str, is_other: Callable[[ast.stmt], bool]) -> tuple[str, str]:
    """Return a text with blank lines in place of some statements, and those."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text, ""
    kept = text.splitlines()
    taken = []
    for node in filter(is_other, body):
        taken.append(ast.unparse(node))
        for number in range(node.lineno - 1, node.end_lineno or node.lineno):
            kept[number] = ""
    return "\n".join(kept) + "\n", "\n".join(taken)


def _makes_object(node: ast.stmt, defined: set[str]) -> bool:
    """Return whether a line of given makes an object, such as a model or its configuration."""
    match node:
        case ast.Assign([ast.Name()], ast.Call(function)):
            spelled = ast.unparse(function)
            is_layer = spelled.startswith(("nn.", "torch.nn.")) and spelled not in KINDS
            return spelled in defined or spelled in _MAKERS or is_layer
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(), "eval" | "train"))):
            return True
    return False


def _makes_model(node: ast.stmt, defined: set[str], known: set[str]) -> bool:
    """Return whether a line makes an object of a class of the lines from what is given alone."""
    match node:
        case ast.Assign([ast.Name()], ast.Call(ast.Name(kind)) as call) if kind in defined and kind[:1].isupper():
            return {each.id for each in ast.walk(call) if isinstance(each, ast.Name)} <= known
    return False
