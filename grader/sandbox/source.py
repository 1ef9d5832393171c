"""Reading a student's file: as they wrote it, as a notebook would take it, and with their cmp made ours.

All of it happens in the child, where a file that is nested a million deep can only hurt itself.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from types import CodeType
from typing import Final

from grader.sandbox.indentation import mended

# The name under which a student's own comparison function finds ours.
OUR_CMP: Final = "__cmp__"

# The tree costs as much as the compilation: it is only made where one of these words occurs at all.
_WORTH_A_LOOK: Final = re.compile(
    r"\b(?:grad|backward|autograd|requires_grad_?|retain_grad|grad_fn|grad_and_value|vjp|jvp|jacrev|jacfwd)\b"
)
_AUTOGRAD: Final = frozenset({"backward", "autograd", "requires_grad", "requires_grad_", "retain_grad", "grad_fn"})
_AUTOGRAD_IN_FUNC: Final = frozenset({"grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd"})

# What a notebook takes and Python does not: %magic, %%magic, !command, ?name, name?
_NOTEBOOK_LINE: Final = re.compile(r"(?P<indent>\s*)(?:%{1,2}[A-Za-z]\w*(?:\s.*)?|!(?!=).*|\?.*|[\w.]+\?{1,2}\s*)$")


@dataclass(frozen=True, slots=True)
class Program:
    """A student's file, ready to run. `text` has the same line numbers as the file."""

    code: CodeType
    text: str
    flags: tuple[str, ...]


def prepare(source: str, filename: str) -> Program:
    """Compile a file.

    :raises SyntaxError: (or ValueError, MemoryError, RecursionError) it cannot be compiled
    """
    text = source.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").replace("\r\n", "\n").replace("\r", "\n")
    code = _compiled_as_it_is(text, filename)
    if code is None:
        text = _as_a_notebook_would(text)
        text = mended(text) or text
        code = compile(text, filename, "exec", dont_inherit=True)
    if not _WORTH_A_LOOK.search(text):
        return Program(code, text, ())
    tree = ast.parse(text, filename)
    if _replace_their_cmp(tree):
        code = compile(tree, filename, "exec", dont_inherit=True)
    return Program(code, text, ("autograd",) if _uses_autograd(tree) else ())


def _compiled_as_it_is(text: str, filename: str) -> CodeType | None:
    try:
        return compile(text, filename, "exec", dont_inherit=True)
    except SyntaxError:
        return None


def _as_a_notebook_would(text: str) -> str:
    """The same lines without what surrounds the code: a common indentation, magic and shell lines."""
    lines = text.split("\n")  # Python's lines; splitlines() also splits at form feeds and other separators
    margin = ""
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            margin = line[: len(line) - len(line.lstrip())]
            break
    kept = []
    for line in lines:
        bare = line.removeprefix(margin) if line.startswith(margin) else line.lstrip()
        found = _NOTEBOOK_LINE.match(bare)
        kept.append(f"{found['indent']}pass" if found else bare)
    return "\n".join(kept) + "\n"


def _replace_their_cmp(tree: ast.Module) -> bool:
    """Students bring a cmp of their own, under any name. It reads `.grad` of a tensor it is given, and here
    there is none: so wherever the file defines such a function, the name becomes ours."""
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
    """Whether the file names automatic differentiation in plain words. A hint for a friendly message and for
    the instructor, not evidence: there are many ways of not naming it."""
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
