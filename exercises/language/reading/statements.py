"""Walk statements: each tensor that a line names is a step, loops are unrolled."""

from __future__ import annotations

import ast
from collections.abc import Callable, Set
from dataclasses import replace
from typing import Any, Final

from exercises.language.errors import Refused
from exercises.language.expression import Call, Name, walk
from exercises.language.operations import OPERATIONS
from exercises.language.reading import calls, definitions, expressions, library
from exercises.language.reading.flow import Broken, Continued, Left, Returned
from exercises.language.reading.plain import TooMuch
from exercises.language.reading.scope import MISSING, Scope
from exercises.language.reading.session import Session
from exercises.language.reading.truth import branch_refused, truth
from exercises.language.reading.values import (
    Class,
    Function,
    Instance,
    Library,
    Results,
    Traced,
)  # fmt: skip
from exercises.language.reading.writes import Filling, Holder, changed, make_stale, write

_PLAIN_CONTEXTS: Final = (
    "torch.enable_grad", "torch.autocast", "torch.cuda.amp.autocast", "torch.amp.autocast", "autocast", "nullcontext",
    "torch.autograd.set_detect_anomaly", "record_function",
)  # fmt: skip
_TRAINING: Final = (
    "backward", "step", "zero_grad", "manual_seed", "update", "set_description", "log", "add_scalar", "retain_grad",
)  # fmt: skip
# What a line may hold that is shown as it is written: all of it is read, whatever the numbers are.
_SHOWN: Final = (
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.keyword, ast.Attribute, ast.Subscript, ast.Slice, ast.Name,
    ast.Constant, ast.Tuple, ast.List, ast.Starred, ast.expr_context, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip
# A line that calls one of these is shown without it.
_REWRITTEN: Final = frozenset(
    "to cuda cpu contiguous clone double half bfloat16 data type type_as item requires_grad_ dropout numel".split()
)


def execute(session: Session, nodes: list[ast.stmt], scope: Scope) -> None:
    """Read statements.

    :raises Refused: one is not in the language
    """
    for node in nodes:
        session.at(node)
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise session.refused(
                f"the statement {ast.unparse(node).splitlines()[0]!r} is not read", "Write name = expression."
            )
        if len(session.lines) > session.limits.lines:
            raise session.refused(f"there are more than {session.limits.lines:,} steps", "Make the network smaller.")
        try:
            handler(session, node, scope)
        except (Refused, Left):
            raise
        except TooMuch as error:
            raise session.refused(str(error), "Make the loop, list or number smaller.") from None
        except expressions.PLAIN_ERRORS as error:
            raise session.refused(f"the line cannot be read: {error or type(error).__name__}", "Correct it.") from error


# what sets a name


def _assign(session: Session, node: ast.Assign, scope: Scope) -> None:
    before = len(session.lines), len(session.drawn)
    value = session.evaluate(node.value, scope)
    for target in node.targets:
        value = assign(session, target, value, scope)
    _keep_source(session, node, scope, before)


def _annotated(session: Session, node: ast.AnnAssign, scope: Scope) -> None:
    if node.value is not None:
        assign(session, node.target, session.evaluate(node.value, scope), scope)


def assign(session: Session, target: ast.expr, value: Any, scope: Scope) -> Any:
    """Let a target stand for a value; return the value, in which each tensor has a name."""
    match target:
        case ast.Name(name):
            return _set_name(session, name, value, scope)
        case ast.Tuple(elements) | ast.List(elements):
            return _unpack(session, elements, value, scope)
        case ast.Attribute(holder, _):
            return _set_attribute(session, target, session.evaluate(holder, scope), value, scope)
        case ast.Subscript(_, index):
            return _set_item(session, target, expressions.evaluated_index(session, index, scope), value, scope)
    raise session.refused(f"{ast.unparse(target)!r} cannot be set", "Write name = expression.")


def _set_name(session: Session, name: str, value: Any, scope: Scope) -> Any:
    if isinstance(value, Function) and value.name == "lambda":
        value = replace(value, name=name)
    if isinstance(value, Instance) and value.kind.is_module() and not session.models:
        value = calls.name_parameters(session, value, "")
        value.path = value.path or name
    value = session.kept(value, scope.spelled(name))
    scope.set(name, value)
    return value


def _unpack(session: Session, elements: list[ast.expr], value: Any, scope: Scope) -> Any:
    values = expressions.items(session, value)
    starred = next((place for place, each in enumerate(elements) if isinstance(each, ast.Starred)), None)
    if starred is not None:
        after = len(elements) - starred - 1
        middle = values[starred : len(values) - after]
        values = [*values[:starred], middle, *values[len(values) - after :]]
        elements = [each.value if isinstance(each, ast.Starred) else each for each in elements]
    if len(values) != len(elements):
        raise session.refused(f"{len(values)} values go to {len(elements)} names", "Correct the number of names.")
    return tuple(assign(session, element, each, scope) for element, each in zip(elements, values, strict=True))


def _set_attribute(session: Session, target: ast.Attribute, holder: Any, value: Any, scope: Scope) -> Any:
    name = target.attr
    if isinstance(holder, Instance):
        if isinstance(value, Instance) and not value.path:
            value.path = name
        if not session.models or isinstance(value, Traced):
            value = session.kept(value, scope.spelled(name))
        holder.attributes[name] = value
        return value
    if isinstance(holder, Class):
        holder.attributes[name] = value
        return value
    if name in ("grad", "requires_grad"):
        session.note(f"{ast.unparse(target)} = … is left out")
        return value
    raise session.refused(f"{ast.unparse(target)} = … is not read", "Write a name of its own.")


def _set_item(session: Session, target: ast.Subscript, index: Any, value: Any, scope: Scope) -> Any:
    node = target.value
    holder = scope.get(node.id) if isinstance(node, ast.Name) else MISSING
    if not isinstance(holder, Filling):
        holder = session.evaluate(node, scope)
    name = ast.unparse(node)
    root = _root_name(node)
    match holder:
        case Filling() | Traced() if isinstance(node, ast.Name):
            scope.set(node.id, write(session, Holder(node.id, scope), holder, index, value))
        case Traced():
            raise session.refused(
                f"{name}[…] = … changes a part of a tensor", "Give the tensor a name, and write that."
            )
        case list():
            holder[index] = session.kept(value, f"{scope.spelled(root)}_{index}") if isinstance(index, int) else value
        case dict():
            holder[index] = session.kept(value, scope.spelled(f"{root}_{index}" if str(index).isidentifier() else root))
        case _:
            raise session.refused(f"{name}[…] = … is not read", "Write name = expression.")
    return value


def _root_name(node: ast.expr) -> str:
    """Return the name that an expression such as ``self.rows[0]`` begins or ends with."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else "item"


def _augmented(session: Session, node: ast.AugAssign, scope: Scope) -> None:
    old = session.evaluate(_loaded(node.target), scope)
    right = session.evaluate(node.value, scope)
    if isinstance(old, list) and isinstance(node.op, ast.Add):
        old.extend(session.kept(list(expressions.items(session, right)), _root_name(node.target)))
        return
    if isinstance(old, Traced) and isinstance(node.target, ast.Name):
        name = node.target.id
        text = f"{name} {ast.unparse(node).removeprefix(name).strip()[:20]}"
        if old.is_named or session.shares_numbers(old):

            def compute() -> Any:
                return expressions.binary(session, node.op, old, right)

            scope.set(name, changed(session, Holder(name, scope), old, compute, text))
        else:
            _set_name(session, name, expressions.binary(session, node.op, old, right), scope)
        return
    if isinstance(old, Traced) and not (
        isinstance(node.target, ast.Subscript) and _is_tensor(session, node.target, scope)
    ):
        make_stale(session, old)
    assign(session, node.target, expressions.binary(session, node.op, old, right), scope)


def _is_tensor(session: Session, target: ast.Subscript, scope: Scope) -> bool:
    return isinstance(session.evaluate(_loaded(target.value), scope), Traced)


def _loaded(target: ast.expr) -> ast.expr:
    loaded = ast.parse(ast.unparse(target), mode="eval").body
    for each in ast.walk(loaded):
        ast.copy_location(each, target)
    return loaded


def _keep_source(session: Session, node: ast.Assign, scope: Scope, before: tuple[int, int]) -> None:
    """Let a line be shown as it is written, if that reads back to the same step."""
    is_alone = (len(session.lines), len(session.drawn)) == (before[0] + 1, before[1])
    if not is_alone or session.inside_layer or scope.parent is not None or session.no_grad:
        return
    line = session.lines[-1]
    if [ast.unparse(each) for each in node.targets] != [line.name]:
        return
    text = ast.get_source_segment(session.source, node) or ""
    if "\n" in text:
        text = ast.unparse(node)
    called = {each.operation for each in walk(line.expression) if isinstance(each, Call)}
    if any(_is_call_of(each, OPERATIONS.keys() - called) for each in ast.walk(node.value)):
        return  # it was read as another operation, or as none
    if text and all(_reads_back(session, each, scope, line.name) for each in ast.walk(node.value)):
        session.lines[-1] = replace(line, text=text)


def _is_call_of(node: ast.AST, names: Set[str]) -> bool:
    match node:
        case ast.Attribute(ast.Name("math"), _):
            return False
        case ast.Attribute(_, name):
            return name in names
    return False


def _reads_back(session: Session, node: ast.AST, scope: Scope, set_here: str) -> bool:
    match node:
        case ast.Name(name, ast.Load()):
            if name == set_here:
                return False
            value = scope.get(name)
            if value is MISSING:
                return name in ("torch", "F", "math", "range", "float", "int", "len", "slice")
            if isinstance(value, Traced):
                return value.is_named and value.expression == Name(name)
            return name in session.constants and session.constants[name] is value
        case ast.Attribute(_, name) if name in _REWRITTEN:
            return False
        case ast.Call(function) if not _is_computed(function, scope):
            return False
        case ast.Subscript(holder) if _library_path(holder, scope):
            return False
        case ast.Compare(ops=[_, _, *_]):
            return False  # the second part may not have been read
    return isinstance(node, _SHOWN)


def _is_computed(function: ast.expr, scope: Scope) -> bool:
    """Return whether a function of a library was computed here, and not left out unread."""
    path = _library_path(function, scope)
    return not path or library.is_computed(library.normalised(path))


def _library_path(node: ast.expr, scope: Scope) -> str:
    """Return the path of an expression such as ``torch.nn.init``; empty if a value stands at its root."""
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    return ast.unparse(node) if isinstance(root, ast.Name) and scope.get(root.id) is MISSING else ""


# what decides which lines are read


def _if(session: Session, node: ast.If, scope: Scope) -> None:
    test = session.evaluate(node.test, scope)
    if isinstance(test, Traced | Results):
        raise branch_refused(session, node.test, _chosen(node.body, "a"), _chosen(node.orelse, "b"))
    session.execute(node.body if truth(session, test, node.test) else node.orelse, scope)


def _chosen(body: list[ast.stmt], default: str) -> str:
    match body:
        case [ast.Assign([ast.Name(name)], _)]:
            return name if default == "a" else default
    return default


def _for(session: Session, node: ast.For, scope: Scope) -> None:
    turns = expressions.items(session, session.evaluate(node.iter, scope), node.iter)
    for turn, item in enumerate(turns, 1):
        scope.turns.append(turn)
        try:
            expressions.assign_loop_variable(session, node.target, item, scope)
            session.execute(node.body, scope)
        except Continued:
            continue
        except Broken:
            return
        finally:
            scope.turns.pop()
    session.execute(node.orelse, scope)


def _while(session: Session, node: ast.While, scope: Scope) -> None:
    for turn in range(1, session.limits.turns + 1):
        test = session.evaluate(node.test, scope)
        if isinstance(test, Traced | Results):
            raise session.refused(
                "the number of turns depends on a tensor's values", "Write the loop with a number: for i in range(3)."
            )
        if not truth(session, test, node.test):
            return
        scope.turns.append(turn)
        try:
            session.execute(node.body, scope)
        except Continued:
            continue
        except Broken:
            return
        finally:
            scope.turns.pop()
    raise TooMuch(f"a loop has more than {session.limits.turns:,} turns")


def _with(session: Session, node: ast.With, scope: Scope) -> None:
    walls = 0
    for item in node.items:
        spelled = ast.unparse(item.context_expr.func if isinstance(item.context_expr, ast.Call) else item.context_expr)
        if spelled in definitions.NO_GRAD:
            walls += not (isinstance(item.context_expr, ast.Call) and _is_true(item.context_expr.args))
        elif spelled not in _PLAIN_CONTEXTS:
            raise session.refused(f"with {spelled} is not read", "Leave it out.")
    session.no_grad += walls
    try:
        session.execute(node.body, scope)
    finally:
        session.no_grad -= walls


def _is_true(arguments: list[ast.expr]) -> bool:
    return bool(arguments) and isinstance(arguments[0], ast.Constant) and arguments[0].value is True


# what is left out


def _expression(session: Session, node: ast.Expr, scope: Scope) -> None:
    if isinstance(node.value, ast.Constant):
        return
    if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        holder = node.value.func.value
        is_known = isinstance(holder, ast.Name) and scope.get(holder.id) is not MISSING
        if node.value.func.attr in _TRAINING and not (is_known and node.value.func.attr == "update"):
            session.note(f"{ast.unparse(node.value.func)} is left out")
            return
        if node.value.func.attr in ("append", "insert"):
            _append(session, node.value, scope)
            return
    session.evaluate(node.value, scope)


def _append(session: Session, node: ast.Call, scope: Scope) -> None:
    """Append to a list. What is appended gets a name: ``outputs_1``."""
    assert isinstance(node.func, ast.Attribute)
    holder = session.evaluate(node.func.value, scope)
    if not isinstance(holder, list):
        session.evaluate(node, scope)
        return
    arguments = [session.evaluate(each, scope) for each in node.args]
    if len(holder) >= session.limits.items:
        raise TooMuch(f"a list has more than {session.limits.items:,} items")
    value = session.kept(arguments[-1], f"{_root_name(node.func.value)}_{len(holder) + 1}")
    holder.insert(arguments[0] if node.func.attr == "insert" else len(holder), value)


def _assert(session: Session, node: ast.Assert, scope: Scope) -> None:
    session.note("assert is left out")


def _import(session: Session, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    for each in node.names:
        if isinstance(node, ast.Import):
            path = each.name if each.asname else each.name.split(".")[0]
        else:
            path = f"{node.module}.{each.name}"
        name = each.asname or each.name.split(".")[0]
        scope.set(name, Library(library.normalised(_short(path))))
    session.note("import is left out")


def _short(path: str) -> str:
    return {"torch.nn.functional": "F", "torch.nn": "nn", "numpy": "np"}.get(path, path)


def _delete(session: Session, node: ast.Delete, scope: Scope) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            scope.names.pop(target.id, None)


def _nothing(session: Session, node: ast.stmt, scope: Scope) -> None:
    return


def _return(session: Session, node: ast.Return, scope: Scope) -> None:
    value = None if node.value is None else session.evaluate(node.value, scope)
    raise Returned(calls.sealed(session, value))  # here: no_grad ends with the block that the return leaves


def _raise(session: Session, node: ast.Raise, scope: Scope) -> None:
    raise session.refused(f"the lines raise an error: {ast.unparse(node)[6:60]}", "Change what is given.")


def _break(session: Session, node: ast.Break, scope: Scope) -> None:
    raise Broken


def _continue(session: Session, node: ast.Continue, scope: Scope) -> None:
    raise Continued


_HANDLERS: Final[dict[type[ast.stmt], Callable[..., None]]] = {
    ast.Assign: _assign, ast.AnnAssign: _annotated, ast.AugAssign: _augmented, ast.If: _if, ast.For: _for,
    ast.While: _while, ast.With: _with, ast.FunctionDef: definitions.function,
    ast.ClassDef: definitions.kind, ast.Expr: _expression,
    ast.Assert: _assert, ast.Import: _import, ast.ImportFrom: _import, ast.Delete: _delete, ast.Pass: _nothing,
    ast.Return: _return, ast.Break: _break, ast.Raise: _raise, ast.Continue: _continue,
}  # fmt: skip
