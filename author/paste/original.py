"""Run the lines of a file as Python, on the author's own machine, and take the gradients that PyTorch finds.

Nothing of a server calls this: what is pasted there is read by the language alone.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import functools
import io
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, SimpleNamespace
from typing import Any, Final

import numpy
import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from author.paste.document import Document
from exercises.language import given as language_given
from exercises.language.errors import Refused
from exercises.language.given import Drawn

_DEFINITIONS: Final = (ast.ClassDef, ast.FunctionDef, ast.Import, ast.ImportFrom)
_IN_PLACE: Final = "modified by an inplace operation"


class CannotRun(Exception):
    """The lines do not run as Python here, for example without a package that they import."""


def run(document: Document, tensors: Mapping[str, Tensor], drawn: Sequence[Drawn], loss: str) -> dict[str, Tensor]:
    """Return ``loss`` and the gradient of each parameter, by name.

    ``tensors`` holds the numbers of what is given and of ``drawn``, what the lines draw themselves.

    :raises CannotRun: the lines fail
    :raises Refused: they change a tensor in place that their backward pass needs
    """
    parts = language_given.read(document.given)
    leaves = {each.name: tensors[each.name].clone().requires_grad_(each.is_param) for each in parts.drawn}
    names: dict[str, Any] = {**_libraries(), **parts.constants, **leaves}
    holder = SimpleNamespace(**parts.constants, **leaves)
    for name in ("self", "args", "config", "cfg"):
        names.setdefault(name, holder)
    noise = [tensors[each.name] for each in drawn if not each.is_param]
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _execute(document, names, tensors, leaves, noise)
            value = _loss_of(names, loss)
            torch.autograd.backward(value.sum())
    except Exception as error:
        if _IN_PLACE in str(error):
            raise Refused(1, "the lines change a tensor in place that their own backward pass needs",
                          "Write the new tensor under a new name.") from error  # fmt: skip
        raise CannotRun(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}") from error
    found = {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
    return {**found, "loss": value.detach()}


def _libraries() -> dict[str, Any]:
    names: dict[str, Any] = {
        "torch": torch, "F": functional, "nn": nn, "math": math, "functools": functools, "partial": functools.partial,
        "__name__": "__main__", "np": numpy, "dataclass": dataclasses.dataclass, "SimpleNamespace": SimpleNamespace,
    }  # fmt: skip
    with contextlib.suppress(ImportError):
        import einops  # an author's own machine may have it

        names |= {"einops": einops, "rearrange": einops.rearrange, "repeat": einops.repeat, "einsum": torch.einsum}
    return names


def _execute(
    document: Document,
    names: dict[str, Any],
    tensors: Mapping[str, Tensor],
    leaves: dict[str, Tensor],
    noise: list[Tensor],
) -> None:
    body = [_without_return(node) for node in ast.parse(document.lines).body]
    if document.models:
        exec(_code([node for node in body if isinstance(node, _DEFINITIONS)]), names)
        exec(document.models, names)
        _fill(names, tensors, leaves)
        body = [node for node in body if not isinstance(node, _DEFINITIONS)]
    with GivenNoise(noise):
        exec(_code(body), names)


def _without_return(node: ast.stmt) -> ast.stmt:
    """Return a statement that sets the loss in place of a ``return`` outside of a function."""
    if isinstance(node, ast.Return) and node.value is not None:
        assign = ast.Assign([ast.Name("loss", ast.Store())], node.value)
        return ast.fix_missing_locations(ast.copy_location(assign, node))
    return node


def _code(body: list[ast.stmt]) -> CodeType:
    return compile(ast.Module(body, []), "<pasted>", "exec")


def _fill(names: Mapping[str, Any], tensors: Mapping[str, Tensor], leaves: dict[str, Tensor]) -> None:
    """Put the given numbers into the parameters of the models, and count these among the leaves."""
    models = {name: value for name, value in names.items() if isinstance(value, nn.Module)}
    for name, model in models.items():
        for path, parameter in model.named_parameters():
            flat = "_".join(part.strip("_") for part in path.split("."))
            flat = f"{name}_{flat}" if len(models) > 1 else flat
            if flat not in tensors:
                raise CannotRun(f"the parameter {path} of {name} is not found among what is given")
            parameter.data = tensors[flat].clone()
            leaves[flat] = parameter


def _loss_of(names: Mapping[str, Any], loss: str) -> Tensor:
    for name in ("loss", loss):
        value = names.get(name)
        if isinstance(value, Tensor):
            return value
    raise CannotRun(f"no line sets {loss}")


class GivenNoise(TorchFunctionMode):
    """Give drawn tensors in place of random numbers, in the order in which the lines ask for them."""

    def __init__(self, noise: Sequence[Tensor]) -> None:
        super().__init__()
        self._noise = list(noise)

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Return what the lines get for a call of torch."""
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "")
        if name == "backward":
            return None
        if name in _DRAWN and self._noise and not (name == "dropout" and not _is_dropped(args, kwargs)):
            return _DRAWN[name](self._noise.pop(0), args, kwargs)
        return function(*args, **kwargs)


def _is_dropped(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    training = args[2] if len(args) > 2 else kwargs.get("training", True)
    return bool(training) and _share(args, kwargs) > 0


def _share(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> float:
    return float(args[1] if len(args) > 1 else kwargs.get("p", 0.5))


def _same(noise: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    return noise


def _whole_numbers(noise: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    low = args[0] if len(args) > 1 and isinstance(args[1], int) else kwargs.get("low", 0)
    moved: Tensor = noise + low
    return moved


def _normal(noise: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    mean, std = (args[0], args[1]) if len(args) > 1 else (kwargs["mean"], kwargs["std"])
    moved = noise * std + mean
    detached: Tensor = moved.detach()
    return detached


def _bernoulli(noise: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    drawn: Tensor = (noise < args[0]).float()
    return drawn


def _dropout(noise: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    value: Tensor = args[0] if args else kwargs["input"]
    kept: Tensor = value * noise / (1 - _share(args, kwargs))
    return kept


def _gumbel(noise: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    tau = args[1] if len(args) > 1 else kwargs.get("tau", 1)
    soft: Tensor = ((args[0] - torch.log(-torch.log(noise))) / tau).softmax(kwargs.get("dim", -1))
    return soft


def _into(noise: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    filled: Tensor = args[0].copy_(noise)
    return filled


_DRAWN: Final[dict[str, Callable[[Tensor, tuple[Any, ...], Mapping[str, Any]], Tensor]]] = {
    "randn_like": _same, "rand_like": _same, "randn": _same, "rand": _same, "randperm": _same,
    "randint": _whole_numbers, "normal": _normal, "bernoulli": _bernoulli, "dropout": _dropout,
    "gumbel_softmax": _gumbel, "normal_": _into, "uniform_": _into, "bernoulli_": _into,
}  # fmt: skip
