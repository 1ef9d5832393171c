"""Python's own functions, and the methods of lists, dicts and strings."""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Callable
from typing import Any, Final

from exercises.language.reading.plain import TooMuch, checked, computed, taken, total
from exercises.language.reading.session import Session, holds_traced
from exercises.language.reading.values import Class, Function, Instance, Library, Results, Traced
from exercises.language.spelled import range_text

_DIGITS_MAX: Final = 30


def called(session: Session, name: str, positional: list[Any], options: dict[str, Any]) -> Any:
    """Return the result of a function of Python."""
    result = FUNCTIONS[name](session, *positional, **options)
    if isinstance(result, list | tuple):
        session.weigh(result)
    return result


def items(session: Session, value: Any) -> list[Any]:
    """Return what can be gone through, as a list."""
    if isinstance(value, Traced):
        if value.value.dim() == 0:
            raise session.refused("a loop goes through a single number", "Loop over range(…).")
        _check_rows(session, value)
        return [session.operation("index", value, place) for place in range(value.value.shape[0])]
    if isinstance(value, Results):
        return list(value.parts())
    if isinstance(value, Instance):
        return list(value.attributes.get("items", []))
    return taken(value, session.limits.items)


def _check_rows(session: Session, value: Traced) -> None:
    if value.value.shape[0] > session.limits.items:
        raise TooMuch(f"a loop or list has more than {session.limits.items:,} items")


def _range(session: Session, *bounds: Any) -> range:
    if holds_traced(bounds):
        raise session.refused(
            "the number of turns depends on a tensor's values", "Write the loop with a number: for i in range(3)."
        )
    numbers = range(*bounds)
    text = range_text(bounds)
    if text is not None:
        session.range_texts[numbers] = text
    return numbers


def _len(session: Session, value: Any) -> int:
    if isinstance(value, Traced):
        return value.value.shape[0]
    return len(items(session, value)) if isinstance(value, Instance | Results) else len(value)


def _sum(session: Session, values: Any, start: Any = 0) -> Any:
    elements = items(session, values)
    if not any(isinstance(each, Traced) for each in [start, *elements]):
        return total(elements, start, session.limits)
    rest = elements if start == 0 and not isinstance(start, Traced) else [start, *elements]
    return functools.reduce(lambda left, right: session.operation("add", left, right), rest)


def _extreme(name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    def choose(session: Session, *values: Any, **options: Any) -> Any:
        session.weigh(values)
        if holds_traced(values) or any(holds_traced(list(each)) for each in values if isinstance(each, list | tuple)):
            raise session.refused(
                f"{name}() of tensors depends on their values", f"Write torch.{name}imum(a, b), or x.{name}()."
            )
        return compute(*values, **{key: value for key, value in options.items() if key == "default"})

    return choose


def _number(kind: type) -> Callable[..., Any]:
    def convert(session: Session, value: Any = 0) -> Any:
        if isinstance(value, Traced):
            if kind is bool:
                raise session.refused(
                    "this branch depends on a tensor's values, so another seed may take the other one",
                    "Write torch.where(condition, a, b), or move the choice to given.",
                )
            session.note(f"{kind.__name__}() of a tensor has no gradient")
            return session.operation("long" if kind is int else "detach", value)
        return checked(kind(value), session.limits)

    return convert


def _abs(session: Session, value: Any) -> Any:
    return session.operation("abs", value) if isinstance(value, Traced) else abs(value)


def _round(session: Session, value: Any, digits: int = 0) -> Any:
    if isinstance(value, Traced):
        return session.operation("round", value)
    if abs(digits) > _DIGITS_MAX:  # Python computes 10**digits
        raise TooMuch(f"a number is rounded to more than {_DIGITS_MAX} digits")
    return round(value, digits or None)


def _pow(session: Session, base: Any, exponent: Any) -> Any:
    if isinstance(base, Traced) or isinstance(exponent, Traced):
        return session.operation("pow", base, exponent)
    return computed(ast.Pow(), base, exponent, session.limits)


def _zip(session: Session, *sequences: Any, **options: Any) -> list[Any]:
    return list(zip(*(items(session, each) for each in sequences), strict=False))


def _enumerate(session: Session, values: Any, start: int = 0) -> list[Any]:
    return list(enumerate(items(session, values), start))


def _map(session: Session, function: Any, *sequences: Any) -> list[Any]:
    return [session.call_value(function, list(each)) for each in _zip(session, *sequences)]


def _sorted(session: Session, values: Any, reverse: bool = False, key: Any = None) -> list[Any]:
    elements = items(session, values)
    session.weigh(elements)
    if holds_traced(elements) or key is not None:
        raise session.refused("an order depends on a tensor's values", "Write torch.sort, or the order itself.")
    return sorted(elements, reverse=reverse)


def _is_instance(session: Session, value: Any, kinds: Any) -> bool:
    return any(_is_one(value, kind) for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))


def _is_one(value: Any, kind: Any) -> bool:
    if isinstance(kind, Class):
        return isinstance(value, Instance) and (value.kind is kind or kind in value.kind.bases)
    path = kind.path if isinstance(kind, Library) else ""
    if path.startswith("nn."):
        return isinstance(value, Instance) and (value.kind.name == path[3:] or path == "nn.Module")
    known: dict[str, type | tuple[type, ...]] = {
        "torch.Tensor": Traced, "Tensor": Traced, "nn.Parameter": Traced, "int": int, "float": float, "str": str,
        "list": list, "tuple": tuple, "dict": dict, "bool": bool,
    }  # fmt: skip
    return path in known and isinstance(value, known[path])


