"""Compile a student's file: as they wrote it, or as a notebook would accept it, and with their ``cmp`` replaced.

All of it happens in the child, where a file that is nested a million deep hurts only itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Final

from grader.sandbox.child.indentation import repair_indentation

# The name of our ``cmp`` in the student's globals, for the functions that it replaces.
OUR_CMP: Final = "__cmp__"

# The syntax tree costs as much as the compilation: it is only made if one of these words occurs.
_AUTOGRAD_WORDS: Final = re.compile(
    r"\b(?:grad|backward|autograd|requires_grad_?|retain_grad|grad_fn|grad_and_value|vjp|jvp|jacrev|jacfwd)\b"
)
_AUTOGRAD: Final = frozenset({"backward", "autograd", "requires_grad", "requires_grad_", "retain_grad", "grad_fn"})
_AUTOGRAD_IN_FUNC: Final = frozenset({"grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd"})

# Both in a file: perhaps the lecture's training loop, with its forward pass. Two searches, so that each is linear.
_LOOP: Final = re.compile(r"^[ \t]*(?:for|while)\b", re.MULTILINE)
_INDENTED_FORWARD: Final = re.compile(r"^[ \t]+(?:emb|logits|loss)[ \t]*=[^=]", re.MULTILINE)

# Lines that a notebook accepts and Python does not: %magic, %%magic, !command, ?name, name?
_NOTEBOOK_LINE: Final = re.compile(r"(?P<indent>\s*)(?:%{1,2}[A-Za-z]\w*(?:\s.*)?|!(?!=).*|\?.*|[\w.]+\?{1,2}\s*)$")


WithoutLoop = Callable[[ast.Module], ast.Module | None]


@dataclass(frozen=True, slots=True)
class Program:
    """A student's file, ready to run. ``text`` has the same line numbers as the file."""

    code: CodeType
    text: str
    flags: tuple[str, ...]


def prepare(source: str, filename: str, without_loop: WithoutLoop | None = None) -> Program:
    """Compile a file.

    :param without_loop: returns a file whose training loop stayed behind, or None; asked where there may be one
    :raises SyntaxError: if it cannot be compiled; also ValueError, MemoryError and RecursionError
    """
    text = source.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").replace("\r\n", "\n").replace("\r", "\n")
    code = _compile_unchanged(text, filename)
    if code is None:
        text = _without_notebook_lines(text)
        text = repair_indentation(text) or text
        code = compile(text, filename, "exec", dont_inherit=True)
    may_loop = bool(_INDENTED_FORWARD.search(text) and _LOOP.search(text))
    if not may_loop and not _AUTOGRAD_WORDS.search(text):
        return Program(code, text, ())
    tree = ast.parse(text, filename)
    body = without_loop(tree) if may_loop and without_loop is not None else None
    if body is not None:
        tree = body
    if _replace_student_cmp(tree) or body is not None:
        code = compile(tree, filename, "exec", dont_inherit=True)
    return Program(code, text, ("autograd",) if _uses_autograd(tree) else ())


def _compile_unchanged(text: str, filename: str) -> CodeType | None:
    try:
        return compile(text, filename, "exec", dont_inherit=True)
    except SyntaxError:
        return None


def _without_notebook_lines(text: str) -> str:
    """Return the same lines without a common indentation, and with ``pass`` for magic and shell lines."""
    lines = text.split("\n")  # as Python counts; splitlines() also splits at form feeds and other separators
    margin = ""
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            margin = line[: len(line) - len(line.lstrip())]
            break
    kept = []
    for line in lines:
        bare = line.removeprefix(margin) if line.startswith(margin) else line.lstrip()
        match = _NOTEBOOK_LINE.match(bare)
        kept.append(f"{match['indent']}pass" if match else bare)
    return "\n".join(kept) + "\n"


def _replace_student_cmp(tree: ast.Module) -> bool:
    """Give every comparison function of the file our ``cmp`` instead. Return whether there was one.

    Students define their own ``cmp``, under any name. It reads ``.grad`` of a parameter, and here there is none.
    """
    replaced = False
    for position, node in enumerate(tree.body):
        name = None
        if isinstance(node, ast.FunctionDef) and _reads_grad_of_a_parameter(node):
            name = node.name
        elif (
            isinstance(node, ast.Assign)
            and len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Lambda)
            and _reads_grad_of_a_parameter(node.value)
        ):
            name = node.targets[0].id
        if name is not None:
            ours = ast.Assign([ast.Name(name, ast.Store())], ast.Name(OUR_CMP, ast.Load()))
            tree.body[position] = ast.fix_missing_locations(ast.copy_location(ours, node))
            replaced = True
    return replaced


def _reads_grad_of_a_parameter(function: ast.FunctionDef | ast.Lambda) -> bool:
    parameters = {each.arg for each in (*function.args.posonlyargs, *function.args.args)}
    if len(parameters) < 2:
        return False
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "grad"
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.value, ast.Name)
        and node.value.id in parameters
        for node in ast.walk(function)
    )


def _uses_autograd(tree: ast.Module) -> bool:
    """Whether the file names automatic differentiation in plain words.

    A hint for the student and the instructor, not evidence: there are many ways to hide it.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=attr) if attr in _AUTOGRAD:
                return True
            case ast.Attribute(value=ast.Attribute(attr="func") | ast.Name(id="func"), attr=attr) if (
                attr in _AUTOGRAD_IN_FUNC
            ):
                return True
            case ast.keyword(arg="requires_grad", value=ast.Constant(value=True)):
                return True
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=name), *_]) if name in _AUTOGRAD:
                return True
            case ast.ImportFrom(module=("torch.autograd" | "torch.func" | "torch.autograd.functional")):
                return True
            case ast.Import(names=names) if any("autograd" in each.name for each in names):
                return True
            case ast.ImportFrom(module="torch", names=names) if any(each.name == "autograd" for each in names):
                return True
    return False
