"""Steps of gradient descent with somebody's gradients. The sandbox's child takes them, and so does the trusted side.

Both compute the same bits: the forward pass is the exercise's own text, and an update is the lecture's line
``p += -lr * gradient``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import CodeType
from typing import Any, Final

import torch
import torch.nn.functional
from torch import Tensor

FORWARD_FILENAME: Final = "<forward pass>"
_IMPORTS: Final = {"torch": torch, "F": torch.nn.functional}

Gradients = Callable[[dict[str, Any]], Mapping[Any, Any]]


class BadGradient(TypeError):
    """A backward pass that gives no gradient to take a step with. The message says what to change."""


def compiled(forward: str) -> CodeType:
    """Compile the text of a forward pass."""
    return compile(forward, FORWARD_FILENAME, "exec")


def forward_state(forward: CodeType, given: Mapping[str, Any]) -> dict[str, Any]:
    """Play a forward pass from parameters, a minibatch and constants; return all its names."""
    state = dict(given)
    exec(forward, _IMPORTS, state)
    return state


def descend(
    forward: CodeType,
    parameters: Mapping[str, Tensor],
    constants: Mapping[str, int],
    minibatches: Iterable[tuple[Tensor, Tensor, float]],
    gradients: Gradients,
) -> None:
    """Move parameters, in place, by a step for each minibatch: contexts, targets and the learning rate.

    :raises BadGradient: a gradient is missing or has another shape, or a parameter was changed by the backward pass
    """
    with torch.no_grad():
        for contexts, targets, rate in minibatches:
            state = forward_state(forward, {**parameters, **constants, "Xb": contexts, "Yb": targets})
            versions = [parameter._version for parameter in parameters.values()]
            found = gradients(state)
            if versions != [parameter._version for parameter in parameters.values()]:
                raise BadGradient("the backward pass changed a parameter in place; compute with a copy: W1.clone()")
            update(parameters, found, rate)


def update(parameters: Mapping[str, Tensor], gradients: Mapping[Any, Any], rate: float) -> None:
    """Move parameters, in place, against their gradients, which may be named ``dW1`` or ``W1``.

    :raises BadGradient: a gradient is missing, is no tensor, or has another shape
    """
    for name, parameter in parameters.items():
        gradient = gradients.get(f"d{name}")
        if gradient is None:
            gradient = gradients.get(name)
        if gradient is None:
            raise BadGradient(f"there is no d{name}; compute all of {', '.join('d' + each for each in parameters)}")
        if not isinstance(gradient, Tensor):
            raise BadGradient(f"d{name} is a {type(gradient).__name__}; make it a tensor")
        if gradient.shape != parameter.shape:
            gradient = _reshaped(name, gradient, parameter)
        parameter += -rate * gradient


def _reshaped(name: str, gradient: Tensor, parameter: Tensor) -> Tensor:
    """Return a gradient in the shape of its parameter if only dimensions of 1 differ, as in (1, 200) and (200).

    :raises BadGradient: more differs
    """
    if [size for size in gradient.shape if size != 1] != [size for size in parameter.shape if size != 1]:
        raise BadGradient(f"d{name} has shape {list(gradient.shape)}, and {name} has {list(parameter.shape)}; sum it")
    return gradient.reshape(parameter.shape)
