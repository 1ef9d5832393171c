"""Read the lines of a forward pass into steps, without running them as Python.

The reader walks the statements like an interpreter (``exercises.language.reading``). A number is a number; a tensor is
traced: the expression that makes it, and its value on sample numbers, which tells its shape and whether it has a
gradient. Each tensor that a line names is a step. Work is bounded: see ``Limits``.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from exercises.language.expression import Name, names
from exercises.language.forward import Forward, Line
from exercises.language.reading import calls, expressions, statements
from exercises.language.reading.flow import Left, Returned
from exercises.language.reading.limits import Limits, parsed
from exercises.language.reading.scope import Scope
from exercises.language.reading.session import Session
from exercises.language.reading.values import Instance, Traced
from exercises.language.spelled import spelled, unspelled
from exercises.language.text import comments_of, shown


def read(
    source: str,
    given: Mapping[str, Any],
    models: str = "",
    limits: Limits | None = None,
    *,
    keep_spelling: bool = False,
) -> Forward:
    """Read lines. ``given`` holds sample tensors (a parameter requires a gradient) and constants.

    ``keep_spelling`` leaves the spelling of numbers in the expressions, for who writes the lines anew.
    ``models`` are lines of given such as ``model = Block(6)``: an object of a class that the lines define. Its
    parameters are found in ``drawn`` of the result.

    :raises Refused: a line is not in the language
    """
    limits = limits or Limits()
    given = {name: spelled(value, ast.Name(name)) for name, value in given.items()}
    session = _session(source, given, limits)
    scope = Scope(names={name: _traced(name, value) for name, value in given.items()})
    session.scopes.append(scope)
    try:
        body = parsed(source, limits).body
        if models:
            body = _make_models(session, body, models, scope)
        try:
            session.execute(body, scope)
        except Returned as returned:
            session.kept(returned.value, "loss")
        lines = _without_unread(session.lines)
        text = _text(source, lines)
        if not keep_spelling:
            lines = tuple(replace(line, expression=unspelled(line.expression)) for line in lines)
    except RecursionError:
        raise session.refused("the lines are nested too deeply", "Give parts of the expression names.") from None
    except Left:
        raise session.refused("this leaves a function or loop that is not there", "Leave it out.") from None
    return Forward(lines, text, tuple(session.notes), tuple(session.drawn))


def _session(source: str, given: Mapping[str, Any], limits: Limits) -> Session:
    session = Session(source, dict(given), limits)
    session.evaluate = lambda node, scope: expressions.evaluate(session, node, scope)
    session.evaluate_index = lambda node, scope: expressions.evaluated_index(session, node, scope)
    session.execute = lambda nodes, scope: statements.execute(session, nodes, scope)
    session.call_value = lambda callee, values: calls.called(session, callee, values, {}, "the function")
    session.instantiate = lambda kind, values, options: calls.instantiated(session, kind, values, options)
    return session


def _traced(name: str, value: Any) -> Any:
    return Traced(Name(name), value) if isinstance(value, Tensor) else value


def _make_models(session: Session, body: list[ast.stmt], models: str, scope: Scope) -> list[ast.stmt]:
    """Define what the lines define, make the models, and return the other lines."""
    definitions = (ast.ClassDef, ast.FunctionDef, ast.Import, ast.ImportFrom)
    session.execute([node for node in body if isinstance(node, definitions)], scope)
    session.inside_layer += 1
    session.models += 1
    session.execute(parsed(models, session.limits).body, scope)
    session.models -= 1
    found = {
        name: value for name, value in scope.names.items() if isinstance(value, Instance) and value.kind.is_module()
    }
    for name, model in found.items():
        calls.name_parameters(session, model, f"{name}_" if len(found) > 1 else "")
        model.path = model.path or name
    session.inside_layer -= 1
    return [node for node in body if not isinstance(node, definitions)]


def _without_unread(lines: list[Line]) -> tuple[Line, ...]:
    """Return the lines without masks and constants that no line reads."""
    kept: list[Line] = []
    read_names: set[str] = set()
    for line in reversed(lines):
        if line.frozen and line.name not in read_names:
            continue
        read_names.update(names(line.expression))
        kept.append(line)
    return tuple(reversed(kept))


def _text(source: str, lines: tuple[Line, ...]) -> str:
    """Return what is shown: the source if it holds the lines as they are read, and nothing else; or one line a step.

    So no statement that was left out unread stands in what others run.
    """
    written = source.strip("\n")
    statements = [node for node in ast.parse(source).body if not _is_text(node)]
    if [ast.unparse(node) for node in statements] == [ast.unparse(ast.parse(line.text)) for line in lines]:
        return written
    return shown(lines, comments_of(source))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
