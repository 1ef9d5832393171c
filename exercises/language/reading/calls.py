"""What a call means: an operation, a function of the lines, a class, a layer, a method."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from exercises.language.reading import library, python, tensors
from exercises.language.reading.flow import Returned
from exercises.language.reading.layers import LayerScope
from exercises.language.reading.scope import MISSING, Scope
from exercises.language.reading.session import Session
from exercises.language.reading.values import (
    Class,
    Function,
    Instance,
    Library,
    Method,
    Namespace,
    Parameter,
    Property,
    Results,
    Traced,
)  # fmt: skip
from exercises.language.reading.writes import Holder, changed, write

_SILENT = ("print", "breakpoint", "display", "tqdm.write", "logging.info", "logger.info", "wandb.log")


def call(session: Session, node: ast.Call, scope: Scope) -> Any:
    """Return the result of a call."""
    spelled = ast.unparse(node.func)
    if spelled in _SILENT and scope.get(spelled) is MISSING:
        session.note(f"{spelled} is left out")
        return None
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
        inner = node.func.value
        if isinstance(inner.func, ast.Name) and inner.func.id == "super":
            return _super(session, node, scope)
    callee = _callee(session, node.func, scope)
    positional, options = _arguments(session, node, scope)
    if isinstance(callee, Method) and isinstance(callee.receiver, Traced) and tensors.is_in_place(callee.name):
        return _in_place(session, callee, positional, options, scope)
    return called(session, callee, positional, options, spelled)


def called(session: Session, callee: Any, positional: list[Any], options: dict[str, Any], spelled: str) -> Any:
    """Return the result of calling what an expression is."""
    match callee:
        case Library(path):
            return library.called(session, path, positional, options)
        case Function():
            return call_function(session, callee, positional, options)
        case Class():
            return instantiated(session, callee, positional, options)
        case Instance():
            return _call_instance(session, callee, positional, options)
        case python.Partial(function=inner, values=values, options=more):
            return called(session, inner, [*values, *positional], {**more, **options}, spelled)
        case Method(receiver, name):
            if isinstance(receiver, Traced | Results):
                return tensors.method(session, receiver, name, positional, options)
            if isinstance(receiver, Instance):
                return _module_method(session, receiver, name, positional, options)
            return python.method(session, receiver, name, positional, options)
    raise session.refused(f"{spelled} cannot be called", "Write it with the operations of the language.")


def _callee(session: Session, node: ast.expr, scope: Scope) -> Any:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        holder = session.evaluate(node.value, scope) if scope.get(node.value.id) is MISSING else None
        if isinstance(holder, Namespace) and _given(scope, node.attr) is MISSING:
            raise hides_parameters(session, ast.unparse(node), node.attr)
    if isinstance(node, ast.Name) and scope.get(node.id) is MISSING and not library.is_known(node.id):
        raise session.refused(
            f"{node.id!r} is not given, and no line defines it: it may hide parameters",
            "Define it in the lines, and move its parameters to given: W = param(4, 16).",
        )
    return session.evaluate(node, scope)


def hides_parameters(session: Session, spelled: str, name: str) -> Any:
    """Return the refusal of a layer that nobody gave."""
    return session.refused(
        f"{spelled} hides its parameters",
        f"Move them to given: {name}_weight = param(…), and write x @ {name}_weight.T.",
    )


def _given(scope: Scope, name: str) -> Any:
    while scope.parent is not None:
        scope = scope.parent
    return scope.get(name)


def _arguments(session: Session, node: ast.Call, scope: Scope) -> tuple[list[Any], dict[str, Any]]:
    positional: list[Any] = []
    for each in node.args:
        if isinstance(each, ast.Starred):
            positional += python.items(session, session.evaluate(each.value, scope))
        else:
            positional.append(session.evaluate(each, scope))
    options: dict[str, Any] = {}
    for keyword in node.keywords:
        value = session.evaluate(keyword.value, scope)
        options.update(value if keyword.arg is None else {keyword.arg: value})
    return positional, options


# functions of the lines


def function(session: Session, name: str, node: ast.FunctionDef | ast.Lambda, scope: Scope) -> Function:
    """Return a function of the lines, with its defaults as they are now."""
    defaults = tuple(session.evaluate(each, scope) for each in node.args.defaults)
    keyword_defaults = tuple(None if each is None else session.evaluate(each, scope) for each in node.args.kw_defaults)
    return Function(name, node, scope, defaults, keyword_defaults)


def call_function(session: Session, callee: Function, positional: list[Any], options: dict[str, Any]) -> Any:
    """Return what a function of the lines gives: its body is read here, names inside get the call's number."""
    if session.depth >= session.limits.calls:
        raise session.refused(f"{callee.name} calls itself too often", "Write it as a loop with a number.")
    in_layer = isinstance(callee.scope, LayerScope)
    count = session.count_call(callee.name)
    suffix = "" if in_layer or callee.name in ("forward", "__call__", "__init__") else f"_{count}"
    inner = Scope(callee.scope, suffix, {"__class__": callee.owner})
    if callee.receiver not in (None, "static"):
        positional = [callee.receiver, *positional]
    hoisted = callee.receiver.path or "layer" if in_layer and isinstance(callee.receiver, Instance) else None
    for name, value in _bound(session, callee, positional, options).items():
        spelled = f"{hoisted}_in" if hoisted else inner.spelled(name)
        inner.set(name, session.kept(value, (isinstance(value, Traced) and value.hint) or spelled))
    saved, line = (session.inside_layer, session.no_grad), session.line
    session.inside_layer, session.no_grad = int(in_layer), session.no_grad + callee.no_grad
    session.depth += 1
    session.scopes.append(inner)
    try:
        result = _body(session, callee.node, inner)
        return _named_after(sealed(session, result), f"{callee.name}_{count}" if suffix else None)
    finally:
        session.scopes.pop()
        session.depth -= 1
        session.inside_layer, session.no_grad = saved
        if session.inside_layer:  # a layer that called a class of the lines stands where it was called
            session.line = line


