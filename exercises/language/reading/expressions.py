"""Walk an expression: numbers are computed, and each operation on a tensor becomes a call."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from exercises.language.errors import Refused
from exercises.language.reading import calls, indexing, library, tensors
from exercises.language.reading.flow import Left
from exercises.language.reading.plain import COMPARISONS, TooMuch, computed, taken
from exercises.language.reading.scope import MISSING, Scope
from exercises.language.reading.session import Session
from exercises.language.reading.strings import formatted
from exercises.language.reading.truth import branch_refused, truth
from exercises.language.reading.values import (
    Class,
    Function,
    Instance,
    Library,
    Method,
    Namespace,
    Parameter,
    Results,
    Stale,
    Traced,
)  # fmt: skip
from exercises.language.reading.writes import Filling, settled
from exercises.language.spelled import negated

_OPERATORS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.MatMult: "matmul",
    ast.FloorDiv: "floor_divide", ast.Mod: "remainder", ast.BitAnd: "bitwise_and", ast.BitOr: "bitwise_or",
    ast.BitXor: "bitwise_xor",
}  # fmt: skip
_SIGNS: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
}  # fmt: skip
_COMPARISONS = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}
_NAMESPACES = ("self", "args", "cfg", "config", "conf", "opt", "hparams", "hp", "params", "model_args")
PLAIN_ERRORS = (TypeError, ValueError, ZeroDivisionError, OverflowError, KeyError, IndexError, AttributeError)


def evaluate(session: Session, node: ast.expr, scope: Scope) -> Any:
    """Return what an expression is.

    :raises Refused: it is not in the language
    """
    session.at(node)
    handler = _HANDLERS.get(type(node))
    if handler is None:
        raise session.refused(f"{ast.unparse(node)!r} is not read", "Write it with the operations of the language.")
    try:
        value = handler(session, node, scope)
        if isinstance(value, Stale):
            text = ast.unparse(node)
            raise session.refused(f"line {value.line} changed {text} in place", f"Copy it above: {text}.clone().")
        return value
    except (Refused, Left):
        raise
    except TooMuch as error:
        raise session.refused(str(error), "Make the loop, list or number smaller.") from None
    except PLAIN_ERRORS as error:
        reason = f"{ast.unparse(node)!r} cannot be computed: {error or type(error).__name__}"
        raise session.refused(reason, "Correct the line.") from error


def _constant(session: Session, node: ast.Constant, scope: Scope) -> Any:
    if isinstance(node.value, complex):
        raise session.refused("complex numbers have no gradient here", "Write real and imaginary part as two tensors.")
    return node.value


def _name(session: Session, node: ast.Name, scope: Scope) -> Any:
    value = scope.get(node.id)
    if isinstance(value, Filling):
        value = settled(session, value, scope)
    if isinstance(value, Stale):
        raise session.refused(
            f"line {value.line} changed {node.id} in place under another name", f"Copy it above: {node.id}.clone()."
        )
    if value is not MISSING:
        return value
    if library.is_known(node.id):
        return Library(node.id)
    if node.id == "__name__":
        return "__main__"
    if node.id in _NAMESPACES:
        return Namespace(node.id)
    raise session.refused(f"{node.id!r} is not given and no line above sets it", library.advice_for_name(node.id))


def _sequence(session: Session, node: ast.Tuple | ast.List, scope: Scope) -> Any:
    values: list[Any] = []
    for each in node.elts:
        if isinstance(each, ast.Starred):
            values += items(session, session.evaluate(each.value, scope))
        else:
            values.append(session.evaluate(each, scope))
    session.weigh(values)
    return tuple(values) if isinstance(node, ast.Tuple) else values


def _dict(session: Session, node: ast.Dict, scope: Scope) -> Any:
    found: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            found.update(session.evaluate(value, scope))
        else:
            name = session.weigh(session.evaluate(key, scope))
            found[name] = session.evaluate(value, scope)
    return found


def _unary(session: Session, node: ast.UnaryOp, scope: Scope) -> Any:
    value = session.evaluate(node.operand, scope)
    if isinstance(node.op, ast.Not):
        return not truth(session, value, node.operand)
    if isinstance(value, Traced):
        if isinstance(node.op, ast.UAdd):
            return value
        return session.operation("neg" if isinstance(node.op, ast.USub) else "logical_not", value)
    result = _SIGNS[type(node.op)](value)
    return negated(result, value) if isinstance(node.op, ast.USub) else result


def _binary(session: Session, node: ast.BinOp, scope: Scope) -> Any:
    return binary(session, node.op, session.evaluate(node.left, scope), session.evaluate(node.right, scope))


def binary(session: Session, op: ast.operator, left: Any, right: Any) -> Any:
    """Return the result of an operator of Python."""
    if not isinstance(left, Traced) and not isinstance(right, Traced):
        result = computed(op, left, right, session.limits)
        if isinstance(result, list | tuple):
            session.weigh(result)
        return result
    if type(op) not in _OPERATORS:
        raise session.refused("this operator is not read on tensors", "Write it with + - * / ** @.")
    if any(isinstance(each, Results | list | tuple | dict) for each in (left, right)):
        raise session.refused("an operator reads several tensors at once", "Take one of them: x[0].")
    return session.operation(_OPERATORS[type(op)], left, right)


def _compare(session: Session, node: ast.Compare, scope: Scope) -> Any:
    left = session.evaluate(node.left, scope)
    result: Any = True
    for op, each in zip(node.ops, node.comparators, strict=True):
        right = session.evaluate(each, scope)
        result = _compared(session, op, left, right)
        if len(node.ops) > 1 and not truth(session, result, node):
            return False
        left = right
    return result


def _compared(session: Session, op: ast.cmpop, left: Any, right: Any) -> Any:
    if isinstance(op, ast.Is | ast.IsNot):
        same = left is right or (isinstance(left, Library) and left == right)
        return same if isinstance(op, ast.Is) else not same
    if isinstance(left, Traced) or isinstance(right, Traced):
        if type(op) not in _COMPARISONS or left is None or right is None:
            raise session.refused("a list that holds tensors depends on their values", "Compare numbers.")
        return session.operation(_COMPARISONS[type(op)], left, right)
    session.weigh([left, right])
    return COMPARISONS[type(op)](left, right)


def _boolean(session: Session, node: ast.BoolOp, scope: Scope) -> Any:
    value: Any = None
    for each in node.values:
        value = session.evaluate(each, scope)
        if each is not node.values[-1] and truth(session, value, each) != isinstance(node.op, ast.And):
            return value
    return value


def _ternary(session: Session, node: ast.IfExp, scope: Scope) -> Any:
    test = session.evaluate(node.test, scope)
    if isinstance(test, Traced):
        raise branch_refused(session, node.test, ast.unparse(node.body), ast.unparse(node.orelse))
    return session.evaluate(node.body if truth(session, test, node.test) else node.orelse, scope)


def _subscript(session: Session, node: ast.Subscript, scope: Scope) -> Any:
    index = evaluated_index(session, node.slice, scope)
    if isinstance(node.value, ast.Name):
        holder = scope.get(node.value.id)
        if isinstance(holder, Filling) and (piece := holder.piece(index)) is not None:
            return piece
    return indexing.part(session, session.evaluate(node.value, scope), index, node)


def evaluated_index(session: Session, node: ast.expr, scope: Scope) -> Any:
    """Return an index, in which slices are slices."""
    match node:
        case ast.Slice(lower, upper, step):
            return slice(*(None if each is None else session.evaluate(each, scope) for each in (lower, upper, step)))
        case ast.Tuple(elements) if any(isinstance(each, ast.Slice | ast.Starred) for each in elements):
            found: list[Any] = []
            for each in elements:
                if isinstance(each, ast.Starred):
                    found += items(session, session.evaluate(each.value, scope))
                else:
                    found.append(evaluated_index(session, each, scope))
            return tuple(found)
    return session.evaluate(node, scope)


def _attribute(session: Session, node: ast.Attribute, scope: Scope) -> Any:
    return attribute(session, session.evaluate(node.value, scope), node, scope)


def attribute(session: Session, value: Any, node: ast.Attribute, scope: Scope) -> Any:
    """Return an attribute of what an expression is."""
    name = node.attr
    match value:
        case Library(path):
            return library.attribute(session, f"{path}.{name}")
        case Traced() | Results():
            return tensors.attribute(session, value, name, node.value)
        case Namespace():
            found = _root(scope).get(name)
            if found is MISSING:
                raise session.refused(f"{ast.unparse(node)} is not given", f"Add {name} to given.")
            return found
        case Instance():
            return calls.member(session, value, name)
        case Parameter(sample):
            return tensors.of_parameter(session, value, sample, node)
        case Class():
            return value.find(name)
        case list() | dict() | str() | tuple():
            if isinstance(value, dict) and name in value:
                return value[name]
            return Method(value, name, node.value)
        case Function():
            return Library("ignored")
    raise session.refused(f"{ast.unparse(node)!r} is not read", "Write it with the operations of the language.")


def _root(scope: Scope) -> Scope:
    while scope.parent is not None:
        scope = scope.parent
    return scope


def _call(session: Session, node: ast.Call, scope: Scope) -> Any:
    return calls.call(session, node, scope)


def _lambda(session: Session, node: ast.Lambda, scope: Scope) -> Any:
    return calls.function(session, "lambda", node, scope)


def _comprehension(session: Session, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, scope: Scope) -> Any:
    return [session.evaluate(node.elt, inner) for inner in _turns(session, node.generators, scope)]


def _dict_comprehension(session: Session, node: ast.DictComp, scope: Scope) -> Any:
    turns = _turns(session, node.generators, scope)
    return {session.weigh(session.evaluate(node.key, inner)): session.evaluate(node.value, inner) for inner in turns}


def _turns(session: Session, generators: list[ast.comprehension], scope: Scope) -> Iterator[Scope]:
    """Yield the scope of a comprehension in each of its turns. It is one scope, as in Python."""
    inner = Scope(scope, scope.suffix)
    yield from _nested_turns(session, generators, inner, scope.turns)


def _nested_turns(
    session: Session, generators: list[ast.comprehension], inner: Scope, turns: list[int]
) -> Iterator[Scope]:
    if not generators:
        inner.turns = turns
        yield inner
        return
    first, *rest = generators
    inner.turns = turns
    for turn, item in enumerate(items(session, session.evaluate(first.iter, inner), first.iter), 1):
        inner.turns = [*turns, turn]
        assign_loop_variable(session, first.target, item, inner)
        if all(truth(session, session.evaluate(test, inner), test) for test in first.ifs):
            yield from _nested_turns(session, rest, inner, [*turns, turn])


def assign_loop_variable(session: Session, target: ast.expr, item: Any, scope: Scope) -> None:
    """Set the variable of a loop to an item, which is no step: an expression such as ``x[0]``."""
    match target:
        case ast.Name(name):
            scope.set(name, item)
        case ast.Tuple(elements) | ast.List(elements):
            values = items(session, item)
            if len(values) != len(elements):
                raise session.refused(f"{len(values)} values go to {len(elements)} names", "Correct the loop.")
            for element, value in zip(elements, values, strict=True):
                assign_loop_variable(session, element, value, scope)
        case _:
            raise session.refused(f"{ast.unparse(target)!r} is no loop variable", "Use a name.")


def items(session: Session, value: Any, node: ast.expr | None = None) -> list[Any]:
    """Return what a loop or a star goes through."""
    match value:
        case Traced():
            if value.value.dim() == 0:
                raise session.refused("a loop goes through a single number", "Loop over range(…).")
            if value.value.shape[0] > session.limits.items:
                raise TooMuch(f"a loop or list has more than {session.limits.items:,} items")
            return [session.operation("index", value, place) for place in range(value.value.shape[0])]
        case Results():
            return list(value.parts())
        case Instance() if "items" in value.attributes:
            return list(value.attributes["items"])
        case Library() | Function() | Class() | Instance() | None | bool() | int() | float():
            text = ast.unparse(node) if node else "this"
            raise session.refused(f"{text!r} cannot be gone through", "Loop over range(…) or a list.")
    return taken(value, session.limits.turns)


def _f_string(session: Session, node: ast.JoinedStr, scope: Scope) -> str:
    return formatted(session, node, scope)


def _walrus(session: Session, node: ast.NamedExpr, scope: Scope) -> Any:
    value = session.kept(session.evaluate(node.value, scope), scope.spelled(node.target.id))
    scope.set(node.target.id, value)
    return value


def _refuse_slice(session: Session, node: ast.Slice, scope: Scope) -> Any:
    return evaluated_index(session, node, scope)


_HANDLERS: dict[type[ast.expr], Any] = {
    ast.Constant: _constant, ast.Name: _name, ast.Tuple: _sequence, ast.List: _sequence, ast.Dict: _dict,
    ast.UnaryOp: _unary, ast.BinOp: _binary, ast.Compare: _compare, ast.BoolOp: _boolean, ast.IfExp: _ternary,
    ast.Subscript: _subscript, ast.Attribute: _attribute, ast.Call: _call, ast.Lambda: _lambda,
    ast.ListComp: _comprehension, ast.GeneratorExp: _comprehension, ast.SetComp: _comprehension,
    ast.DictComp: _dict_comprehension, ast.JoinedStr: _f_string, ast.NamedExpr: _walrus, ast.Slice: _refuse_slice,
}  # fmt: skip