def _get_attribute(session: Session, value: Any, name: str, *default: Any) -> Any:
    if isinstance(value, Instance) and name in value.attributes:
        return value.attributes[name]
    if default:
        return default[0]
    raise session.refused(f"getattr of {name!r} is not read", f"Write .{name}.")


def _has_attribute(session: Session, value: Any, name: str) -> bool:
    if isinstance(value, Library):
        return True
    return isinstance(value, Instance) and (name in value.attributes or value.kind.find(name) is not None)


def _refuse_dropout(session: Session, share: float) -> None:
    raise session.refused(f"a model in training mode drops {share:.0%} at random", "Set p = 0, or call model.eval().")


def _refuse_layers(session: Session, layers: int) -> None:
    raise session.refused(f"a recurrent layer of {layers} layers is not read", "Write one layer after the other.")


def _nothing(session: Session, *values: Any, **options: Any) -> None:
    return None


def _partial(session: Session, function: Any, *values: Any, **options: Any) -> Any:
    return Partial(function, values, options)


class Partial:
    """A function of the lines with some of its arguments, as ``functools.partial`` makes it."""

    def __init__(self, function: Any, values: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.function, self.values, self.options = function, values, options


def _list(session: Session, values: Any = ()) -> list[Any]:
    return items(session, values)


def _tuple(session: Session, values: Any = ()) -> tuple[Any, ...]:
    return tuple(items(session, values))


def _dict(session: Session, values: Any = (), **options: Any) -> dict[Any, Any]:
    return {**dict(values), **options}


def _namespace(session: Session, **options: Any) -> Instance:
    return Instance(Class("SimpleNamespace", {}), dict(options))


def _string(session: Session, value: Any = "") -> str:
    return str(value) if isinstance(value, int | float | str | bool | None) else "…"


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "range": _range, "len": _len, "sum": _sum, "max": _extreme("max", max), "min": _extreme("min", min),
    "int": _number(int), "float": _number(float), "bool": _number(bool), "abs": _abs, "round": _round, "pow": _pow,
    "zip": _zip, "enumerate": _enumerate, "map": _map, "sorted": _sorted, "list": _list, "tuple": _tuple,
    "reversed": lambda session, values: items(session, values)[::-1], "dict": _dict, "str": _string, "set": _list,
    "isinstance": _is_instance, "getattr": _get_attribute, "hasattr": _has_attribute, "print": _nothing,
    "all": lambda session, values: all(_number(bool)(session, each) for each in items(session, values)),
    "any": lambda session, values: any(_number(bool)(session, each) for each in items(session, values)),
    "refuse_dropout_in_training": _refuse_dropout, "refuse_layers": _refuse_layers,
    "functools.partial": _partial, "partial": _partial, "SimpleNamespace": _namespace, "Namespace": _namespace,
    "types.SimpleNamespace": _namespace, "argparse.Namespace": _namespace, "tqdm": lambda session, values, **_: values,
    "callable": lambda session, value: isinstance(value, Function | Library | Class), "divmod":
    lambda session, left, right: divmod(left, right), "type": _nothing, "id": _nothing, "copy.deepcopy":
    lambda session, value: value, "functools.reduce": lambda session, function, values, *start: functools.reduce(
        lambda left, right: session.call_value(function, [left, right]), items(session, values), *start),
    "slice": lambda session, *bounds: slice(*bounds), "super": _nothing, "iter": _list,
    "itertools.chain": lambda session, *lists: list(itertools.chain(*(items(session, each) for each in lists))),
}  # fmt: skip


def method(session: Session, receiver: Any, name: str, positional: list[Any], options: dict[str, Any]) -> Any:
    """Return the result of a method of a list, a dict or a string."""
    session.weigh([receiver, positional])
    allowed = _METHODS.get(type(receiver), ())
    if name not in allowed or options:
        raise session.refused(f".{name} of a {type(receiver).__name__} is not read", "Write it with lists and loops.")
    if name in ("append", "insert", "extend") and len(receiver) >= session.limits.items:
        raise TooMuch(f"a list has more than {session.limits.items:,} items")
    if name == "extend":
        positional = [items(session, positional[0])]
    if name == "replace" and len(positional[1]) * len(receiver) > session.limits.items:
        raise TooMuch("a string is too long")
    if name == "join":
        words = [str(each) for each in items(session, positional[0])]
        if sum(map(len, words)) + len(receiver) * len(words) > session.limits.items:
            raise TooMuch("a string is too long")
        positional = [words]
    result = getattr(receiver, name)(*positional)
    if name in ("items", "keys", "values"):
        return list(result)
    return checked(result, session.limits) if isinstance(result, str) else result


_METHODS: Final[dict[type, tuple[str, ...]]] = {
    list: ("append", "extend", "insert", "pop", "reverse", "copy", "index", "count", "clear"),
    dict: ("items", "keys", "values", "get", "update", "pop", "setdefault", "copy"),
    str: ("split", "strip", "lower", "upper", "startswith", "endswith", "replace", "join"),
    tuple: ("index", "count"),
}