def _body(session: Session, node: ast.FunctionDef | ast.Lambda, scope: Scope) -> Any:
    if isinstance(node, ast.Lambda):
        return session.evaluate(node.body, scope)
    try:
        session.execute(node.body, scope)
    except Returned as returned:
        return returned.value
    return None


def sealed(session: Session, result: Any) -> Any:
    """Return what was computed under ``no_grad``, with a wall that reads back as one."""
    if isinstance(result, Traced):
        return session.sealed(result)
    if isinstance(result, tuple):
        return tuple(sealed(session, each) for each in result)
    return result


def _named_after(result: Any, name: str | None) -> Any:
    if name and isinstance(result, Traced) and not result.is_named:
        return replace(result, hint=name.lstrip("_").replace("lambda", "f"))
    return result


def _bound(session: Session, callee: Function, positional: list[Any], options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments by the names of a function's parameters."""
    arguments = callee.node.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    defaults = dict(zip(names[len(names) - len(callee.defaults) :], callee.defaults, strict=True))
    defaults |= dict(zip([each.arg for each in arguments.kwonlyargs], callee.keyword_defaults, strict=True))
    bound = {**defaults, **dict(zip(names, positional, strict=False))}
    if arguments.vararg:
        bound[arguments.vararg.arg] = tuple(positional[len(names) :])
    elif len(positional) > len(names):
        raise session.refused(f"{callee.name} takes {len(names)} arguments", "Correct the call.")
    known = {*names, *(each.arg for each in arguments.kwonlyargs)}
    others = {key: value for key, value in options.items() if key not in known}
    bound |= {key: value for key, value in options.items() if key in known}
    if arguments.kwarg:
        bound[arguments.kwarg.arg] = others
    elif others:
        raise session.refused(f"{callee.name} takes no {next(iter(others))}", "Correct the call.")
    missing = known - bound.keys()
    if missing:
        raise session.refused(f"{callee.name} lacks {', '.join(sorted(missing))}", "Correct the call.")
    return bound


# classes of the lines


def instantiated(session: Session, kind: Class, positional: list[Any], options: dict[str, Any]) -> Instance:
    """Return an object of a class of the lines."""
    made = Instance(kind)
    if kind.is_module():
        made.attributes["training"] = True
    initialise = kind.find("__init__")
    if kind.fields:
        made.attributes |= dict(zip(kind.fields, positional, strict=False)) | options
    elif isinstance(initialise, Function):
        session.models += 1
        try:
            call_function(session, replace(initialise, receiver=made), positional, options)
        finally:
            session.models -= 1
    elif positional or options:
        raise session.refused(f"{kind.name} takes no arguments", "Correct the call.")
    return made


def member(session: Session, holder: Instance, name: str) -> Any:
    """Return an attribute or method of an object."""
    if name in holder.attributes:
        return holder.attributes[name]
    found = holder.kind.find(name)
    match found:
        case Property(getter):
            return call_function(session, replace(getter, receiver=holder), [], {})
        case Function(receiver="static"):
            return replace(found, receiver=None)
        case Function():
            return replace(found, receiver=holder)
        case None if holder.kind.is_module():
            return Method(holder, name, ast.Name("self"))
        case None:
            raise session.refused(f"{holder.kind.name} has no {name}", "Set it in __init__.")
    return found


def _call_instance(session: Session, callee: Instance, positional: list[Any], options: dict[str, Any]) -> Any:
    method = callee.kind.find("__call__") or callee.kind.find("forward")
    if not isinstance(method, Function):
        raise session.refused(f"{callee.kind.name} has no forward", "Write one.")
    result = call_function(session, replace(method, receiver=callee), positional, options)
    return _named_after(result, callee.path or callee.kind.name.lower())


def _super(session: Session, node: ast.Call, scope: Scope) -> Any:
    assert isinstance(node.func, ast.Attribute)
    receiver = scope.get("self")
    owner = scope.get("__class__")
    for base in owner.bases if isinstance(owner, Class) else ():
        method = base.find(node.func.attr) if isinstance(base, Class) else None
        if isinstance(method, Function):
            positional, options = _arguments(session, node, scope)
            return call_function(session, replace(method, receiver=receiver), positional, options)
    return None


def _module_method(
    session: Session, receiver: Instance, name: str, positional: list[Any], options: dict[str, Any]
) -> Any:
    """Return the result of a method that every ``nn.Module`` has."""
    match name:
        case "eval" | "train":
            is_training = name == "train" and (not positional or positional[0] is not False)
            for each in modules(receiver):
                each.attributes["training"] = is_training
            return receiver
        case "to" | "cuda" | "cpu" | "float" | "apply" | "requires_grad_" | "double":
            return receiver
        case "register_buffer" | "register_parameter" | "add_module":
            receiver.attributes[str(positional[0])] = session.kept(positional[1], str(positional[0]))
            return None
        case "parameters":
            return [each for module in modules(receiver) for each in module.attributes.values() if _is_leaf(each)]
        case "zero_grad" | "load_state_dict" | "init_weights" | "_init_weights":
            return None
        case "children" | "modules":
            return modules(receiver)[1:]
    raise session.refused(f"{receiver.kind.name} has no {name}", "Write it in the class.")


def _is_leaf(value: Any) -> bool:
    return isinstance(value, Traced) and value.value.is_leaf and value.value.requires_grad


def modules(holder: Instance) -> list[Instance]:
    """Return an object and all modules in it."""
    found: list[Instance] = []
    waiting: list[Any] = [holder]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, Instance) and each not in found:
            found.append(each)
            waiting += each.attributes.values()
        elif isinstance(each, list | tuple):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
    return found


