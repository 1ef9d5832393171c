"""Functions that a path names, such as ``torch.zeros`` or ``math.sqrt``."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any, Final

import torch

from exercises.language.operations import SPELLINGS
from exercises.language.reading import creation, einops, layers, noise, python
from exercises.language.reading.plain import product
from exercises.language.reading.session import Session, holds_traced
from exercises.language.reading.values import Class, Instance, Library, Traced
from exercises.language.reading.writes import make_stale
from exercises.language.spelled import SpelledFloat, SpelledInt, spelled

ROOTS: Final = {
    "torch", "F", "nn", "math", "np", "numpy", "einops", "rearrange", "repeat", "einsum", "functional", "autograd",
    "scipy", "optim", "Tensor", "tqdm", "copy", "sys", "os", "time", "random", "partial", "functools", "dataclass",
    "torchvision", "init", "distributions",
}  # fmt: skip
_PREFIXES: Final = (
    ("torch.nn.functional.", "F."), ("nn.functional.", "F."), ("functional.", "F."), ("torch.nn.", "nn."),
    ("numpy.", "np."), ("torch.functional.", "torch."), ("torch.Tensor.", "Tensor."),
    ("torch.distributions.kl.", "distributions."), ("torch.distributions.", "distributions."),
    ("distributions.normal.", "distributions."), ("distributions.categorical.", "distributions."),
)  # fmt: skip
_NUMBERS: Final[dict[str, Any]] = {
    "math.pi": math.pi, "math.e": math.e, "math.inf": math.inf, "torch.pi": math.pi, "torch.inf": math.inf,
    "np.pi": math.pi, "np.inf": math.inf, "torch.e": math.e, "torch.nan": math.nan, "math.nan": math.nan,
    "torch.float32": torch.float32, "torch.float": torch.float32, "torch.float64": torch.float32,
    "torch.double": torch.float32, "torch.float16": torch.float32, "torch.half": torch.float32,
    "torch.bfloat16": torch.float32, "torch.int64": torch.int64, "torch.long": torch.int64,
    "torch.int32": torch.int64, "torch.int": torch.int64, "torch.bool": torch.bool, "torch.uint8": torch.bool,
    "np.newaxis": None,
}  # fmt: skip
_MATH: Final[dict[str, Callable[..., Any]]] = {
    "sqrt": math.sqrt, "log": math.log, "exp": math.exp, "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "tanh": math.tanh, "floor": math.floor, "ceil": math.ceil, "log2": math.log2, "log10": math.log10,
    "pow": math.pow, "prod": math.prod, "gcd": math.gcd, "isqrt": math.isqrt, "fabs": math.fabs, "atan": math.atan,
}  # fmt: skip
_SILENT: Final = ("torch.manual_seed", "torch.cuda.manual_seed", "torch.set_printoptions", "torch.set_default_dtype")
_CONSTANT: Final = {
    "torch.cuda.is_available": False, "torch.device": "cpu", "torch.is_tensor": True, "torch.is_grad_enabled": True,
}  # fmt: skip
_WITH_DIM: Final = ("F.softmax", "F.log_softmax", "F.softmin")
_DROPPED: Final = ("device", "layout", "pin_memory", "requires_grad", "generator", "non_blocking", "memory_format")
# Other names of one function.
_SAME: Final = {
    "einsum": "torch.einsum", "einops.einsum": "torch.einsum", "rearrange": "einops.rearrange",
    "repeat": "einops.repeat", "torch.sigmoid_": "torch.sigmoid",
}  # fmt: skip

_SECOND: Final = (
    "asks for second derivatives; here every step's gradient is found once",
    "Give the gradient's formula as lines.",
)
_REFUSED: Final[tuple[tuple[str, str, str], ...]] = (
    ("torch.autograd.grad", f"torch.autograd.grad inside a forward pass {_SECOND[0]}", _SECOND[1]),
    ("torch.autograd.", f"torch.autograd inside a forward pass {_SECOND[0]}", _SECOND[1]),
    ("torch.func.", f"torch.func inside a forward pass {_SECOND[0]}", _SECOND[1]),
    ("autograd.", f"autograd inside a forward pass {_SECOND[0]}", _SECOND[1]),
    ("torch.fft.", "a Fourier transform gives complex numbers", "Write it with cos and sin, or as a given matrix."),
    ("torch.view_as_complex", "complex numbers have no gradient here",
     "Write real and imaginary part as two tensors, as rotary embeddings do with cos and sin."),
    ("torch.complex", "complex numbers have no gradient here", "Write real and imaginary part as two tensors."),
    ("torch.polar", "complex numbers have no gradient here", "Write cos and sin as two tensors."),
    ("torch.sparse", "sparse tensors are not read", "Give a dense matrix: A = data(5, 5), and write A @ x."),
    ("np.", "numpy has no gradient", "Write the same with torch."),
    ("scipy.", "scipy has no gradient", "Write the same with torch."),
    ("random.", "Python's random numbers are not drawn from the seed", "Move the number to given."),
    ("torch.nonzero", "the number of rows depends on a tensor's values", "Use a mask and torch.where."),
    ("torch.unique", "the number of rows depends on a tensor's values", "Move the classes to given."),
    ("torch.masked_select", "the number of rows depends on a tensor's values", "Use a mask and torch.where."),
    ("torch.multinomial", "a drawn choice depends on a tensor's values", "Move the choice to given: a = labels(3, 6)."),
    ("torch.load", "files are not read", "Move the tensor to given."),
    ("torch.save", "files are not written", "Leave the line out."),
    ("torch.optim.", "an optimiser is no part of a forward pass", "Leave the line out."),
    ("optim.", "an optimiser is no part of a forward pass", "Leave the line out."),
    ("torch.utils.checkpoint", "checkpointing hides its lines", "Call the function itself."),
    ("torch.vmap", "torch.vmap hides its lines", "Write the batch as a dimension."),
)  # fmt: skip


def normalised(path: str) -> str:
    """Return the one path of a function."""
    for prefix, short in _PREFIXES:
        if path.startswith(prefix) and path not in SPELLINGS:
            path = short + path[len(prefix) :]
    return _SAME.get(path, path)


def is_known(name: str) -> bool:
    """Return whether a name stands for something that no line has to define."""
    return name in ROOTS or name in python.FUNCTIONS


def attribute(session: Session, path: str) -> Any:
    """Return what a path names."""
    path = normalised(path)
    if path in _NUMBERS:
        return _NUMBERS[path]
    if path.split(".")[0] not in ROOTS:
        raise session.refused(f"{path} is not in the language", advice_for(path))
    return Library(path)


def is_computed(path: str) -> bool:
    """Return whether a call of a path is computed, and by nothing but what the path names."""
    is_plain = path in python.FUNCTIONS or path.startswith("math.") or path in ("torch.finfo", "torch.iinfo")
    return is_plain or path in SPELLINGS or any(room.knows(path) for room in (noise, creation, einops))


def called(session: Session, path: str, positional: list[Any], options: dict[str, Any]) -> Any:
    """Return the result of a function of a library.

    :raises Refused: the language does not hold it
    """
    path = normalised(path)
    if path.startswith("np.") and path[3:] in _MATH and not holds_traced(positional):
        return _mathematics(session, path[3:], positional, options)
    if path == "np.arange" and not options and all(isinstance(each, int) for each in positional):
        return range(*positional)  # it counts the turns of a loop, or chooses rows
    if path == "torch.where" and len(positional) == 1 and not options:
        path = "torch.nonzero"
    for refused, reason, advice in _REFUSED:
        if path.startswith(refused):
            raise session.refused(reason, advice)
    if path in python.FUNCTIONS:
        return python.called(session, path, positional, options)
    if path == "ignored" or path in _SILENT or path.startswith(("nn.init.", "init.")):
        return None
    if path in ("torch.finfo", "torch.iinfo"):
        return _limits_of(positional[0] if positional else torch.float32)
    if path in _CONSTANT:
        return _CONSTANT[path]
    if path.startswith("Tensor.") and positional and f".{path[7:]}" in SPELLINGS:
        path = path[6:]
    options = {key: value for key, value in options.items() if key not in _DROPPED}
    if path.startswith("math."):
        return _mathematics(session, path.partition(".")[2], positional, options)
    return _computed(session, path, positional, options)


def _computed(session: Session, path: str, positional: list[Any], options: dict[str, Any]) -> Any:
    for room in (noise, creation, einops, layers):
        if room.knows(path):
            return room.called(session, path, positional, options)
    if path not in SPELLINGS:
        raise session.refused(f"{path} is not in the language", advice_for(path))
    if "out" in options:
        raise session.refused("out= writes into another tensor", "Write name = the call.")
    in_place = options.pop("inplace", False)
    if path in _WITH_DIM and len(positional) == 1 and "dim" not in options and isinstance(positional[0], Traced):
        options["dim"] = 0 if positional[0].value.dim() in (0, 1, 3) else 1  # as torch.nn.functional chooses it
    operation = SPELLINGS[path]
    if "dtype" in options and "dtype" not in operation.parameters:
        options.pop("dtype")
        session.note("numbers stay float32")
    result = session.apply(operation, positional, options)
    if in_place is True and isinstance(positional[0], Traced):
        make_stale(session, positional[0])
    return result


def _limits_of(dtype: torch.dtype) -> Instance:
    if dtype.is_floating_point:
        found = torch.finfo(dtype)
        return Instance(Class("finfo", {}), {"max": found.max, "min": found.min, "eps": found.eps, "tiny": found.tiny})
    whole = torch.iinfo(dtype)
    return Instance(Class("iinfo", {}), {"max": whole.max, "min": whole.min})


def _mathematics(session: Session, name: str, positional: list[Any], options: dict[str, Any]) -> Any:
    first = positional[0] if positional else None
    if isinstance(first, Traced) and f"torch.{name}" in SPELLINGS:
        raise session.refused(
            f"math.{name} makes a number of a tensor, so no gradient goes through it", f"Write torch.{name}."
        )
    if name not in _MATH:
        raise session.refused(f"math.{name} is not in the language", "Write the number.")
    if name == "prod":
        return product(python.items(session, first), session.limits)
    result = _MATH[name](*positional)
    if len(positional) == 1 and isinstance(first, SpelledInt | SpelledFloat):
        return spelled(result, ast.Call(ast.Attribute(ast.Name("math"), name), [first.node], []))
    return result


def advice_for(path: str) -> str:
    """Return what to write instead of a function that is not in the language."""
    name = path.rpartition(".")[2]
    if path.startswith("nn."):
        return "Move its parameters to given, and write its formula as lines."
    near = next((each for each in SPELLINGS if each.rpartition(".")[2] == name), None)
    return f"Write {near}(…)." if near else "Write it with the operations of the language, such as exp, sum and @."


def advice_for_name(name: str) -> str:
    """Return what to do about a name that stands for nothing."""
    if name[:1].isupper() or (name.islower() and len(name) <= 2):
        return f"Add it to given: {name} = param(4, 16), data(…), or a number."
    return f"Add it to given, or write a line above that sets {name}."


def holder_of(value: Any) -> str | None:
    """Return the name of the type of a value, as ``isinstance`` knows it."""
    if isinstance(value, Traced):
        return "torch.Tensor"
    return value.kind.name if isinstance(value, Instance) else None
