"""The layers of ``torch.nn``, as text of the language: a model of the lines is read through them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from exercises.language.reading.scope import Scope
from exercises.language.reading.session import Session, valued
from exercises.language.reading.values import Class, Instance, Parameter, Traced

_WITHOUT_PARAMETERS: Final = frozenset(
    "ReLU GELU Tanh Sigmoid SiLU Softplus LeakyReLU ELU Softmax LogSoftmax Identity Flatten Dropout Dropout2d "
    "MaxPool2d AvgPool2d "
    "MSELoss L1Loss CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss KLDivLoss SmoothL1Loss HuberLoss "
    "ReLU6 Hardtanh Mish Hardswish Softsign LogSigmoid Unflatten ZeroPad2d Upsample AdaptiveAvgPool2d "
    "CosineSimilarity PixelShuffle TripletMarginLoss MaxPool1d".split()
)
_DISTRIBUTIONS: Final = ("Normal", "Categorical", "Bernoulli", "kl_divergence")


@dataclass(eq=False)
class LayerScope(Scope):
    """The names of the text of layers. What is refused there is refused at the line that calls the layer."""


@cache
def _definitions() -> dict[str, ast.ClassDef | ast.FunctionDef]:
    text = files("exercises.language.reading").joinpath("layers.txt").read_text(encoding="utf-8")
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def knows(path: str) -> bool:
    """Return whether a path names a layer, or what belongs to layers."""
    return path.startswith(("nn.", "distributions."))


def called(session: Session, path: str, positional: list[Any], options: dict[str, Any]) -> Any:
    """Return a layer.

    :raises Refused: it has parameters and stands in the lines, or the language does not hold it
    """
    name = path.partition(".")[2]
    if path.startswith("distributions.") and name in _DISTRIBUTIONS:
        found = _defined(session, name)
        is_class = isinstance(found, Class)
        return session.instantiate(found, positional, options) if is_class else session.call_value(found, positional)
    if name in ("Parameter", "parameter.Parameter"):
        return _parameter(session, positional[0] if positional else options["data"])
    if name.startswith("utils."):
        return positional[0] if positional else None
    if name in ("Module", "Sequential", "ModuleList", "ModuleDict", "ParameterList"):
        return _container(session, name, positional)
    if name not in _definitions() or path.startswith("distributions."):
        raise session.refused(f"{path} is not in the language", "Move its parameters to given, and write its lines.")
    if name not in _WITHOUT_PARAMETERS and not session.models:
        raise session.refused(
            f"nn.{name} makes a layer whose parameters are hidden",
            "Move them to given: W = param(4, 16), and write x @ W.",
        )
    return session.instantiate(_defined(session, name), positional, options)


def _defined(session: Session, name: str) -> Any:
    scope = session.layer_scope
    if scope is None:
        scope = session.layer_scope = LayerScope()
    if name not in scope.names:
        node = _definitions()[name]
        inner = session.inside_layer
        session.inside_layer = 1
        for base in [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and each.id in _definitions()]:
            if base != name:
                _defined(session, base)
        session.execute([node], scope)
        session.inside_layer = inner
    return scope.names[name]


def _container(session: Session, name: str, positional: list[Any]) -> Instance:
    """Return a list of layers, called one after the other if it is a Sequential."""
    made: Instance = session.instantiate(_defined(session, name), [], {})
    first = positional[0] if len(positional) == 1 else None
    if isinstance(first, dict):
        made.attributes |= {str(key): value for key, value in first.items()}
        if name == "Sequential":
            made.attributes["items"] = list(first.values())
    else:
        made.attributes["items"] = list(first if isinstance(first, list | tuple) else positional)
    return made


def _parameter(session: Session, data: Any) -> Any:
    if not session.models:
        raise session.refused("nn.Parameter makes a parameter in the lines", "Move it to given: W = param(4, 16).")
    if not isinstance(data, Traced):
        raise session.refused("nn.Parameter reads no tensor", "Write nn.Parameter(torch.randn(4, 16)).")
    return Parameter(valued(data).detach())
