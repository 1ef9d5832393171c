"""Find the backward pass in a training loop, such as the lecture's last cell: the loop stays behind.

The minibatch, the forward pass and the update are ours. What is left are the statements of the loop that the gradients
are made of, and before them the imports, functions and values that those use. It is a backward slice by names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

_LOOPS = (ast.For, ast.While)
_KEPT_ALWAYS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def body_of_loop(tree: ast.Module, answers: frozenset[str], given: frozenset[str]) -> ast.Module | None:
    """Return the backward pass of a training loop; None if the file has no loop that computes both ways.

    :param answers: the names of the gradients, such as ``dW1``
    :param given: the names that a step has anyway: a loop that sets one of them computes the forward pass
    """
    before: list[ast.stmt] = []
    for statement in _flat(tree.body):
        if isinstance(statement, _LOOPS):
            body = list(_flat(statement.body))
            written = set().union(*(_written(each) for each in body))
            if written & answers and written & given:
                return _sliced(before, body, answers, given)
        before.append(statement)
    return None


def _sliced(
    before: Sequence[ast.stmt], body: Sequence[ast.stmt], answers: frozenset[str], given: frozenset[str]
) -> ast.Module:
    needed = set(answers)
    kept: list[ast.stmt] = []
    for statement in reversed([*before, *body]):
        if isinstance(statement, _KEPT_ALWAYS) or _written(statement) & needed:
            kept.append(statement)
            needed |= _read(statement) - given
    return ast.Module(kept[::-1], [])


def _flat(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements, those of blocks such as ``with torch.no_grad():`` in place of the block."""
    for statement in statements:
        if isinstance(statement, ast.With):
            yield from _flat(statement.body)
        else:
            yield statement


def _written(statement: ast.stmt) -> set[str]:
    """Return the names that a statement sets or changes."""
    names = set()
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Subscript(ctx=ast.Store()) | ast.Attribute(ctx=ast.Store()):
                names |= _base(node)
            case ast.Call(func=ast.Attribute(value=value, attr=attribute)) if attribute.endswith("_"):
                names |= _base(value)  # dC.index_add_(…) changes dC
    return names


def _base(node: ast.AST) -> set[str]:
    """Return the name that ``dC[ix]`` or ``dC.data`` begins with, as a set."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _read(statement: ast.stmt) -> set[str]:
    """Return the names that a statement needs from before it."""
    return _read_first([statement], set())


def _read_first(statements: Sequence[ast.stmt], defined: set[str]) -> set[str]:
    """Return the names that statements read before they set them; ``defined`` grows by those that they set."""
    read: set[str] = set()
    for statement in statements:
        if isinstance(statement, ast.For):
            read |= _loaded(statement.iter) - defined
            defined |= _stored(statement.target)
            read |= _read_first([*statement.body, *statement.orelse], defined)
        elif isinstance(statement, ast.While | ast.If):
            read |= _loaded(statement.test) - defined
            read |= _read_first(statement.body, set(defined)) | _read_first(statement.orelse, set(defined))
        else:
            read |= _loaded(statement) - defined
            if isinstance(statement, ast.Assign):
                defined |= _stored(statement)
    return read


def _loaded(node: ast.AST) -> set[str]:
    """Return the names that an expression or a simple statement reads. ``dC += 1`` reads ``dC``, too."""
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    own = (each.target for each in ast.walk(node) if isinstance(each, ast.comprehension))
    names -= set().union(*map(_stored, own))
    return names | _base(node.target) if isinstance(node, ast.AugAssign) else names


def _stored(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
