"""Going back through a recorded graph, or through its steps, for given upstream gradients.

``torch.autograd.grad`` does the same, but compares shapes by its symbolic ones. For that it imports sympy when it is
first called, which takes 26 MiB in each process that grades.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.autograd.graph import _engine_run_backward

from exercises.tape import Step


def go_back(
    outputs: Sequence[Tensor], reads: Sequence[Tensor], upstream: Sequence[Tensor], create_graph: bool = False
) -> tuple[Tensor, ...]:
    """Return the gradient of each tensor that is read, for the upstream gradient of each output. The graph is kept.

    A gradient is zero if no output depends on the tensor.

    :param create_graph: the gradients can be gone back through, too
    :raises RuntimeError: an upstream gradient has another shape than its output
    """
    for output, gradient in zip(outputs, upstream, strict=True):
        if output.shape != gradient.shape:
            shapes = f"{list(gradient.shape)} for an output of {list(output.shape)}"
            raise RuntimeError(f"An upstream gradient of {shapes}: hand in one of the output's shape.")
    gradients = _engine_run_backward(
        tuple(outputs),
        tuple(upstream),
        True,  # keep the graph
        create_graph,
        tuple(reads),
        True,  # allow what is not read
        accumulate_grad=False,
    )
    return tuple(
        torch.zeros_like(read, requires_grad=create_graph) if gradient is None else gradient
        for read, gradient in zip(reads, gradients, strict=True)
    )


def back(step: Step, upstream: Tensor) -> dict[str, Tensor]:
    """Go back through one step.

    ``upstream`` is the gradient of its output, of the same shape. Returns the name of each tensor that the step reads
    → the term that the step adds to its gradient.
    """
    if not step.reads:
        return {}
    terms = go_back([step.output], list(step.reads.values()), [upstream])
    return dict(zip(step.reads, terms, strict=True))


def back_all(steps: Sequence[Step], upstream: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Go back through many steps in one pass of the engine: step → the result of ``back``."""
    leaves = [(step.name, read, leaf) for step in steps for read, leaf in step.reads.items()]
    terms_of: dict[str, dict[str, Tensor]] = {step.name: {} for step in steps}
    if leaves:
        terms = go_back(
            [step.output for step in steps if step.reads],
            [leaf for _, _, leaf in leaves],
            [upstream[step.name] for step in steps if step.reads],
        )
        for (name, read, _), term in zip(leaves, terms, strict=True):
            terms_of[name][read] = term
    return terms_of
