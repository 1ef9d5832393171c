"""Attributes and methods of tensors."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor

from exercises.language.expression import Name
from exercises.language.operations import OPERATIONS, SPELLINGS
from exercises.language.reading import creation, noise
from exercises.language.reading.session import Session
from exercises.language.reading.values import Library, Method, Parameter, Results, Traced

_RESULT_NAMES: Final = {"values": 0, "indices": 1}
_SAME: Final = (
    "contiguous", "cuda", "cpu", "requires_grad_", "retain_grad", "clone", "double", "half", "bfloat16",
    "share_memory_", "pin_memory", "coalesce",
)  # fmt: skip
_CASTS: Final = {"float": torch.float32, "long": torch.int64, "int": torch.int64, "bool": torch.bool}
_SECOND: Final = ("grad", "grad_fn", "register_hook")
_REFUSED: Final[dict[str, tuple[str, str]]] = {
    "numpy": ("numpy has no gradient", "Write the same with torch."),
    "grad": ("a forward pass reads no gradient", "Give the gradient's formula as lines."),
    "nonzero": ("the number of rows depends on a tensor's values", "Use a mask and torch.where."),
    "unique": ("the number of rows depends on a tensor's values", "Move the classes to given."),
    "masked_select": ("the number of rows depends on a tensor's values", "Use a mask and torch.where."),
    "multinomial": ("a drawn choice depends on a tensor's values", "Move the choice to given: a = labels(3, 6)."),
    "to_sparse": ("sparse tensors are not read", "Keep the tensor dense."),
    "real": ("complex numbers have no gradient here", "Write real and imaginary part as two tensors."),
    "imag": ("complex numbers have no gradient here", "Write real and imaginary part as two tensors."),
    "register_hook": ("a hook changes gradients", "Leave it out."),
}


def attribute(session: Session, value: Traced | Results, name: str, node: ast.expr) -> Any:
    """Return an attribute of a tensor, or a method that is yet to be called."""
    if isinstance(value, Results):
        if name in _RESULT_NAMES and len(value.values) == 2:
            return value.part(_RESULT_NAMES[name])
        raise session.refused(f"several tensors have no .{name}", "Take one of them: x[0].")
    tensor = value.value
    match name:
        case "shape":
            return tuple(tensor.shape)
        case "ndim":
            return tensor.dim()
        case "T" | "mT":
            return session.operation("t", value) if name == "T" else session.operation("transpose", value, -2, -1)
        case "data":
            return session.operation("detach", value)
        case "dtype":
            return tensor.dtype
        case "device":
            return "cpu"
        case "requires_grad":
            return tensor.requires_grad
        case "is_cuda":
            return False
    if name in _REFUSED:
        raise session.refused(*_REFUSED[name])
    if name.startswith("_"):
        raise session.refused(f".{name} is not read", "Write it with the operations of the language.")
    return Method(value, name, node)


def of_parameter(session: Session, parameter: Parameter, sample: Tensor, node: ast.Attribute) -> Any:
    """Return an attribute of a parameter of a model that is being made.

    Its start is given, so what sets it, such as ``weight.data.normal_(0, 0.01)``, is left out.
    """
    name = node.attr
    if name == "data":
        return parameter
    if is_in_place(name):
        return Library("ignored")
    if name in ("shape", "ndim", "dtype", "size", "dim", "numel"):
        return attribute(session, Traced(Name("parameter"), sample), name, node)
    raise session.refused(
        f"{ast.unparse(node)!r} is read before the model is made",
        "Leave it out: what a parameter starts from is given.",
    )


def is_in_place(name: str) -> bool:
    """Return whether a method changes its tensor."""
    return name.endswith("_") and not name.endswith("__") and name not in ("requires_grad_", "share_memory_")


def method(session: Session, value: Traced | Results, name: str, positional: list[Any], options: dict[str, Any]) -> Any:
    """Return the result of a method of a tensor."""
    if isinstance(value, Results):
        raise session.refused(f"several tensors have no .{name}", "Take one of them: x[0].")
    options = {key: each for key, each in options.items() if key not in ("device", "non_blocking", "memory_format")}
    if name in noise.IN_PLACE:
        return noise.drawn_in_place(session, value, name, [*positional, *options.values()])
    if is_in_place(name):
        return _changed(session, value, name[:-1], positional, options)
    if name in _SAME or name in _CASTS or name in ("to", "type", "type_as"):
        return _converted(session, value, name, [*positional, *options.values()])
    if name in ("size", "dim", "ndimension", "numel", "nelement", "element_size"):
        return _sizes(value, name, positional)
    if name == "item":
        return session.operation("detach", value)
    if name == "tolist":
        return _listed(session, session.operation("detach", value))
    if name == "backward":
        session.note("backward() is left out")
        return None
    if name in ("new_zeros", "new_ones", "new_full", "new_tensor", "new_empty"):
        return _new(session, name, positional, options)
    if name == "view" and value.copied:
        name = "reshape"
    if name in ("view_as", "reshape_as", "expand_as"):
        return session.operation(name.partition("_")[0].replace("view", "reshape"), value, *positional[0].value.shape)
    return _operation(session, value, name, positional, options)


def _operation(session: Session, value: Traced, name: str, positional: list[Any], options: dict[str, Any]) -> Any:
    if name in _REFUSED:
        raise session.refused(*_REFUSED[name])
    operation = SPELLINGS.get(f".{name}")
    if operation is None:
        near = next((each for each in SPELLINGS if each.endswith(f".{name}")), None)
        advice = (
            f"Write {near}(…)." if near else "Write it with the operations of the language, such as exp, sum and @."
        )
        raise session.refused(f".{name} is not in the language", advice)
    if "dtype" in options and "dtype" not in operation.parameters:
        options.pop("dtype")
        session.note("numbers stay float32")
    return session.apply(operation, [value, *positional], options)


def _changed(session: Session, value: Traced, name: str, positional: list[Any], options: dict[str, Any]) -> Any:
    """Return what a method such as ``mul_`` makes, as a new tensor."""
    shape = tuple(value.value.shape)
    match name:
        case "zero":
            return creation.shaped(session, "zeros", shape, [], value.value.dtype)
        case "fill":
            return creation.shaped(session, "full", shape, [positional[0]], value.value.dtype)
        case "copy":
            return session.operation("expand", positional[0], *shape)
        case "detach":
            return session.operation("detach", value)
    return _operation(session, value, name, positional, options)


def _sizes(value: Traced, name: str, positional: list[Any]) -> Any:
    if name == "size":
        return value.value.shape[positional[0]] if positional else tuple(value.value.shape)
    if name in ("dim", "ndimension"):
        return value.value.dim()
    return value.value.element_size() if name == "element_size" else value.value.numel()


def _converted(session: Session, value: Traced, name: str, arguments: list[Any]) -> Any:
    """Return a tensor on another device or of another dtype. Floats stay float32."""
    dtype = _CASTS.get(name)
    for each in arguments:
        if isinstance(each, torch.dtype):
            dtype = each
        elif isinstance(each, Traced):
            dtype = each.value.dtype
        elif isinstance(each, Library):
            dtype = torch.int64 if "Long" in each.path else torch.float32
    if name in ("clone", "contiguous"):
        copy = value.value.clone() if name == "clone" else value.value.contiguous()
        return replace(value, value=copy, copied=value.copied or (not value.value.is_contiguous() and name != "clone"))
    if name in ("double", "half", "bfloat16") and not value.value.is_floating_point():
        dtype = torch.float32
    if dtype is None or dtype == value.value.dtype:
        return value
    if dtype.is_floating_point and value.value.is_floating_point():
        session.note("numbers stay float32")
        return value
    cast = {torch.float32: "float", torch.int64: "long", torch.bool: "bool"}.get(dtype, "float")
    return session.apply(OPERATIONS[cast], [value], {})


def _listed(session: Session, value: Traced) -> Any:
    """Return a tensor's elements as lists: numbers that depend on its values, so tensors each."""
    if value.value.dim() == 0:
        return value
    if value.value.numel() > session.limits.turns:
        raise session.refused("a list has too many elements", "Keep them in the tensor.")
    return [_listed(session, session.operation("index", value, place)) for place in range(value.value.shape[0])]


def _new(session: Session, name: str, positional: list[Any], options: dict[str, Any]) -> Traced:
    path = "torch." + name.removeprefix("new_")
    return creation.called(session, path, positional, options)
