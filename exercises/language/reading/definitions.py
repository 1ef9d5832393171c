"""Functions and classes that lines define."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any, Final

from exercises.language.reading import calls
from exercises.language.reading.scope import Scope
from exercises.language.reading.session import Session
from exercises.language.reading.values import Class, Library, Property

NO_GRAD: Final = ("torch.no_grad", "torch.inference_mode", "torch.set_grad_enabled", "no_grad")


def function(session: Session, node: ast.FunctionDef, scope: Scope) -> None:
    """Define a function of the lines."""
    scope.set(node.name, _defined(session, node, scope))


def _owned(method: Any, owner: Class) -> Any:
    if isinstance(method, Property):
        return Property(replace(method.function, owner=owner))
    return replace(method, owner=owner)


def _defined(session: Session, node: ast.FunctionDef, scope: Scope) -> Any:
    made: Any = calls.function(session, node.name, node, scope)
    for decorator in node.decorator_list:
        spelled = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if spelled in NO_GRAD:
            made = replace(made, no_grad=True)
        elif spelled == "staticmethod":
            made = replace(made, receiver="static")
        elif spelled in ("property", "cached_property", "functools.cached_property"):
            made = Property(made)
        elif not spelled.startswith(("torch.jit", "torch.compile", "functools", "lru_cache", "cache")):
            raise session.refused(f"the decorator {spelled} is not read", "Leave it out.")
    return made


def kind(session: Session, node: ast.ClassDef, scope: Scope) -> None:
    """Define a class of the lines."""
    bases = tuple(session.evaluate(each, scope) for each in node.bases)
    if any(isinstance(each, Library) and each.path.startswith(("torch.autograd", "autograd")) for each in bases):
        raise session.refused(
            "a function with a backward of its own hides its gradient", "Write its forward pass as lines."
        )
    made = Class(node.name, {}, bases)
    fields = []
    inner = Scope(scope)
    for each in node.body:
        session.at(each)
        match each:
            case ast.FunctionDef():
                made.attributes[each.name] = _owned(_defined(session, each, scope), made)
            case ast.AnnAssign(ast.Name(name), _, value):
                fields.append(name)
                if value is not None:
                    made.attributes[name] = session.evaluate(value, inner)
            case ast.Assign([ast.Name(name)], value):
                made.attributes[name] = session.evaluate(value, inner)
                inner.set(name, made.attributes[name])
            case ast.Expr(ast.Constant()) | ast.Pass():
                continue
            case _:
                raise session.refused(f"{ast.unparse(each)!r} of a class is not read", "Write methods.")
    made.fields = tuple(fields)
    scope.set(node.name, made)