def name_parameters(session: Session, holder: Any, prefix: str, seen: dict[int, Traced] | None = None) -> Any:
    """Return a model in which each parameter is a given tensor, named by its place: ``norm_weight``."""
    seen = {} if seen is None else seen
    match holder:
        case Parameter(sample):
            if id(holder) not in seen:
                seen[id(holder)] = session.parameter(prefix.rstrip("_"), sample)
            return seen[id(holder)]
        case Instance():
            holder.path = prefix.rstrip("_") or holder.path
            for name, value in list(holder.attributes.items()):
                inner = prefix if name == "items" else f"{prefix}{name.lstrip('_')}_"
                holder.attributes[name] = name_parameters(session, value, inner, seen)
        case list():
            holder[:] = [name_parameters(session, each, f"{prefix}{n}_", seen) for n, each in enumerate(holder)]
        case tuple():
            return tuple(name_parameters(session, each, f"{prefix}{n}_", seen) for n, each in enumerate(holder))
        case dict():
            for key in holder:
                holder[key] = name_parameters(session, holder[key], f"{prefix}{key}_", seen)
    return holder


# methods that change a tensor


def _in_place(session: Session, callee: Method, positional: list[Any], options: dict[str, Any], scope: Scope) -> Any:
    """Return the result of a method such as ``masked_fill_``, which the receiver's name stands for from here on."""
    receiver, node = callee.receiver, callee.node

    def compute() -> Any:
        return tensors.method(session, receiver, callee.name, positional, options)

    text = f"{ast.unparse(node)}.{callee.name}(…)"
    name = next((name for name, value in scope.names.items() if value is receiver), None)
    if name is not None:
        session.note(f"{callee.name} changes {name} in place; it is read as {name} = {name}.{callee.name[:-1]}(…)")
        result = changed(session, Holder(name, scope), receiver, compute, text)
        scope.set(name, result)
        return result
    match node:
        case ast.Subscript(ast.Name(name), index):
            where = session.evaluate_index(index, scope)
            scope.set(name, write(session, Holder(name, scope), session.evaluate(node.value, scope), where, compute()))
            return None
    if not receiver.is_named and not session.shares_numbers(receiver):
        return compute()
    raise session.refused(
        f"{text} changes a tensor in place that has no name of its own", f"Write .{callee.name[:-1]}(…) and a new name."
    )
